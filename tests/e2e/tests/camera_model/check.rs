//! The end of a life: everything comes to rest, each content is there once, and nothing was deleted.

use crate::life::{DEVICE, MOUNT, World};
use crate::roll::Photo;
use lomme::CancelToken;
use lomme::camera::{AssetState, Budget, Proof};
use lomme_e2e::faults;
use std::collections::{BTreeMap, BTreeSet};

/// Rounds in which everything must have come to rest.
const ROUNDS: usize = 20;

pub async fn all(world: &mut World) -> Result<(), String> {
    faults::heal(&world.cloud);
    if world.disk.is_dead() {
        world.next_process();
    }
    world.disk.die_after(u64::MAX);
    world.sign_in().await;
    rest(world).await?;
    world.look()?;
    each_once(world)?;
    with_receipts(world).await?;
    nothing_staged(world)?;
    untouched_here(world)
}

async fn rest(world: &mut World) -> Result<(), String> {
    let cancel = CancelToken::new();
    let failed = |error: lomme::Error| format!("in the end: {error}");
    if world.camera().device().map_err(failed)?.is_none() {
        // A kill in the middle of a claim: the person is asked again.
        world
            .camera()
            .claim_device(DEVICE, &cancel)
            .await
            .map_err(failed)?;
    }
    world
        .camera()
        .set_source_rules(world.source, &world.rules.clone())
        .map_err(failed)?;
    let mut last = None;
    for round in 0..ROUNDS {
        world.clock.advance(3 * 3_600_000);
        world.scan_all().map_err(failed)?;
        world.camera().reconcile_uploads(&[]).map_err(failed)?;
        world.camera().retry(None).map_err(failed)?;
        world.clock.advance(60_000);
        world.provide();
        let batch = world
            .camera()
            .run_batch(&Budget::default(), None, &cancel)
            .await;
        let batch = batch.map_err(failed)?;
        world.say(|| format!("round {round}: {batch:?}"));
        let adopted = world.camera().adopt(&cancel).await.map_err(failed)?;
        let audited = world.camera().audit(1_000, &cancel).await.map_err(failed)?;
        // An empty library says nothing about what was in it, so its last photo is looked for, now and then, for ever.
        let rests = batch.remaining == 0 || world.roll.photos.is_empty();
        if rests && adopted.missing == 0 && audited.1 == 0 {
            return Ok(());
        }
        last = Some(batch);
    }
    Err(format!("it does not come to rest: {last:?}"))
}

/// What the rules want of the roll, by content.
fn wanted(world: &World) -> BTreeSet<Vec<u8>> {
    let photos = world
        .roll
        .photos
        .iter()
        .filter(|photo| is_wanted(world, photo));
    photos
        .flat_map(|photo| photo.files.values().map(|(_, bytes)| bytes.clone()))
        .collect()
}

fn is_wanted(world: &World, photo: &Photo) -> bool {
    let left_out = world
        .rules
        .without_albums
        .iter()
        .any(|album| album == photo.album);
    !left_out && (world.rules.with_hidden || !photo.hidden)
}

fn each_once(world: &World) -> Result<(), String> {
    let mut counts: BTreeMap<Vec<u8>, Vec<String>> = BTreeMap::new();
    for (path, bytes) in world.there() {
        counts.entry(bytes).or_default().push(path);
    }
    let short = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(20)]).into_owned();
    for bytes in wanted(world) {
        let there = counts.get(&bytes).map_or(0, Vec::len);
        if there == 0 && !world.deleted.contains(&bytes) {
            return Err(format!("{:?} is not in the cloud", short(&bytes)));
        }
    }
    for (bytes, paths) in &counts {
        if paths.len() > 1 {
            return Err(format!("{:?} is there twice: {paths:?}", short(bytes)));
        }
    }
    Ok(())
}

async fn with_receipts(world: &World) -> Result<(), String> {
    let (mut receipts, mut after) = (BTreeMap::new(), 0);
    loop {
        let (page, last) = world
            .camera()
            .receipts(after, 7)
            .map_err(|error| error.to_string())?;
        if page.is_empty() {
            break;
        }
        after = last;
        for receipt in page {
            receipts.insert((receipt.asset.clone(), receipt.resource.clone()), receipt);
        }
    }
    for photo in world
        .roll
        .photos
        .iter()
        .filter(|photo| is_wanted(world, photo))
    {
        let key = photo.id.to_string();
        let why = world
            .camera()
            .why(world.source, &key)
            .map_err(|error| error.to_string())?;
        let deleted = photo
            .files
            .values()
            .any(|(_, bytes)| world.deleted.contains(bytes));
        match why.state {
            AssetState::Verified => {}
            AssetState::DeletedInCloud if deleted => continue,
            _ => return Err(format!("photo {key}: {why:?}")),
        }
        for (role, (_, bytes)) in &photo.files {
            let Some(receipt) = receipts.get(&(key.clone(), role.to_string())) else {
                if let Ok(to) = std::env::var("DUMP") {
                    std::process::Command::new("cp")
                        .arg("-r")
                        .arg(&world.options.directory)
                        .arg(to)
                        .status()
                        .unwrap();
                }
                return Err(format!(
                    "photo {key} has no receipt of {role}: {why:?} {receipts:?}"
                ));
            };
            let path = format!("/{}", receipt.path);
            let there = world
                .cloud
                .writer()
                .read(&path)
                .map_err(|error| format!("{path}: {error:?}"))?;
            if there != *bytes || !receipt.path.starts_with(&format!("{DEVICE}/{MOUNT}/")) {
                return Err(format!(
                    "photo {key}: the receipt shows another content at {path}"
                ));
            }
        }
        let (files, cancel) = (world.proof_files(photo.id), CancelToken::new());
        let proof = world
            .camera()
            .prove(world.source, &key, &files, &cancel)
            .await;
        if proof != Ok(Proof::Proven) {
            return Err(format!("photo {key}: {proof:?}"));
        }
    }
    Ok(())
}

/// What a kill has left of a copy goes with a start at least an hour later.
fn nothing_staged(world: &mut World) -> Result<(), String> {
    world.clock.advance(7 * 86_400_000);
    world.next_process();
    let kept = lomme_e2e::walk(&world.options.directory.join("camera"));
    match kept.keys().find(|path| !path.ends_with("run.lock")) {
        Some(path) => Err(format!("{path:?} is left staged")),
        None => Ok(()),
    }
}

fn untouched_here(world: &World) -> Result<(), String> {
    for photo in &world.roll.photos {
        for (role, (_, bytes)) in &photo.files {
            if std::fs::read(world.roll.path(photo, *role)).ok().as_ref() != Some(bytes) {
                return Err(format!("photo {} was changed here", photo.id));
            }
        }
    }
    Ok(())
}
