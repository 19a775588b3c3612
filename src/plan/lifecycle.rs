//! What the `lifecycle` block of a resource asks of a plan.

use formwork_contract::path::{Path, Step};
use formwork_contract::{Address, Diagnostic, InstanceKey, Str, Value};

use super::ask::Ask;
use super::checks;
use super::model::Action;
use super::walk::Walk;
use crate::blueprint::expression::{ExprKind, Reference, TraverseKind};
use crate::blueprint::model::{IgnoreChanges, Resource};
use crate::graph::{NodeId, Unit};

impl Walk<'_> {
    /// Which of the references in `replace_triggered_by` is to change.
    pub(super) fn triggered(&self, unit: Unit, resource: &Resource) -> Option<Str> {
        resource.lifecycle.replace_triggered_by.iter().find_map(|expr| {
            let ExprKind::Reference(reference) = &expr.kind else { return None };
            let named = self.evaluation.referred_resource(unit.0, reference)?;
            let attribute = attribute_after_name(reference);
            let changes = self.by_unit.get(&named)?;
            let changed = changes.iter().map(|place| &self.changes[*place]).any(|change| {
                if !matches!(change.action, Action::Update | Action::Replace(_)) {
                    return false;
                }
                match &attribute {
                    Some(name) => {
                        change.before.get(name).map(Value::deep_unmarked)
                            != change.after.get(name).map(Value::deep_unmarked)
                    }
                    None => true,
                }
            });
            changed.then(|| {
                let base = self.evaluation.address(named, InstanceKey::None);
                attribute.map_or_else(|| base.to_string(), |name| format!("{base}.{name}")).into()
            })
        })
    }

    /// The postconditions, with what is planned.
    pub(super) fn check_after(&mut self, ask: &Ask) {
        let resource = self.evaluation.resource(ask.unit.1);
        if resource.lifecycle.postconditions.is_empty() {
            return;
        }
        let own = self.evaluation.resource_values(ask.unit).and_then(|all| all.get(&ask.each.instance_key())).cloned();
        let checked = self.evaluation.with_scope(ask.unit.0, ask.each.clone(), own, |scope| {
            checks::failing(scope, &resource.lifecycle.postconditions, "postcondition")
        });
        self.diagnostics.append(checked.unwrap_or_else(|diagnostics| diagnostics));
    }

    /// `lifecycle { prevent_destroy = true }` of the block, if it forbids this.
    pub(super) fn protected(&self, unit: Unit, address: &Address, verb: &str) -> Option<Diagnostic> {
        self.protected_node(unit.1, address, verb)
    }

    pub(super) fn protected_node(&self, node: NodeId, address: &Address, verb: &str) -> Option<Diagnostic> {
        let span = self.evaluation.resource(node).lifecycle.prevent_destroy.filter(|_| !self.options.recovering)?;
        Some(
            Diagnostic::error(format!("the plan would {verb} `{address}`, which is protected"))
                .detail("Its block sets `prevent_destroy`.")
                .label(span, "protected here")
                .address(address)
                .hint("take the protection out in a change of its own, or leave the object out of this one"),
        )
    }
}

/// `a.b.name` and `a.b[0].name`: the attribute.
fn attribute_after_name(reference: &Reference) -> Option<Str> {
    reference.steps.iter().skip(1).find_map(|step| match &step.kind {
        TraverseKind::Attribute(name) => Some(name.clone()),
        _ => None,
    })
}

/// Paths of `ignore_changes`; `None` stands for all.
pub(super) fn ignored(ignore: &IgnoreChanges) -> Option<Vec<Path>> {
    match ignore {
        IgnoreChanges::Nothing => Some(Vec::new()),
        IgnoreChanges::All(_) => None,
        IgnoreChanges::Attributes(references) => {
            Some(references.iter().map(|(reference, _)| path_of(reference)).collect())
        }
    }
}

fn path_of(reference: &Reference) -> Path {
    let root = Path::attribute(reference.root.clone());
    reference.steps.iter().fold(root, |path, step| match &step.kind {
        TraverseKind::Attribute(name) => path.join(Step::Attribute(name.clone())),
        TraverseKind::Index(expr) => match &expr.kind {
            ExprKind::Literal(Value::Number(number)) => path.join(Step::Index(number.as_usize().unwrap_or(usize::MAX))),
            ExprKind::Literal(Value::String(key)) => path.join(Step::Key(key.clone())),
            _ => path,
        },
        TraverseKind::AttributeSplat | TraverseKind::FullSplat => path,
    })
}
