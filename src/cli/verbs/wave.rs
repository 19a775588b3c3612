//! `approve --wave`: lets a wave begin before which a release is paused.

use serde_json::json;

use crate::approve::WAVE;
use crate::cli::args::Approve;
use crate::cli::render::style::harmless;
use crate::cli::session::{DONE, FAILED, Outcome, Session};
use crate::workflow;

pub(super) fn approve(session: &Session, arguments: &Approve, wave: usize) -> Outcome {
    let workspace = session.workspace(&arguments.variables)?;
    let waiting = workflow::waiting_wave(&workspace, wave)?;
    let signs = arguments.key.is_some() || arguments.agent || waiting.asks_for_signatures();
    let signer = match signs {
        true => Some(super::approval::signer(session, &workspace, waiting.governing(), arguments, WAVE)?),
        false => None,
    };
    let who = match &signer {
        Some(signer) => {
            let approver = workflow::approver(&workspace, waiting.governing(), &signer.public_key(), WAVE)?;
            format!("You sign as {} ({}).", approver.name, approver.fingerprint)
        }
        None => format!("You say so as {}; nothing is signed.", workspace.actor),
    };
    let subject = waiting.subject.clone();
    let (environment, revision, name) = (&subject.environment, subject.revision, harmless(&subject.name));
    if !session.global.json {
        session.print(&format!("Revision {revision} of `{environment}`: {}.\n{who}\n", harmless(&waiting.what)))?;
    }
    let question = format!("Let wave {wave} (`{name}`) of revision {revision} begin?");
    if !arguments.yes && !session.consent(&question, "Give `--yes` where the release was looked at elsewhere.")? {
        session.print("Nothing was approved.\n")?;
        return Ok(FAILED);
    }
    let approver = workflow::approve_wave(&workspace, waiting, signer.as_ref())?;
    if session.global.json {
        session.print_json(&json!({
            "format_version": "1.0",
            "environment": &**environment,
            "revision": revision,
            "wave": wave,
            "name": &*subject.name,
            "approver": &*approver,
            "signed": signer.is_some(),
            "diagnostics": [],
        }))?;
    } else {
        let approver = harmless(&approver);
        session.print(&format!("Approved by {approver}. `formwork resume` goes on with the release.\n"))?;
    }
    Ok(DONE)
}
