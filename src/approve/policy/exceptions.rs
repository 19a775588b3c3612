//! Exceptions: what a policy denies and somebody signed for, until a day.
//!
//! ```json
//! {"format": "formwork.exception", "version": 1, "rule": "factory.logging.deny", "address": "sandbox_log_store.*",
//!  "reason": "...", "ticket": "OPS-7", "until": "2026-12-31"}
//! ```
//!
//! Beside `NAME.json` stand its signatures, `NAME.json.sig` and `NAME.json.WHO.sig`: SSHSIG over the exact
//! bytes of the file.

use std::collections::BTreeMap;
use std::sync::Arc;

use formwork_contract::Str;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use regex::Regex;
use serde::{Deserialize, Serialize};

use super::Policies;
use super::verdict::{Excepted, Violation};
use crate::approve::judge::{identify, is_author};
use crate::approve::rules::Rules;
use crate::plan::Plan;

/// The folder of exceptions, below that of the policies.
pub const EXCEPTIONS: &str = "exceptions";

/// What signatures of exceptions are for.
pub const NAMESPACE: &str = "formwork.exception";

const FORMAT: &str = "formwork.exception";
const VERSION: u32 = 1;

/// What is excepted, why, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The file, as the blueprint calls it.
    pub file: String,
    /// A rule such as `factory.logging.deny`, or its package; `*` stands for any text.
    pub rule: String,
    /// Of the resource; `*` stands for any text.
    pub address: Option<String>,
    /// What the rule says; `*` stands for any text.
    pub message: Option<String>,
    /// The only environment that it is for.
    pub environment: Option<String>,
    pub reason: String,
    pub ticket: Option<String>,
    /// The last day on which it counts, in UTC.
    pub until: Date,
}

/// An exception that does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Void {
    pub file: String,
    /// A sentence.
    pub why: String,
}

/// Why a text is no exception.
#[derive(Debug, thiserror::Error)]
pub enum ExceptionError {
    #[error("it is not in the form of an exception: {0}")]
    Form(#[from] serde_json::Error),
    #[error("it is not an exception, or of another version")]
    Foreign,
    #[error("`until` is no date: {0}")]
    Until(jiff::Error),
    #[error("it names neither an address nor a message, and would except everything that the rule denies")]
    Everything,
    #[error("it gives no reason")]
    NoReason,
}

/// What counts as an exception, and what does not.
#[derive(Clone, Debug, Default)]
pub struct Exceptions {
    counting: Vec<Counting>,
    void: Vec<Void>,
}

/// An exception that counts.
#[derive(Clone, Debug)]
struct Counting {
    exception: Exception,
    /// What was signed, byte for byte.
    text: Str,
    signers: Vec<Signer>,
    rule: Regex,
    address: Option<Regex>,
    message: Option<Regex>,
}

/// Somebody who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The first of the names that the key signs as.
    pub name: Str,
    /// `SHA256:...`
    pub fingerprint: Str,
    /// In the armored form of `ssh-keygen -Y sign`.
    pub signature: Str,
}

/// Who may sign, for which plan, and when it is.
#[derive(Clone, Copy, Debug)]
pub struct Signing<'a> {
    pub rules: &'a Rules,
    pub plan: &'a Plan,
    /// Milliseconds since the Unix epoch.
    pub now_ms: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filed {
    format: String,
    version: u32,
    rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<String>,
    until: String,
}

impl Exceptions {
    /// The exceptions that stand beside policies, each checked.
    pub fn of_policies(policies: &Policies, signing: &Signing<'_>) -> Self {
        let mut exceptions = Self::default();
        let files = policies.exceptions();
        for (file, bytes) in files.iter().filter(|(file, _)| file.ends_with(".json")) {
            match counts(file, bytes, files, signing) {
                Ok(Some(counting)) => exceptions.counting.push(counting),
                Ok(None) => {}
                Err(why) => exceptions.void.push(Void { file: file.clone(), why }),
            }
        }
        exceptions
    }

    /// Those that do not count.
    pub fn void(&self) -> &[Void] {
        &self.void
    }

    /// The exception that lifts a violation, if there is one. What a broken policy denies cannot be lifted.
    pub(super) fn of(&self, violation: &Violation) -> Option<Excepted> {
        let rule = violation.rule.as_ref()?;
        let package = rule.rsplit_once('.').map_or("", |(package, _)| package);
        let found = self.counting.iter().find(|counting| {
            let about = |pattern: &Option<Regex>, text: Option<&str>| {
                pattern.as_ref().is_none_or(|pattern| text.is_some_and(|text| pattern.is_match(text)))
            };
            (counting.rule.is_match(rule) || counting.rule.is_match(package))
                && about(&counting.address, violation.address.as_deref())
                && about(&counting.message, Some(&violation.message))
        });
        found.map(|counting| Excepted {
            violation: violation.clone(),
            exception: counting.exception.clone(),
            text: counting.text.clone(),
            signers: counting.signers.clone(),
        })
    }
}

