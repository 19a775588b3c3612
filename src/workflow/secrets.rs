//! Who can open the secrets of a record, and the exchange of its key.

use std::path::Path;
use std::sync::Arc;

use formwork_contract::json::Seal;
use formwork_contract::{Diagnostic, Str};

use super::open::{self, failure, record_failure};
use super::{Workspace, recipients};
use crate::blueprint::Failure;
use crate::plan::PlanFile;
use crate::plan::json::timestamp;
use crate::record::{LeaseScope, PastRekey, Recipient, Record, RecordError, Rekey, RekeyMoment, Rekeyed};

/// How the key is to change hands.
#[derive(Clone, Copy, Debug, Default)]
pub struct RekeyRequest {
    /// A new data key, and everything sealed anew.
    pub rotate: bool,
    /// A drill: the process kills itself at this moment.
    pub crash: Option<RekeyMoment>,
}

/// Who can open a record.
#[derive(Clone, Debug)]
pub struct SecretsView {
    pub environment: Str,
    /// Names the data key.
    pub key: Str,
    pub recipients: Vec<KnownRecipient>,
    /// Public keys that are at hand here, and that the record is not encrypted for.
    pub others_at_hand: Vec<Str>,
    /// Each time that the key changed hands, the oldest first.
    pub past: Vec<PastRekey>,
}

/// One who can open a record, is to be able to, or both.
#[derive(Clone, Debug)]
pub struct KnownRecipient {
    pub key: Str,
    /// What it is called; may be empty.
    pub name: Str,
    /// Its private key is at hand here.
    pub at_hand: bool,
    /// The record's key is wrapped for it.
    pub wrapped: bool,
    /// The environment names it; `None` where the environment names nobody.
    pub named: Option<bool>,
}

/// Who can open the environment's record.
///
/// # Errors
/// The blueprint or the record cannot be read.
pub fn secrets(workspace: &Workspace) -> Result<SecretsView, Failure> {
    let (blueprint, _) = open::blueprint(workspace)?;
    let sources = Arc::clone(&blueprint.sources);
    let declared = recipients::declared(workspace, &blueprint).map_err(|found| failure(&sources, found))?;
    let record = open::record(workspace, &blueprint.environment).map_err(|error| record_failure(&sources, &error))?;
    let look = || -> Result<SecretsView, RecordError> {
        let wrapped = record.recipients()?;
        let at_hand = record.at_hand()?;
        let named = declared.as_ref().map(|declared| &declared.recipients);
        let missing = named.into_iter().flatten().filter(|recipient| !wrapped.contains(recipient));
        let known = |recipient: &Recipient| KnownRecipient {
            key: recipient.key().clone(),
            name: recipient.name().into(),
            at_hand: at_hand.contains(recipient),
            wrapped: wrapped.contains(recipient),
            named: named.map(|named| named.contains(recipient)),
        };
        let recipients: Vec<KnownRecipient> = wrapped.iter().chain(missing).map(known).collect();
        let others = at_hand.iter().filter(|one| recipients.iter().all(|known| known.key != *one.key()));
        Ok(SecretsView {
            environment: blueprint.environment.clone(),
            key: record.vault().key_name(),
            others_at_hand: others.map(|one| one.key().clone()).collect(),
            recipients,
            past: record.rekeys()?,
        })
    };
    look().map_err(|error| record_failure(&sources, &error))
}

/// Wraps the key of the environment's record for those whom the environment names; where it names nobody, for those
/// who can open it now.
///
/// # Errors
/// Another run writes to the record; none of the recipients is at hand here; the record was changed from outside.
pub fn rekey(workspace: &Workspace, request: &RekeyRequest) -> Result<(SecretsView, Rekeyed), Failure> {
    let (blueprint, _) = open::blueprint(workspace)?;
    let sources = Arc::clone(&blueprint.sources);
    let declared = recipients::declared(workspace, &blueprint).map_err(|found| failure(&sources, found))?;
    let mut record =
        open::record(workspace, &blueprint.environment).map_err(|error| record_failure(&sources, &error))?;
    let mut write = || {
        let recipients = match &declared {
            Some(declared) => declared.recipients.clone(),
            None => record.recipients()?,
        };
        let rekey = Rekey { recipients, rotate: request.rotate, actor: workspace.actor.clone() };
        open::acquire(workspace, &mut record, LeaseScope::Whole)?;
        let done = record.rekey(&rekey, &mut |moment| drill(request, moment))?;
        record.release()?;
        Ok(done)
    };
    let done = write().map_err(|error: RecordError| {
        let told = open::record_diagnostic(&error);
        match (&error, &declared) {
            (RecordError::LockedOut { .. }, Some(declared)) => {
                failure(&sources, told.label(declared.span, "named here"))
            }
            _ => failure(&sources, told),
        }
    })?;
    drop(record);
    Ok((secrets(workspace)?, done))
}

/// A kill that no handler sees, as a power cut would be.
fn drill(request: &RekeyRequest, moment: RekeyMoment) {
    if request.crash == Some(moment) {
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).ok();
    }
}

/// A plan file is opened with the key that it was sealed with, and with no later one.
pub(super) fn same_key(record: &Record, file: &PlanFile, path: &Path) -> Result<(), Box<Diagnostic>> {
    if file.key_name().is_empty() || *file.key_name() == *record.vault().key_name() {
        return Ok(());
    }
    // Where nothing is known of that key, the file's parts will tell that they do not open.
    let past = record.rekeys().unwrap_or_default();
    let Some(exchange) = past.iter().find(|past| past.rotated && *past.key_before == *file.key_name()) else {
        return Ok(());
    };
    Err(Box::new(
        Diagnostic::error(format!("the plan file `{}` was made under an older key of the record", path.display()))
            .detail(format!("`{}` exchanged the key at {}.", exchange.actor, timestamp(exchange.at_ms)))
            .hint("make a new plan: `formwork plan -o FILE`"),
    ))
}
