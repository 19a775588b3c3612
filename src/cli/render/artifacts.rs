//! The store of artifacts as people and machines read it.

use std::fmt::Write as _;

use indicatif::HumanBytes;
use serde_json::{Value as Json, json};

use super::style::{Paint, count, harmless};
use super::table::table;
use crate::workflow::{AddedArtifact, ArtifactKind, ArtifactRow, ArtifactState, ArtifactsView, Collected, Verified};

const NOTHING: &str = "-";

/// What was added, and the block that names it.
pub fn added(added: &AddedArtifact) -> String {
    let facts = &added.facts;
    let mut out = format!("Added `{}`: {}, {}, {}\n", added.name, facts.kind, HumanBytes(facts.size), facts.digest);
    if let Some(closure) = &added.closure {
        let _ = writeln!(out, "{}, and all that they depend on.", count(closure.packages, "package"));
        if !closure.needed_of_host.is_empty() {
            let names: Vec<&str> = closure.needed_of_host.iter().map(String::as_str).collect();
            let _ = writeln!(out, "The hosts have to have: {}", names.join(", "));
        }
    }
    let kind = match facts.kind {
        ArtifactKind::File | ArtifactKind::Folder => String::new(),
        kind => format!("  kind   = \"{kind}\"\n"),
    };
    let label: String = added.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let _ = write!(
        out,
        "\nartifact \"{label}\" {{\n  source = \"{}\"\n  sha256 = \"{}\"\n{kind}}}\n",
        added.name,
        facts.digest.hex()
    );
    out
}

pub fn added_json(added: &AddedArtifact) -> Json {
    let mut told = json!({"format_version": "1.0", "name": &*added.name, "store": added.store.display().to_string()});
    told["artifact"] = added.facts.to_json();
    if let Some(closure) = &added.closure {
        told["packages"] = closure.packages.into();
        told["needed_of_host"] = closure.needed_of_host.iter().map(String::as_str).collect();
    }
    told
}

/// The artifacts as a table.
pub fn list(view: &ArtifactsView, paint: Paint) -> String {
    if view.rows.is_empty() {
        return format!("There is nothing in the store `{}`.\n", view.store.display());
    }
    let rows: Vec<[String; 6]> = view.rows.iter().map(row).collect();
    let mut out = table(["NAME", "KIND", "DIGEST", "SIZE", "STATE", "USED BY"], &rows, paint);
    let missing = view.rows.iter().filter(|row| row.state == ArtifactState::Missing).count();
    if missing > 0 {
        let _ = write!(out, "\n{} missing: add with `formwork artifacts add NAME PATH`.\n", are(missing));
    }
    out
}

fn are(missing: usize) -> String {
    format!("{} {}", count(missing, "artifact"), if missing == 1 { "is" } else { "are" })
}

fn row(row: &ArtifactRow) -> [String; 6] {
    let nothing = || NOTHING.to_owned();
    let origin = || row.origin.as_ref().map(|origin| format!("({origin})"));
    let name = row.name.as_ref().map(ToString::to_string).or_else(origin);
    let mut users: Vec<String> = row.used_by.iter().map(ToString::to_string).collect();
    if row.holders > 0 {
        users.push(format!("revisions of {}", count(row.holders, "environment")));
    }
    [
        name.unwrap_or_else(nothing),
        row.facts.as_ref().map_or_else(nothing, |facts| facts.kind.to_string()),
        row.digest.as_ref().map_or_else(nothing, |digest| digest.short().to_owned()),
        row.facts.as_ref().map_or_else(nothing, |facts| HumanBytes(facts.size).to_string()),
        state(row.state).to_owned(),
        if users.is_empty() { nothing() } else { users.join(", ") },
    ]
}

fn state(state: ArtifactState) -> &'static str {
    match state {
        ArtifactState::Here => "here",
        ArtifactState::Damaged => "damaged",
        ArtifactState::Missing => "missing",
        ArtifactState::ToBeTaken => "taken in by the next plan",
    }
}

