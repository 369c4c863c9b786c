//! The end of a life: everything comes to rest, and nothing is lost, doubled or left over.

use crate::life::World;
use crate::saved::Elsewhere;
use lomme::CancelToken;
use lomme::catalog::{Kind, Space};
use lomme::edits::{ConflictKind, Hold, Park, Resolution};
use lomme_e2e::faults;
use std::collections::{BTreeMap, BTreeSet};

/// Rounds in which everything must have come to rest.
const ROUNDS: usize = 40;
/// After so many rounds a person gives up what waits for one.
const PATIENCE: usize = 6;

/// Later than any file that was written in a life, whatever its clock jumps: files have the machine's times.
const LATER_MS: i64 = 7 * 86_400_000;

pub async fn all(world: &mut World) -> Result<(), String> {
    faults::heal(&world.cloud);
    for one in 0..world.phones.len() {
        world.drop_writers(one);
        wake(world, one).await?;
        if world.sends {
            rest(world, one).await?;
        } else {
            give_up(world, one)?;
        }
    }
    if let Some(broken) = world.broken.take() {
        return Err(broken);
    }
    nothing_is_fetched_unasked(world)?;
    nothing_is_lost(world)?;
    if !world.copies {
        let doubled = world.saved.doubled(&world.cloud);
        if !doubled.is_empty() {
            return Err(format!("saved once and there twice: {doubled:?}"));
        }
    }
    for one in 0..world.phones.len() {
        shows_what_there_is(world, one).await?;
        if world.sends {
            leaves_nothing_behind(world, one).await?;
        }
    }
    Ok(())
}

/// A process that lives, signed in.
async fn wake(world: &mut World, one: usize) -> Result<(), String> {
    if world.phones[one].disk.is_dead() {
        let opened = world.phones[one].next_process(&mut world.random).await;
        opened.map_err(|error| format!("phone {one} does not open: {error}"))?;
    }
    world.clock.advance(120_000);
    let phone = &world.phones[one];
    phone.disk.die_after(u64::MAX);
    // What ended meanwhile is not known here before it is used, so in any case.
    let token = world.cloud.login_token().unwrap();
    let signed_in = phone.sign_in(&token).await;
    signed_in.map_err(|error| format!("phone {one} does not sign in: {error}"))?;
    Ok(())
}

/// All wishes are given up, so that the phone shows again what the service has.
fn give_up(world: &World, one: usize) -> Result<(), String> {
    let phone = &world.phones[one];
    let mut wished = phone.wished.clone();
    for space in [Space::Sync, Space::Archive, Space::Trash] {
        let shown = phone.tree(space).map_err(|error| error.to_string())?;
        // A call that a kill kept from its answer may have left a wish of an item that the test was not told of.
        let pending = shown.into_values().filter(|item| item.pending);
        wished.extend(pending.map(|item| item.id));
    }
    for id in &wished {
        let done = phone.drive.edits().discard(id);
        world.say(|| format!("phone {one} discards {id}: {done:?}"));
        match done {
            Ok(()) | Err(lomme::Error::NotKnown { .. } | lomme::Error::NoSuchItem { .. }) => {}
            Err(error) => return Err(format!("phone {one}: discard: {error}")),
        }
    }
    Ok(())
}

async fn rest(world: &mut World, one: usize) -> Result<(), String> {
    let cancel = CancelToken::new();
    for round in 0..ROUNDS {
        let told = |what: &str| format!("phone {one}, round {round}: {what}");
        let phone = &world.phones[one];
        let failed = |error: lomme::Error| told(&error.to_string());
        let edits = phone.drive.edits();
        for conflict in edits.conflicts(false).map_err(failed)? {
            if conflict.kind == ConflictKind::HistoryOnly {
                edits
                    .resolve(conflict.number, Resolution::KeepBoth)
                    .map_err(failed)?;
            }
        }
        for pending in edits.outbox().map_err(failed)? {
            match pending.hold {
                Some(Hold::NeedsUser(Park::BytesLost)) => {
                    return Err(told("staged bytes are lost"));
                }
                Some(Hold::NeedsUser(_)) if round >= PATIENCE => {
                    edits.discard(&pending.id).map_err(failed)?
                }
                _ => {}
            }
        }
        edits.retry(None).map_err(failed)?;
        let run = edits.push(None, &cancel).await;
        world.say(|| told(&format!("{run:?}")));
        if edits.outbox().map_err(failed)?.is_empty() {
            return Ok(());
        }
        world.clock.advance(2 * 3_600_000);
    }
    let left = world.phones[one].drive.edits().outbox();
    Err(format!("phone {one} does not come to rest: {left:?}"))
}

