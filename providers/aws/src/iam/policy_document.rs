//! The data source `aws_iam_policy_document`: a policy's JSON from blocks. Nothing is asked of AWS.

use std::collections::BTreeSet;

use async_trait::async_trait;
use formwork_contract::{Attribute, Block, Nesting, Type, Value};

use super::policy_text::{Document, Statement, Texts};
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::Fields;
use crate::resource::{Attributes, DataSource};

pub(super) struct PolicyDocument;

/// The version of the policy language in which variables mean nothing.
const WITHOUT_VARIABLES: &str = "2008-10-17";

#[async_trait]
impl DataSource for PolicyDocument {
    fn type_name(&self) -> &'static str {
        "aws_iam_policy_document"
    }

    fn block(&self) -> Block {
        let told = |text: &str| Attribute::computed(Type::String).describe(text);
        let documents = |text: &str| Attribute::optional(Type::list(Type::String)).describe(text);
        let block = Block::new([
            ("id", told("A checksum of `json`.")),
            ("json", told("The policy in JSON, with line breaks.")),
            ("minified_json", told("The policy in JSON, without spaces.")),
            ("policy_id", Attribute::optional(Type::String).describe("What the policy is called in itself.")),
            (
                "version",
                Attribute::optional(Type::String)
                    .describe("The version of the policy language: `2012-10-17` (the default) or `2008-10-17`."),
            ),
            (
                "source_policy_documents",
                documents("Policies to begin with; the statements here replace those with the same `sid`."),
            ),
            (
                "override_policy_documents",
                documents("Policies whose statements replace those with the same `sid` here."),
            ),
        ]);
        Block { description: "A policy's JSON from blocks.".into(), ..block }.with_block(
            "statement",
            Nesting::List,
            statement_block(),
        )
    }

    async fn read(&self, _cloud: &Cloud, config: &Value) -> Result<Attributes, Fault> {
        let document = document(Fields(config)).map_err(|why| Fault::own("not a policy", why))?;
        let json = document.pretty();
        Ok(vec![
            ("id", Value::from(checksum(&json).to_string())),
            ("json", Value::from(json)),
            ("minified_json", Value::from(document.minified())),
        ])
    }
}

fn statement_block() -> Block {
    let set = |text: &str| Attribute::optional(Type::set(Type::String)).describe(text);
    let principals = || {
        Block::new([
            (
                "type",
                Attribute::required(Type::String).describe("`AWS`, `Service`, `Federated`, `CanonicalUser` or `*`."),
            ),
            (
                "identifiers",
                Attribute::required(Type::set(Type::String)).describe("Accounts, roles, users, services or `*`."),
            ),
        ])
    };
    let condition = Block::new([
        ("test", Attribute::required(Type::String).describe("How values are compared, such as `StringEquals`.")),
        ("variable", Attribute::required(Type::String).describe("What is compared, such as `aws:SourceArn`.")),
        ("values", Attribute::required(Type::list(Type::String)).describe("Values, one of which must fit.")),
    ]);
    Block::new([
        ("sid", Attribute::optional(Type::String).describe("What the statement is called: letters and digits.")),
        ("effect", Attribute::optional(Type::String).describe("`Allow` (the default) or `Deny`.")),
        ("actions", set("What may be done, such as `s3:GetObject`.")),
        ("not_actions", set("All but these may be done.")),
        ("resources", set("To what.")),
        ("not_resources", set("To all but these.")),
    ])
    .with_block("principals", Nesting::Set, principals())
    .with_block("not_principals", Nesting::Set, principals())
    .with_block("condition", Nesting::Set, condition)
}

