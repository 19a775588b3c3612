//! What was stored under other schemas: of an older version, or of another resource type.

use std::sync::Arc;

use formwork_contract::provider::MoveRequest;
use formwork_contract::{Diagnostic, Type};
use serde_json::Value as Json;

use super::kind::Kind;
use super::{Outcome, Served, private_from_wire, private_to_wire};
use crate::convert::value;
use crate::proto::*;

impl Served {
    /// Called by the host for everything that it reads from its state, of whatever version.
    pub(super) async fn upgrade(
        self: Arc<Self>,
        request: UpgradeResourceStateRequest,
    ) -> Outcome<UpgradeResourceStateResponse> {
        let kind = self.resource(&request.type_name).await?;
        let stored = stored(request.raw_state)?;
        let version = u64::try_from(request.version).unwrap_or_default();
        let upgraded = if version < kind.version {
            self.provider.upgrade(&request.type_name, version, stored).await?
        } else {
            stored
        };
        Ok(UpgradeResourceStateResponse { upgraded_state: Some(typed(kind, upgraded)?), diagnostics: Vec::new() })
    }

    pub(super) async fn take_over(
        self: Arc<Self>,
        request: MoveResourceStateRequest,
    ) -> Outcome<MoveResourceStateResponse> {
        let kind = self.resource(&request.target_type_name).await?;
        let moved = MoveRequest {
            type_name: request.target_type_name.into(),
            source_provider: request.source_provider_address.into(),
            source_type: request.source_type_name.into(),
            source_version: u64::try_from(request.source_schema_version).unwrap_or_default(),
            source: stored(request.source_state)?,
            private: private_from_wire(&request.source_private),
        };
        let taken = self.provider.move_from(moved).await.map_err(|problems| kind.placed(problems))?;
        Ok(MoveResourceStateResponse {
            target_state: Some(kind.encode(&taken.value)?),
            target_private: private_to_wire(&taken.private),
            ..MoveResourceStateResponse::default()
        })
    }
}

fn stored(state: Option<RawState>) -> Outcome<Json> {
    let state = state.unwrap_or_default();
    if state.json.is_empty() && !state.flatmap.is_empty() {
        return Err(Diagnostic::error("the state is of a version of Terraform before 0.12")
            .hint("apply once with Terraform 0.12, which writes it anew")
            .into());
    }
    if state.json.is_empty() {
        return Ok(Json::Null);
    }
    serde_json::from_slice(&state.json).map_err(|error| {
        Diagnostic::error("the state that the host sent is not JSON").detail(format!("{error}.")).into()
    })
}

fn typed(kind: &Kind, mut stored: Json) -> Outcome<DynamicValue> {
    without_surplus(&mut stored, &kind.ty);
    let value = value::from_json(stored.to_string().as_bytes(), &kind.ty).map_err(|error| {
        Diagnostic::error("what is stored does not fit the schema")
            .detail(format!("{error}."))
            .hint("remove the resource from the state and import it anew")
            .path(error.path)
    })?;
    kind.encode(&value)
}

/// An attribute that the schema no longer has is left behind.
fn without_surplus(stored: &mut Json, ty: &Type) {
    match (stored, ty) {
        (Json::Object(entries), Type::Object(object)) => {
            entries.retain(|name, _| object.get(name).is_some());
            for (name, entry) in entries {
                if let Some(attribute) = object.get(name) {
                    without_surplus(entry, &attribute.ty);
                }
            }
        }
        (Json::Object(entries), Type::Map(element)) => {
            entries.values_mut().for_each(|entry| without_surplus(entry, element));
        }
        (Json::Array(items), Type::List(element) | Type::Set(element)) => {
            items.iter_mut().for_each(|item| without_surplus(item, element));
        }
        (Json::Array(items), Type::Tuple(types)) => {
            items.iter_mut().zip(types.iter()).for_each(|(item, ty)| without_surplus(item, ty));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attributes_that_are_no_more_are_left_behind_at_any_depth() {
        let inner = Type::object([("size", Type::Number)]);
        let ty =
            Type::object([("name", Type::String), ("pools", Type::list(inner.clone())), ("by_key", Type::map(inner))]);
        let mut stored = json!({
            "name": "a", "gone": 1,
            "pools": [{"size": 1, "gone": {}}],
            "by_key": {"gone": {"size": 2, "gone": []}},
        });
        without_surplus(&mut stored, &ty);
        assert_eq!(stored, json!({"name": "a", "pools": [{"size": 1}], "by_key": {"gone": {"size": 2}}}));
    }
}
