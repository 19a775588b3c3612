//! `policy`: what judges plans is tested, asked, written, and excepted from.

use serde_json::json;

use super::change;
use crate::cli::args::{PolicyCheck, PolicyExcept, PolicyTest, Variables};
use crate::cli::render::policy as text;
use crate::cli::session::{DONE, FAILED, Outcome, Session};
use crate::workflow::{self, NewException};

/// Where the policies of a blueprint are.
const FOLDER: &str = "policy";

pub(crate) fn test(session: &Session, arguments: &PolicyTest) -> Outcome {
    let (folder, shown) = match &arguments.folder {
        Some(folder) => (session.path(folder), session.path(folder)),
        None => (session.dir().join(FOLDER), session.path(FOLDER.as_ref())),
    };
    let report = workflow::policy_test(&folder, &shown.to_string_lossy(), arguments.coverage)?;
    if session.global.json {
        session.print_json(&text::tests_to_json(&report))?;
    } else {
        session.print(&text::tests(&report, session.terminal.out))?;
    }
    Ok(if report.is_good() { DONE } else { FAILED })
}

pub(crate) async fn check(session: &Session, arguments: &PolicyCheck) -> Outcome {
    let workspace = session.workspace(arguments.variables())?;
    let planned = match &arguments.plan {
        Some(file) => {
            let watcher = session.watcher();
            workflow::open_plan(&workspace, &session.path(file), &watcher).await?
        }
        None => change::make(session, &workspace, &arguments.planning, arguments.destroy).await?,
    };
    let allowed = planned.policy.denied.is_empty();
    if session.global.json {
        let mut json = text::to_json(&planned.policy, planned.governing().sources());
        json["format_version"] = json!("1.0");
        json["allowed"] = json!(allowed);
        session.print_json(&json)?;
        return Ok(if allowed { DONE } else { FAILED });
    }
    session.print(&text::text(&planned.policy, session.terminal.out))?;
    if planned.policy.denied.iter().any(|violation| violation.rule.is_none()) {
        // A policy is broken: that has a place.
        planned.allowed()?;
    }
    if allowed {
        session.print("The policies allow this plan.\n")?;
    }
    Ok(if allowed { DONE } else { FAILED })
}

pub(crate) fn init(session: &Session) -> Outcome {
    let written = workflow::policy_init(&session.workspace(&Variables::default())?)?;
    if session.global.json {
        session.print_json(&json!({"format_version": "1.0", "written": written, "diagnostics": []}))?;
        return Ok(DONE);
    }
    let folder = session.global.dir.as_ref().map_or_else(String::new, |dir| format!(" -C {}", dir.display()));
    let mut told: String = written.iter().map(|name| format!("  {name}\n")).collect();
    told.push_str(&format!(
        "\nThe set is yours: read it, and change what does not fit. What differs from factory to factory is in\n\
         `policy/data.json`.\n\n\
         Try its tests:    formwork{folder} policy test\n\
         Judge a plan:     formwork{folder} policy check\n"
    ));
    session.print(&format!("Wrote\n{told}"))?;
    Ok(DONE)
}

pub(crate) fn except(session: &Session, arguments: &PolicyExcept) -> Outcome {
    let workspace = session.workspace(&Variables::default())?;
    let new = NewException {
        rule: arguments.rule.clone(),
        address: arguments.address.clone(),
        message: arguments.message.clone(),
        environment: session.global.env.clone(),
        reason: arguments.reason.clone(),
        ticket: arguments.ticket.clone(),
        until: arguments.until.clone(),
        key: arguments.key.as_deref().map(|key| session.path(key)),
    };
    let filed = workflow::policy_except(&workspace, &new)?;
    if session.global.json {
        session.print_json(&json!({
            "format_version": "1.0",
            "file": filed.file,
            "signature": filed.signature,
            "signer": filed.signer.as_deref(),
        }))?;
        return Ok(DONE);
    }
    session.print(&format!("Wrote `{}`.\n", filed.file))?;
    let told = match (&filed.signature, &filed.signer) {
        (Some(signature), Some(signer)) => format!("Signed by {signer}: `{signature}`.\n"),
        (Some(signature), None) => format!(
            "Signed: `{signature}`. The key is not among the blueprint's `allowed_signers`, so the signature does not \
             count yet.\n"
        ),
        (None, _) => {
            format!("It counts once it is signed:\n  ssh-keygen -Y sign -n formwork.exception -f KEY {}\n", filed.file)
        }
    };
    session.print(&told)?;
    Ok(DONE)
}
