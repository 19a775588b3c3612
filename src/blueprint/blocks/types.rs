//! Type constraints: `map(object({ a = string, b = optional(number, 1) }))`.

use std::collections::BTreeMap;
use std::sync::Arc;

use formwork_contract::{Diagnostic, Diagnostics, ObjectAttribute, ObjectType, Span, Str, Type, Value, suggest};

use crate::blueprint::expression::{Call, Expr, ExprKind, ObjectItem};
use crate::blueprint::model::Defaults;

const NAMES: [&str; 9] = ["string", "number", "bool", "any", "list", "set", "map", "object", "tuple"];

/// The type that a constraint means, and the defaults that it carries.
pub(super) fn constraint(expr: &Expr) -> Result<(Type, Defaults), Diagnostics> {
    match &expr.kind {
        ExprKind::Reference(name) if name.steps.is_empty() => named(&name.root, expr.span),
        // The form of old: `type = "string"`.
        ExprKind::Literal(Value::String(name)) => named(name, expr.span),
        ExprKind::Call(call) => constructed(call, expr.span),
        _ => refuse(not_a_type(expr.span)),
    }
}

fn refuse<T>(problem: Diagnostic) -> Result<T, Diagnostics> {
    Err(problem.into())
}

fn not_a_type(span: Span) -> Diagnostic {
    Diagnostic::error("This is not a type")
        .label(span, "a type is needed here")
        .hint("types are `string`, `number`, `bool`, `any`, `list(T)`, `set(T)`, `map(T)`, `object({ name = T })` and `tuple([T])`")
}

fn named(name: &str, span: Span) -> Result<(Type, Defaults), Diagnostics> {
    let ty = match name {
        "string" => Type::String,
        "number" => Type::Number,
        "bool" => Type::Bool,
        "any" => Type::Any,
        "list" => Type::list(Type::Any),
        "map" => Type::map(Type::Any),
        "set" => Type::set(Type::Any),
        "object" | "tuple" => {
            let argument = if name == "object" { "({ name = string })" } else { "([string, number])" };
            return refuse(
                Diagnostic::error(format!("The type `{name}` needs an argument"))
                    .label(span, "what it holds is missing")
                    .hint(format!("write `{name}{argument}`")),
            );
        }
        other => return refuse(unknown(other, span)),
    };
    Ok((ty, Defaults::default()))
}

fn unknown(name: &str, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("Unknown type `{name}`")).label(span, "not a type");
    match suggest::nearest(name, NAMES) {
        Some(meant) => diagnostic.hint(format!("did you mean `{meant}`?")),
        None => diagnostic.hint(format!("types are {}", NAMES.map(|name| format!("`{name}`")).join(", "))),
    }
}

fn constructed(call: &Call, span: Span) -> Result<(Type, Defaults), Diagnostics> {
    if !NAMES[4..].contains(&&*call.name) {
        return refuse(match &*call.name {
            "optional" => Diagnostic::error("`optional` stands outside an object type")
                .label(span, "not the type of an attribute")
                .hint("write `object({ name = optional(string) })`"),
            simple if NAMES.contains(&simple) => {
                Diagnostic::error(format!("The type `{simple}` has no argument")).label(span, "remove the parentheses")
            }
            other => unknown(other, call.name_span),
        });
    }
    let [argument] = &call.arguments[..] else {
        return refuse(
            Diagnostic::error(format!("The type `{}` needs exactly one argument", call.name))
                .label(span, format!("{} given", call.arguments.len())),
        );
    };
    match &*call.name {
        "object" => object(argument),
        "tuple" => tuple(argument),
        collection => {
            let (element, inner) = constraint(argument)?;
            let defaults = if is_empty(&inner) {
                Defaults::default()
            } else {
                Defaults { element: Some(Box::new(inner)), ..Defaults::default() }
            };
            let ty = match collection {
                "list" => Type::list(element),
                "set" => Type::set(element),
                _ => Type::map(element),
            };
            Ok((ty, defaults))
        }
    }
}

fn is_empty(defaults: &Defaults) -> bool {
    defaults.attributes.is_empty() && defaults.nested.is_empty() && defaults.element.is_none()
}

/// Defaults of a tuple's elements are kept under their index.
fn tuple(argument: &Expr) -> Result<(Type, Defaults), Diagnostics> {
    let ExprKind::Tuple(elements) = &argument.kind else {
        return refuse(
            Diagnostic::error("The argument of `tuple` must be a list of types")
                .label(argument.span, "a list is needed here")
                .hint("write `tuple([string, number])`"),
        );
    };
    let mut types = Vec::with_capacity(elements.len());
    let mut nested = BTreeMap::new();
    for (index, element) in elements.iter().enumerate() {
        let (ty, defaults) = constraint(element)?;
        types.push(ty);
        if !is_empty(&defaults) {
            nested.insert(index.to_string().into(), defaults);
        }
    }
    Ok((Type::tuple(types), Defaults { nested, ..Defaults::default() }))
}

fn object(argument: &Expr) -> Result<(Type, Defaults), Diagnostics> {
    let ExprKind::Object(items) = &argument.kind else {
        return refuse(
            Diagnostic::error("The argument of `object` must name its attributes")
                .label(argument.span, "an object is needed here")
                .hint("write `object({ name = string })`"),
        );
    };
    let mut attributes = Vec::with_capacity(items.len());
    let mut defaults = Defaults::default();
    for ObjectItem { key, value } in items {
        let Some(name) = key.as_literal_str().map(Str::from) else {
            return refuse(
                Diagnostic::error("The name of an attribute must be written out")
                    .label(key.span, "a name is needed here"),
            );
        };
        let attribute = attribute(value)?;
        attributes.push(ObjectAttribute { name: name.clone(), ty: attribute.ty, optional: attribute.optional });
        if let Some(default) = attribute.default {
            defaults.attributes.insert(name.clone(), default);
        }
        if !is_empty(&attribute.nested) {
            defaults.nested.insert(name, attribute.nested);
        }
    }
    Ok((Type::Object(Arc::new(ObjectType::new(attributes))), defaults))
}

struct AttributeConstraint {
    ty: Type,
    optional: bool,
    default: Option<Expr>,
    nested: Defaults,
}

fn attribute(expr: &Expr) -> Result<AttributeConstraint, Diagnostics> {
    if let ExprKind::Call(call) = &expr.kind
        && &*call.name == "optional"
    {
        let (ty, default) = match &call.arguments[..] {
            [ty] => (ty, None),
            [ty, default] => (ty, Some(default.clone())),
            _ => {
                return refuse(
                    Diagnostic::error("`optional` needs a type, and may have a default")
                        .label(expr.span, format!("{} arguments given", call.arguments.len()))
                        .hint("write `optional(string)` or `optional(string, \"default\")`"),
                );
            }
        };
        let (ty, nested) = constraint(ty)?;
        return Ok(AttributeConstraint { ty, optional: true, default, nested });
    }
    let (ty, nested) = constraint(expr)?;
    Ok(AttributeConstraint { ty, optional: false, default: None, nested })
}