/// Content comes to a phone only for a writer that begins with it.
fn nothing_is_fetched_unasked(world: &World) -> Result<(), String> {
    let fetched: u64 = world.cloud.counts().content_bytes.values().sum();
    match fetched > world.asked {
        true => Err(format!(
            "{fetched} bytes of content were fetched, and {} asked for",
            world.asked
        )),
        false => Ok(()),
    }
}

fn nothing_is_lost(world: &World) -> Result<(), String> {
    let mut discarded = BTreeSet::new();
    for phone in world.phones.iter().filter(|_| world.sends) {
        let contents = phone.discarded();
        discarded.extend(
            contents.map_err(|error| format!("phone {}: discarded: {error}", phone.number))?,
        );
    }
    let entries = world.cloud.writer().paths("/Jotta").unwrap();
    let many_revisions = entries.iter().any(|entry| entry.revision > 5);
    let elsewhere = Elsewhere {
        discarded,
        falls_out: world.purges || many_revisions,
    };
    let missing = world.saved.missing(&world.cloud, &elsewhere);
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("lost: {missing:?}"))
    }
}

/// Names, sizes and hashes of a space.
type Tree = BTreeMap<String, Option<String>>;

async fn shows_what_there_is(world: &World, one: usize) -> Result<(), String> {
    let cancel = CancelToken::new();
    let phone = &world.phones[one];
    let failed = |error: lomme::Error| format!("phone {one}: {error}");
    for space in [Space::Sync, Space::Archive] {
        let index = phone.drive.catalog().index(space, &|_| {}, &cancel);
        index.await.map_err(failed)?;
        let shown: Tree = phone
            .tree(space)
            .map_err(failed)?
            .into_iter()
            .map(|(path, item)| {
                let version = item.content_version.filter(|_| item.kind == Kind::File);
                (path, version)
            })
            .collect();
        let root = format!("/Jotta/{}", space.name());
        let entries = world.cloud.writer().paths(&root).unwrap();
        let there: Tree = entries
            .into_iter()
            .filter(|entry| !entry.is_file || !entry.md5.is_empty())
            .map(|entry| {
                let version = entry
                    .is_file
                    .then(|| format!("{}-{}", entry.md5, entry.size));
                (entry.path[root.len()..].to_owned(), version)
            })
            .collect();
        if shown != there {
            let trash: Vec<String> = phone
                .tree(Space::Trash)
                .map_err(failed)?
                .into_keys()
                .collect();
            let missing: Vec<_> = there
                .iter()
                .filter(|at| !shown.contains_key(at.0))
                .collect();
            let more: Vec<_> = shown
                .iter()
                .filter(|at| !there.contains_key(at.0))
                .collect();
            return Err(format!(
                "phone {one} does not show {missing:?}, shows besides {more:?}, and in the trash {trash:?}; it shows {shown:?} for {there:?}"
            ));
        }
        if there.keys().any(|path| path.contains(".lomme")) {
            return Err(format!("a temporary is left in {}", space.name()));
        }
    }
    Ok(())
}

/// What is staged is what was discarded, and nothing else. What a kill has left is removed by a start at least a minute later.
async fn leaves_nothing_behind(world: &mut World, one: usize) -> Result<(), String> {
    world.clock.advance(LATER_MS);
    let again = world.phones[one].next_process(&mut world.random).await;
    again.map_err(|error| format!("phone {one} does not open: {error}"))?;
    let phone = &world.phones[one];
    let kept = phone
        .drive
        .edits()
        .discarded()
        .map_err(|error| error.to_string())?;
    let staged = lomme_e2e::walk(&phone.outer.path().join("drive/unsent"));
    let bytes: u64 = kept.iter().map(|kept| kept.size).sum();
    if staged.values().sum::<u64>() > bytes {
        return Err(format!(
            "phone {one} keeps {} staged files for {} discarded",
            staged.len(),
            kept.len()
        ));
    }
    Ok(())
}