pub fn list_json(view: &ArtifactsView) -> Json {
    let entry = |row: &ArtifactRow| {
        json!({
            "name": row.name.as_deref(),
            "origin": row.origin.as_deref(),
            "id": row.digest.as_ref().map(ToString::to_string),
            "kind": row.facts.as_ref().map(|facts| facts.kind.as_str()),
            "size": row.facts.as_ref().map(|facts| facts.size),
            "media_type": row.facts.as_ref().map(|facts| &*facts.media_type),
            "used_by": row.used_by.iter().map(|address| &**address).collect::<Vec<_>>(),
            "held_by_environments": row.holders,
            "state": match row.state {
                ArtifactState::Here => "here",
                ArtifactState::Damaged => "damaged",
                ArtifactState::Missing => "missing",
                ArtifactState::ToBeTaken => "to_be_taken",
            },
        })
    };
    json!({
        "format_version": "1.0",
        "store": view.store.display().to_string(),
        "artifacts": view.rows.iter().map(entry).collect::<Vec<_>>(),
    })
}

/// What a verification found.
pub fn verified(verified: &Verified) -> String {
    let mut out = String::new();
    for damage in &verified.damaged {
        let of: Vec<String> = damage.artifacts.iter().map(|name| format!("`{name}`")).collect();
        let of = if of.is_empty() { String::new() } else { format!(" (of {})", of.join(", ")) };
        let _ = writeln!(out, "damaged: {}{of}: {}", harmless(&damage.blob), harmless(&damage.problem));
    }
    if !verified.damaged.is_empty() {
        out.push_str("\nAdd what is damaged again from where it comes: `formwork artifacts add NAME PATH`.\n");
    }
    let _ = writeln!(
        out,
        "{} sound ({}), {} damaged or missing.",
        count(verified.sound, "blob"),
        HumanBytes(verified.bytes),
        verified.damaged.len()
    );
    out
}

pub fn verified_json(verified: &Verified) -> Json {
    let damaged = verified.damaged.iter().map(|damage| {
        json!({
            "blob": &*damage.blob,
            "problem": damage.problem,
            "artifacts": damage.artifacts.iter().map(|name| &**name).collect::<Vec<_>>(),
        })
    });
    json!({
        "format_version": "1.0",
        "sound": verified.sound,
        "bytes": verified.bytes,
        "damaged": damaged.collect::<Vec<_>>(),
    })
}

/// What was taken out, or would be.
pub fn collected(collected: &Collected, dry_run: bool, paint: Paint) -> String {
    let mut out = String::new();
    if !collected.artifacts.is_empty() {
        let rows: Vec<[String; 4]> = collected
            .artifacts
            .iter()
            .map(|entry| {
                let origin = entry.origin.as_ref().map_or_else(|| NOTHING.into(), |origin| format!("({origin})"));
                let facts = &entry.facts;
                [origin, facts.kind.to_string(), facts.digest.short().into(), HumanBytes(facts.size).to_string()]
            })
            .collect();
        out = table(["TAKEN FROM", "KIND", "DIGEST", "SIZE"], &rows, paint);
        out.push('\n');
    }
    let (would, freed) = if dry_run { ("would be ", "would be ") } else { ("", "") };
    let _ = writeln!(
        out,
        "{} and {} {would}removed, {} {freed}freed.",
        count(collected.artifacts.len(), "artifact"),
        count(collected.blobs, "blob"),
        HumanBytes(collected.freed)
    );
    if collected.unfinished > 0 {
        let _ = writeln!(out, "{} left by additions that were interrupted.", count(collected.unfinished, "file"));
    }
    out
}

pub fn collected_json(collected: &Collected, dry_run: bool) -> Json {
    let artifacts = collected.artifacts.iter().map(|entry| {
        let mut told = entry.facts.to_json();
        told["origin"] = entry.origin.as_deref().into();
        told
    });
    json!({
        "format_version": "1.0",
        "dry_run": dry_run,
        "artifacts": artifacts.collect::<Vec<_>>(),
        "blobs": collected.blobs,
        "freed": collected.freed,
        "unfinished": collected.unfinished,
    })
}
