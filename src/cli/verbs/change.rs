//! `plan`, `apply`, `destroy`, `rollback`, `import`, `drift`: what makes a plan, and what carries it out.

use std::path::Path;

use formwork_contract::Diagnostics;
use serde_json::Value as Json;

use super::record::{address, focus};
use super::resume::roll_back;
use crate::blueprint::sources::Sources;
use crate::cli::args::{Apply, Approval, CrashAt, Destroy, Drift, Import, Losses, Plan, Planning, Rollback};
use crate::cli::interrupt::Listener;
use crate::cli::render::style::count;
use crate::cli::render::{diagnostic, outcome, plan as text, policy};
use crate::cli::session::{CHANGES, DONE, FAILED, INTERRUPTED, Outcome, PAUSED, Session, Stop};
use crate::plan::Focus;
use crate::plan::json::to_terraform_json;
use crate::workflow::{
    self, AcceptedLoss, ApplyOutcome, ApplyRequest, Consent, CrashHow, CrashPoint, CrashWhen, PlanRequest, Planned,
    RollbackRequest, Workspace,
};

/// What to do where nobody can be asked.
const INSTEAD: &str =
    "Keep the plan with `formwork plan -o PLAN` and apply it with `formwork apply PLAN`, or give `--auto-approve`.";

pub(crate) async fn plan(session: &Session, arguments: &Plan) -> Outcome {
    let workspace = session.workspace(&arguments.planning.variables)?;
    let planned = make(session, &workspace, &arguments.planning, arguments.destroy).await?;
    show(session, &planned)?;
    keep(session, &planned, arguments.out.as_deref())?;
    Ok(if arguments.detailed_exitcode && !planned.plan.is_empty() { CHANGES } else { DONE })
}

pub(crate) async fn apply(session: &Session, arguments: &Apply) -> Outcome {
    let workspace = session.workspace(&arguments.planning.variables)?;
    let crash = arguments.crash_at.map(crash_point);
    if let Some(file) = &arguments.plan {
        let watcher = session.watcher();
        let mut planned = workflow::open_plan(&workspace, &session.path(file), &watcher).await?;
        drop(watcher);
        let signatures: Vec<_> = arguments.signatures.iter().map(|file| session.path(file)).collect();
        planned.take_signatures(&signatures)?;
        if !session.global.json {
            session.print(&text::summary(&planned.plan, session.terminal.out))?;
            session.print(&policy::text(&planned.policy, session.terminal.out))?;
        }
        super::approval::tell_approved(session, &workspace, &planned)?;
        let accepted_losses = accepted(session, &planned, &arguments.losses)?;
        let request = ApplyRequest { accepted_losses, crash, ..ApplyRequest::new(Consent::PlanFile) };
        return finished(session, carry_out(session, &workspace, planned, &request).await);
    }
    let planned = make(session, &workspace, &arguments.planning, arguments.destroy).await?;
    approve_and_apply(session, &workspace, planned, (arguments.approval, &arguments.losses), crash).await
}

pub(crate) async fn destroy(session: &Session, arguments: &Destroy) -> Outcome {
    let workspace = session.workspace(&arguments.planning.variables)?;
    let planned = make(session, &workspace, &arguments.planning, true).await?;
    approve_and_apply(session, &workspace, planned, (arguments.approval, &arguments.losses), None).await
}

pub(crate) async fn rollback(session: &Session, arguments: &Rollback) -> Outcome {
    let workspace = session.workspace(&arguments.variables)?;
    let watcher = session.watcher();
    let overrides = arguments.overrides.iter().map(|file| session.path(file)).collect();
    let request = RollbackRequest { to: arguments.to, overrides, on_failure: arguments.on_failure };
    let planned = workflow::rollback_plan(&workspace, request, &watcher).await?;
    drop(watcher);
    if arguments.out.is_some() {
        show(session, &planned)?;
        keep(session, &planned, arguments.out.as_deref())?;
        return Ok(DONE);
    }
    approve_and_apply(session, &workspace, planned, (arguments.approval, &arguments.losses), None).await
}

pub(crate) async fn drift(session: &Session, arguments: &Drift) -> Outcome {
    let workspace = session.workspace(&arguments.variables)?;
    let watcher = session.watcher();
    let seen = workflow::drift(&workspace, &watcher).await?;
    drop(watcher);
    let drift = &seen.plan.drift;
    if session.global.json {
        session.print_json(&crate::plan::json::drift_report(drift))?;
    } else if drift.is_empty() {
        session.print("No drift: reality is as recorded.\n")?;
    } else {
        session.print(&text::drift(drift, session.terminal.out))?;
        session.print("\n`formwork plan` shows what would bring it back.\n")?;
    }
    Ok(if arguments.detailed_exitcode && !drift.is_empty() { CHANGES } else { DONE })
}

