//! Closes what an interrupted run left open, by looking at reality.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use formwork_contract::json::{Seal, decode, encode};
use formwork_contract::planning::contradiction;
use formwork_contract::provider::{AttemptKey, Private, SettleRequest, Settlement};
use formwork_contract::{Address, Diagnostic, Diagnostics, Str, Value};

use super::journal::{both, failed};
use super::progress::{Progress, ProgressEvent};
use crate::graph::{ProviderKey, ProviderSource, Wanted};
use crate::live::{Configured, Reality, ResourceKind};
use crate::plan::Secrets;
use crate::record::model::{MetaArguments, OpenIntent, RecordedResource, StepEvent, StepEventKind};
use crate::record::{LeaseRequest, OutputEdit, Record, private};

/// An intent that stays open: nobody could tell what became of it.
#[derive(Clone, Debug)]
pub struct Unsettled {
    pub address: Address,
    /// Why, and what to do.
    pub diagnostic: Diagnostic,
}

/// What a person says became of an object that a run was making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// There is none.
    Absent,
    /// There is one, and this is what the provider knows it by.
    Id(Str),
}

/// Settles every intent of interrupted runs that a look at reality can settle: each object is in the record as it
/// stands, or is known not to stand. Nothing in reality changes. Intents of runs that go on are their own.
///
/// # Errors
/// The record cannot be written.
pub async fn settle(
    record: &mut Record,
    reality: &mut Reality,
    lease: &LeaseRequest,
    progress: &dyn Progress,
) -> Result<Vec<Unsettled>, Diagnostics> {
    let intents = record.interrupted_intents().map_err(|error| failed(&error))?;
    let mut unsettled = Vec::new();
    let mut settled = Vec::new();
    for intent in intents {
        progress.event(&ProgressEvent::Settling { address: intent.address.clone() });
        match look(record, reality, &intent).await {
            Ok(resource) => settled.push((intent, resource)),
            Err(found) => {
                let address = intent.address.clone();
                let told = found.into_iter().filter(Diagnostic::is_error).map(|diagnostic| open(diagnostic, &intent));
                unsettled.extend(told.take(1).map(|diagnostic| Unsettled { address: address.clone(), diagnostic }));
            }
        }
    }
    close(record, lease, settled)?;
    Ok(unsettled)
}

/// Takes a person's word for what became of an object.
///
/// # Errors
/// No run was interrupted while it made an object at the address, or there is no object of that id.
pub async fn settle_by_word(
    record: &mut Record,
    reality: &mut Reality,
    lease: &LeaseRequest,
    address: &Address,
    word: &Word,
) -> Result<(), Diagnostics> {
    let intents = record.open_intents().map_err(|error| failed(&error))?;
    let Some(intent) = intents.into_iter().find(|intent| intent.address == *address) else {
        return Err(Diagnostic::error(format!("nothing is open at `{address}`"))
            .detail("No run was interrupted while it worked on an object of that address.")
            .hint("`formwork plan` shows what is to be done; `formwork import` takes over what stands already")
            .into());
    };
    if intent.prior.is_some() {
        return Err(Diagnostic::error(format!("`{address}` was not being made when the run was interrupted"))
            .detail("It stood before, so a look at reality tells what became of it.")
            .hint("run `formwork plan`: it looks first")
            .into());
    }
    let resource = match word {
        Word::Absent => None,
        Word::Id(id) => Some(imported(record, reality, &intent, id).await?),
    };
    close(record, lease, vec![(intent, resource)])
}

/// Writes down what became of intents, and ends the revisions of which none is left open.
fn close(
    record: &mut Record,
    lease: &LeaseRequest,
    settled: Vec<(OpenIntent, Option<RecordedResource>)>,
) -> Result<(), Diagnostics> {
    if settled.is_empty() {
        return Ok(());
    }
    record.acquire(lease).map_err(|error| failed(&error))?;
    let mut events: BTreeMap<u64, Vec<StepEvent>> = BTreeMap::new();
    for (intent, resource) in settled {
        let kind = StepEventKind::Settled { resource: resource.map(Box::new) };
        events.entry(intent.revision).or_default().push(StepEvent { step: intent.step, kind });
    }
    let mut write = || {
        for (revision, events) in &events {
            record.commit(*revision, events)?;
        }
        let open: BTreeSet<u64> = record.open_intents()?.iter().map(|intent| intent.revision).collect();
        for revision in events.keys().filter(|revision| !open.contains(revision)) {
            record.finish(*revision, OutputEdit::nothing())?;
        }
        record.release()
    };
    write().map_err(|error| failed(&error))
}

