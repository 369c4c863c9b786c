//! `lomme camera rules`, `preview` and `when`

use super::{Desk, items, number};
use crate::args::{CameraKind, CameraWhen, RuleFlags, SourceRules};
use crate::commands::{rules, size};
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::shapes::{self, PreviewShape, SourceShape, WhenShape};
use lomme::camera::{AssetKind, AssetRules, CameraRules, Schedule, Skip};

pub fn run(args: &SourceRules, desk: &Desk, output: &mut Output) -> Result<(), Failure> {
    let before = desk.source(&args.source)?;
    let rules = chosen(&args.rules, &before.rules);
    if rules != before.rules {
        desk.camera().set_source_rules(before.id, &rules)?;
    }
    let source = desk.source(&before.id.to_string())?;
    if output.is_json() {
        return output.document(&SourceShape::new(&source, desk.rolls.folder(&source)));
    }
    tell(&source.rules, output)
}

/// What is said replaces what was said before of the same.
fn chosen(flags: &RuleFlags, before: &AssetRules) -> AssetRules {
    let mut rules = match flags.everything {
        true => AssetRules::default(),
        false => before.clone(),
    };
    if !flags.only_albums.is_empty() {
        rules.only_albums.clone_from(&flags.only_albums);
    }
    if !flags.without_albums.is_empty() {
        rules.without_albums.clone_from(&flags.without_albums);
    }
    if !flags.without_kinds.is_empty() {
        rules.without_kinds = flags
            .without_kinds
            .iter()
            .map(|kind| asset_kind(*kind))
            .collect();
    }
    if let Some(cap) = flags.at_most {
        rules.at_most_bytes = cap.0;
    }
    rules.only_favourites |= flags.favourites;
    rules.with_hidden |= flags.hidden;
    rules
}

fn asset_kind(kind: CameraKind) -> AssetKind {
    match kind {
        CameraKind::Photo => AssetKind::Photo,
        CameraKind::Video => AssetKind::Video,
        CameraKind::Screenshot => AssetKind::Screenshot,
        CameraKind::ScreenRecording => AssetKind::ScreenRecording,
        CameraKind::LivePhoto => AssetKind::LivePhoto,
        CameraKind::Burst => AssetKind::Burst,
        CameraKind::Raw => AssetKind::Raw,
        CameraKind::Other => AssetKind::Other,
    }
}

fn tell(rules: &AssetRules, output: &mut Output) -> Result<(), Failure> {
    let names = |albums: &[String]| {
        let names: Vec<String> = albums.iter().map(|album| shown(album)).collect();
        names.join(", ")
    };
    let or = |text: String, none: &str| match text.is_empty() {
        true => none.to_owned(),
        false => text,
    };
    let kinds: Vec<&str> = rules
        .without_kinds
        .iter()
        .map(|kind| shapes::kind(*kind))
        .collect();
    let yes = |answer: bool| if answer { "yes" } else { "no" }.to_owned();
    let most = rules.at_most_bytes.map_or_else(|| "no limit".into(), size);
    for (rule, answer) in [
        ("only albums", or(names(&rules.only_albums), "all")),
        ("not albums", or(names(&rules.without_albums), "none")),
        ("not kinds", or(kinds.join(", "), "none")),
        ("at most", most),
        ("only favourites", yes(rules.only_favourites)),
        ("hidden ones too", yes(rules.with_hidden)),
    ] {
        output.line(format!("  {rule:21} {answer}"))?;
    }
    Ok(())
}

pub fn preview(args: &SourceRules, desk: &Desk, output: &mut Output) -> Result<(), Failure> {
    let source = desk.source(&args.source)?;
    let rules = chosen(&args.rules, &source.rules);
    let preview = desk.camera().preview(source.id, &rules)?;
    if output.is_json() {
        return output.document(&PreviewShape::from(&preview));
    }
    output.line(format!("{}, {}", items(preview.items), size(preview.bytes)))?;
    for (skip, many) in &preview.skipped {
        output.line(format!(
            "{} left out because {}",
            number(*many),
            why(*skip, *many)
        ))?;
    }
    if preview.albums.iter().any(|album| !album.album.is_empty()) {
        for album in &preview.albums {
            let name = match album.album.as_str() {
                "" => "(in no album)".to_owned(),
                name => shown(name),
            };
            let of = match album.included == album.items {
                true => String::new(),
                false => format!(" of {}", number(album.items)),
            };
            output.line(format!("  {:>9}{of}  {name}", number(album.included)))?;
        }
    }
    if source.scanned_ms.is_none() {
        output.remark("It was not scanned yet: 'lomme camera scan'.");
    }
    Ok(())
}

fn why(skip: Skip, many: u64) -> &'static str {
    match (skip, many) {
        (Skip::BeforeStart, 1) => "it was there before the source was added",
        (Skip::BeforeStart, _) => "they were there before the source was added",
        (Skip::OtherAlbum, 1) => "its album was not chosen",
        (Skip::OtherAlbum, _) => "their albums were not chosen",
        (Skip::Album, 1) => "its album is left out",
        (Skip::Album, _) => "their albums are left out",
        (Skip::Kind, 1) => "its kind is left out",
        (Skip::Kind, _) => "their kinds are left out",
        (Skip::Size, 1) => "it is larger than allowed",
        (Skip::Size, _) => "they are larger than allowed",
        (Skip::Hidden, 1) => "it is hidden",
        (Skip::Hidden, _) => "they are hidden",
        (Skip::NotFavourite, 1) => "it is no favourite",
        (Skip::NotFavourite, _) => "they are no favourites",
    }
}

pub fn when(args: &CameraWhen, desk: &Desk, output: &mut Output) -> Result<(), Failure> {
    let before = desk.camera().rules()?;
    let old = before.rules;
    let mut when = CameraRules {
        rules: lomme::conditions::Rules {
            on_metered: args.on_metered.unwrap_or(old.on_metered),
            on_roaming: args.on_roaming.unwrap_or(old.on_roaming),
            metered_bytes_a_month: args.monthly.map_or(old.metered_bytes_a_month, |cap| cap.0),
            only_charging: args.only_charging.unwrap_or(old.only_charging),
            ..old
        },
        paused: (before.paused || args.pause) && !args.resume,
        ..before.clone()
    };
    if let (Some(from_minute), Some(to_minute)) = (args.from, args.to) {
        let mut days = [args.days.is_empty(); 7];
        for day in &args.days {
            days[*day as usize] = true;
        }
        when.schedule = Some(Schedule {
            days,
            from_minute,
            to_minute,
        });
    } else if args.always {
        when.schedule = None;
    }
    if when != before {
        desk.camera().set_rules(&when)?;
    }
    if output.is_json() {
        return output.document(&WhenShape::from(&when));
    }
    rules::tell(&when.rules, output)?;
    let hours = match &when.schedule {
        None => "any".to_owned(),
        Some(schedule) => format!(
            "{} {} to {}",
            shapes::days(schedule).join(","),
            clock(schedule.from_minute),
            clock(schedule.to_minute)
        ),
    };
    output.line(format!("  {:21} {hours}", "hours"))?;
    let paused = if when.paused { "yes" } else { "no" };
    output.line(format!("  {:21} {paused}", "paused"))
}

fn clock(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}
