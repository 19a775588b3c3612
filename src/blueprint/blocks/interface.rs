//! `interface.hcl` of a component: the inputs and outputs that every implementation has.

use std::collections::BTreeMap;

use formwork_contract::{Diagnostic, Diagnostics, Span, Str};

use super::reader::{Reader, labels};
use super::types::constraint;
use super::variable::variable;
use crate::blueprint::model::Variable;
use crate::blueprint::syntax::{Syntax, SyntaxBlock};

#[derive(Debug, Default)]
pub(in crate::blueprint) struct Interface {
    pub(in crate::blueprint) variables: BTreeMap<Str, Variable>,
    /// Where each output is declared.
    pub(in crate::blueprint) outputs: BTreeMap<Str, Span>,
}

pub(in crate::blueprint) fn interface(file: Syntax, diagnostics: &mut Diagnostics) -> Interface {
    let mut interface = Interface::default();
    for attribute in &file.attributes {
        diagnostics.push(
            Diagnostic::error("An interface holds `variable` and `output` blocks only")
                .label(attribute.name_span, "not one of them"),
        );
    }
    for block in file.blocks {
        match &*block.keyword {
            "variable" => {
                if let Some(variable) = variable(block, diagnostics) {
                    if let Some(first) = interface.variables.get(&variable.name) {
                        diagnostics.push(declared_twice("variable", &variable.name, variable.span, first.span));
                    } else {
                        interface.variables.insert(variable.name.clone(), variable);
                    }
                }
            }
            "output" => {
                let span = block.header();
                if let Some(name) = output(block, diagnostics)
                    && let Some(first) = interface.outputs.insert(name.clone(), span)
                {
                    diagnostics.push(declared_twice("output", &name, span, first));
                }
            }
            _ => diagnostics.push(
                Diagnostic::error("An interface holds `variable` and `output` blocks only")
                    .label(block.header(), "not one of them")
                    .hint("put the block into the implementations: a folder for each target"),
            ),
        }
    }
    interface
}

fn declared_twice(kind: &str, name: &str, again: Span, first: Span) -> Diagnostic {
    Diagnostic::error(format!("The {kind} `{name}` is declared twice"))
        .label(again, "declared again here")
        .label(first, "first declared here")
        .hint("rename one of them, or remove it")
}

fn output(block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Option<Str> {
    let [name] = labels(&block, ["name"], diagnostics)?;
    let mut reader = Reader::new(block, diagnostics);
    if let Some(Err(problem)) = reader.take("type").map(|attribute| constraint(&attribute.value)) {
        reader.diagnostics.append(problem);
    }
    reader.take_str("description");
    reader.take_bool("sensitive");
    reader.finish();
    Some(name.text)
}