fn document(config: Fields<'_>) -> Result<Document, String> {
    let mut whole = Document::default();
    let mut taken = BTreeSet::new();
    for (number, text) in config.texts("source_policy_documents").iter().enumerate() {
        let source = Document::parse(text).map_err(|why| format!("`source_policy_documents[{number}]`: {why}"))?;
        for sid in source.statements.iter().map(|statement| &statement.sid).filter(|sid| !sid.is_empty()) {
            if !taken.insert(sid.clone()) {
                return Err(format!(
                    "two statements of `source_policy_documents` have the `sid` `{sid}`, the second in [{number}]"
                ));
            }
        }
        whole.merge(source);
    }
    let version = config.text("version").unwrap_or_else(|| "2012-10-17".into());
    if !["2012-10-17", WITHOUT_VARIABLES].contains(&version.as_str()) {
        return Err(format!("there is no version `{version}` of policies: use `2012-10-17` or `2008-10-17`"));
    }
    let mut own = Document { id: config.text("policy_id").unwrap_or_default(), ..Document::default() };
    for given in config.blocks("statement") {
        let statement = statement(given, &version)?;
        if !statement.sid.is_empty() && own.statements.iter().any(|other| other.sid == statement.sid) {
            return Err(format!("two statements have the `sid` `{}`: leave it out, or choose another", statement.sid));
        }
        own.statements.push(statement);
    }
    whole.merge(Document { version, ..own });
    for (number, text) in config.texts("override_policy_documents").iter().enumerate() {
        whole.merge(Document::parse(text).map_err(|why| format!("`override_policy_documents[{number}]`: {why}"))?);
    }
    Ok(whole)
}

fn statement(given: Fields<'_>, version: &str) -> Result<Statement, String> {
    let (sid, effect) = (given.text("sid").unwrap_or_default(), given.text("effect").unwrap_or_else(|| "Allow".into()));
    if !sid.chars().all(|letter| letter.is_ascii_alphanumeric()) {
        return Err(format!("the `sid` `{sid}` has other characters than letters and digits"));
    }
    if !["Allow", "Deny"].contains(&effect.as_str()) {
        return Err(format!("`{effect}` is no `effect`: use `Allow` or `Deny`"));
    }
    let replaced =
        |texts: Vec<String>| texts.into_iter().map(|text| variables(text, version)).collect::<Result<_, _>>();
    let principals = |name: &str| {
        let mut all = Vec::new();
        for block in given.blocks(name) {
            let names: Vec<String> = replaced(block.texts("identifiers"))?;
            all.push((block.text("type").unwrap_or_default(), Texts::of_set(names).unwrap_or(Texts::Many(Vec::new()))));
        }
        Ok::<_, String>(all)
    };
    let mut conditions = Vec::new();
    for block in given.blocks("condition") {
        let text = |name: &str| block.text(name).unwrap_or_default();
        conditions.push((text("test"), text("variable"), replaced(block.texts("values"))?));
    }
    Ok(Statement {
        actions: Texts::of_set(given.texts("actions")),
        not_actions: Texts::of_set(given.texts("not_actions")),
        resources: Texts::of_set(replaced(given.texts("resources"))?),
        not_resources: Texts::of_set(replaced(given.texts("not_resources"))?),
        principals: principals("principals")?,
        not_principals: principals("not_principals")?,
        conditions,
        sid,
        effect,
    })
}

/// A variable of IAM's is written `&{...}`, since `${...}` is one of the blueprint's.
fn variables(text: String, version: &str) -> Result<String, String> {
    if version == WITHOUT_VARIABLES && text.contains("&{") {
        return Err(format!("`{text}` has a variable, which the version `{version}` does not know: use `2012-10-17`"));
    }
    Ok(text.replace("&{", "${"))
}

