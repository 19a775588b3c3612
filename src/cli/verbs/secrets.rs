//! `secrets`: who can open what is encrypted in the record, and the exchange of its key.

use serde_json::json;

use crate::cli::args::{RekeyCrash, SecretsRekey, Variables};
use crate::cli::render::secrets as text;
use crate::cli::session::{DONE, Outcome, Session};
use crate::workflow::{self, RekeyMoment, RekeyRequest};

pub(crate) fn list(session: &Session) -> Outcome {
    let view = workflow::secrets(&session.workspace(&Variables::default())?)?;
    if session.global.json {
        session.print_json(&text::to_json(&view))?;
    } else {
        session.print(&text::text(&view, session.terminal.out))?;
    }
    Ok(DONE)
}

pub(crate) fn rekey(session: &Session, arguments: &SecretsRekey) -> Outcome {
    let crash = arguments.crash_at.map(|at| match at {
        RekeyCrash::Before => RekeyMoment::Written,
        RekeyCrash::After => RekeyMoment::Durable,
    });
    let request = RekeyRequest { rotate: arguments.rotate, crash };
    let (view, done) = workflow::rekey(&session.workspace(&Variables::default())?, &request)?;
    if session.global.json {
        let mut told = text::to_json(&view);
        told["rotated"] = arguments.rotate.into();
        told["resealed"] = done.resealed.into();
        told["compacted"] = done.compacted.into();
        told["diagnostics"] = json!([]);
        session.print_json(&told)?;
    } else {
        session.print(&text::done(&view, &done, arguments.rotate, session.terminal.out))?;
    }
    Ok(DONE)
}
