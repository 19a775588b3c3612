//! What a policy means, in one spelling: two policies with the same one let the same through.
//!
//! The rules are those of IAM's policy grammar: names of actions and of condition keys have no case; lists of actions,
//! resources, principals and values have no order; an account's number stands for its root.

use serde_json::{Map, Value as Json};

/// The spelling of a policy.
pub(super) fn of(policy: &Json) -> Json {
    let Json::Object(policy) = policy else { return policy.clone() };
    let mut spelled = Map::new();
    for (name, part) in policy {
        let part = match name.as_str() {
            "Statement" => {
                let mut statements: Vec<Json> = items(part).iter().map(statement).collect();
                statements.sort_by_cached_key(Json::to_string);
                Json::Array(statements)
            }
            "Id" if is_empty(part) => continue,
            _ => part.clone(),
        };
        spelled.insert(name.clone(), part);
    }
    spelled.entry("Version").or_insert_with(|| "2008-10-17".into());
    Json::Object(spelled)
}

/// The spelling of a document with rules, such as a lifecycle policy.
pub(super) fn of_rules(document: &Json) -> Json {
    match document {
        Json::Object(parts) => {
            let part = |(name, part): (&String, &Json)| {
                let mut part = of_rules(part);
                if let (true, Json::Array(rules)) = (name == "rules", &mut part) {
                    rules.sort_by_key(|rule| rule.get("rulePriority").and_then(Json::as_f64).map(f64::to_bits));
                }
                (name.clone(), part)
            };
            Json::Object(parts.iter().map(part).collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(of_rules).collect()),
        Json::Number(number) => number.as_f64().map_or_else(|| Json::Number(number.clone()), Json::from),
        other => other.clone(),
    }
}

fn statement(given: &Json) -> Json {
    let Json::Object(parts) = given else { return given.clone() };
    let mut spelled = Map::new();
    for (name, part) in parts {
        let part = match name.as_str() {
            "Sid" if is_empty(part) => continue,
            "Action" | "NotAction" => list(part, |text| text.to_lowercase()),
            "Resource" | "NotResource" => list(part, str::to_owned),
            "Principal" | "NotPrincipal" => principals(part),
            "Condition" => conditions(part),
            _ => part.clone(),
        };
        spelled.insert(name.clone(), part);
    }
    Json::Object(spelled)
}

fn principals(given: &Json) -> Json {
    let Json::Object(kinds) = given else { return given.clone() };
    let spelled = kinds.iter().map(|(kind, names)| {
        let names = if kind == "AWS" { list(names, account) } else { list(names, str::to_owned) };
        (kind.clone(), names)
    });
    Json::Object(spelled.collect())
}

/// The number of an account whose root is meant; any other principal as it is.
fn account(principal: &str) -> String {
    let root = principal.split(':').collect::<Vec<_>>();
    match root.as_slice() {
        ["arn", _, "iam", "", account, "root"] => (*account).to_owned(),
        _ => principal.to_owned(),
    }
}

fn conditions(given: &Json) -> Json {
    let Json::Object(tests) = given else { return given.clone() };
    let spelled = tests.iter().map(|(test, keys)| {
        let keys = match keys {
            Json::Object(keys) => {
                let of_key = |(key, values): (&String, &Json)| (key.to_lowercase(), list(values, str::to_owned));
                Json::Object(keys.iter().map(of_key).collect())
            }
            other => other.clone(),
        };
        (test.clone(), keys)
    });
    Json::Object(spelled.collect())
}

/// A list of texts, or one text: sorted, each once.
fn list(given: &Json, spell: impl Fn(&str) -> String) -> Json {
    let text = |item: &Json| match item {
        Json::String(text) => spell(text),
        other => other.to_string(),
    };
    let mut texts: Vec<String> = items(given).iter().map(text).collect();
    texts.sort();
    texts.dedup();
    texts.into()
}

/// A list's items; anything else is a list of one.
fn items(given: &Json) -> &[Json] {
    match given {
        Json::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

fn is_empty(given: &Json) -> bool {
    given.as_str() == Some("")
}