/// The CRC-32 of zip and Ethernet (ISO 3309), as Terraform makes ids of documents.
fn checksum(text: &str) -> u32 {
    let byte = |sum: u32, byte: u8| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(sum & 1)))
    };
    !text.bytes().fold(!0, byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(items: &[&str]) -> Value {
        Value::set(Type::String, items.iter().map(|item| Value::from(*item)).collect())
    }

    fn statement(parts: Vec<(&str, Value)>) -> Value {
        Value::object(parts)
    }

    fn of(config: Vec<(&str, Value)>) -> Result<Document, String> {
        document(Fields(&Value::object(config)))
    }

    #[test]
    fn a_document_is_written_as_terraform_writes_it() {
        let principal =
            |kind: &str, names: &[&str]| Value::object([("type", Value::from(kind)), ("identifiers", texts(names))]);
        let condition = Value::object([
            ("test", Value::from("StringEquals")),
            ("variable", "aws:username".into()),
            ("values", Value::tuple(vec!["&{aws:username}".into()])),
        ]);
        let statements = Value::tuple(vec![
            statement(vec![
                ("sid", "one".into()),
                ("actions", texts(&["s3:GetObject", "s3:PutObject"])),
                ("resources", texts(&["arn:aws:s3:::b/<x>"])),
                ("principals", Value::tuple(vec![principal("Service", &["ec2.amazonaws.com"])])),
                ("condition", Value::tuple(vec![condition])),
            ]),
            statement(vec![
                ("effect", "Deny".into()),
                ("not_actions", texts(&["iam:*"])),
                ("principals", Value::tuple(vec![principal("*", &["*"])])),
            ]),
        ]);
        let document = of(vec![("statement", statements)]).expect("a policy");
        let expected = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "one",
      "Effect": "Allow",
      "Action": [
        "s3:PutObject",
        "s3:GetObject"
      ],
      "Resource": "arn:aws:s3:::b/\u003cx\u003e",
      "Principal": {
        "Service": "ec2.amazonaws.com"
      },
      "Condition": {
        "StringEquals": {
          "aws:username": "${aws:username}"
        }
      }
    },
    {
      "Effect": "Deny",
      "NotAction": "iam:*",
      "Principal": "*"
    }
  ]
}"#;
        assert_eq!(document.pretty(), expected);
        let minified: serde_json::Value = serde_json::from_str(&document.minified()).expect("JSON");
        assert_eq!(minified, serde_json::from_str::<serde_json::Value>(expected).expect("JSON"));
        assert!(!document.minified().contains([' ', '\n']));
    }

    #[test]
    fn documents_are_merged_by_sid() {
        let source = r#"{"Version":"2008-10-17","Id":"x","Statement":[
            {"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":["*"]},
            {"Sid":"b","Effect":"Allow","Action":["s3:*"],"Condition":{"Bool":{"aws:SecureTransport":true}}}]}"#;
        let over = r#"{"Statement":[{"Sid":"b","Effect":"Deny","Action":"s3:*"}]}"#;
        let own = statement(vec![("sid", "a".into()), ("actions", texts(&["ec2:*"]))]);
        let document = of(vec![
            ("source_policy_documents", Value::tuple(vec![source.into()])),
            ("override_policy_documents", Value::tuple(vec![over.into()])),
            ("statement", Value::tuple(vec![own])),
        ]);
        assert_eq!(
            document.expect("a policy").minified(),
            r#"{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"a","Effect":"Allow","Action":"ec2:*"},{"Sid":"b","Effect":"Deny","Action":"s3:*"}]}"#
        );
        let twice = of(vec![("source_policy_documents", Value::tuple(vec![source.into(), source.into()]))]);
        assert!(twice.expect_err("a duplicate").contains("the `sid` `a`"));
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        let refused = |part: (&'static str, Value)| {
            of(vec![("statement", Value::tuple(vec![statement(vec![part])]))]).expect_err("refused")
        };
        assert!(refused(("effect", "allow".into())).contains("`Allow` or `Deny`"));
        assert!(refused(("sid", "a b".into())).contains("letters and digits"));
        let old = of(vec![
            ("version", "2008-10-17".into()),
            ("statement", Value::tuple(vec![statement(vec![("resources", texts(&["&{aws:username}"]))])])),
        ]);
        assert!(old.expect_err("refused").contains("2012-10-17"));
        let broken = of(vec![("source_policy_documents", Value::tuple(vec!["{".into()]))]);
        assert!(broken.expect_err("refused").starts_with("`source_policy_documents[0]`"));
    }

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(checksum("123456789"), 0xCBF4_3926);
    }
}
