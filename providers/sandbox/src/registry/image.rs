//! The function `image_reference`: how an image in a registry is called.

use formwork_contract::provider::FunctionError;
use formwork_contract::{FunctionParameter, FunctionSchema, Type, Value};

use crate::function::{Function, refused, text, text_of};

pub(crate) struct ImageReference;

/// The most characters of a tag.
const LONGEST_TAG: usize = 128;

impl Function for ImageReference {
    fn name(&self) -> &'static str {
        "image_reference"
    }

    fn describe(&self) -> FunctionSchema {
        let tag = "The tag; `latest` where it is null. One that begins with `sha256:` is a digest.";
        FunctionSchema {
            parameters: vec![
                text("url", "The `url` of a registry."),
                text("repository", "The repository in it, such as `team/app`."),
                FunctionParameter { allow_null: true, ..text("tag", tag) },
            ],
            variadic: None,
            returns: Type::String,
            description: "What a machine or a cluster pulls an image by.".into(),
            deprecated: None,
        }
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError> {
        let (url, repository) = (text_of(arguments, 0), text_of(arguments, 1));
        if url.is_empty() || url.contains("://") {
            return Err(refused(0, format!("`{url}` is no URL of a registry: it has a host and no scheme")));
        }
        if !repository.split('/').all(is_component) {
            return Err(refused(
                1,
                format!("`{repository}` is no repository: its parts have lower-case letters, digits and `.`, `_`, `-`"),
            ));
        }
        match arguments.get(2).and_then(Value::as_str) {
            None => Ok(format!("{url}/{repository}:latest").into()),
            Some(digest) if is_digest(digest) => Ok(format!("{url}/{repository}@{digest}").into()),
            Some(tag) if is_tag(tag) => Ok(format!("{url}/{repository}:{tag}").into()),
            Some(other) => Err(refused(2, format!("`{other}` is neither a tag nor a digest"))),
        }
    }
}

fn is_component(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    let outer = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(outer) && text.ends_with(outer) && text.chars().all(inner)
}

fn is_tag(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.len() <= LONGEST_TAG
        && text.chars().all(inner)
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit()))
}
