//! Closes what an interrupted run left open, by looking at reality.

use std::collections::BTreeMap;
use std::sync::Arc;

use formwork_contract::json::{decode, encode};
use formwork_contract::planning::contradiction;
use formwork_contract::provider::{AttemptKey, Private, SettleRequest, Settlement};
use formwork_contract::{Diagnostic, Diagnostics, Value};

use super::journal::failed;
use super::progress::{Progress, ProgressEvent};
use crate::graph::{ProviderKey, ProviderSource, Wanted};
use crate::live::{Reality, ResourceKind};
use crate::record::model::{OpenIntent, RecordedResource, StepEvent, StepEventKind};
use crate::record::{LeaseRequest, Record, private};

/// Settles every open intent: each object is in the record as it stands, or is known not to stand. Nothing
/// in reality changes.
///
/// # Errors
/// An object cannot be looked at now; its intent stays open.
pub async fn settle(
    record: &mut Record,
    reality: &mut Reality,
    lease: &LeaseRequest,
    progress: &dyn Progress,
) -> Result<(), Diagnostics> {
    let intents = record.open_intents().map_err(|error| failed(&error))?;
    if intents.is_empty() {
        return Ok(());
    }
    record.acquire(lease).map_err(|error| failed(&error))?;
    let mut diagnostics = Diagnostics::new();
    let mut events: BTreeMap<u64, Vec<StepEvent>> = BTreeMap::new();
    for intent in &intents {
        progress.event(&ProgressEvent::Settling { address: intent.address.clone() });
        match look(record, reality, intent).await {
            Ok(resource) => {
                let kind = StepEventKind::Settled { resource: resource.map(Box::new) };
                events.entry(intent.revision).or_default().push(StepEvent { step: intent.step, kind });
            }
            Err(found) => {
                diagnostics.append(found.into_iter().map(|diagnostic| unsettled(diagnostic, intent)).collect())
            }
        }
    }
    for (revision, events) in events {
        record.commit(revision, &events).map_err(|error| failed(&error))?;
        if diagnostics.is_empty() {
            let outputs = record.outputs().map_err(|error| failed(&error))?;
            record.finish(revision, outputs).map_err(|error| failed(&error))?;
        }
    }
    record.release().map_err(|error| failed(&error))?;
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(()) }
}

async fn look(
    record: &Record,
    reality: &mut Reality,
    intent: &OpenIntent,
) -> Result<Option<RecordedResource>, Diagnostics> {
    let key = ProviderKey::parse(&intent.provider)
        .ok_or_else(|| Diagnostic::error(format!("`{}` is no provider configuration", intent.provider)))?;
    let source = ProviderSource::parse(&intent.source).unwrap_or_else(|_| reality.source_of_name(&key.name));
    let configured = reality.get_or_default(&key, &Wanted::any(source)).await?;
    let type_name = &intent.address.type_name;
    let kind = configured
        .loaded
        .kinds
        .get(intent.address.mode, type_name)
        .ok_or_else(|| Diagnostic::error(format!("provider `{key}` has no resource type `{type_name}`")))?;
    let vault = Arc::clone(record.vault());
    let opened = |json: &Option<serde_json::Value>| match json {
        Some(json) => {
            decode(json, &kind.ty, &*vault).map_err(|error| Diagnostics::from(Diagnostic::error(error.to_string())))
        }
        None => Ok(Value::Null(kind.ty.clone())),
    };
    let (prior, planned) = (opened(&intent.prior)?, opened(&intent.planned)?);
    let request = SettleRequest {
        type_name: type_name.clone(),
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
            let twin = if planned.is_null() { &prior } else { &planned };
            let value = kind.conforming(value, "a reading")?;
            let value = kind.block.mark_sensitive(&value).with_marks_of(twin);
            Ok(Some(as_found(intent, kind, &value, &planned, private, &*vault)))
        }
    }
}

fn as_found(
    intent: &OpenIntent,
    kind: &ResourceKind,
    value: &Value,
    planned: &Value,
    private: Private,
    seal: &dyn formwork_contract::json::Seal,
) -> RecordedResource {
    let recorded = intent.recorded.as_ref();
    let made_in_part = &*intent.action == "create" && contradiction(planned, value).is_some();
    RecordedResource {
        address: intent.address.clone(),
        deposed: intent.deposed.clone(),
        provider: intent.provider.clone(),
        source: kind.origin.source.to_str(),
        provider_version: kind.origin.version.clone().unwrap_or_default(),
        schema_version: kind.version,
        value: encode(value, &kind.ty, seal),
        private: private::sealed(&private.0, seal),
        // What a blueprint says of these is taken over by the next plan.
        dependencies: recorded.map(|recorded| recorded.dependencies.clone()).unwrap_or_default(),
        create_before_destroy: recorded.is_some_and(|recorded| recorded.create_before_destroy),
        tainted: made_in_part,
    }
}

fn unsettled(diagnostic: Diagnostic, intent: &OpenIntent) -> Diagnostic {
    let summary = format!("what became of `{}` cannot be found out: {}", intent.address, diagnostic.summary);
    let hint =
        "the run before was interrupted while it worked on this object; run the command again when the service answers";
    Diagnostic { summary, ..diagnostic }.address(&intent.address).hint(hint)
}
