//! `init`, `completion`, `version`: what needs no blueprint.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use clap::CommandFactory as _;
use formwork_contract::Diagnostic;
use serde_json::json;

use crate::cli::args::{Cli, Completion, Init, Target};
use crate::cli::session::{DONE, Outcome, Session, Stop};

/// The factory that a person starts from.
const STARTER: &str = include_str!("../../../examples/quickstart/factory.hcl");

/// What does not belong into Git beside it.
const IGNORED: &str = ".formwork/\n*.plan\n";

pub(crate) fn init(session: &Session, arguments: &Init) -> Outcome {
    let coming = match arguments.target {
        Target::Sandbox => None,
        Target::Aws => Some("aws"),
        Target::Azure => Some("azure"),
        Target::Google => Some("google"),
        Target::Onprem => Some("onprem"),
    };
    if let Some(feature) = coming {
        return Err(Diagnostic::error(format!("there is no starter factory for `{feature}` in this build"))
            .detail(format!(
                "The target `{feature}` comes with the feature of the same name, which this version does not have yet."
            ))
            .hint("Start with `formwork init --target sandbox`: components are written the same for every target.")
            .into());
    }
    let dir = session.dir();
    if let Some(present) = blueprint_file(&dir) {
        return Err(Diagnostic::error(format!(
            "the folder has a blueprint already: `{}`",
            session.path(Path::new(&present)).display()
        ))
        .detail("Nothing was written.")
        .hint("Choose an empty folder: `formwork -C DIR init`.")
        .into());
    }
    fs::create_dir_all(&dir).map_err(|error| unwritable(&dir, &error))?;
    write_new(&dir.join("factory.hcl"), STARTER)?;
    let has_ignore = dir.join(".gitignore").exists();
    if !has_ignore {
        write_new(&dir.join(".gitignore"), IGNORED)?;
    }
    if session.global.json {
        session.print_json(&json!({"format_version": "1.0", "written": ["factory.hcl"], "diagnostics": []}))?;
        return Ok(DONE);
    }
    let folder = session.global.dir.as_ref().map_or_else(String::new, |dir| format!(" -C {}", dir.display()));
    session.print(&format!(
        "Wrote `{}`: a cluster, a mesh, a registry and logging, in two environments.\n\n\
         See what it would make:  formwork{folder} plan --env dev\n\
         Make it:                 formwork{folder} apply --env dev\n",
        session.path(Path::new("factory.hcl")).display()
    ))?;
    Ok(DONE)
}

/// The first file of the folder that belongs to a blueprint.
fn blueprint_file(dir: &Path) -> Option<String> {
    let names =
        fs::read_dir(dir).ok()?.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
    names.filter(|name| name.ends_with(".hcl") || name.ends_with(".tf")).min()
}

fn write_new(path: &Path, text: &str) -> Result<(), Stop> {
    let written = OpenOptions::new().write(true).create_new(true).open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    match written {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(Diagnostic::error(format!("`{}` exists already", path.display()))
                .hint("Remove it, or choose another folder: `formwork -C DIR init`.")
                .into())
        }
        Err(error) => Err(unwritable(path, &error)),
        Ok(()) => Ok(()),
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Stop {
    Diagnostic::error(format!("`{}` cannot be written", path.display()))
        .detail(format!("The system says: {error}."))
        .hint("Choose a folder that you may write to: `formwork -C DIR init`.")
        .into()
}

pub(crate) fn completion(session: &Session, arguments: &Completion) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "formwork", &mut script);
    session.print(&String::from_utf8_lossy(&script))?;
    Ok(DONE)
}

pub(crate) fn version(session: &Session) -> Outcome {
    let features: Vec<&str> = if cfg!(feature = "sandbox") { vec!["sandbox"] } else { Vec::new() };
    if session.global.json {
        session.print_json(&json!({"formwork_version": env!("CARGO_PKG_VERSION"), "features": features}))?;
    } else {
        let with = if features.is_empty() { "no providers".to_owned() } else { features.join(", ") };
        session.print(&format!("formwork {} (with {with})\n", env!("CARGO_PKG_VERSION")))?;
    }
    Ok(DONE)
}
