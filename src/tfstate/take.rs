//! An object of a state as a value of its resource type: upgraded where it is older, its sensitive parts marked.

use formwork_contract::json::{Seal, decode as decode_exact};
use formwork_contract::provider::Provider;
use formwork_contract::{Diagnostic, Diagnostics, Marks, Nesting, Type, Value};
use serde_json::{Value as Json, json};

use super::path;
use super::read::{Attributes, State, StateObject, StateOutput};
use super::value::{Misfit, decode};
use crate::live::ResourceKind;

/// The value of an object.
///
/// # Errors
/// A later version of the provider wrote it, the provider cannot upgrade it, or it does not fit the schema.
pub async fn take(
    state: &State<'_>,
    object: &StateObject<'_>,
    kind: &ResourceKind,
    provider: &dyn Provider,
    seal: &dyn Seal,
) -> Result<Value, Diagnostics> {
    let (type_name, version) = (&kind.name, object.schema_version);
    if version > kind.version {
        return Err(newer(object, kind).into());
    }
    let at_object = |found: Diagnostics| -> Diagnostics {
        found.into_iter().map(|diagnostic| diagnostic.address(&object.address)).collect()
    };
    let value = match &object.attributes {
        Attributes::Json(raw) if version == kind.version => {
            let told = |misfit: Misfit<'_>| {
                let line = state.line_of(misfit.text);
                unfit(object).path(misfit.path.clone()).detail(format!(
                    "{}, in line {line} of `{}`.",
                    words(&misfit),
                    state.name
                ))
            };
            with_blocks(kind, decode(raw, &kind.ty).map_err(told)?)
        }
        Attributes::Json(raw) => {
            let stored: Json = serde_json::from_str(raw.get()).map_err(|error| unreadable(object, &error))?;
            let stored = as_recorded(stored, &kind.ty);
            let made = provider.upgrade(type_name, version, stored).await.map_err(at_object)?;
            upgraded(object, kind, &made, seal)?
        }
        Attributes::Flat(flat) => {
            let made = provider.upgrade_flat(type_name, version, flat.clone()).await.map_err(at_object)?;
            upgraded(object, kind, &made, seal)?
        }
    };
    let marked = object.sensitive.iter().fold(value, |value, steps| path::mark(value, steps));
    Ok(kind.block.mark_sensitive(&marked))
}

/// The value of an output, marked where it is sensitive.
///
/// # Errors
/// It is not of its type.
pub fn output_value(state: &State<'_>, name: &str, output: &StateOutput<'_>) -> Result<Value, Diagnostics> {
    let value = decode(output.value, &output.ty).map_err(|misfit| {
        Diagnostic::error(format!("the output `{name}` of the state is not of its type"))
            .detail(format!("{}, in line {} of `{}`.", words(&misfit), state.line_of(misfit.text), state.name))
            .hint("take the state from its backup, or the output out of it: an apply gives it anew")
    })?;
    Ok(if output.sensitive { value.mark(Marks::SENSITIVE) } else { value })
}

/// The value with what stands for blocks that the type gained since the state was written.
fn with_blocks(kind: &ResourceKind, value: Value) -> Value {
    let blocks = kind.block.blocks.iter().filter(|(_, nested)| nested.nesting != Nesting::Single);
    blocks.fold(value, |value, (name, nested)| match value.get(name) {
        Some(part) if part.is_null() => value.with(name, nested.absent()),
        _ => value,
    })
}

/// Attributes in the exact form of the record: tagged where the present type is open, or where a name looks like
/// a tag.
pub(super) fn as_recorded(stored: Json, ty: &Type) -> Json {
    let part = |name: &str| match ty {
        Type::List(element) | Type::Set(element) | Type::Map(element) => element,
        Type::Object(object) => object.get(name).map_or(&Type::Any, |attribute| &attribute.ty),
        _ => &Type::Any,
    };
    match stored {
        Json::Array(items) => items.into_iter().map(|item| as_recorded(item, part(""))).collect(),
        Json::Object(entries) if *ty == Type::Any => match (entries.get("type"), entries.get("value")) {
            (Some(own), Some(value)) => json!({"$any": own, "value": value}),
            _ => Json::Object(entries),
        },
        Json::Object(entries) => {
            let entries: Vec<(String, Json)> = entries
                .into_iter()
                .map(|(name, value)| {
                    let value = as_recorded(value, part(&name));
                    (name, value)
                })
                .collect();
            if entries.iter().any(|(name, _)| name.starts_with('$')) {
                return json!({"$map": entries});
            }
            entries.into_iter().collect()
        }
        plain => plain,
    }
}

/// What a provider made of an older value, in the exact form of the record.
fn upgraded(object: &StateObject<'_>, kind: &ResourceKind, made: &Json, seal: &dyn Seal) -> Result<Value, Diagnostics> {
    decode_exact(made, &kind.ty, seal).map_err(|error| {
        let detail = format!("In what the provider made of version {}: {error}.", object.schema_version);
        unfit(object).detail(detail).into()
    })
}

fn words(misfit: &Misfit<'_>) -> String {
    let part = if misfit.path.is_root() { "the value".into() } else { format!("`{}`", misfit.path) };
    format!("At {part}: expected {}, found {}", misfit.expected, misfit.found)
}

fn unfit(object: &StateObject<'_>) -> Diagnostic {
    Diagnostic::error(format!("the attributes of `{}` do not fit the provider's schema", object.address))
        .address(&object.address)
        .hint("use the provider version that wrote the state")
}

fn unreadable(object: &StateObject<'_>, error: &serde_json::Error) -> Diagnostic {
    Diagnostic::error(format!("the attributes of `{}` cannot be read", object.address))
        .detail(format!("They are nested too deeply, or are not JSON: {:?}.", error.classify()))
        .address(&object.address)
}

fn newer(object: &StateObject<'_>, kind: &ResourceKind) -> Diagnostic {
    Diagnostic::error(format!("`{}` was written by a later version of its provider", object.address))
        .detail(format!(
            "The state has version {} of `{}`, and the provider at hand knows versions up to {}.",
            object.schema_version, kind.name, kind.version
        ))
        .address(&object.address)
        .hint("allow a later version of the provider, such as the one that wrote the state")
}
