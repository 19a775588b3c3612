//! The executor's pen: what it writes, in groups, and the drill that kills it on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use formwork_contract::json::encode;
use formwork_contract::provider::Private;
use formwork_contract::{Address, Diagnostic, Diagnostics, Str, Type, Value};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{ApplyOptions, CrashHow, CrashPoint, CrashWhen};
use crate::approve::{Approval, ApprovedPlan};
use crate::live::Redactor;
use crate::plan::Plan;
use crate::plan::model::{Change, PlanKind, StepAction};
use crate::record::model::{
    MetaArguments, NewReleaseEvent, NewRevision, NewStep, RecordedApproval, RecordedResource, RecordedWaiver,
    ReleaseEvent, RevisionKind, RevisionStatus, StepEvent, StepEventKind,
};
use crate::record::{OutputEdit, Record, RecordError, Vault, private};

/// Writes the journal of one run.
pub(super) struct Journal<'a> {
    record: &'a mut Record,
    pub revision: u64,
    /// The journal's number for each step of the plan; `None` for joints.
    numbers: Vec<Option<usize>>,
    /// The revision whose run is taken back.
    undoes: Option<u64>,
    written: u64,
    crash: Option<CrashPoint>,
    lease_ms: u64,
    pub vault: Arc<Vault>,
    secrets: Arc<Redactor>,
}

impl<'a> Journal<'a> {
    /// Makes the run durable before anything is done, under the lease that the record holds.
    pub(super) fn begin(
        plan: &Plan,
        digest: &Str,
        consents: Consents,
        record: &'a mut Record,
        options: &ApplyOptions,
    ) -> Result<Self, Diagnostics> {
        let numbered = plan.steps.iter().enumerate().filter_map(|(place, step)| {
            let change = &plan.changes[step.change?];
            let action = step.action.name().into();
            Some(NewStep { address: change.address.clone(), deposed: deposed_key(plan, place, digest), action })
        });
        let steps = numbered.collect();
        let vault = Arc::clone(record.vault());
        let sealed = |value: &Value| encode(value, &Type::Any, &*vault);
        let header = &plan.header;
        let undoes = header.kind.undone();
        let revision = NewRevision {
            kind: match header.kind {
                PlanKind::Apply => RevisionKind::Apply,
                PlanKind::Destroy => RevisionKind::Destroy,
                PlanKind::Rollback { .. } | PlanKind::Undo { .. } => RevisionKind::Rollback,
            },
            plan_digest: digest.clone(),
            files: header.files.clone(),
            variables: header.variables.iter().map(|(name, value)| (name.to_string(), sealed(value))).collect(),
            pinned: plan.pinned(sealed),
            git_commit: header.git.as_ref().map(|git| git.commit.clone()),
            git_clean: header.git.as_ref().is_some_and(|git| git.clean),
            actor: options.actor.clone(),
            steps,
            undoes,
            plan: options.plan_file.clone(),
            approvals: consents.approvals,
            waivers: consents.waivers,
        };
        let revision = match undoes {
            Some(of) => as_before(record, of, revision).map_err(|error| failed(&error))?,
            None => revision,
        };
        let revision = record.begin(revision).map_err(|error| failed(&error))?;
        Ok(Self::of(plan, revision, record, options))
    }

    /// Takes up a revision whose run has ended, under the lease that the record holds.
    pub(super) fn take_up(plan: &Plan, revision: u64, record: &'a mut Record, options: &ApplyOptions) -> Self {
        Self::of(plan, revision, record, options)
    }

    fn of(plan: &Plan, revision: u64, record: &'a mut Record, options: &ApplyOptions) -> Self {
        Self {
            vault: Arc::clone(record.vault()),
            secrets: Arc::clone(plan.resolver.reality.secrets()),
            record,
            revision,
            numbers: numbers(plan),
            undoes: plan.header.kind.undone(),
            written: 0,
            crash: options.crash,
            lease_ms: options.lease.ttl_ms,
        }
    }

    /// What is done of this step from now on is not written: it changes nothing that is kept.
    pub(super) fn leave_out(&mut self, place: usize) {
        self.numbers[place] = None;
    }