impl Exception {
    /// Reads an exception.
    ///
    /// # Errors
    /// It is none, or says too little.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, ExceptionError> {
        let filed: Filed = serde_json::from_slice(bytes)?;
        if filed.format != FORMAT || filed.version != VERSION {
            return Err(ExceptionError::Foreign);
        }
        let exception = Self {
            file: file.to_owned(),
            rule: filed.rule,
            address: filed.address,
            message: filed.message,
            environment: filed.environment,
            reason: filed.reason,
            ticket: filed.ticket,
            until: filed.until.parse().map_err(ExceptionError::Until)?,
        };
        exception.checked()
    }

    /// That it says enough.
    ///
    /// # Errors
    /// It excepts everything, or gives no reason.
    pub fn checked(self) -> Result<Self, ExceptionError> {
        let is_all =
            |pattern: &Option<String>| pattern.as_ref().is_none_or(|pattern| pattern.chars().all(|c| c == '*'));
        if is_all(&self.address) && is_all(&self.message) {
            return Err(ExceptionError::Everything);
        }
        if self.reason.trim().is_empty() {
            return Err(ExceptionError::NoReason);
        }
        Ok(self)
    }

    /// The text of its file.
    ///
    /// # Errors
    /// Never in practice: all of it is text.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        let filed = Filed {
            format: FORMAT.into(),
            version: VERSION,
            rule: self.rule.clone(),
            address: self.address.clone(),
            message: self.message.clone(),
            environment: self.environment.clone(),
            reason: self.reason.clone(),
            ticket: self.ticket.clone(),
            until: self.until.to_string(),
        };
        Ok(serde_json::to_string_pretty(&filed)? + "\n")
    }

    /// Whether its last day is over at a time in milliseconds since the Unix epoch.
    fn is_over(&self, now_ms: i64) -> bool {
        let end = self.until.tomorrow().and_then(|day| day.to_zoned(TimeZone::UTC));
        end.is_ok_and(|end| now_ms >= end.timestamp().as_millisecond())
    }
}

/// An exception that counts; `None` where it is for another environment.
fn counts(
    file: &str,
    bytes: &[u8],
    files: &BTreeMap<String, Arc<[u8]>>,
    signing: &Signing<'_>,
) -> Result<Option<Counting>, String> {
    let exception = Exception::read(file, bytes).map_err(|error| format!("It cannot be used: {error}."))?;
    if exception.environment.as_ref().is_some_and(|environment| **environment != *signing.plan.header.environment) {
        return Ok(None);
    }
    if exception.is_over(signing.now_ms) {
        return Err(format!("It ended with {}.", exception.until));
    }
    if signing.rules.signers.is_empty() {
        return Err("The environment names no `allowed_signers` in its `approval` block, so nobody can sign it.".into());
    }
    let signatures = files.iter().filter(|(name, _)| {
        let rest = name.strip_prefix(file);
        rest.is_some_and(|rest| rest == ".sig" || rest.starts_with('.') && rest.ends_with(".sig"))
    });
    let (mut signers, mut problems) = (Vec::new(), Vec::new());
    for (name, armored) in signatures {
        match signer(bytes, armored, signing) {
            Ok(signer) => signers.push(signer),
            Err(problem) => problems.push(format!("`{name}`: {problem}")),
        }
    }
    if !signers.is_empty() {
        let unusable = |error: regex::Error| format!("A pattern in it cannot be used: {error}.");
        return Ok(Some(Counting {
            rule: pattern(&exception.rule).map_err(unusable)?,
            address: exception.address.as_deref().map(pattern).transpose().map_err(unusable)?,
            message: exception.message.as_deref().map(pattern).transpose().map_err(unusable)?,
            exception,
            text: String::from_utf8_lossy(bytes).into(),
            signers,
        }));
    }
    Err(match problems.is_empty() {
        true => format!("It is not signed. Sign it: `ssh-keygen -Y sign -n {NAMESPACE} -f KEY {file}`."),
        false => format!("No signature of it counts: {}.", problems.join("; ")),
    })
}

/// Who signed an exception, if that counts.
fn signer(bytes: &[u8], armored: &[u8], signing: &Signing<'_>) -> Result<Signer, String> {
    let Signing { rules, plan, now_ms } = *signing;
    let armored = String::from_utf8_lossy(armored);
    let (names, fingerprint) = identify(rules, NAMESPACE, &armored, bytes, now_ms)?;
    if let Some(author) = names.iter().find(|name| rules.separation && is_author(plan, name)) {
        return Err(format!("it is by {author}, who made the plan"));
    }
    Ok(Signer { name: names.into_iter().next().unwrap_or_default(), fingerprint, signature: armored.into() })
}

/// A pattern in which `*` stands for any text.
fn pattern(text: &str) -> Result<Regex, regex::Error> {
    let parts: Vec<String> = text.split('*').map(regex::escape).collect();
    Regex::new(&format!("(?s)^{}$", parts.join(".*")))
}
