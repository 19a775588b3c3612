//! Whether the history is still what was written.

use std::sync::Arc;

use formwork_contract::{Diagnostic, Str};

use super::Workspace;
use super::open::{self, failure, record_failure};
use crate::blueprint::Failure;
use crate::record::RecordError;
use crate::record::audit::{AuditBreak, AuditEntry};

/// What a check of the audit chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryCheck {
    pub environment: Str,
    /// Links of the chain.
    pub links: usize,
    pub revisions: usize,
    pub last: Option<AuditEntry>,
    /// The first thing that is not as it was written.
    pub broken: Option<AuditBreak>,
}

/// Computes the audit chain again and compares the record with it. `known` is the hash of a link in hexadecimal, as an
/// earlier check told it: the chain has to have it still.
///
/// # Errors
/// The blueprint or the record cannot be read, or `known` is no hash.
pub fn check_history(workspace: &Workspace, known: Option<&str>) -> Result<HistoryCheck, Failure> {
    let (blueprint, _) = open::blueprint(workspace)?;
    let (sources, environment) = (Arc::clone(&blueprint.sources), blueprint.environment.clone());
    let known = known.map(|text| hash(text).ok_or_else(|| failure(&sources, no_hash(text)))).transpose()?;
    let check = || {
        let record = open::record_to_read(workspace, &environment)?;
        let broken = match record.verify_audit() {
            Ok(()) => None,
            Err(RecordError::AuditBroken(broken)) => Some(broken),
            Err(error) => return Err(error.into()),
        };
        // Where a link cannot be read, it is what is broken.
        let chain = record.audit().or_else(|error| if broken.is_some() { Ok(Vec::new()) } else { Err(error) })?;
        let lost = known.filter(|known| !chain.iter().any(|link| link.hash == *known));
        let broken = broken.or_else(|| {
            let problem = "no link has the hash that was given: the chain was cut off or written anew".into();
            lost.map(|_| AuditBreak { entry: None, problem })
        });
        let revisions = record.history().map_or(0, |history| history.len());
        Ok::<_, Box<RecordError>>((chain, broken, revisions))
    };
    let (chain, broken, revisions) = check().map_err(|error| record_failure(&sources, &error))?;
    Ok(HistoryCheck { environment, links: chain.len(), revisions, last: chain.last().cloned(), broken })
}

fn hash(text: &str) -> Option<[u8; 32]> {
    let digits = text.trim().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>()?.try_into().ok()
}

fn no_hash(text: &str) -> Diagnostic {
    Diagnostic::error(format!("`{text}` is not the hash of a link"))
        .detail("It has 64 hexadecimal digits.")
        .hint("give what `formwork history --verify` told before")
}
