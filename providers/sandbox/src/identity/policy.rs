//! `sandbox_policy`: what is allowed and what is denied, as a JSON document.

use formwork_contract::{Attribute, Block, Type, Value};
use serde_json::Value as Json;

use crate::fault::Fault;
use crate::resource::{Call, Computed, Description, Names, Problems, Resource, whole};

pub(crate) const TYPE: &str = "sandbox_policy";

pub(crate) struct Policy;

impl Resource for Policy {
    fn describe(&self) -> Description {
        let block = Block::new([
            ("id", Attribute::computed(Type::String).describe("The policy's id, such as `policy-0a1b...`.")),
            (
                "name",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("A name that is unique in the whole sandbox."),
            ),
            (
                "document",
                Attribute::required(Type::String).describe(
                    "JSON: an object whose `Statement` is a list of objects with `Effect` (`Allow` or `Deny`), \
                     `Action` and `Resource`.",
                ),
            ),
            ("description", Attribute::optional(Type::String).describe("What it is for.")),
            ("revision", Attribute::computed(Type::Number).describe("Grows by one with each change.")),
            ("tags", Attribute::optional(Type::map(Type::String)).describe("Free keys and values.")),
        ]);
        Description {
            type_name: TYPE,
            id_prefix: "policy",
            block: Block { description: "What is allowed and what is denied.".into(), ..block },
            defaults: Vec::new(),
            references: &[],
            names: Names::Global("name"),
            recomputed: &["revision"],
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.name(config, "name");
        if let Some(document) = config.get_str("document")
            && let Err(problem) = check_document(document)
        {
            problems.at(
                "document",
                format!("the policy document is malformed: {problem}"),
                "use `jsonencode({ Statement = [{ Effect = \"Allow\", Action = \"...\", Resource = \"...\" }] })`",
            );
        }
    }

    fn create(&self, _call: &Call<'_>, _planned: &Value) -> Result<Computed, Fault> {
        Ok(vec![("revision", 1.into())])
    }

    fn update(&self, _call: &Call<'_>, live: &Value, _planned: &Value) -> Result<Computed, Fault> {
        Ok(vec![("revision", (whole(live, "revision").unwrap_or_default() + 1).into())])
    }
}

fn check_document(text: &str) -> Result<(), String> {
    let document: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let Some(statements) = document.get("Statement").and_then(Json::as_array) else {
        return Err("it has no list `Statement`".into());
    };
    for (index, statement) in statements.iter().enumerate() {
        let effect = statement.get("Effect").and_then(Json::as_str).unwrap_or_default();
        if !matches!(effect, "Allow" | "Deny") {
            return Err(format!("the `Effect` of statement {index} is neither `Allow` nor `Deny`"));
        }
        for name in ["Action", "Resource"] {
            let is_text = |json: &Json| json.as_str().is_some_and(|text| !text.is_empty());
            let given = statement.get(name).unwrap_or(&Json::Null);
            let list = given.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(is_text));
            if !is_text(given) && !list {
                return Err(format!("the `{name}` of statement {index} is neither a string nor a list of strings"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_document;

    #[test]
    fn a_document_says_what_is_wrong_with_it() {
        for (document, problem) in [
            ("{", "EOF"),
            ("{}", "no list `Statement`"),
            (r#"{"Statement":[{"Effect":"Maybe"}]}"#, "statement 0 is neither `Allow`"),
            (r#"{"Statement":[{"Effect":"Deny","Action":"*"}]}"#, "`Resource` of statement 0"),
            (r#"{"Statement":[{"Effect":"Deny","Action":[],"Resource":"*"}]}"#, "`Action` of statement 0"),
        ] {
            let said = check_document(document).expect_err(document);
            assert!(said.contains(problem), "{said}");
        }
        let good = r#"{"Statement":[{"Effect":"Allow","Action":["read"],"Resource":"*"}]}"#;
        assert_eq!(check_document(good), Ok(()));
    }
}