pub(crate) async fn import(session: &Session, arguments: &Import) -> Outcome {
    let (Some(to), Some(id)) = (&arguments.address, &arguments.id) else {
        return super::discover::discover(session, arguments).await;
    };
    let workspace = session.workspace(&arguments.variables)?;
    let to = address(to)?;
    let request = PlanRequest {
        targets: vec![Focus::Resource(to.clone())],
        imports: vec![(to, id.as_str().into())],
        ..PlanRequest::default()
    };
    let watcher = session.watcher();
    let planned = workflow::plan(&workspace, &request, &watcher).await?;
    drop(watcher);
    approve_and_apply(session, &workspace, planned, (arguments.approval, &arguments.losses), None).await
}

pub(super) async fn make(
    session: &Session,
    workspace: &Workspace,
    planning: &Planning,
    destroy: bool,
) -> Result<Planned, Stop> {
    let request = PlanRequest {
        destroy,
        targets: planning.targets.iter().map(|text| focus(text)).collect::<Result<_, Stop>>()?,
        excludes: planning.excludes.iter().map(|text| focus(text)).collect::<Result<_, Stop>>()?,
        overrides: planning.overrides.iter().map(|file| session.path(file)).collect(),
        preflight: planning.preflight,
        replace: planning.replace.iter().map(|text| address(text)).collect::<Result<_, Stop>>()?,
        skip_refresh: !planning.refresh,
        imports: Vec::new(),
        on_failure: planning.on_failure,
    };
    let watcher = session.watcher();
    Ok(workflow::plan(workspace, &request, &watcher).await?)
}

/// The plan, and what is to be said about it.
pub(super) fn show(session: &Session, planned: &Planned) -> Result<(), Stop> {
    let plan = &planned.plan;
    let warnings = || planned.warnings.iter().chain(&plan.warnings);
    if session.global.json {
        let mut json = to_terraform_json(plan);
        json["formwork"]["policy"] = policy::to_json(&planned.policy, planned.governing().sources());
        json["diagnostics"] = diagnostic::to_json([(warnings(), &*planned.sources)])["diagnostics"].take();
        return session.print_json(&json);
    }
    session.print(&text::plan(plan, session.terminal.out))?;
    session.print(&policy::text(&planned.policy, session.terminal.out))?;
    session.warn(warnings(), &planned.sources);
    Ok(())
}

fn keep(session: &Session, planned: &Planned, out: Option<&Path>) -> Result<(), Stop> {
    let Some(out) = out else {
        if !session.global.json && !planned.plan.is_empty() {
            session.print("\nTo apply exactly this plan later, keep it: `formwork plan -o PLAN`.\n")?;
        }
        return Ok(());
    };
    workflow::save_plan(planned, &session.path(out))?;
    if !session.global.json {
        let name = out.display();
        let approve = match &*planned.plan.header.approval.required {
            [] => String::new(),
            _ => format!("To approve it: `formwork approve {name}`. "),
        };
        session
            .print(&format!("\nKept as `{name}`. {approve}To apply exactly this plan: `formwork apply {name}`\n"))?;
    }
    Ok(())
}

async fn approve_and_apply(
    session: &Session,
    workspace: &Workspace,
    planned: Planned,
    (approval, losses): (Approval, &Losses),
    crash: Option<CrashPoint>,
) -> Outcome {
    if !session.global.json {
        show(session, &planned)?;
    }
    let consent = match (planned.plan.is_empty(), approval.auto_approve) {
        (true, _) => Consent::NothingToDo,
        (false, true) => Consent::Automatic,
        (false, false) => Consent::Person,
    };
    workflow::allowed(workspace, &planned, consent)?;
    let mut accepted_losses = accepted_by(losses)?;
    if consent == Consent::Person {
        let environment = &planned.plan.header.environment;
        let lost = workflow::unaccepted(&planned.plan, &accepted_losses).len();
        let consented = match lost {
            0 => session.consent(&format!("Apply this plan to `{environment}`?"), INSTEAD)?,
            _ => session.consent_by_name(&loses(lost, environment), environment, INSTEAD)?,
        };
        if !consented {
            session.print("Nothing was changed.\n")?;
            return Ok(FAILED);
        }
        accepted_losses.extend((lost > 0).then_some(AcceptedLoss::Everything));
    }
    let request = ApplyRequest { accepted_losses, crash, ..ApplyRequest::new(consent) };
    finished(session, carry_out(session, workspace, planned, &request).await)
}

