//! `rehearse`: a plan there and back, where nothing is real.

use super::record::address;
use crate::cli::args::{AfterCrash, Rehearse};
use crate::cli::interrupt::Listener;
use crate::cli::progress::Watcher;
use crate::cli::render::{diagnostic, rehearsal};
use crate::cli::session::{DONE, NOT_RESTORED, Outcome, Session, Stop};
use crate::workflow::{self, RehearseRequest, Rehearsed};

pub(crate) async fn rehearse(session: &Session, arguments: &Rehearse) -> Outcome {
    let workspace = session.workspace(&arguments.variables)?;
    let request = request(arguments)?;
    let listener = Listener::start(session.terminal);
    // What a rehearsal does is told when it is over: nobody may take it for what is real.
    let watcher = Watcher::new(session.terminal, true, session.redactor.clone());
    let file = session.path(&arguments.plan);
    let said = workflow::rehearse(&workspace, &file, &request, &watcher, &listener.interrupt).await?;
    drop(watcher);
    drop(listener);
    show(session, arguments, &said)?;
    Ok(if said.verdict.is_restored() { DONE } else { NOT_RESTORED })
}

fn request(arguments: &Rehearse) -> Result<RehearseRequest, Stop> {
    Ok(RehearseRequest {
        failures: arguments.failures.iter().map(|failing| (failing.at.0.clone(), failing.fault)).collect(),
        failing_undos: arguments.failing_undos.iter().map(|text| address(text)).collect::<Result<_, Stop>>()?,
        failing_gates: arguments.failing_gates.iter().map(|name| name.as_str().into()).collect(),
        crashes: arguments.crashes.iter().map(|at| at.0.clone()).collect(),
        after_crash: match arguments.after_crash {
            AfterCrash::Resume => workflow::AfterCrash::Resume,
            AfterCrash::Rollback => workflow::AfterCrash::Rollback,
        },
        throttle_percent: arguments.throttle,
        seed: arguments.seed,
        on_failure: arguments.on_failure,
    })
}

fn show(session: &Session, arguments: &Rehearse, said: &Rehearsed) -> Result<(), Stop> {
    let told = said.told();
    let diagnostics = || told.iter().map(|(found, sources)| (found.iter().copied(), *sources));
    if session.global.json {
        let json = rehearsal::to_json(said, &diagnostic::to_json(diagnostics()));
        return session.print_json(&json);
    }
    let name = arguments.plan.display().to_string();
    session.print(&rehearsal::runs(said, &name, session.terminal.out))?;
    for (found, sources) in diagnostics() {
        session.warn(found, sources);
    }
    session.print(&rehearsal::verdict(said, session.terminal.out))
}