async fn imported(
    record: &Record,
    reality: &mut Reality,
    intent: &OpenIntent,
    id: &str,
) -> Result<RecordedResource, Diagnostics> {
    let (configured, kind) = provider_of(reality, intent).await?;
    let vault = Arc::clone(record.vault());
    let planned = as_value(intent.planned.as_ref(), &kind, &*vault)?;
    let imported = configured.provider.import(&kind.name, id).await?;
    let value = kind.conforming(imported.value, "an import")?;
    let value = kind.block.mark_sensitive(&value).with_marks_of(&planned);
    let meta = meta_as_found(intent, &Value::Null(kind.ty.clone()), &planned, &value);
    // An import may not tell all that was planned: the next plan shows what differs.
    Ok(as_found(intent, &kind, &value, meta, imported.private, &*vault))
}

async fn provider_of(
    reality: &mut Reality,
    intent: &OpenIntent,
) -> Result<(Configured, Arc<ResourceKind>), Diagnostics> {
    let key = ProviderKey::parse(&intent.provider)
        .ok_or_else(|| Diagnostic::error(format!("`{}` is no provider configuration", intent.provider)))?;
    let source = ProviderSource::parse(&intent.source).unwrap_or_else(|_| reality.source_of_name(&key.name));
    let configured = reality.get_or_default(&key, &Wanted::any(source)).await?;
    let type_name = &intent.address.type_name;
    let kind = configured.loaded.kinds.get(intent.address.mode, type_name).cloned();
    let kind = kind.ok_or_else(|| Diagnostic::error(format!("provider `{key}` has no resource type `{type_name}`")))?;
    Ok((configured, kind))
}

fn as_value(json: Option<&serde_json::Value>, kind: &ResourceKind, seal: &dyn Seal) -> Result<Value, Diagnostics> {
    match json {
        Some(json) => decode(json, &kind.ty, seal).map_err(|error| Diagnostic::error(error.to_string()).into()),
        None => Ok(Value::Null(kind.ty.clone())),
    }
}

async fn look(
    record: &Record,
    reality: &mut Reality,
    intent: &OpenIntent,
) -> Result<Option<RecordedResource>, Diagnostics> {
    let (configured, kind) = provider_of(reality, intent).await?;
    let vault = Arc::clone(record.vault());
    let prior = as_value(intent.prior.as_ref(), &kind, &*vault)?;
    let planned = as_value(intent.planned.as_ref(), &kind, &*vault)?;
    let request = SettleRequest {
        type_name: kind.name.clone(),
        address: intent.address.clone(),
        prior: prior.deep_unmarked(),
        planned: planned.deep_unmarked(),
        private: Private(
            private::opened(&intent.private, &*vault).map_err(|error| Diagnostic::error(error.to_string()))?,
        ),
        attempt: AttemptKey(intent.attempt.clone()),
    };
    match configured.provider.settle(request).await? {
        Settlement::Absent => Ok(None),
        Settlement::Present { value, private } => {
            let value = kind.conforming(value, "a reading")?;
            // What stands may be either, or some of both.
            let value = kind.block.mark_sensitive(&value).with_marks_of(&planned).with_marks_of(&prior);
            let value = Secrets::of([&prior, &planned]).seal_copies(&value);
            let meta = meta_as_found(intent, &prior, &planned, &value);
            let found = as_found(intent, &kind, &value, meta, private, &*vault);
            let made_in_part = &*intent.action == "create"
                && contradiction(&planned, &value).is_some()
                && !configured.provider.completes(&kind.name);
            // What is made only in part is to be made anew.
            let protected = found.protected && !made_in_part;
            Ok(Some(RecordedResource { tainted: made_in_part, protected, ..found }))
        }
    }
}

/// What is recorded beside the value that was found: as it was intended, or as it was, or both where nobody can tell
/// which of them the object stands on.
fn meta_as_found(intent: &OpenIntent, prior: &Value, planned: &Value, value: &Value) -> MetaArguments {
    let recorded = intent.recorded.as_ref().map(RecordedResource::meta);
    let (was, intended) = match (recorded, intent.meta.clone()) {
        (Some(was), Some(intended)) if &*intent.action == "update" => (was, intended),
        (_, Some(meta)) | (Some(meta), None) => return meta,
        // Of an earlier layout: what a blueprint says is taken over by the next plan.
        (None, None) => return MetaArguments::default(),
    };
    if contradiction(planned, value).is_none() {
        return intended;
    }
    if value.deep_unmarked() == prior.deep_unmarked() {
        return was;
    }
    MetaArguments {
        dependencies: both(&was.dependencies, &intended.dependencies),
        create_before_destroy: intended.create_before_destroy,
        protected: was.protected || intended.protected,
    }
}

