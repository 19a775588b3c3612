//! Signed overrides: what lets a protected object be taken away, named in a file that somebody signed.
//!
//! The file says for which record and until when it holds; its signatures are detached and lie beside it. They are
//! checked when a plan is made and again when it is opened to be applied.

use std::collections::HashMap;
use std::sync::Arc;

use formwork_contract::{Address, Diagnostic, Diagnostics, Str};
use serde::{Deserialize, Serialize};

use super::rules::Rules;
use super::signature;
use crate::plan::{Overridden, OverrideFile, Overrides};

/// What signatures of overrides are made for.
pub const NAMESPACE: &str = "formwork.override";

const FORMAT: &str = "formwork.override";
const VERSION: u32 = 1;

/// An override as its file has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideText {
    format: String,
    version: u32,
    environment: String,
    /// The id of the record that it is for.
    record: String,
    addresses: Vec<String>,
    reason: String,
    /// A day, whose end in UTC is meant, or a time as in RFC 3339.
    until: String,
}

impl OverrideText {
    /// For these objects of one record.
    pub fn new(environment: &str, record: &str, addresses: &[Address], reason: &str, until: &str) -> Self {
        Self {
            format: FORMAT.into(),
            version: VERSION,
            environment: environment.into(),
            record: record.into(),
            addresses: addresses.iter().map(ToString::to_string).collect(),
            reason: reason.into(),
            until: until.into(),
        }
    }
}

/// What overrides are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Bench<'a> {
    pub record_id: &'a str,
    /// Those that judge plans: they say who may sign, and for which environment.
    pub rules: &'a Rules,
    /// Milliseconds since the Unix epoch.
    pub now_ms: i64,
}

/// Judges override files. Each has to hold: whoever names one relies on it.
///
/// # Errors
/// Every file that does not hold, with the reason.
pub fn judge(files: Vec<OverrideFile>, bench: &Bench<'_>) -> Result<Overrides, Diagnostics> {
    let mut by_address = HashMap::new();
    let mut diagnostics = Diagnostics::new();
    for file in &files {
        match judge_file(file, bench) {
            Ok((addresses, overridden)) => {
                let overridden = Arc::new(overridden);
                by_address.extend(addresses.into_iter().map(|address| (address, Arc::clone(&overridden))));
            }
            Err((why, hint)) => diagnostics
                .push(Diagnostic::error(format!("the override `{}` does not hold", file.name)).detail(why).hint(hint)),
        }
    }
    diagnostics.into_result(Overrides { files, by_address }).map(|(overrides, _)| overrides)
}

type Refused = (String, String);

fn judge_file(file: &OverrideFile, bench: &Bench<'_>) -> Result<(Vec<Address>, Overridden), Refused> {
    let anew = || "write it with `formwork override`, and have it signed".to_owned();
    let text: OverrideText =
        serde_json::from_str(&file.text).map_err(|error| (format!("It cannot be read: {error}."), anew()))?;
    if text.format != FORMAT || text.version != VERSION {
        return Err((format!("It is not of the format `{FORMAT}`, version {VERSION}."), anew()));
    }
    let environment = &*bench.rules.environment;
    if text.environment != environment {
        let why = format!("It is for the environment `{}`, and this is `{environment}`.", text.environment);
        return Err((why, anew()));
    }
    if text.record != bench.record_id {
        return Err((format!("It is for the record {}, and this is {}.", text.record, bench.record_id), anew()));
    }
    let until =
        end_of(&text.until).ok_or_else(|| (format!("`{}` is neither a day nor a time.", text.until), anew()))?;
    if until < bench.now_ms {
        return Err((format!("It held until {}.", text.until), anew()));
    }
    if text.reason.trim().is_empty() {
        return Err(("It gives no reason.".into(), anew()));
    }
    let addresses = text.addresses.iter().map(|name| name.parse::<Address>());
    let addresses =
        addresses.collect::<Result<Vec<_>, _>>().map_err(|error| (format!("An address is none: {error}."), anew()))?;
    let (signer, signature) = any_signer(file, bench)?;
    let overridden = Overridden {
        file: file.name.clone(),
        signer,
        reason: text.reason.as_str().into(),
        until: text.until.as_str().into(),
        text: file.text.clone(),
        signature,
    };
    Ok((addresses, overridden))
}

/// The first whose signature holds, and that signature.
fn any_signer(file: &OverrideFile, bench: &Bench<'_>) -> Result<(Str, Str), Refused> {
    let sign = format!("sign it: `ssh-keygen -Y sign -n {NAMESPACE} -f KEY {}`", file.name);
    if bench.rules.signers.is_empty() {
        let why = "The rules that were applied last name nobody who may sign.".to_owned();
        return Err((why, "add `allowed_signers` to the environment's `approval` block, and apply that first".into()));
    }
    if file.signatures.is_empty() {
        return Err((format!("No signature `{}.sig` lies beside it.", file.name), sign));
    }
    let mut refused = Vec::new();
    for armored in &file.signatures {
        match signer(bench, armored, file.text.as_bytes()) {
            Ok(signer) => return Ok((signer, armored.clone())),
            Err(why) => refused.push(why),
        }
    }
    Err((format!("None of its signatures counts: {}.", refused.join("; ")), sign))
}

/// Who signed these bytes for an override: every name that the key signs as.
fn signer(bench: &Bench<'_>, armored: &str, message: &[u8]) -> Result<Str, String> {
    let signed = signature::verify(armored, NAMESPACE, message).map_err(|flaw| flaw.to_string())?;
    let named = bench.rules.signer(&signed.key, NAMESPACE, bench.now_ms);
    let names = named.map_err(|refusal| format!("{refusal} (key {})", signed.fingerprint))?;
    Ok(names.iter().map(|name| &**name).collect::<Vec<_>>().join(", ").into())
}

/// The last millisecond at which something holds that holds until a day or a time.
pub fn end_of(until: &str) -> Option<i64> {
    if let Ok(time) = until.parse::<jiff::Timestamp>() {
        return Some(time.as_millisecond());
    }
    let day = until.parse::<jiff::civil::Date>().ok()?;
    let end = day.tomorrow().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(end.timestamp().as_millisecond() - 1)
}
