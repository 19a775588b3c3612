//! `override`: writes what somebody has to sign before a protected object may go.

use serde_json::json;

use super::record::address;
use crate::cli::args::{Override, Variables};
use crate::cli::session::{DONE, Outcome, Session, Stop};
use crate::workflow::{self, OVERRIDE_NAMESPACE, OverrideRequest};

pub(crate) fn write(session: &Session, arguments: &Override) -> Outcome {
    let request = OverrideRequest {
        addresses: arguments.addresses.iter().map(|text| address(text)).collect::<Result<_, Stop>>()?,
        reason: arguments.reason.clone(),
        until: arguments.until.clone(),
        out: session.path(&arguments.out),
    };
    workflow::write_override(&session.workspace(&Variables::default())?, &request)?;
    let file = arguments.out.display();
    let command = format!("ssh-keygen -Y sign -n {OVERRIDE_NAMESPACE} -f KEY {file}");
    if session.global.json {
        session.print_json(&json!({"format_version": "1.0", "file": file.to_string(), "diagnostics": []}))?;
    } else {
        session.print(&format!("Written to `{file}`. Have it signed: `{command}`\n"))?;
    }
    Ok(DONE)
}
