//! Providers and their packages: what is needed, what was locked, what a mirror holds.

use std::path::Path;

use formwork_contract::{Diagnostic, Severity};
use serde_json::{Value as Json, json};

use super::style::{Paint, count};
use super::table::table;
use crate::workflow::{Installed, LockedProviders, Mirrored, NeededProvider, Origin, Package, Selected, Trust};

/// What stands in a column that does not apply.
const NOTHING: &str = "-";

/// `root` is the blueprint's folder: paths within are shown without it.
pub fn needed(providers: &[NeededProvider], root: &Path, paint: Paint) -> String {
    if providers.is_empty() {
        return "The blueprint needs no provider.\n".into();
    }
    let row = |provider: &NeededProvider| {
        let [version, checksum, from] = match &provider.package {
            Package::Native => [NOTHING.into(), NOTHING.into(), "this program".into()],
            Package::Installed(installed) => [
                installed.version.as_ref().map_or_else(|| NOTHING.into(), ToString::to_string),
                if installed.locked { "locked" } else { "not locked" }.into(),
                shown(&installed.binary, root),
            ],
            Package::Missing(_) => [NOTHING.into(), NOTHING.into(), "missing".into()],
        };
        let constraints = if provider.constraints.is_empty() { NOTHING } else { &provider.constraints };
        [provider.name.clone(), constraints.to_owned(), version, checksum, from]
    };
    let rows: Vec<[String; 5]> = providers.iter().map(row).collect();
    table(["PROVIDER", "CONSTRAINT", "VERSION", "CHECKSUM", "FROM"], &rows, paint)
}

/// Why packages are missing: to a list that is no failure.
pub fn problems(providers: &[NeededProvider]) -> Vec<Diagnostic> {
    let problem = |provider: &NeededProvider| match &provider.package {
        Package::Missing(why) => Some(Diagnostic { severity: Severity::Warning, ..Diagnostic::clone(why) }),
        _ => None,
    };
    providers.iter().filter_map(problem).collect()
}

/// The same for machines.
pub fn needed_json(providers: &[NeededProvider]) -> Json {
    let row = |provider: &NeededProvider| {
        let mut row = json!({
            "source": &*provider.address,
            "kind": if matches!(provider.package, Package::Native) { "native" } else { "plugin" },
            "constraints": provider.constraints,
        });
        match &provider.package {
            Package::Native => {}
            Package::Installed(installed) => {
                row["version"] = installed.version.as_ref().map(ToString::to_string).into();
                row["locked"] = installed.locked.into();
                row["checksums"] = installed.hashes.iter().map(ToString::to_string).collect();
                row["origin"] = origin(installed).into();
                row["binary"] = installed.binary.display().to_string().into();
            }
            Package::Missing(why) => row["missing"] = why.to_string().into(),
        }
        row
    };
    json!({"format_version": "1.0", "providers": providers.iter().map(row).collect::<Vec<_>>()})
}

fn origin(installed: &Installed) -> &'static str {
    match installed.origin {
        Origin::Override => "override",
        Origin::Unversioned | Origin::SearchPath(_) => "search path",
        Origin::Own => "installed",
        Origin::Terraform => "terraform init",
        Origin::Mirror(_) => "mirror",
        Origin::PluginCache(_) => "plugin cache",
    }
}

/// A row for each package that was looked at, and what became of the lock file.
pub fn locked(outcome: &LockedProviders, file: &str, paint: Paint) -> String {
    let rows: Vec<[String; 5]> = outcome
        .selected
        .iter()
        .flat_map(|selected| {
            let version = match &selected.before {
                Some(before) if *before != selected.version => format!("{before} -> {}", selected.version),
                _ => selected.version.to_string(),
            };
            selected.packages.iter().map(move |package| {
                let [name, version] = [selected.address.short(), version.clone()];
                [name, version, package.platform.to_string(), trust(&package.trust), package.from.clone()]
            })
        })
        .collect();
    let mut text = match rows.is_empty() {
        true => "The blueprint needs no plugin that could be locked.\n".into(),
        false => table(["PROVIDER", "VERSION", "PLATFORM", "CHECKSUM", "FROM"], &rows, paint),
    };
    for name in &outcome.dropped {
        text += &format!("`{name}` is no longer needed.\n");
    }
    for name in &outcome.overridden {
        text += &format!("`{name}` is served by an override, and not locked.\n");
    }
    let added = count(outcome.selected.iter().map(|selected| selected.added).sum(), "new checksum");
    if outcome.changed {
        text += &format!("\n`{file}` was written, with {added}.\n");
    } else if !rows.is_empty() {
        text += &format!("\n`{file}` is as it was.\n");
    }
    text
}

/// Packages that nobody but the place they came from vouches for.
pub fn unvouched(selected: &[Selected]) -> Option<Diagnostic> {
    let names: Vec<String> = selected
        .iter()
        .filter(|selected| selected.packages.iter().any(|package| package.trust == Trust::FirstUse))
        .map(|selected| format!("`{}` {}", selected.address.short(), selected.version))
        .collect();
    (!names.is_empty()).then(|| {
        Diagnostic::warning(format!("nobody vouches for the packages of {}", names.join(", ")))
            .detail("They are from folders of this machine. From now on, only the same packages are accepted.")
            .hint("compare the checksums in the lock file with those that the author publishes")
    })
}

pub fn locked_json(outcome: &LockedProviders) -> Json {
    let row = |selected: &Selected| {
        let packages = selected.packages.iter().map(|package| {
            json!({
                "platform": package.platform.to_string(), "checksum": trust(&package.trust), "from": package.from,
            })
        });
        json!({
            "source": selected.address.to_string(),
            "version": selected.version.to_string(),
            "before": selected.before.as_ref().map(ToString::to_string),
            "new_checksums": selected.added,
            "packages": packages.collect::<Vec<_>>(),
        })
    };
    json!({
        "format_version": "1.0",
        "changed": outcome.changed,
        "dropped": outcome.dropped,
        "overridden": outcome.overridden,
        "providers": outcome.selected.iter().map(row).collect::<Vec<_>>(),
    })
}

fn trust(trust: &Trust) -> String {
    match trust {
        Trust::Locked => "locked".into(),
        Trust::Signed(key) => format!("signed by {key}"),
        Trust::Mirror => "as listed".into(),
        Trust::FirstUse => "first seen".into(),
    }
}

pub fn mirrored(packages: &[Mirrored], folder: &str, paint: Paint) -> String {
    if packages.is_empty() {
        return "The blueprint needs no plugin.\n".into();
    }
    let row = |package: &Mirrored| {
        let checksum = package.trust.as_ref().map_or_else(|| "there already".into(), trust);
        [package.address.short(), package.version.to_string(), package.platform.to_string(), checksum]
    };
    let rows: Vec<[String; 4]> = packages.iter().map(row).collect();
    let table = table(["PROVIDER", "VERSION", "PLATFORM", "CHECKSUM"], &rows, paint);
    format!("{table}\n`{folder}` holds {}.\n", count(packages.len(), "package"))
}

pub fn mirrored_json(packages: &[Mirrored]) -> Json {
    let row = |package: &Mirrored| {
        json!({
            "source": package.address.to_string(),
            "version": package.version.to_string(),
            "platform": package.platform.to_string(),
            "archive": package.archive.display().to_string(),
            "new": package.trust.is_some(),
        })
    };
    json!({"format_version": "1.0", "packages": packages.iter().map(row).collect::<Vec<_>>()})
}

fn shown(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}
