//! References that must be known before anything is evaluated: `depends_on`, `provider`, addresses.

use formwork_contract::{Address, Diagnostic, Diagnostics, InstanceKey, ModulePath, Span, Value};

use super::reader::is_name;
use crate::blueprint::expression::{Expr, ExprKind, Reference, Traverse, TraverseKind};
use crate::blueprint::model::{Dependency, ProviderReference, Target};

/// The entries of `depends_on`.
pub(super) fn dependencies(value: Expr, diagnostics: &mut Diagnostics) -> Vec<Dependency> {
    let entries = list("depends_on", value, diagnostics);
    entries
        .into_iter()
        .filter_map(|entry| {
            let span = entry.span;
            match reference(entry) {
                Some(reference) => Some(Dependency { reference, span }),
                None => {
                    diagnostics.push(
                        Diagnostic::error("`depends_on` holds something that is not a reference")
                            .label(span, "not a reference")
                            .hint("name resources, data sources, modules or components: `depends_on = [aws_vpc.main]`"),
                    );
                    None
                }
            }
        })
        .collect()
}

/// The items of a list that is written out.
pub(super) fn list(name: &str, value: Expr, diagnostics: &mut Diagnostics) -> Vec<Expr> {
    let span = value.span;
    if let ExprKind::Tuple(items) = value.kind {
        return items.into_vec();
    }
    diagnostics.push(
        Diagnostic::error(format!("`{name}` must be a list"))
            .label(span, "a list is needed here")
            .hint(format!("write `{name} = [ ... ]`")),
    );
    Vec::new()
}

/// The reference that an expression is; also one in quotes, as it was once written.
pub(super) fn reference(value: Expr) -> Option<Reference> {
    let span = value.span;
    match value.kind {
        ExprKind::Reference(reference) => Some(*reference),
        ExprKind::Literal(Value::String(text)) => {
            let mut names = text.split('.');
            let root = names.next().filter(|name| is_name(name))?.into();
            let steps =
                names.map(|name| is_name(name).then(|| Traverse { kind: TraverseKind::Attribute(name.into()), span }));
            Some(Reference { root, steps: steps.collect::<Option<_>>()? })
        }
        _ => None,
    }
}

/// `name` or `name.alias`.
pub(super) fn provider(value: Expr, diagnostics: &mut Diagnostics) -> Option<ProviderReference> {
    let span = value.span;
    if let Some(reference) = provider_name(value) {
        match &reference.steps[..] {
            [] => return Some(ProviderReference { name: reference.root, alias: None, span }),
            [Traverse { kind: TraverseKind::Attribute(alias), .. }] => {
                return Some(ProviderReference { name: reference.root, alias: Some(alias.clone()), span });
            }
            _ => {}
        }
    }
    diagnostics.push(
        Diagnostic::error("This does not name a provider configuration")
            .label(span, "a provider, or a provider and an alias, is needed here")
            .hint("write `provider = aws` or `provider = aws.west`"),
    );
    None
}

/// The reference that names a provider. Where one is named, `null` is the provider of that name.
fn provider_name(value: Expr) -> Option<Reference> {
    let null = |steps| Some(Reference { root: "null".into(), steps });
    match value.kind {
        ExprKind::Literal(Value::Null(_)) => null(Box::default()),
        ExprKind::Traversal(traversal) if matches!(traversal.of.kind, ExprKind::Literal(Value::Null(_))) => {
            null(traversal.steps)
        }
        _ => reference(value),
    }
}

/// What `moved` and `removed` speak of.
pub(super) fn target(value: Expr, diagnostics: &mut Diagnostics) -> Option<Target> {
    let parsed = named_target(&value);
    if parsed.is_none() {
        diagnostics.push(address_expected(value.span));
    }
    parsed
}

/// The resource or module whose address an expression spells; `None` where it spells none.
pub(crate) fn named_target(value: &Expr) -> Option<Target> {
    let text = match &value.kind {
        ExprKind::Reference(reference) => address_text(reference),
        ExprKind::Literal(Value::String(text)) => Some(text.to_string()),
        _ => None,
    }?;
    let path = text.parse::<ModulePath>().map(Target::Module);
    path.or_else(|_| text.parse::<Address>().map(Target::Resource)).ok()
}

/// What is said where an address is needed.
pub(crate) fn address_expected(span: Span) -> Diagnostic {
    Diagnostic::error("This is not the address of a resource, a module or a component")
        .label(span, "an address is needed here")
        .hint("addresses look like `aws_vpc.main`, `aws_subnet.a[0]` or `module.network[\"a\"].aws_vpc.main`")
}

/// The address that a reference spells, where each index is a literal.
fn address_text(reference: &Reference) -> Option<String> {
    let mut text = reference.root.to_string();
    for step in &reference.steps {
        match &step.kind {
            TraverseKind::Attribute(name) => {
                text.push('.');
                text.push_str(name);
            }
            TraverseKind::Index(Expr { kind: ExprKind::Literal(Value::String(key)), .. }) => {
                text.push_str(&InstanceKey::Key(key.clone()).to_string());
            }
            TraverseKind::Index(Expr { kind: ExprKind::Literal(Value::Number(index)), .. }) => {
                let index = u64::try_from(index.as_i64()?).ok()?;
                text.push_str(&InstanceKey::Index(index).to_string());
            }
            _ => return None,
        }
    }
    Some(text)
}
