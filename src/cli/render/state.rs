//! What is recorded, and outputs: for people, and in Terraform's JSON.

use std::fmt::Write as _;

use formwork_contract::{Address, Entries, InstanceKey, Mode, Str, Value};
use serde_json::{Map, Value as Json, json};

use super::diff::Differ;
use super::style::{Paint, Role};
use crate::plan::json::{ModuleTree, TERRAFORM_VERSION, output_json, sensitivity, withheld};

/// One recorded object, as a reader of the record's JSON wants it.
#[derive(Clone, Copy, Debug)]
pub struct StateObject<'a> {
    pub address: &'a Address,
    pub deposed: Option<&'a str>,
    /// The provider's source address in full.
    pub provider: &'a str,
    pub schema_version: u64,
    pub value: &'a Value,
    pub depends_on: &'a [Str],
    pub tainted: bool,
}

/// Each object with its attributes. Sensitive values are withheld.
pub fn text<'a>(objects: impl IntoIterator<Item = StateObject<'a>>, paint: Paint) -> String {
    let mut out = String::new();
    for object in objects {
        let separator = if out.is_empty() { "" } else { "\n" };
        let _ = write!(out, "{separator}{}", paint.show(Role::Heading, object.address));
        if let Some(deposed) = object.deposed {
            let _ = write!(out, " (deposed object {deposed})");
        }
        if object.tainted {
            let _ = write!(out, " (tainted: it will be replaced)");
        }
        out.push('\n');
        let attributes: Vec<(&Str, &Value)> = object.value.entries().into_iter().flat_map(Entries::iter).collect();
        let width = attributes.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        for (name, value) in attributes.into_iter().filter(|(_, value)| !value.is_null()) {
            Differ { out: &mut out, paint, forces: &[] }.standing(2, name, width, value);
        }
    }
    out
}

/// In the form of `terraform show -json` without a plan. Sensitive values are withheld.
pub fn to_json<'a>(
    objects: impl IntoIterator<Item = StateObject<'a>>,
    outputs: impl IntoIterator<Item = (&'a Str, &'a Value, bool)>,
) -> Json {
    let mut tree = ModuleTree::default();
    let mut is_empty = true;
    for object in objects {
        tree.add(object.address, object_json(object));
        is_empty = false;
    }
    let outputs: Map<String, Json> =
        outputs.into_iter().map(|(name, value, sensitive)| (name.to_string(), output_json(value, sensitive))).collect();
    let mut document = json!({"format_version": "1.0", "terraform_version": TERRAFORM_VERSION});
    if is_empty && outputs.is_empty() {
        return document;
    }
    let mut values = Map::new();
    if !outputs.is_empty() {
        values.insert("outputs".into(), outputs.into());
    }
    values.insert("root_module".into(), tree.into_json());
    document["values"] = values.into();
    document
}

/// One object of [`to_json`].
pub fn object_json(object: StateObject<'_>) -> Map<String, Json> {
    let address = object.address;
    let mut entry = Map::new();
    entry.insert("address".into(), address.to_string().into());
    entry.insert("mode".into(), if address.mode == Mode::Data { "data" } else { "managed" }.into());
    entry.insert("type".into(), (*address.type_name).into());
    entry.insert("name".into(), (*address.name).into());
    match &address.key {
        InstanceKey::None => {}
        InstanceKey::Index(index) => {
            entry.insert("index".into(), (*index).into());
        }
        InstanceKey::Key(key) => {
            entry.insert("index".into(), (**key).into());
        }
    }
    entry.insert("provider_name".into(), object.provider.into());
    entry.insert("schema_version".into(), object.schema_version.into());
    entry.insert("values".into(), withheld(object.value).unwrap_or(Json::Null));
    entry.insert("sensitive_values".into(), sensitivity(object.value));
    if !object.depends_on.is_empty() {
        entry.insert("depends_on".into(), object.depends_on.iter().map(|name| Json::from(&**name)).collect());
    }
    if object.tainted {
        entry.insert("tainted".into(), true.into());
    }
    if let Some(deposed) = object.deposed {
        entry.insert("deposed_key".into(), deposed.into());
    }
    entry
}

/// In the form of `terraform output -json`: each output with its type. As there, sensitive values are
/// given: whoever asks for outputs by a verb of its own wants to hand them on.
pub fn outputs<'a>(outputs: impl IntoIterator<Item = (&'a Str, &'a Value, bool)>) -> Json {
    let entries = outputs.into_iter().map(|(name, value, sensitive)| {
        (name.to_string(), json!({"sensitive": sensitive, "type": value.ty().to_json(), "value": plain(value)}))
    });
    Json::Object(entries.collect())
}

/// One value as it is, sensitive or not: for the output that somebody asked for.
pub fn plain(value: &Value) -> Json {
    formwork_contract::json::to_plain(&value.deep_unmarked())
}

#[cfg(test)]
mod tests {
    use super::*;
    use formwork_contract::Marks;

    #[test]
    fn state_has_modules_inside_one_another() {
        let address: Address = r#"module.a.module.b["x"].t.n[1]"#.parse().expect("an address");
        let value = Value::object([("id", Value::from("i")), ("key", Value::from("planted").mark(Marks::SENSITIVE))]);
        let object = StateObject {
            address: &address,
            deposed: None,
            provider: "terraform.io/builtin/terraform",
            schema_version: 0,
            value: &value,
            depends_on: &[],
            tainted: false,
        };
        let json = to_json([object], []);
        let inner = &json["values"]["root_module"]["child_modules"][0]["child_modules"][0];
        assert_eq!(inner["address"], r#"module.a.module.b["x"]"#);
        assert_eq!(inner["resources"][0]["values"], json!({"id": "i", "key": null}));
        assert_eq!(inner["resources"][0]["sensitive_values"], json!({"key": true}));
        assert_eq!(inner["resources"][0]["index"], 1);
    }

    #[test]
    fn nothing_recorded_has_no_values() {
        assert_eq!(to_json([], []), json!({"format_version": "1.0", "terraform_version": TERRAFORM_VERSION}));
    }
}
