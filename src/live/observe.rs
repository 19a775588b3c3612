//! What the record says of an object, and what a look at reality says.

use std::sync::Arc;

use formwork_contract::json::Seal;
use formwork_contract::provider::{Private, ReadOutcome, ReadRequest};
use formwork_contract::{Address, Diagnostic, Diagnostics, Str, Value};
use futures_util::stream::{self, StreamExt};

use super::stored::{AsRecorded, as_recorded};
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
        let observed = observe(key, configured, recorded, options).await?;
        for object in &observed {
            self.secrets().know(&object.value);
            if let Live::Present { value, .. } = &object.live {
                self.secrets().know(value);
            }
        }
        Ok(observed)
    }
}

/// Reads objects of one provider configuration: see [`Reality::observe`].
///
/// # Errors
/// A recorded value does not fit the schema, or the provider cannot read.
pub async fn observe(
    key: &ProviderKey,
    configured: &Configured,
    recorded: Vec<(Address, RecordedResource)>,
    options: &ObserveOptions<'_>,
) -> Result<Vec<Observed>, Diagnostics> {
    let at_once = configured.provider.concurrency().max(1);
    let reading = recorded.into_iter().map(|(address, recorded)| async {
        let read = as_recorded(&configured.loaded, &address, &recorded, options.seal).await?;
        let AsRecorded { kind, value, private } = read;
        let live = Live::Present { value: value.clone(), private };
        Ok::<_, Diagnostics>(Observed { address, provider: key.clone(), kind, value, live, recorded })
    });
    let read: Vec<_> = stream::iter(reading).buffered(at_once).collect().await;
    let mut observed = Vec::with_capacity(read.len());
    let mut diagnostics = Diagnostics::new();
    for object in read {
        match object {
            Ok(object) => observed.push(object),
            Err(found) => diagnostics.append(found),
        }
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
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
    let answers: Vec<_> = stream::iter(batches).buffered(at_once).collect().await;
    for (object, answer) in observed.iter_mut().zip(answers.into_iter().flatten()) {
        match answer {
            Ok(ReadOutcome::Present { value, private }) => match object.kind.conforming(value, "a reading") {
                Ok(value) => {
                    let value = object.kind.block.mark_sensitive(&value).with_marks_of(&object.value);
                    object.live = Live::Present { value, private };
                }
                Err(found) => diagnostics.append(about(found, &object.address)),
            },
            Ok(ReadOutcome::Absent) => object.live = Live::Absent,
            Err(failed) => diagnostics.append(unreadable(failed, &object.address)),
        }
    }
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(observed) }
}

/// What a provider says of an object that it cannot read, with a way on where it names none.
fn unreadable(failed: Diagnostics, address: &Address) -> Diagnostics {
    let hint =
        || format!("if the object is gone for good, take it from the record with `formwork state rm '{address}'`");
    let with_hint = |mut diagnostic: Diagnostic| {
        diagnostic.hint.get_or_insert_with(hint);
        diagnostic
    };
    about(failed.into_iter().map(with_hint).collect(), address)
}

/// Names the object where nothing does.
pub(super) fn about(diagnostics: Diagnostics, address: &Address) -> Diagnostics {
    let named = |diagnostic: Diagnostic| match diagnostic.address {
        Some(_) => diagnostic,
        None => diagnostic.address(address),
    };
    diagnostics.into_iter().map(named).collect()
}

fn request(object: &Observed) -> ReadRequest {
    ReadRequest {
        type_name: object.kind.name.clone(),
        address: object.recorded.address.clone(),
        value: object.value.deep_unmarked(),
        private: object.private(),
    }
}
