//! The shapes that Terraform's plan, state and output JSON have in common.

use std::collections::BTreeMap;

use formwork_contract::address::ModuleStep;
use formwork_contract::{Address, Type, Value, json as plain};
use serde_json::{Map, Value as Json, json};

/// Plain JSON of what is known and not sensitive: null stands for a sensitive part and for an unknown
/// element of a list, an unknown attribute is left out. `None` for an unknown value.
pub fn withheld(value: &Value) -> Option<Json> {
    if value.is_unknown() {
        return None;
    }
    if !value.marks().is_empty() {
        return Some(Json::Null);
    }
    if let Some(entries) = value.entries() {
        let known = entries.iter().filter_map(|(name, part)| Some((name.to_string(), withheld(part)?)));
        return Some(Json::Object(known.collect()));
    }
    match value.elements() {
        Some(elements) => Some(elements.iter().map(|part| withheld(part).unwrap_or(Json::Null)).collect()),
        None => Some(plain::to_plain(value)),
    }
}

/// The type of a value in JSON, in which no sensitive part tells the names of what it holds.
pub fn withheld_type(value: &Value) -> Json {
    masked(value).ty().to_json()
}

/// The value with its sensitive parts of no known type.
fn masked(value: &Value) -> Value {
    if !value.marks().is_empty() {
        return match value.ty() {
            Type::Object(_) | Type::Tuple(_) => Value::NULL,
            plain => Value::Null(if has_names(&plain) { Type::Any } else { plain }),
        };
    }
    match value {
        Value::List(_) | Value::Set(_) | Value::Map(_) if has_names(&value.ty()) && !value.deep_marks().is_empty() => {
            Value::NULL
        }
        _ => value.map_children(&mut |_, part| masked(part)),
    }
}

fn has_names(ty: &Type) -> bool {
    match ty {
        Type::Object(_) | Type::Tuple(_) => true,
        Type::List(element) | Type::Set(element) | Type::Map(element) => has_names(element),
        Type::Any | Type::Bool | Type::Number | Type::String => false,
    }
}

/// Where a value is sensitive: `true` at such a part; objects leave out what is not.
pub fn sensitivity(value: &Value) -> Json {
    if !value.marks().is_empty() {
        return true.into();
    }
    if value.is_null() {
        return false.into();
    }
    if value.is_unknown() {
        return match value.ty() {
            Type::Any | Type::Bool | Type::Number | Type::String => false.into(),
            Type::List(_) | Type::Set(_) | Type::Tuple(_) => json!([]),
            Type::Map(_) | Type::Object(_) => json!({}),
        };
    }
    shape(value, sensitivity)
}

/// Where a value is unknown, in the same form.
pub(super) fn unknowns(value: &Value) -> Json {
    if value.is_null() {
        return false.into();
    }
    if value.is_unknown() {
        return true.into();
    }
    // Of a sensitive part, the names are not told either.
    if !value.marks().is_empty() {
        return (!value.is_wholly_known()).into();
    }
    shape(value, unknowns)
}

fn shape(value: &Value, of: fn(&Value) -> Json) -> Json {
    if let Some(entries) = value.entries() {
        let told = entries.iter().map(|(name, part)| (name.to_string(), of(part)));
        return Json::Object(told.filter(|(_, part)| *part != Json::Bool(false)).collect());
    }
    match value.elements() {
        Some(elements) => elements.iter().map(of).collect(),
        None => false.into(),
    }
}

/// Resources sorted into the modules that they stand in.
#[derive(Debug, Default)]
pub struct ModuleTree {
    resources: Vec<Json>,
    children: BTreeMap<ModuleStep, ModuleTree>,
}

impl ModuleTree {
    pub fn add(&mut self, address: &Address, resource: Map<String, Json>) {
        let mut module = self;
        for step in address.module.steps() {
            module = module.children.entry(step.clone()).or_default();
        }
        module.resources.push(resource.into());
    }

    /// `{"resources": [...], "child_modules": [{"address": ..., ...}]}`, without what is empty.
    pub fn into_json(self) -> Json {
        self.at("")
    }

    fn at(self, address: &str) -> Json {
        let mut module = Map::new();
        if !address.is_empty() {
            module.insert("address".into(), address.into());
        }
        if !self.resources.is_empty() {
            module.insert("resources".into(), self.resources.into());
        }
        if !self.children.is_empty() {
            let separator = if address.is_empty() { "" } else { "." };
            let children =
                self.children.into_iter().map(|(step, child)| child.at(&format!("{address}{separator}{step}")));
            module.insert("child_modules".into(), children.collect());
        }
        module.into()
    }

    /// As `configuration` has it: modules by the name of their call.
    pub(super) fn into_configuration(self) -> Json {
        let mut module = Map::new();
        if !self.resources.is_empty() {
            module.insert("resources".into(), self.resources.into());
        }
        if !self.children.is_empty() {
            let calls = self.children.into_iter().map(|(step, child)| {
                let name = match &step.component {
                    Some(kind) => format!("component.{kind}.{}", step.name),
                    None => step.name.to_string(),
                };
                (name, json!({"module": child.into_configuration()}))
            });
            module.insert("module_calls".into(), Json::Object(calls.collect()));
        }
        module.into()
    }
}
