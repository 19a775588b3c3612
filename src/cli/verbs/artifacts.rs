//! `artifacts`: the store of everything that an apply needs.

use crate::cli::args::{ArtifactsAdd, ArtifactsGc, Variables};
use crate::cli::downloads::Downloads;
use crate::cli::render::artifacts as render;
use crate::cli::session::{DONE, FAILED, Outcome, Session, Stop};
use crate::workflow::{self, AddRequest, CollectRequest, Host};
use formwork_contract::Diagnostic;

pub(crate) fn add(session: &Session, arguments: &ArtifactsAdd) -> Outcome {
    let workspace = session.workspace(&Variables::default())?;
    let request = AddRequest {
        name: arguments.name.as_str().into(),
        sources: arguments.sources.clone(),
        kind: arguments.kind,
        digest: arguments.sha256.clone(),
        host: host(session, arguments)?,
    };
    let added = {
        let bars = Downloads::new(session.terminal, session.global.json);
        workflow::artifacts_add(&workspace, &request, &bars)?
    };
    if session.global.json {
        session.print_json(&render::added_json(&added))?;
    } else {
        session.print(&render::added(&added))?;
    }
    Ok(DONE)
}

/// What the hosts have already, as far as that was said.
fn host(session: &Session, arguments: &ArtifactsAdd) -> Result<Host, Stop> {
    let mut host = Host::default();
    arguments.provided.iter().for_each(|text| host.provides(text));
    for file in &arguments.provided_files {
        let text = std::fs::read_to_string(session.working_dir.join(session.path(file))).map_err(|error| {
            Diagnostic::error(format!("`{}` cannot be read", file.display()))
                .detail(format!("{error}."))
                .hint("it is to hold what `dpkg-query -W` prints on a host")
        })?;
        host.provides_listed(&text);
    }
    Ok(host)
}

pub(crate) fn list(session: &Session) -> Outcome {
    let view = workflow::artifacts_list(&session.workspace(&Variables::default())?)?;
    if session.global.json {
        session.print_json(&render::list_json(&view))?;
    } else {
        session.print(&render::list(&view, session.terminal.out))?;
    }
    Ok(DONE)
}

pub(crate) fn verify(session: &Session) -> Outcome {
    let workspace = session.workspace(&Variables::default())?;
    let verified = {
        let bars = Downloads::new(session.terminal, session.global.json);
        workflow::artifacts_verify(&workspace, &bars)?
    };
    if session.global.json {
        session.print_json(&render::verified_json(&verified))?;
    } else {
        session.print(&render::verified(&verified))?;
    }
    Ok(if verified.damaged.is_empty() { DONE } else { FAILED })
}

pub(crate) fn gc(session: &Session, arguments: &ArtifactsGc) -> Outcome {
    let workspace = session.workspace(&Variables::default())?;
    let request =
        CollectRequest { dry_run: arguments.dry_run, revisions: arguments.revisions.map(std::num::NonZeroUsize::get) };
    let collected = workflow::artifacts_gc(&workspace, request)?;
    if session.global.json {
        session.print_json(&render::collected_json(&collected, arguments.dry_run))?;
    } else {
        session.print(&render::collected(&collected, arguments.dry_run, session.terminal.out))?;
    }
    Ok(DONE)
}

pub(crate) fn remove(session: &Session, name: &str) -> Outcome {
    workflow::artifacts_remove(&session.workspace(&Variables::default())?, name)?;
    if session.global.json {
        session.print_json(&serde_json::json!({"format_version": "1.0", "removed": name}))?;
    } else {
        session.print(&format!(
            "The name `{name}` is gone. `formwork artifacts gc` takes what it stood for, if nothing needs that.\n"
        ))?;
    }
    Ok(DONE)
}
