//! What the record holds of an object, as the provider's present schema has it.

use std::collections::BTreeSet;
use std::sync::Arc;

use formwork_contract::json::{Seal, decode};
use formwork_contract::provider::{MoveRequest, Private};
use formwork_contract::sealed::{self, SealedParts};
use formwork_contract::{Address, Diagnostic, Diagnostics, Marks, Step, Value};

use super::observe::about;
use super::{Loaded, ResourceKind};
use crate::record::model::RecordedResource;
use crate::record::private;

/// A recorded object that can be read.
pub(super) struct AsRecorded {
    pub kind: Arc<ResourceKind>,
    /// Sensitive parts are marked.
    pub value: Value,
    pub private: Private,
}

/// Reads an object of the record, with the help of the provider where another version or another type wrote it.
/// `address` is where the blueprint has it now.
///
/// # Errors
/// The provider does not have the type, cannot upgrade what is stored, or cannot make one of another type.
pub(super) async fn as_recorded(
    loaded: &Loaded,
    address: &Address,
    recorded: &RecordedResource,
    seal: &dyn Seal,
) -> Result<AsRecorded, Diagnostics> {
    let kind = kind_of(loaded, address)?;
    let stored = Stored { loaded, kind, address, recorded, seal };
    let private = private::opened(&recorded.private, seal).map_err(|error| stored.unreadable(&error.to_string()))?;
    let private = Private(private);
    let (value, private) = if recorded.address.type_name != address.type_name {
        stored.moved(private).await?
    } else if stored.is_current()? {
        let value = decode(&recorded.value, &kind.ty, seal).map_err(|error| stored.unreadable(&error.to_string()))?;
        (value, private)
    } else {
        (stored.upgraded().await?, private)
    };
    Ok(AsRecorded { kind: Arc::clone(kind), value: kind.block.mark_sensitive(&value), private })
}

fn kind_of<'a>(loaded: &'a Loaded, address: &Address) -> Result<&'a Arc<ResourceKind>, Diagnostics> {
    let type_name = &address.type_name;
    loaded.kinds.get(address.mode, type_name).ok_or_else(|| {
        Diagnostic::error(format!("provider `{}` has no resource type `{type_name}`", loaded.origin.source))
            .detail("The record holds an object of that type.")
            .address(address)
            .hint("use the provider version that made it, or take it from the record with `formwork state rm`")
            .into()
    })
}

struct Stored<'a> {
    loaded: &'a Loaded,
    kind: &'a ResourceKind,
    address: &'a Address,
    recorded: &'a RecordedResource,
    seal: &'a dyn Seal,
}

impl Stored<'_> {
    /// Whether the provider would have written it as it is stored.
    fn is_current(&self) -> Result<bool, Diagnostics> {
        let (written, known) = (self.recorded.schema_version, self.kind.version);
        if written > known {
            let by = match &*self.recorded.provider_version {
                "" => String::new(),
                version => format!(" It was written by version {version}."),
            };
            return Err(Diagnostic::error(format!(
                "`{}` was written by a newer version of its provider",
                self.address
            ))
            .detail(format!("Its schema has version {written}, and the provider at hand knows {known}.{by}"))
            .address(self.address)
            .hint(format!("use a version of `{}` that is not older", self.kind.origin.source))
            .into());
        }
        let origin = &self.kind.origin;
        let same_source = self.recorded.source.is_empty() || *self.recorded.source == *origin.source.as_str();
        let same_version = *self.recorded.provider_version == *origin.version.as_deref().unwrap_or_default();
        Ok(written == known && same_source && same_version)
    }

    async fn upgraded(&self) -> Result<Value, Diagnostics> {
        let (stored, parts) = self.in_clear()?;
        let version = self.recorded.schema_version;
        let upgraded = self.loaded.provider.upgrade(&self.kind.name, version, stored).await;
        let upgraded = upgraded.map_err(|found| about(found, self.address))?;
        let value = decode(&upgraded, &self.kind.ty, self.seal).map_err(|error| self.unreadable(&error.to_string()))?;
        Ok(parts.mark(&value))
    }

    async fn moved(&self, private: Private) -> Result<(Value, Private), Diagnostics> {
        let (source, parts) = self.in_clear()?;
        let source_provider = match &*self.recorded.source {
            "" => self.kind.origin.source.to_str(),
            _ => self.recorded.source.clone(),
        };
        let request = MoveRequest {
            type_name: self.kind.name.clone(),
            source_provider,
            source_type: self.recorded.address.type_name.clone(),
            source_version: self.recorded.schema_version,
            source,
            private,
        };
        let named = request.source.as_object().map(|entries| entries.keys().cloned().collect()).unwrap_or_default();
        let moved = self.loaded.provider.move_from(request).await.map_err(|found| about(found, self.address))?;
        Ok((marked_as_moved(&moved.value, &parts, &named), moved.private))
    }

    fn in_clear(&self) -> Result<(serde_json::Value, SealedParts), Diagnostics> {
        sealed::open(&self.recorded.value, self.seal).map_err(|error| self.unreadable(&error.to_string()))
    }

    fn unreadable(&self, why: &str) -> Diagnostics {
        Diagnostic::error("what the record holds does not fit the provider's schema")
            .detail(why)
            .address(self.address)
            .hint("use the provider version that wrote it, or `formwork state rm` and `formwork import`")
            .into()
    }
}

/// What has another name now than any part of the old object may be what was sealed there.
fn marked_as_moved(value: &Value, parts: &SealedParts, named: &BTreeSet<String>) -> Value {
    if *parts == SealedParts::None {
        return value.clone();
    }
    parts.mark(value).map_children(&mut |step, part| match step {
        Step::Attribute(name) if !named.contains(&*name) && !part.is_null() => part.clone().mark(Marks::SENSITIVE),
        _ => part.clone(),
    })
}