fn loses(lost: usize, environment: &str) -> String {
    format!("Apply this plan to `{environment}`? {} would lose for good what it holds.", count(lost, "object"))
}

/// `--accept-loss`
fn accepted_by(losses: &Losses) -> Result<Vec<AcceptedLoss>, Stop> {
    let accepted = losses.accept_loss.iter().map(|text| match text.as_str() {
        "all" => Ok(AcceptedLoss::Everything),
        text => focus(text).map(AcceptedLoss::Of),
    });
    accepted.collect()
}

/// The same for a plan file; of what is missing a person is asked, if there is one.
fn accepted(session: &Session, planned: &Planned, losses: &Losses) -> Result<Vec<AcceptedLoss>, Stop> {
    let mut accepted = accepted_by(losses)?;
    let lost = workflow::unaccepted(&planned.plan, &accepted).len();
    let environment = &planned.plan.header.environment;
    if lost > 0
        && session.terminal.interactive
        && !session.global.json
        && session.consent_by_name(&loses(lost, environment), environment, INSTEAD)?
    {
        accepted.push(AcceptedLoss::Everything);
    }
    Ok(accepted)
}

/// Applies a plan and tells what became of it. Answers the exit code, and for machines the outcome.
pub(super) async fn carry_out(
    session: &Session,
    workspace: &Workspace,
    planned: Planned,
    request: &ApplyRequest,
) -> Result<(u8, Json), Stop> {
    let environment = planned.plan.header.environment.clone();
    let sources = planned.sources.clone();
    let nothing_to_do = planned.plan.is_empty();
    let listener = Listener::start(session.terminal);
    let watcher = session.watcher();
    let done = workflow::apply(workspace, planned, request, &watcher, &listener.interrupt).await?;
    drop(watcher);
    drop(listener);
    let run = Run { session, workspace, crash: request.crash };
    run.told(done, &environment, &sources, nothing_to_do).await
}

/// A run that has ended.
pub(super) struct Run<'a> {
    pub session: &'a Session,
    pub workspace: &'a Workspace,
    pub crash: Option<CrashPoint>,
}

impl Run<'_> {
    /// Tells what became of a run, and takes it back where its plan says so.
    pub(super) async fn tell(&self, done: ApplyOutcome, environment: &str, sources: &Sources, quiet: bool) -> Outcome {
        finished(self.session, self.told(done, environment, sources, quiet).await)
    }

    async fn told(
        &self,
        done: ApplyOutcome,
        environment: &str,
        sources: &Sources,
        nothing_to_do: bool,
    ) -> Result<(u8, Json), Stop> {
        let session = self.session;
        let told: Diagnostics = done.failed.iter().cloned().chain(done.warnings.iter().cloned()).collect();
        let mut json = outcome::to_json(&done, &diagnostic::to_json([(told.iter(), sources)]));
        if !session.global.json {
            session.warn(told.iter(), sources);
            if !(nothing_to_do && done.is_complete()) {
                session.print(&outcome::outcome(&done, environment, session.terminal.out))?;
            }
            if !done.outputs.is_empty() {
                let outputs = done.outputs.iter().map(|(name, (value, sensitive))| (name, value, *sensitive));
                session.print(&format!("\nOutputs:\n{}", outcome::outputs(outputs, session.terminal.out)))?;
            }
        }
        if let Some(consent) = done.roll_back.clone() {
            let back = roll_back(session, self.workspace, &done, consent, self.crash);
            json["rollback"] = Box::pin(back).await?.1;
        }
        Ok((code(&done), json))
    }
}

/// Prints what machines read, and gives the exit code.
fn finished(session: &Session, ended: Result<(u8, Json), Stop>) -> Outcome {
    let (code, json) = ended?;
    if session.global.json {
        session.print_json(&json)?;
    }
    Ok(code)
}

fn code(outcome: &ApplyOutcome) -> u8 {
    match (outcome.is_complete(), outcome.interrupted, &outcome.paused) {
        (true, ..) => DONE,
        (false, true, _) => INTERRUPTED,
        (false, false, Some(_)) => PAUSED,
        (false, false, None) => FAILED,
    }
}

pub(super) fn crash_point(at: CrashAt) -> CrashPoint {
    let when = if at.after { CrashWhen::After } else { CrashWhen::Before };
    CrashPoint { record: at.record, when, how: CrashHow::Kill }
}
