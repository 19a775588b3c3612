//! `import` blocks: which objects are to be taken over, at which address.

use std::collections::HashMap;

use formwork_contract::{Address, Diagnostic, Diagnostics, InstanceKey, Mode, ModulePath, Span, Str, Type, Value};

use super::model::Change;
use super::walk::Walk;
use crate::blueprint::expression::{Reference, TraverseKind};
use crate::blueprint::model::Import;
use crate::graph::{Each, Evaluation, InstanceId, not_iterable};
use crate::language::{self, ForEachError, Scope};
use crate::live::Observed;

/// An object to be taken over.
#[derive(Clone, Debug)]
pub(super) struct PendingImport {
    pub id: Str,
    pub span: Option<Span>,
}

/// Evaluates the `import` blocks of the root module.
///
/// # Errors
/// An id or a key that is not known before anything is planned.
pub(super) fn pending(evaluation: &Evaluation) -> Result<HashMap<Address, PendingImport>, Diagnostics> {
    let mut found = HashMap::new();
    let root = std::sync::Arc::clone(&evaluation.graph.blueprint.root);
    for import in &root.imports {
        let repeats: Vec<Each> = match &import.for_each {
            None => vec![Each::None],
            Some(expr) => {
                let value = evaluation.with_scope(InstanceId(0), Each::None, None, |scope| scope.evaluate(expr))?;
                match language::for_each_keys(&value) {
                    Ok(pairs) => pairs.into_iter().map(|(key, value)| Each::Key(key, value)).collect(),
                    Err(ForEachError::Unknown) => return Err(not_known(expr.span)),
                    Err(error) => return Err(not_iterable(&error, expr.span)),
                }
            }
        };
        for each in repeats {
            let (address, id) = evaluation.with_scope(InstanceId(0), each, None, |scope| {
                Ok::<_, Diagnostics>((target(import, scope)?, id(import, scope)?))
            })?;
            found.insert(address, PendingImport { id, span: Some(import.span) });
        }
    }
    Ok(found)
}

impl Walk<'_> {
    /// An object has one address: what the record knows already is not taken over a second time.
    pub(super) fn refuse_second_owners(&mut self) {
        let imported: Vec<&Change> = self.changes.iter().filter(|change| change.importing.is_some()).collect();
        if imported.is_empty() {
            return;
        }
        let id_of = |object: &Observed| {
            let value = object.live_value();
            Some((object.provider.clone(), object.kind.name.clone(), Str::from(value.get_str("id")?)))
        };
        let owned: HashMap<_, &Address> =
            self.observed.values().filter_map(|object| Some((id_of(object)?, &object.address))).collect();
        let mut found = Diagnostics::new();
        for change in imported {
            let Some(id) = change.before.get_str("id") else { continue };
            if let Some(owner) = owned.get(&(change.provider.clone(), change.kind.name.clone(), id.into())) {
                let mut diagnostic = Diagnostic::error(format!("`{id}` cannot be imported as `{}`", change.address))
                    .detail(format!("The record has it as `{owner}`."))
                    .address(&change.address)
                    .hint("use a `moved` block, or `formwork state mv`, to give it another address");
                if let Some(span) = self.imports.get(&change.address).and_then(|import| import.span) {
                    diagnostic = diagnostic.label(span, "asked for here");
                }
                found.push(diagnostic);
            }
        }
        self.diagnostics.append(found);
    }
}

fn id(import: &Import, scope: &Scope<'_>) -> Result<Str, Diagnostics> {
    let value = scope.evaluate_as(&import.id, &Type::String, "`id`")?;
    if value.marks().ephemeral {
        return Err(Diagnostic::error("an `id` to import by cannot be ephemeral")
            .label(scope.ephemeral_part(&import.id), "this is ephemeral")
            .detail("Plans and messages name the object by it.")
            .hint("use a value that is the same in each run")
            .into());
    }
    if value.marks().sensitive {
        return Err(Diagnostic::error("an `id` to import by cannot be sensitive")
            .label(import.id.span, "sensitive")
            .detail("Plans and messages name the object by it.")
            .hint("use `nonsensitive` if it may be shown")
            .into());
    }
    match value.unmarked() {
        Value::String(id) => Ok(id.clone()),
        Value::Unknown(_) => Err(not_known(import.id.span)),
        _ => Err(Diagnostic::error("`id` is null")
            .label(import.id.span, "evaluated here")
            .hint("give the id of the object, as its provider documents it")
            .into()),
    }
}

fn not_known(span: Span) -> Diagnostics {
    Diagnostic::error("an import must be known before the plan")
        .label(span, "known only after apply")
        .hint("use literals, variables and locals in `import` blocks")
        .into()
}

/// `module.a["x"].aws_vpc.main[each.key]` as an address.
fn target(import: &Import, scope: &Scope<'_>) -> Result<Address, Diagnostics> {
    let wrong = || {
        Diagnostics::from(
            Diagnostic::error("`to` is not the address of a resource")
                .label(import.to_span, "expected `TYPE.NAME`, with modules before it and a key after it")
                .hint("for example `to = aws_vpc.main` or `to = module.net.aws_vpc.main[0]`"),
        )
    };
    let mut parts = parts(&import.to, scope)?.into_iter().peekable();
    let mut steps = Vec::new();
    loop {
        let component = match parts.peek() {
            Some(Part::Name(name)) if &**name == "module" => None,
            Some(Part::Name(name)) if &**name == "component" => Some(()),
            _ => break,
        };
        parts.next();
        let component = match component {
            Some(()) => Some(name(parts.next()).ok_or_else(wrong)?),
            None => None,
        };
        let name = name(parts.next()).ok_or_else(wrong)?;
        let key = key(&mut parts);
        steps.push(formwork_contract::address::ModuleStep { component, name, key });
    }
    let type_name = name(parts.next()).ok_or_else(wrong)?;
    let name = name(parts.next()).ok_or_else(wrong)?;
    let key = key(&mut parts);
    if parts.next().is_some() {
        return Err(wrong());
    }
    let module: ModulePath = steps.into_iter().collect();
    Ok(Address { module, mode: Mode::Managed, type_name, name, key })
}

enum Part {
    Name(Str),
    Key(InstanceKey),
}

fn parts(reference: &Reference, scope: &Scope<'_>) -> Result<Vec<Part>, Diagnostics> {
    let mut parts = vec![Part::Name(reference.root.clone())];
    for step in &reference.steps {
        match &step.kind {
            TraverseKind::Attribute(name) => parts.push(Part::Name(name.clone())),
            TraverseKind::Index(expr) => {
                let value = scope.evaluate(expr)?;
                let key = match value.unmarked() {
                    Value::String(key) => InstanceKey::Key(key.clone()),
                    Value::Number(number) => match number.as_usize() {
                        Some(index) => InstanceKey::Index(index as u64),
                        None => return Err(not_known(expr.span)),
                    },
                    _ => return Err(not_known(expr.span)),
                };
                parts.push(Part::Key(key));
            }
            TraverseKind::AttributeSplat | TraverseKind::FullSplat => return Err(not_known(step.span)),
        }
    }
    Ok(parts)
}

fn name(part: Option<Part>) -> Option<Str> {
    match part {
        Some(Part::Name(name)) => Some(name),
        _ => None,
    }
}

fn key(parts: &mut std::iter::Peekable<impl Iterator<Item = Part>>) -> InstanceKey {
    match parts.next_if(|part| matches!(part, Part::Key(_))) {
        Some(Part::Key(key)) => key,
        _ => InstanceKey::None,
    }
}