    /// Makes a group of events durable in one commit.
    pub(super) fn commit(&mut self, events: Vec<(usize, StepEventKind)>) -> Result<(), RecordError> {
        if events.is_empty() {
            return Ok(());
        }
        let numbered: Vec<StepEvent> =
            events.into_iter().filter_map(|(step, kind)| Some(self.event(self.numbers[step]?, kind))).collect();
        let until = self.written + numbered.len() as u64;
        self.drill(until, CrashWhen::Before);
        self.record.commit(self.revision, &numbered)?;
        self.drill(until, CrashWhen::After);
        self.written = until;
        if self.is_abandoned() { Err(RecordError::Abandoned) } else { Ok(()) }
    }

    /// What providers say may repeat what they were given.
    fn event(&self, step: usize, mut kind: StepEventKind) -> StepEvent {
        if let StepEventKind::Failed { message }
        | StepEventKind::Partly { message, .. }
        | StepEventKind::Unknown { message } = &mut kind
        {
            *message = self.secrets.clean(message).into();
        }
        StepEvent { step, kind }
    }

    /// Keeps the lease for another while. A lease that was taken over shows when something is written.
    pub(super) fn renew(&mut self) {
        drop(self.record.renew(self.lease_ms));
    }

    /// Closes the revision; one that something went wrong with is not complete.
    pub(super) fn finish(self, outputs: OutputEdit, sound: bool) -> Result<(), RecordError> {
        let status = if sound {
            self.record.finish(self.revision, outputs)?
        } else {
            self.record.finish_broken(self.revision, outputs)?
        };
        if let (Some(undone), RevisionStatus::Complete) = (self.undoes, status) {
            self.record.unstick_undos_of(undone)?;
        }
        self.record.release()
    }

    /// Closes a revision that was to take a run back and could not; `errors` are by the places of the plan's steps.
    pub(super) fn finish_stuck(self, outputs: &OutputEdit, errors: &[(usize, Str)]) -> Result<(), RecordError> {
        let told = |error: &Str| -> Str { self.secrets.clean(error).into() };
        let errors = errors.iter().filter_map(|(place, error)| Some((self.numbers[*place]?, told(error))));
        self.record.finish_stuck(self.revision, outputs, &errors.collect::<Vec<_>>())?;
        self.record.release()
    }

    /// How many records this run has written.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Whether this run takes another one back.
    pub(super) fn is_undo(&self) -> bool {
        self.undoes.is_some()
    }

    /// Makes durable what happened to waves and gates.
    pub(super) fn note(&mut self, events: &[NewReleaseEvent]) -> Result<(), RecordError> {
        self.record.note(self.revision, events)
    }

    /// What happened to waves and gates of the revision so far.
    pub(super) fn release_events(&self) -> Result<Vec<ReleaseEvent>, RecordError> {
        self.record.release_events(self.revision)
    }

    /// What the record holds at an address now.
    pub(super) fn recorded(&self, address: &Address) -> Result<Option<RecordedResource>, RecordError> {
        self.record.resource(address, None)
    }

    /// Ends the run before all is done: it waits for something, and goes on where it stopped.
    pub(super) fn pause(self) -> Result<(), RecordError> {
        self.record.pause(self.revision)?;
        self.record.release()
    }

    /// Nothing more is written, since a drill ended the run.
    pub(super) fn is_abandoned(&self) -> bool {
        self.record.is_abandoned()
    }

    /// Ends the run where it was to end.
    fn drill(&mut self, until: u64, when: CrashWhen) {
        let Some(crash) = self.crash else { return };
        if crash.when != when || crash.record <= self.written || until < crash.record {
            return;
        }
        match crash.how {
            CrashHow::Abandon => self.record.abandon(),
            CrashHow::Kill => {
                let own = rustix::process::getpid();
                // Nothing after this line runs; should the kill fail, the run goes on and the drill has not happened.
                rustix::process::kill_process(own, rustix::process::Signal::KILL).ok();
            }
        }
    }