fn as_found(
    intent: &OpenIntent,
    kind: &ResourceKind,
    value: &Value,
    meta: MetaArguments,
    private: Private,
    seal: &dyn Seal,
) -> RecordedResource {
    RecordedResource {
        address: intent.address.clone(),
        deposed: intent.deposed.clone(),
        provider: intent.provider.clone(),
        source: kind.origin.source.to_str(),
        provider_version: kind.origin.version.clone().unwrap_or_default(),
        schema_version: kind.version,
        value: encode(value, &kind.ty, seal),
        private: private::sealed(&private.0, seal),
        dependencies: meta.dependencies,
        create_before_destroy: meta.create_before_destroy,
        tainted: false,
        protected: meta.protected,
    }
}

/// What to say of an intent that stays open.
fn open(diagnostic: Diagnostic, intent: &OpenIntent) -> Diagnostic {
    let address = &intent.address;
    let summary = format!("what became of `{address}` cannot be found out: {}", diagnostic.summary);
    let told = Diagnostic { summary, ..diagnostic }.address(address);
    if intent.prior.is_some() {
        return told.hint("the run before was interrupted while it worked on this object; run the command again when the service answers");
    }
    told.hint(format!(
        "look whether it exists: `formwork state settle '{address}' --absent` says that it does not, `--id ID` takes it over; \
         the rest goes on without it"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(dependencies: &[&str], protected: bool) -> MetaArguments {
        let dependencies = dependencies.iter().map(|name| Str::from(*name)).collect();
        MetaArguments { dependencies, create_before_destroy: protected, protected }
    }

    fn intent(action: &str, recorded: Option<MetaArguments>, meta: Option<MetaArguments>) -> OpenIntent {
        let with = |meta: MetaArguments| RecordedResource {
            address: "a.b".parse().expect("an address"),
            deposed: None,
            provider: "sandbox".into(),
            source: "".into(),
            provider_version: "".into(),
            schema_version: 1,
            value: serde_json::Value::Null,
            private: [].into(),
            dependencies: meta.dependencies,
            create_before_destroy: meta.create_before_destroy,
            tainted: false,
            protected: meta.protected,
        };
        OpenIntent {
            revision: 1,
            step: 0,
            address: "a.b".parse().expect("an address"),
            deposed: None,
            action: action.into(),
            attempt: "attempt".into(),
            provider: "sandbox".into(),
            source: "".into(),
            prior: None,
            planned: None,
            private: [].into(),
            meta,
            recorded: recorded.map(with),
        }
    }

    fn value(one: i64, two: i64) -> Value {
        Value::object([("one", one.into()), ("two", two.into())])
    }

    #[test]
    fn an_update_that_was_done_in_part_stands_on_both() {
        let (was, intended) = (meta(&["x.old", "x.same"], true), meta(&["x.new", "x.same"], false));
        let intent = intent("update", Some(was.clone()), Some(intended.clone()));
        let found = |value: Value| meta_as_found(&intent, &self::value(1, 1), &self::value(2, 2), &value);
        assert_eq!(found(value(2, 2)), intended);
        assert_eq!(found(value(1, 1)), was);
        let both = MetaArguments { create_before_destroy: false, ..meta(&["x.new", "x.old", "x.same"], true) };
        assert_eq!(found(value(2, 1)), both);
    }

    #[test]
    fn a_successor_does_not_stand_on_what_its_predecessor_stands_on() {
        let (old, new) = (meta(&["x.old"], true), meta(&["x.new"], false));
        let found = |intent: OpenIntent| meta_as_found(&intent, &Value::NULL, &value(1, 1), &value(1, 1));
        assert_eq!(found(intent("create", Some(old.clone()), Some(new.clone()))), new);
        assert_eq!(found(intent("create", None, Some(new.clone()))), new);
        // What still stands that was to be deleted is as it was, and so is what an earlier layout wrote.
        assert_eq!(found(intent("delete", Some(old.clone()), None)), old);
        assert_eq!(found(intent("update", Some(old.clone()), None)), old);
        assert_eq!(found(intent("create", None, None)), MetaArguments::default());
    }
}
