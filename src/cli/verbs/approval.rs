//! `approve` and `verify`: signatures over plan files.

use std::path::Path;

use formwork_contract::Diagnostic;
use serde_json::Value as Json;

use crate::approve::Verdict;
use crate::approve::signature::{KeyFile, PLAN, Signer, unlock};
use crate::blueprint::sources::Sources;
use crate::cli::args::{Approve, Verify};
use crate::cli::render::{approval as text, diagnostic};
use crate::cli::session::{DONE, FAILED, Outcome, Session, Stop};
use crate::workflow::{self, Governing, Planned, Workspace};

/// How often a passphrase is asked for.
const ATTEMPTS: usize = 3;

pub(crate) async fn approve(session: &Session, arguments: &Approve) -> Outcome {
    if let Some(wave) = arguments.wave {
        return super::wave::approve(session, arguments, wave);
    }
    let Some(file) = &arguments.plan else {
        return Err(Diagnostic::error("nothing is named that could be approved")
            .hint("`formwork approve PLAN`, or `formwork approve --wave N` for a release that waits")
            .into());
    };
    let workspace = session.workspace(&arguments.variables)?;
    let watcher = session.watcher();
    let mut planned = workflow::open_plan(&workspace, &session.path(file), &watcher).await?;
    drop(watcher);
    if planned.plan.is_empty() {
        return Err(Diagnostic::error("there is nothing to approve")
            .detail("The plan changes nothing, and needs nobody's consent.")
            .into());
    }
    let signer = signer(session, &workspace, planned.governing(), arguments, PLAN)?;
    let approver = workflow::approver(&workspace, planned.governing(), &signer.public_key(), PLAN)?;
    if !session.global.json {
        super::change::show(session, &planned)?;
        session.print(&format!("\nYou sign as {} ({}).\n", approver.name, approver.fingerprint))?;
    }
    let environment = &planned.plan.header.environment;
    let question = format!("Approve this plan for `{environment}`?");
    if !arguments.yes && !session.consent(&question, "Give `--yes` where the plan was looked at elsewhere.")? {
        session.print("Nothing was signed.\n")?;
        return Ok(FAILED);
    }
    let path = workflow::approve_plan(&workspace, &mut planned, &signer)?;
    let (verdict, sources) = workflow::verify(&workspace, &planned);
    if session.global.json {
        let mut json = to_json(&planned, &verdict, &sources);
        json["signature"] = path.display().to_string().into();
        session.print_json(&json)?;
        return Ok(DONE);
    }
    session.print(&format!("Signed: `{}`.\n\n", path.display()))?;
    session.print(&text::verdict(&verdict, session.terminal.out))?;
    if verdict.is_accepted() {
        session.print(&format!("It can be applied: `formwork apply {}`\n", file.display()))?;
    }
    Ok(DONE)
}

pub(crate) async fn verify(session: &Session, arguments: &Verify) -> Outcome {
    let workspace = session.workspace(&arguments.variables)?;
    let watcher = session.watcher();
    let mut planned = workflow::open_plan(&workspace, &session.path(&arguments.plan), &watcher).await?;
    drop(watcher);
    let signatures: Vec<_> = arguments.signatures.iter().map(|file| session.path(file)).collect();
    planned.take_signatures(&signatures)?;
    let (verdict, sources) = workflow::verify(&workspace, &planned);
    if session.global.json {
        session.print_json(&to_json(&planned, &verdict, &sources))?;
    } else {
        session.print(&text::verdict(&verdict, session.terminal.out))?;
        session.warn(verdict.objections.iter(), &sources);
        if verdict.is_accepted() {
            session.print(&format!("It can be applied: `formwork apply {}`\n", arguments.plan.display()))?;
        }
    }
    Ok(if verdict.is_accepted() { DONE } else { FAILED })
}

/// Who approved what is about to be applied; what is in the way is told by the apply itself.
pub(super) fn tell_approved(session: &Session, workspace: &Workspace, planned: &Planned) -> Result<(), Stop> {
    let (verdict, sources) = workflow::verify(workspace, planned);
    if !session.global.json && verdict.is_accepted() {
        session.print(&text::verdict(&verdict, session.terminal.out))?;
        session.warn(verdict.objections.iter(), &sources);
    }
    Ok(())
}

fn to_json(planned: &Planned, verdict: &Verdict, sources: &Sources) -> Json {
    let mut json = text::verdict_json(&(&planned.plan).into(), planned.digest(), verdict);
    json["diagnostics"] = diagnostic::to_json([(verdict.objections.iter(), sources)])["diagnostics"].take();
    json
}

/// What signs: a key file, or the agent.
pub(super) fn signer(
    session: &Session,
    workspace: &Workspace,
    governing: &Governing,
    arguments: &Approve,
    purpose: &str,
) -> Result<Signer, Stop> {
    let file = match &arguments.key {
        Some(file) => Some((session.path(file), workflow::key_file(&session.path(file))?)),
        None => None,
    };
    let wanted = match file {
        Some((path, KeyFile::Locked(key))) if !arguments.agent => return unlocked(session, &path, &key),
        Some((_, KeyFile::Private(key))) if !arguments.agent => return Ok(Signer::Key(key)),
        Some((_, KeyFile::Private(key) | KeyFile::Locked(key))) => Some(key.public_key().key_data().clone()),
        Some((_, KeyFile::Public(key))) => Some(*key),
        None => None,
    };
    let Some(socket) = session.environment.get("SSH_AUTH_SOCK") else {
        return Err(Diagnostic::error("there is no key to sign with")
            .detail("No private key is given, and SSH_AUTH_SOCK names no agent.")
            .hint("name a private key: `--key ~/.ssh/id_ed25519`")
            .into());
    };
    Ok(workflow::agent_signer(workspace, governing, Path::new(socket), wanted.as_ref(), purpose)?)
}

fn unlocked(session: &Session, path: &Path, key: &ssh_key::PrivateKey) -> Result<Signer, Stop> {
    let shown = path.display();
    if !session.terminal.interactive || session.global.json {
        return Err(Diagnostic::error(format!("the key `{shown}` is encrypted, and nobody is there to open it"))
            .hint("add it to an SSH agent with `ssh-add`, and give `--agent`")
            .into());
    }
    for _ in 0..ATTEMPTS {
        let Some(passphrase) = session.terminal.ask_hidden(&format!("Passphrase of `{shown}`: "))? else { break };
        match unlock(key, &passphrase) {
            Ok(key) => return Ok(Signer::Key(Box::new(key))),
            Err(error) => session.print(&format!("No: {error}.\n"))?,
        }
    }
    Err(Diagnostic::error(format!("the key `{shown}` was not opened")).into())
}
