//! `resume`, and the way back of a run that failed: what follows a run that did not reach its end.

use formwork_contract::Diagnostic;
use serde_json::{Value as Json, json};

use super::change::{Run, carry_out, crash_point, show};
use super::record::address;
use crate::cli::args::{Resume, Variables};
use crate::cli::interrupt::Listener;
use crate::cli::render::plan as text;
use crate::cli::session::{DONE, Outcome, Session, Stop};
use crate::workflow::{self, ApplyOutcome, ApplyRequest, Consent, CrashPoint, UndoConsent, Workspace};

pub(crate) async fn resume(session: &Session, arguments: &Resume) -> Outcome {
    let workspace = session.workspace(&arguments.variables)?;
    let crash = arguments.crash_at.map(crash_point);
    let watcher = session.watcher();
    let resumable = workflow::resumable(&workspace, &watcher).await?;
    drop(watcher);
    let environment = resumable.planned.plan.header.environment.clone();
    let sources = resumable.planned.sources.clone();
    if !session.global.json {
        session.warn(resumable.planned.warnings.iter(), &sources);
        let number = resumable.revision.number;
        let summary = text::summary(&resumable.planned.plan, session.terminal.out);
        session.print(&format!("Going on with revision {number} of `{environment}`.\n{summary}"))?;
    }
    let listener = Listener::start(session.terminal);
    let watcher = session.watcher();
    let done = workflow::resume(&workspace, resumable, crash, &watcher, &listener.interrupt).await?;
    drop(watcher);
    drop(listener);
    let run = Run { session, workspace: &workspace, crash };
    run.tell(done, &environment, &sources, false).await
}

pub(crate) fn settle_as_is(session: &Session, text: &str) -> Outcome {
    let wanted = address(text)?;
    let workspace = session.workspace(&Variables::default())?;
    if !workflow::state_unstick(&workspace, &wanted)? {
        return Err(Diagnostic::error(format!("nothing waits for a person at `{wanted}`"))
            .hint("`formwork history` shows what is stuck")
            .into());
    }
    if session.global.json {
        session.print_json(&json!({"format_version": "1.0", "diagnostics": []}))?;
    } else {
        session.print(&format!("`{wanted}` is taken as it is.\n"))?;
    }
    Ok(DONE)
}

/// Takes back what a run did, as its plan said. Answers the exit code, and for machines the outcome.
pub(super) async fn roll_back(
    session: &Session,
    workspace: &Workspace,
    failed: &ApplyOutcome,
    consent: UndoConsent,
    crash: Option<CrashPoint>,
) -> Result<(u8, Json), Stop> {
    let watcher = session.watcher();
    let planned = workflow::undo_plan(workspace, failed.revision, &watcher).await?;
    drop(watcher);
    if !session.global.json {
        session.print(&format!("\nRolling back what revision {} did, as its plan says:\n", failed.revision))?;
        show(session, &planned)?;
    }
    // The records of both runs are counted as of one.
    let crash = crash.and_then(|point| {
        let record = point.record.checked_sub(failed.journaled).filter(|record| *record > 0)?;
        Some(CrashPoint { record, ..point })
    });
    let request = ApplyRequest { undo: Some(consent), crash, ..ApplyRequest::new(Consent::Undo) };
    carry_out(session, workspace, planned, &request).await
}
