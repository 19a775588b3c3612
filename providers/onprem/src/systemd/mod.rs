//! What systemd runs.

pub(crate) mod dropin;
pub(crate) mod timer;
pub(crate) mod unit;

use crate::resource::Problems;
use formwork_contract::{Entries, Type, Value};

/// Functions of sh that these types use.
pub(crate) const SHELL: &str = include_str!("systemd.sh");

/// The units that can be named.
const SUFFIXES: [&str; 7] = [".service", ".socket", ".timer", ".path", ".mount", ".target", ".slice"];

/// The name of a unit, without a path (systemd.unit(5)).
fn unit_name(problems: &mut Problems, config: &Value, suffixes: &[&str]) {
    name_of_unit(problems, config, "name", suffixes);
}

fn name_of_unit(problems: &mut Problems, config: &Value, attribute: &str, suffixes: &[&str]) {
    let Some(name) = config.get_str(attribute) else { return };
    let fits = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    let ends = suffixes.is_empty() || suffixes.iter().any(|suffix| name.len() > suffix.len() && name.ends_with(suffix));
    if name.is_empty() || name.len() > 240 || !name.chars().all(fits) || !ends {
        let hint = match suffixes {
            [] => "use letters, digits and `:-_.@`, without a suffix",
            _ => "write it whole, such as `web.service`, `backup.timer`, `api.socket` or `data.mount`",
        };
        problems.at(attribute, format!("`{name}` is not the name of a unit"), hint);
    }
}

/// Free values for which something is restarted. What the host keeps is what the last whole change was for: one that
/// broke off before a restart is planned again. What may not be kept, as it is sensitive, is what was said.
pub(crate) fn free_values(kept: &serde_json::Value, known: &Value, name: &str) -> Value {
    let Some(kept) = kept[name].as_object() else {
        return known.get(name).cloned().unwrap_or(Value::Null(Type::map(Type::String)));
    };
    let said = |entry: &str| known.get(name).and_then(|values| values.get(entry)).cloned();
    let entry = |(name, value): (&String, &serde_json::Value)| {
        let value = value.as_str().map(Value::string).or_else(|| said(name));
        (name.as_str().into(), value.unwrap_or(Value::Null(Type::String)))
    };
    Value::map(Type::String, Entries::new(kept.iter().map(entry).collect()))
}

/// The same as the host keeps them.
pub(crate) fn kept_values(planned: &Value, name: &str) -> serde_json::Value {
    let Some(entries) = planned.get(name).and_then(Value::entries) else { return serde_json::Value::Null };
    let entry = |(name, value): (&formwork_contract::Str, &Value)| (name.to_string(), value.as_str().into());
    entries.iter().map(entry).collect::<serde_json::Map<_, _>>().into()
}