    /// What the record is to hold of an object.
    pub(super) fn resource(&self, change: &Change, value: &Value, private: &Private) -> RecordedResource {
        let MetaArguments { dependencies, create_before_destroy, protected } = meta(change);
        RecordedResource {
            address: change.address.clone(),
            deposed: None,
            provider: change.provider.to_string().into(),
            source: change.kind.origin.source.to_str(),
            provider_version: change.kind.origin.version.clone().unwrap_or_default(),
            schema_version: change.kind.version,
            value: encode(&change.kind.block.without_write_only(value), &change.kind.ty, &*self.vault),
            private: self.sealed(private),
            dependencies,
            create_before_destroy,
            tainted: false,
            protected,
        }
    }

    /// A provider's own data as the record keeps it.
    pub(super) fn sealed(&self, private: &Private) -> Arc<[u8]> {
        private::sealed(&private.0, &*self.vault)
    }

    /// A value in the exact form; `None` for null.
    pub(super) fn exact(&self, change: &Change, value: &Value) -> Option<serde_json::Value> {
        (!value.is_null()).then(|| encode(value, &change.kind.ty, &*self.vault))
    }
}

/// What the blueprint makes of an object beside its value.
pub(super) fn meta(change: &Change) -> MetaArguments {
    MetaArguments {
        dependencies: change.dependencies.to_vec(),
        create_before_destroy: change.create_before_destroy,
        protected: change.protection.planned,
    }
}

/// The dependencies of an object that may stand on what it stood on, and on what it is to stand on.
pub(super) fn both(was: &[Str], intended: &[Str]) -> Vec<Str> {
    let all: BTreeSet<&Str> = was.iter().chain(intended).collect();
    all.into_iter().cloned().collect()
}

/// The journal's number of each step of a plan; joints have none.
pub(super) fn numbers(plan: &Plan) -> Vec<Option<usize>> {
    let numbered = plan.steps.iter().scan(0, |next, step| {
        let number = step.change.map(|_| *next);
        *next += usize::from(number.is_some());
        Some(number)
    });
    numbered.collect()
}

/// A way back leaves what the last complete revision before the broken one describes.
fn as_before(record: &Record, of: u64, revision: NewRevision) -> Result<NewRevision, RecordError> {
    let history = record.history()?;
    let earlier = history.iter().filter(|known| known.number < of && known.status == RevisionStatus::Complete);
    let before = earlier.map(|known| known.number).max().map(|number| record.revision(number)).transpose()?.flatten();
    Ok(match before {
        Some(before) => {
            NewRevision { files: before.files, variables: before.variables, pinned: before.pinned, ..revision }
        }
        None => NewRevision { files: BTreeMap::new(), variables: json!({}), pinned: json!({}), ..revision },
    })
}

/// The name under which a replacement keeps the old object until it is deleted: for the step that deletes it.
pub(super) fn deposed_key(plan: &Plan, step: usize, digest: &str) -> Option<Str> {
    use crate::plan::model::{Action, ReplaceOrder};
    let step = &plan.steps[step];
    let change = &plan.changes[step.change?];
    if change.deposed.is_some() {
        return change.deposed.clone();
    }
    let sets_aside = change.action == Action::Replace(ReplaceOrder::CreateFirst) && step.action == StepAction::Delete;
    sets_aside.then(|| short_digest(&[digest, "deposed", &change.address.to_string()]))
}

/// Eight hexadecimal digits that name these words.
pub(super) fn short_digest(words: &[&str]) -> Str {
    let digest = Sha256::digest(words.join("\n"));
    digest[..4].iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

/// What the record keeps of the consent to a plan.
pub(super) struct Consents {
    approvals: Vec<RecordedApproval>,
    waivers: Vec<RecordedWaiver>,
}

impl Consents {
    pub(super) fn of(approved: &ApprovedPlan) -> Self {
        Self {
            approvals: approved.approvals().iter().map(recorded_approval).collect(),
            waivers: approved.waivers().to_vec(),
        }
    }
}

fn recorded_approval(approval: &Approval) -> RecordedApproval {
    RecordedApproval {
        signer: approval.signer.clone(),
        fingerprint: approval.fingerprint.clone(),
        signature: approval.file.armored.as_str().into(),
    }
}

/// A record's error as a diagnostic.
pub(super) fn failed(error: &RecordError) -> Diagnostics {
    let diagnostic = Diagnostic::error(error.to_string());
    match error.hint() {
        Some(hint) => diagnostic.hint(hint).into(),
        None => diagnostic.into(),
    }
}
