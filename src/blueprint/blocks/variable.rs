//! `variable`.

use formwork_contract::{Diagnostic, Diagnostics, Type};

use super::conditions::conditions;
use super::reader::{Reader, labels};
use super::types::constraint;
use crate::blueprint::model::{Defaults, Variable};
use crate::blueprint::syntax::SyntaxBlock;

/// Names that mean something else in a call.
const RESERVED: [&str; 8] =
    ["source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"];

pub(super) fn variable(block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Option<Variable> {
    let [name] = labels(&block, ["name"], diagnostics)?;
    if RESERVED.contains(&&*name.text) {
        diagnostics.push(
            Diagnostic::error(format!("A variable cannot be called `{}`", name.text))
                .detail("In a `module` or `component` block this name has a meaning of its own.")
                .label(name.span, "a reserved name"),
        );
        return None;
    }
    let span = block.header();
    let mut reader = Reader::new(block, diagnostics);
    let ty = reader.take("type").map(|attribute| constraint(&attribute.value));
    let default = reader.take("default").map(|attribute| attribute.value);
    let description = reader.take_str("description").map(|(text, _)| text);
    let sensitive = reader.take_bool("sensitive").is_some_and(|(value, _)| value);
    let ephemeral = reader.take_bool("ephemeral").is_some_and(|(value, _)| value);
    let nullable = reader.take_bool("nullable").is_none_or(|(value, _)| value);
    let validations = reader.take_blocks("validation");
    reader.finish();
    let (ty, optional_defaults) = match ty {
        Some(Ok(constraint)) => constraint,
        Some(Err(problem)) => {
            diagnostics.append(problem);
            (Type::Any, Defaults::default())
        }
        None => (Type::Any, Defaults::default()),
    };
    Some(Variable {
        name: name.text,
        span,
        ty,
        optional_defaults,
        default,
        description,
        sensitive,
        ephemeral,
        nullable,
        validations: conditions(validations, diagnostics),
    })
}
