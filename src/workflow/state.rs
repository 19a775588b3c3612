//! What the record holds: its history, outputs, and edits of its entries.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use formwork_contract::json::decode;
use formwork_contract::suggest::nearest;
use formwork_contract::{Address, Diagnostic, Str, Type, Value};

use super::Workspace;
use super::approval::Governing;
use super::open::{self, failure, record_failure};
use crate::approve::waived_protection;
use crate::blueprint::Failure;
use crate::blueprint::sources::Sources;
use crate::record::model::{
    NewRevision, NewStep, RecordedResource, RecordedWaiver, RevisionKind, RevisionSummary, StepEvent, StepEventKind,
    StuckStep,
};
use crate::record::{LeaseScope, OutputEdit, Record, RecordError, Vault};

/// A line of the history.
pub type HistoryEntry = RevisionSummary;

/// An output of the last apply.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputValue {
    pub value: Value,
    pub sensitive: bool,
}

/// All revisions, the latest first.
///
/// # Errors
/// The blueprint or the record cannot be read.
pub fn history(workspace: &Workspace) -> Result<Vec<HistoryEntry>, Failure> {
    let (sources, record) = opened(workspace)?;
    let mut history = record.history().map_err(|error| record_failure(&sources, &error))?;
    history.sort_by_key(|summary| std::cmp::Reverse(summary.number));
    Ok(history)
}

/// What a way back could not reach, and waits for a person.
///
/// # Errors
/// The blueprint or the record cannot be read.
pub fn stuck(workspace: &Workspace) -> Result<Vec<StuckStep>, Failure> {
    let (sources, record) = opened(workspace)?;
    record.stuck().map_err(|error| record_failure(&sources, &error))
}

/// The outputs of the last apply.
///
/// # Errors
/// The blueprint or the record cannot be read.
pub fn outputs(workspace: &Workspace) -> Result<BTreeMap<Str, OutputValue>, Failure> {
    let (sources, record) = opened(workspace)?;
    let outputs = outputs_of(&record).map_err(|error| record_failure(&sources, &error))?;
    Ok(outputs.into_iter().map(|(name, (value, sensitive))| (name, OutputValue { value, sensitive })).collect())
}

pub(super) fn outputs_of(record: &Record) -> Result<BTreeMap<Str, (Value, bool)>, RecordError> {
    Ok(outputs_from(&record.outputs()?, record.vault()))
}

/// What is recorded of outputs, as values, and whether each is sensitive.
pub(super) fn outputs_from(json: &serde_json::Value, vault: &Vault) -> BTreeMap<Str, (Value, bool)> {
    let entries = json.as_object().into_iter().flatten();
    entries
        .filter_map(|(name, output)| {
            // What cannot be read back shows as a new output in the next plan.
            let value = decode(output.get("value")?, &Type::Any, vault).ok()?;
            let sensitive = output.get("sensitive").and_then(serde_json::Value::as_bool).unwrap_or(false);
            Some((name.as_str().into(), (value, sensitive)))
        })
        .collect()
}

/// Gives an object of the record another address. Nothing changes in reality.
///
/// # Errors
/// There is no object at the one address, or there is one at the other.
pub fn state_mv(workspace: &Workspace, from: &Address, to: &Address) -> Result<u64, Failure> {
    let (sources, mut record) = opened(workspace)?;
    lock(workspace, &sources, &mut record, [from.clone(), to.clone()])?;
    let object = find(&sources, &record, from)?;
    let occupied = record.resource(to, None).map_err(|error| record_failure(&sources, &error))?.is_some();
    if occupied || from.type_name != to.type_name {
        let problem = if occupied { "is in the record already" } else { "has another resource type" };
        return Err(failure(
            &sources,
            Diagnostic::error(format!("`{from}` cannot move to `{to}`"))
                .detail(format!("`{to}` {problem}."))
                .hint("`formwork state list` shows what there is"),
        ));
    }
    let moved = RecordedResource { address: to.clone(), ..object };
    let event = StepEventKind::Done { resource: Some(Box::new(moved)), from: Some(from.clone()) };
    edit(workspace, &sources, &mut record, to, "move", (event, Vec::new()))
}

/// Takes an object from the record. It stays in reality, and nobody owns it any more.
///
/// # Errors
/// There is no object at the address.
pub fn state_rm(workspace: &Workspace, address: &Address) -> Result<u64, Failure> {
    state_rm_overridden(workspace, address, &[])
}

