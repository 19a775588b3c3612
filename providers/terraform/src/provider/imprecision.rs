//! What Terraform's first plugin SDK, which speaks protocol 5, cannot tell apart.

use formwork_contract::{Path, Value};

/// What was read, with null where an empty collection is read and null stood before: nothing has changed there.
pub(super) fn as_before(found: &Value, before: &Value) -> Value {
    if before.is_null() && is_empty_collection(found) {
        return before.clone();
    }
    // Elements of a set have no places to compare by.
    if matches!(found, Value::Set(_)) {
        return found.clone();
    }
    found.map_children(&mut |step, part| match before.at(&Path::root().join(step)) {
        Some(before) => as_before(part, before),
        None => part.clone(),
    })
}

fn is_empty_collection(value: &Value) -> bool {
    match value {
        Value::List(_) | Value::Set(_) => value.elements().is_some_and(<[Value]>::is_empty),
        Value::Map(map) => map.entries.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use formwork_contract::{Entries, Type};

    use super::*;

    fn object(limits: Value, name: &str) -> Value {
        Value::object([("limits", limits), ("name", Value::string(name))])
    }

    #[test]
    fn an_empty_collection_for_null_is_no_change_and_all_else_is() {
        let null = || Value::Null(Type::map(Type::String));
        let empty = || Value::map(Type::String, Entries::new(Vec::new()));
        let full = || Value::map(Type::String, Entries::new(vec![("cpu".into(), Value::string("1"))]));
        assert_eq!(as_before(&object(empty(), "b"), &object(null(), "a")), object(null(), "b"));
        assert_eq!(as_before(&object(full(), "a"), &object(null(), "a")), object(full(), "a"));
        assert_eq!(as_before(&object(empty(), "a"), &object(full(), "a")), object(empty(), "a"));
        assert_eq!(as_before(&object(null(), "a"), &object(empty(), "a")), object(null(), "a"));
    }
}
