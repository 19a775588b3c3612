//! Consent to a wave before which a release is paused.

use std::sync::Arc;

use formwork_contract::suggest::nearest;
use formwork_contract::{Diagnostic, Diagnostics, Str};

use super::Workspace;
use super::approval::Governing;
use super::open::{self, failure, record_failure};
use crate::approve::signature::Signer;
use crate::approve::{Rules, WAVE, WaveSubject};
use crate::blueprint::files::Files;
use crate::blueprint::model::Block;
use crate::blueprint::{Blueprint, Failure};
use crate::record::model::{NewReleaseEvent, ReleaseEventKind, RevisionStatus};
use crate::record::{LeaseScope, Record};

/// A wave that waits for people.
pub struct WaitingWave {
    pub subject: WaveSubject,
    /// What it waits for, in words.
    pub what: Str,
    record: Record,
    governing: Governing,
}

impl WaitingWave {
    /// The rules that say who may sign.
    pub fn governing(&self) -> &Governing {
        &self.governing
    }

    /// Whether an approval has to be signed: the environment names who may.
    pub fn asks_for_signatures(&self) -> bool {
        !self.governing.rules.signers.is_empty()
    }
}

/// The wave before which the latest paused revision waits.
///
/// # Errors
/// No release waits, or for something else.
pub fn waiting_wave(workspace: &Workspace, wave: usize) -> Result<WaitingWave, Failure> {
    let (blueprint, _) = open::blueprint(workspace)?;
    let sources = Arc::clone(&blueprint.sources);
    let environment = blueprint.environment.clone();
    let fail = |problem: Diagnostic| failure(&sources, problem);
    let record = open::record(workspace, &environment).map_err(|error| record_failure(&sources, &error))?;
    let history = record.history().map_err(|error| record_failure(&sources, &error))?;
    let Some(paused) = history.into_iter().rfind(|revision| revision.status == RevisionStatus::Paused) else {
        return Err(fail(
            Diagnostic::error(format!("no release of `{environment}` waits for anybody"))
                .hint("`formwork history` shows what was done"),
        ));
    };
    let waiting = paused.waves.iter().rfind(|wave| wave.status == ReleaseEventKind::Waiting);
    let number = paused.number;
    let Some(waiting) = waiting else {
        return Err(fail(Diagnostic::error(format!("revision {number} does not wait for a wave"))));
    };
    if waiting.wave != wave {
        let name = &waiting.name;
        return Err(fail(
            Diagnostic::error(format!("revision {number} does not wait for wave {wave}"))
                .detail(format!("It waits before wave {} (`{name}`).", waiting.wave))
                .hint(format!("`formwork approve --wave {}`", waiting.wave)),
        ));
    }
    let subject = WaveSubject {
        environment: environment.clone(),
        record_id: record.id().into(),
        revision: number,
        plan_digest: paused.plan_digest.clone(),
        wave,
        name: waiting.name.clone(),
    };
    let what = waiting.message.clone().unwrap_or_default();
    let revision = record.revision(number).map_err(|error| record_failure(&sources, &error))?;
    let files = revision.map(|revision| revision.files).unwrap_or_default();
    let (approved, _) = open::load_from(workspace, Arc::new(Files::from_snapshot(files)), Some(environment))?;
    let governing = Governing::of(&record, &approved)?;
    Ok(WaitingWave { subject, what, record, governing })
}

/// Writes down that somebody lets the wave begin. Gives who that is.
///
/// # Errors
/// The key may not sign, or the record cannot be written.
pub fn approve_wave(workspace: &Workspace, waiting: WaitingWave, signer: Option<&Signer>) -> Result<Str, Failure> {
    let WaitingWave { subject, mut record, governing, .. } = waiting;
    let sources = Arc::clone(&governing.sources);
    let (approver, signature) = match signer {
        None => (Arc::clone(&workspace.actor), None),
        Some(signer) => {
            let approver = super::approval::approver(workspace, &governing, &signer.public_key(), WAVE)?;
            let armored = signer.sign(WAVE, subject.text().as_bytes()).map_err(|error| {
                failure(&sources, Diagnostic::error("the wave cannot be signed").detail(format!("{error}.")))
            })?;
            (approver.name, Some(armored.into()))
        }
    };
    let event = NewReleaseEvent {
        wave: subject.wave,
        wave_name: subject.name.clone(),
        gate: None,
        kind: ReleaseEventKind::Approved,
        message: None,
        approver: Some(approver.clone()),
        signature,
    };
    let mut write = || {
        open::acquire(workspace, &mut record, LeaseScope::Whole)?;
        record.note(subject.revision, std::slice::from_ref(&event))?;
        record.release()
    };
    write().map_err(|error| record_failure(&sources, &error))?;
    Ok(approver)
}

/// Groups that gates of a release ask for, and that the rules do not have: nobody could let such a wave begin.
pub(super) fn unknown_groups(blueprint: &Blueprint, rules: &Rules) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut queue: Vec<&Block> = blueprint.releases();
    while let Some(block) = queue.pop() {
        queue.extend(&block.body.blocks);
        let required =
            block.body.blocks.iter().filter(|inner| &*block.type_name == "approval" && &*inner.type_name == "require");
        for require in required {
            let Some(group) = require.labels.first().filter(|group| !rules.groups.contains_key(*group)) else {
                continue;
            };
            let diagnostic = Diagnostic::error(format!("There is no group `{group}`"))
                .detail("The rules that judge approvals are those of what was applied last.")
                .label(require.span, "this gate asks for its members");
            found.push(match nearest(group, rules.groups.keys().map(|name| &**name)) {
                Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
                None => diagnostic.hint(format!(
                    "name its members in the environment, and apply that first: \
                     `approval {{ group \"{group}\" {{ members = [...] }} }}`"
                )),
            });
        }
    }
    found
}