/// The same of an object that may be protected, with signed overrides that name it.
///
/// # Errors
/// There is no object at the address, it is protected, or an override does not hold.
pub fn state_rm_overridden(workspace: &Workspace, address: &Address, overrides: &[PathBuf]) -> Result<u64, Failure> {
    let (blueprint, _) = open::blueprint(workspace)?;
    let sources = Arc::clone(&blueprint.sources);
    let mut record =
        open::record(workspace, &blueprint.environment).map_err(|error| record_failure(&sources, &error))?;
    lock(workspace, &sources, &mut record, [address.clone()])?;
    let found = find(&sources, &record, address)?;
    let governing = Governing::of(workspace, &record, &blueprint)?;
    let judged = super::overrides::read(overrides)
        .and_then(|files| super::overrides::judged(workspace, &record, &governing, files))
        .map_err(|refused| failure(&sources, refused))?;
    if found.protected && !judged.by_address.contains_key(address) {
        return Err(failure(
            &sources,
            Diagnostic::error(format!("`{address}` cannot be forgotten: it is protected"))
                .detail("The record says so.")
                .hint(format!(
                    "take the protection away first, or have an override signed: `formwork override '{address}' \
                     --reason ... --until ...`"
                )),
        ));
    }
    let overridden = judged.by_address.get(address).filter(|_| found.protected);
    let waivers = overridden.map(|overridden| waived_protection(address, overridden)).into_iter().collect();
    let forgotten = StepEventKind::Done { resource: None, from: None };
    edit(workspace, &sources, &mut record, address, "forget", (forgotten, waivers))
}

/// A person has seen to what a way back could not reach. Tells whether anything waited there.
///
/// # Errors
/// The record cannot be read or written.
pub fn state_unstick(workspace: &Workspace, address: &Address) -> Result<bool, Failure> {
    let (sources, mut record) = opened(workspace)?;
    let mut write = || {
        open::acquire(workspace, &mut record, LeaseScope::of([address.clone()]))?;
        let waited = record.unstick(address)?;
        record.release()?;
        Ok(waited)
    };
    write().map_err(|error| record_failure(&sources, &error))
}

fn opened(workspace: &Workspace) -> Result<(Arc<Sources>, Record), Failure> {
    let (blueprint, _) = open::blueprint(workspace)?;
    let record =
        open::record(workspace, &blueprint.environment).map_err(|error| record_failure(&blueprint.sources, &error))?;
    Ok((Arc::clone(&blueprint.sources), record))
}

pub(super) fn find(sources: &Arc<Sources>, record: &Record, address: &Address) -> Result<RecordedResource, Failure> {
    let fail = |error: RecordError| record_failure(sources, &error);
    if let Some(found) = record.resource(address, None).map_err(fail)? {
        return Ok(found);
    }
    let known: Vec<String> = record.resources().map_err(fail)?.iter().map(|have| have.address.to_string()).collect();
    let diagnostic = Diagnostic::error(format!("the record has no `{address}`"));
    let near = nearest(&address.to_string(), known.iter().map(String::as_str)).map(str::to_owned);
    Err(failure(
        sources,
        match near {
            Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
            None => diagnostic.hint("`formwork state list` shows what there is"),
        },
    ))
}

/// Nobody else may change these objects until the record is closed.
fn lock(
    workspace: &Workspace,
    sources: &Arc<Sources>,
    record: &mut Record,
    addresses: impl IntoIterator<Item = Address>,
) -> Result<(), Failure> {
    open::acquire(workspace, record, LeaseScope::of(addresses)).map_err(|error| record_failure(sources, &error))
}

/// A revision of one step that changes nothing but the record.
fn edit(
    workspace: &Workspace,
    sources: &Arc<Sources>,
    record: &mut Record,
    address: &Address,
    action: &str,
    (event, waivers): (StepEventKind, Vec<RecordedWaiver>),
) -> Result<u64, Failure> {
    let mut write = || {
        // A rollback to this revision needs the blueprint that was in force.
        let last = record.history()?.iter().map(|summary| summary.number).max();
        let last = last.map(|number| record.revision(number)).transpose()?.flatten();
        let number = record.begin(NewRevision {
            kind: RevisionKind::Edit,
            plan_digest: Str::default(),
            files: last.as_ref().map(|last| last.files.clone()).unwrap_or_default(),
            variables: last.as_ref().map_or(serde_json::Value::Null, |last| last.variables.clone()),
            pinned: last.map_or(serde_json::Value::Null, |last| last.pinned),
            git_commit: None,
            git_clean: false,
            actor: workspace.actor.clone(),
            steps: vec![NewStep { address: address.clone(), deposed: None, action: action.into() }],
            undoes: None,
            plan: None,
            approvals: Vec::new(),
            waivers: waivers.clone(),
        })?;
        record.commit(number, &[StepEvent { step: 0, kind: event.clone() }])?;
        record.finish(number, OutputEdit::nothing())?;
        record.release()?;
        Ok(number)
    };
    write().map_err(|error| record_failure(sources, &error))
}
