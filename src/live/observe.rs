//! What the record says of an object, and what a look at reality says.

use std::sync::Arc;

use formwork_contract::json::{Seal, decode};
use formwork_contract::provider::{Private, ReadOutcome, ReadRequest};
use formwork_contract::{Address, Diagnostic, Diagnostics, Str, Value};
use futures_util::stream::{self, StreamExt};

use super::{Configured, Reality, ResourceKind};
use crate::graph::ProviderKey;
use crate::record::model::RecordedResource;

/// How many objects are read with one call of a provider; it makes of them as few requests as it can.
const BATCH: usize = 1_000;

/// An object that the record knows, beside what reality shows.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Where the blueprint has it now: the recorded address unless a `moved` block says otherwise.
    pub address: Address,
    pub recorded: RecordedResource,
    pub provider: ProviderKey,
    pub kind: Arc<ResourceKind>,
    /// As recorded, sensitive parts marked.
    pub value: Value,
    pub live: Live,
}

/// What a look at reality showed.
#[derive(Clone, Debug)]
pub enum Live {
    /// Sensitive parts are marked.
    Present {
        value: Value,
        private: Private,
    },
    Absent,
}

impl Observed {
    /// What stands now; null when the object is gone.
    pub fn live_value(&self) -> Value {
        match &self.live {
            Live::Present { value, .. } => value.clone(),
            Live::Absent => Value::Null(self.kind.ty.clone()),
        }
    }

    pub fn private(&self) -> Private {
        match &self.live {
            Live::Present { private, .. } => private.clone(),
            Live::Absent => Private::default(),
        }
    }

    pub fn deposed(&self) -> Option<&Str> {
        self.recorded.deposed.as_ref()
    }

    /// Whether reality differs from what is recorded.
    pub fn has_drifted(&self) -> bool {
        match &self.live {
            Live::Present { value, .. } => value.deep_unmarked() != self.value.deep_unmarked(),
            Live::Absent => true,
        }
    }
}

/// How to read.
pub struct ObserveOptions<'a> {
    /// Opens sensitive values of the record.
    pub seal: &'a dyn Seal,
    /// False: take the record's word for it.
    pub refresh: bool,
    /// Called with the number of objects read since the last call.
    pub progress: &'a (dyn Fn(usize) + Sync),
}

impl Reality {
    /// Reads all objects of one provider configuration. `recorded` comes with its address in the blueprint.
    ///
    /// # Errors
    /// A recorded value does not fit the schema, or the provider cannot read.
    pub async fn observe(
        &self,
        key: &ProviderKey,
        configured: &Configured,
        recorded: Vec<(Address, RecordedResource)>,
        options: &ObserveOptions<'_>,
    ) -> Result<Vec<Observed>, Diagnostics> {
        let mut observed = Vec::with_capacity(recorded.len());
        for (address, recorded) in recorded {
            observed.push(decode_recorded(key, configured, address, recorded, options.seal).await?);
        }
        if !options.refresh {
            return Ok(observed);
        }
        let requests: Vec<Vec<ReadRequest>> =
            observed.chunks(BATCH).map(|chunk| chunk.iter().map(request).collect()).collect();
        let batches = requests.into_iter().map(|requests| {
            let provider = Arc::clone(&configured.provider);
            async move {
                let answers = provider.read(&requests).await;
                (options.progress)(requests.len());
                answers
            }
        });
        let answers: Vec<_> = stream::iter(batches).buffered(configured.provider.concurrency().max(1)).collect().await;
        let mut diagnostics = Diagnostics::new();
        for (object, answer) in observed.iter_mut().zip(answers.into_iter().flatten()) {
            match answer {
                Ok(ReadOutcome::Present { value, private }) => {
                    if let Err(found) = object.kind.refuse_write_only(&value) {
                        let told = found.into_iter().map(|diagnostic| diagnostic.address(&object.address));
                        diagnostics.append(told.collect());
                        continue;
                    }
                    let value = object.kind.block.mark_sensitive(&value).with_marks_of(&object.value);
                    object.live = Live::Present { value, private };
                }
                Ok(ReadOutcome::Absent) => object.live = Live::Absent,
                Err(failed) => diagnostics.append(
                    failed
                        .into_iter()
                        .map(|diagnostic| match diagnostic.address {
                            Some(_) => diagnostic,
                            None => diagnostic.address(&object.address),
                        })
                        .collect(),
                ),
            }
        }
        if diagnostics.has_errors() { Err(diagnostics) } else { Ok(observed) }
    }
}

fn request(object: &Observed) -> ReadRequest {
    ReadRequest {
        type_name: object.kind.name.clone(),
        address: object.recorded.address.clone(),
        value: object.value.deep_unmarked(),
        private: object.private(),
    }
}

async fn decode_recorded(
    key: &ProviderKey,
    configured: &Configured,
    address: Address,
    recorded: RecordedResource,
    seal: &dyn Seal,
) -> Result<Observed, Diagnostics> {
    let type_name = &address.type_name;
    let Some(kind) = configured.loaded.kinds.get(address.mode, type_name) else {
        return Err(Diagnostic::error(format!("provider `{key}` has no resource type `{type_name}`"))
            .detail("The record holds an object of that type.")
            .address(&address)
            .hint("use the provider version that made it, or take it from the record with `formwork state rm`")
            .into());
    };
    let unreadable = |why: String| {
        Diagnostics::from(
            Diagnostic::error("what the record holds does not fit the provider's schema")
                .detail(why)
                .address(&address)
                .hint("use the provider version that wrote it, or `formwork state rm` and `formwork import`"),
        )
    };
    let stored = if recorded.schema_version < kind.version {
        configured.loaded.provider.upgrade(type_name, recorded.schema_version, recorded.value.clone()).await?
    } else {
        recorded.value.clone()
    };
    let value = decode(&stored, &kind.ty, seal).map_err(|error| unreadable(error.to_string()))?;
    let value = kind.block.mark_sensitive(&value);
    let live = Live::Present { value: value.clone(), private: Private(Arc::clone(&recorded.private)) };
    Ok(Observed { address, provider: key.clone(), kind: Arc::clone(kind), value, live, recorded })
}
