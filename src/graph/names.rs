//! What a name means to an expression of one module instance.

use formwork_contract::{Diagnostic, Diagnostics, InstanceKey, Marks, Mode, Span, Str, Type, Value};

use super::evaluation::Evaluation;
use super::expand::{Each, Expansion, InstanceId, Unit};
use super::{ModuleId, NodeId};
use crate::blueprint::expression::{Expr, Reference, Traverse, TraverseKind};
use crate::language::{Found, Names};

/// The names of one module instance, and of one instance of a block in it.
pub(super) struct InstanceNames<'a> {
    pub evaluation: &'a Evaluation,
    pub instance: InstanceId,
    pub each: Each,
    /// What `self` is.
    pub own: Option<Value>,
}

/// A reference in an expression, of which the first steps name a block.
#[derive(Clone, Copy)]
struct Usage<'r> {
    reference: &'r Reference,
    span: Span,
    /// How many steps the name takes.
    named: usize,
}

impl Usage<'_> {
    /// The steps after the name.
    fn rest(&self) -> &[Traverse] {
        &self.reference.steps[self.named..]
    }
}

type IndexOf<'i> = &'i mut dyn FnMut(&Expr) -> Result<Value, Diagnostics>;

impl Names for InstanceNames<'_> {
    fn lookup(&self, reference: &Reference, span: Span, index: IndexOf<'_>) -> Result<Found, Diagnostics> {
        let steps = &reference.steps;
        let used = |named| Usage { reference, span, named };
        match &*reference.root {
            "var" | "local" => self.value_of_name(reference, span),
            "artifact" => self.artifact(reference, span),
            "module" => self.module(None, attribute(steps, 0), used(1), index),
            "component" => self.module(attribute(steps, 0), attribute(steps, 1), used(2), index),
            "data" => self.resource(Mode::Data, attribute(steps, 0), attribute(steps, 1), used(2), index),
            "ephemeral" => {
                let (type_name, name) = (attribute(steps, 0), attribute(steps, 1));
                let found = self.resource(Mode::Ephemeral, type_name, name, used(2), index)?;
                Ok(Found { value: found.value.mark(Marks::EPHEMERAL), ..found })
            }
            "each" => self.each(reference, span),
            "count" => self.count(reference, span),
            "self" => self.own(span),
            "path" => self.path(reference, span),
            "terraform" | "formwork" => self.environment(reference, span),
            _ => self.resource(Mode::Managed, Some(&reference.root), attribute(steps, 0), used(1), index),
        }
    }
}

impl InstanceNames<'_> {
    fn module_id(&self) -> ModuleId {
        self.evaluation.instance(self.instance).module
    }

    fn value_of_name(&self, reference: &Reference, span: Span) -> Result<Found, Diagnostics> {
        let index = &self.evaluation.graph.module(self.module_id()).index;
        let table = if &*reference.root == "var" { &index.variables } else { &index.locals };
        let node = attribute(&reference.steps, 0).and_then(|name| table.get(name)).copied();
        match node {
            Some(node) => Ok(Found { value: self.evaluation.value((self.instance, node))?, consumed: 1 }),
            None => Err(self.unresolved(reference, span)),
        }
    }

    fn artifact(&self, reference: &Reference, span: Span) -> Result<Found, Diagnostics> {
        let index = &self.evaluation.graph.module(self.module_id()).index;
        match attribute(&reference.steps, 0).and_then(|name| index.artifacts.get(name)) {
            Some(node) => Ok(Found { value: self.evaluation.artifact(*node), consumed: 1 }),
            None => Err(self.unresolved(reference, span)),
        }
    }

    /// What the graph says of a reference that it cannot resolve: the console's expressions come here
    /// without having been checked.
    fn unresolved(&self, reference: &Reference, span: Span) -> Diagnostics {
        match self.evaluation.graph.resolve(self.module_id(), reference, span) {
            Err(diagnostic) => Diagnostics::from(*diagnostic),
            Ok(_) => {
                Diagnostic::error(format!("`{}` has no value here", reference.root)).label(span, "used here").into()
            }
        }
    }

    fn module(
        &self,
        kind: Option<&Str>,
        name: Option<&Str>,
        usage: Usage<'_>,
        index: IndexOf<'_>,
    ) -> Result<Found, Diagnostics> {
        let graph = &self.evaluation.graph;
        let calls = &graph.module(self.module_id()).index.calls;
        let called = name.and_then(|name| calls.get(&(kind.cloned(), name.clone())));
        let Some(called) = called.copied() else { return Err(self.unresolved(usage.reference, usage.span)) };
        let Some(children) = self.evaluation.instance(self.instance).children.get(&called) else {
            return Ok(Found { value: Value::unknown(Type::Any), consumed: usage.named });
        };
        let steps = usage.rest();
        let (child, used) = match pick(children, steps, index)? {
            Pick::One(child, used) => (*child, used),
            Pick::All => {
                let outputs = |child: &InstanceId| self.outputs(called, *child);
                let values = children.map(|_, child| outputs(child));
                if let Some(Err(diagnostics)) = values.iter().find(|value| value.is_err()) {
                    return Err(diagnostics.clone());
                }
                let value = values.value(|value| value.clone().unwrap_or(Value::NULL));
                return Ok(Found { value, consumed: usage.named });
            }
            Pick::Missing(key) => return Err(missing(&self.describe_call(called), children, &key, usage.span)),
        };
        let output = attribute(steps, used).and_then(|name| graph.module(called).index.outputs.get(name));
        match output {
            Some(output) => {
                Ok(Found { value: self.evaluation.value((child, *output))?, consumed: usage.named + used + 1 })
            }
            None => Ok(Found { value: self.outputs(called, child)?, consumed: usage.named + used }),
        }
    }

    fn describe_call(&self, module: ModuleId) -> String {
        self.evaluation.graph.module(module).path.to_string()
    }

    fn outputs(&self, module: ModuleId, instance: InstanceId) -> Result<Value, Diagnostics> {
        let outputs = self.evaluation.graph.module(module).index.outputs.iter();
        let outputs = outputs.map(|(name, node)| Ok((name.clone(), self.evaluation.value((instance, *node))?)));
        Ok(Value::object(outputs.collect::<Result<Vec<_>, Diagnostics>>()?))
    }

    fn resource(
        &self,
        mode: Mode,
        type_name: Option<&Str>,
        name: Option<&Str>,
        usage: Usage<'_>,
        index: IndexOf<'_>,
    ) -> Result<Found, Diagnostics> {
        let graph = &self.evaluation.graph;
        let resources = &graph.module(self.module_id()).index.resources;
        let node: Option<NodeId> = match (type_name, name) {
            (Some(type_name), Some(name)) => resources.get(&(mode, type_name.clone(), name.clone())).copied(),
            _ => None,
        };
        let Some(node) = node else { return Err(self.unresolved(usage.reference, usage.span)) };
        let unit: Unit = (self.instance, node);
        let Some(values) = self.evaluation.resource_values(unit) else {
            return Ok(Found { value: Value::unknown(Type::Any), consumed: usage.named });
        };
        match pick(values, usage.rest(), index)? {
            Pick::One(value, used) => Ok(Found { value: value.clone(), consumed: usage.named + used }),
            Pick::All => Ok(Found { value: values.value(Value::clone), consumed: usage.named }),
            Pick::Missing(key) => Err(missing(&graph.describe(node), values, &key, usage.span)),
        }
    }

    fn each(&self, reference: &Reference, span: Span) -> Result<Found, Diagnostics> {
        match (&self.each, attribute(&reference.steps, 0).map(|name| &**name)) {
            (Each::Key(key, _), Some("key")) => Ok(Found { value: Value::String(key.clone()), consumed: 1 }),
            (Each::Key(_, value), Some("value")) => Ok(Found { value: value.clone(), consumed: 1 }),
            _ => Err(Diagnostic::error("`each` is not defined here")
                .label(span, "`each` has a value only in a block with `for_each`")
                .hint("use `each.key` or `each.value` in a block that has `for_each`")
                .into()),
        }
    }

    fn count(&self, reference: &Reference, span: Span) -> Result<Found, Diagnostics> {
        match (&self.each, attribute(&reference.steps, 0).map(|name| &**name)) {
            (Each::Count(index), Some("index")) => Ok(Found { value: Value::number(*index as i64), consumed: 1 }),
            _ => Err(Diagnostic::error("`count` is not defined here")
                .label(span, "`count.index` has a value only in a block with `count`")
                .hint("use `count.index` in a block that has `count`")
                .into()),
        }
    }

    fn own(&self, span: Span) -> Result<Found, Diagnostics> {
        match &self.own {
            Some(value) => Ok(Found { value: value.clone(), consumed: 0 }),
            None => Err(Diagnostic::error("`self` is not defined here")
                .label(span, "`self` has a value only in a postcondition")
                .hint("name the resource instead")
                .into()),
        }
    }

    fn path(&self, reference: &Reference, span: Span) -> Result<Found, Diagnostics> {
        let module = self.evaluation.graph.module(self.module_id());
        let value = match attribute(&reference.steps, 0).map(|name| &**name) {
            Some("module") => Value::String(module.module.dir.clone()),
            Some("root") => Value::from("."),
            Some("cwd") => Value::String(self.evaluation.inputs.working_dir.clone()),
            _ => {
                return Err(Diagnostic::error("`path` has no such attribute")
                    .label(span, "not one of its attributes")
                    .hint("write `path.module`, `path.root` or `path.cwd`")
                    .into());
            }
        };
        Ok(Found { value, consumed: 1 })
    }

    fn environment(&self, reference: &Reference, span: Span) -> Result<Found, Diagnostics> {
        let blueprint = &self.evaluation.graph.blueprint;
        let target = || blueprint.environments.get(&blueprint.environment).and_then(|env| env.target.as_ref());
        let value = match attribute(&reference.steps, 0).map(|name| &**name) {
            Some("workspace" | "environment") => Value::String(blueprint.environment.clone()),
            Some("target") => target().map_or(Value::Null(Type::String), |(name, _)| Value::String(name.clone())),
            // It is one thing in the plan and another in the apply.
            Some("applying") => Value::Bool(self.evaluation.inputs.applying).mark(Marks::EPHEMERAL),
            _ => {
                return Err(Diagnostic::error(format!("`{}` has no such attribute", reference.root))
                    .label(span, "not one of its attributes")
                    .hint("write `formwork.environment`, `formwork.target` or `terraform.workspace`")
                    .into());
            }
        };
        Ok(Found { value, consumed: 1 })
    }
}

enum Pick<'a, T> {
    /// One instance, and how many steps it took to name it.
    One(&'a T, usize),
    All,
    Missing(InstanceKey),
}

/// Follows an index step into an expansion, so that one instance of many is found without building all.
fn pick<'a, T>(all: &'a Expansion<T>, steps: &[Traverse], index: IndexOf<'_>) -> Result<Pick<'a, T>, Diagnostics> {
    let key = match (all, steps.first().map(|step| &step.kind)) {
        (Expansion::Once(only), _) => return Ok(Pick::One(only, 0)),
        (Expansion::Count(_) | Expansion::Keys(_), Some(TraverseKind::Index(expr))) => index(expr)?,
        _ => return Ok(Pick::All),
    };
    if !key.marks().is_empty() {
        return Ok(Pick::All);
    }
    let key = match (all, &key) {
        (Expansion::Count(_), Value::Number(number)) => number.as_usize().map(|index| InstanceKey::Index(index as u64)),
        (Expansion::Count(_), Value::String(text)) => text.parse().ok().map(InstanceKey::Index),
        (Expansion::Keys(_), Value::String(text)) => Some(InstanceKey::Key(text.clone())),
        (Expansion::Keys(_), Value::Number(number)) => Some(InstanceKey::Key(number.to_string().into())),
        _ => None,
    };
    match key {
        // Unknown or of a wrong type: the whole value's own indexing says what is wrong.
        None => Ok(Pick::All),
        Some(key) => Ok(all.get(&key).map_or(Pick::Missing(key), |found| Pick::One(found, 1))),
    }
}

fn missing<T>(what: &str, all: &Expansion<T>, key: &InstanceKey, span: Span) -> Diagnostics {
    let diagnostic = Diagnostic::error(format!("`{what}` has no instance `{key}`")).label(span, "no such instance");
    match all {
        Expansion::Count(all) if all.is_empty() => diagnostic.hint("its `count` is 0").into(),
        Expansion::Count(all) => diagnostic.hint(format!("its indices go from 0 to {}", all.len() - 1)).into(),
        Expansion::Keys(all) => {
            let wanted = match key {
                InstanceKey::Key(key) => &**key,
                _ => "",
            };
            match formwork_contract::suggest::nearest(wanted, all.keys().map(|key| &**key)) {
                Some(near) => diagnostic.hint(format!("did you mean `[\"{near}\"]`?")).into(),
                None => {
                    let keys: Vec<String> = all.keys().take(10).map(|key| format!("\"{key}\"")).collect();
                    let more = if all.len() > 10 { format!(" and {} more", all.len() - 10) } else { String::new() };
                    diagnostic.hint(format!("its keys are {}{more}", keys.join(", "))).into()
                }
            }
        }
        _ => diagnostic.into(),
    }
}

fn attribute(steps: &[Traverse], at: usize) -> Option<&Str> {
    match &steps.get(at)?.kind {
        TraverseKind::Attribute(name) => Some(name),
        _ => None,
    }
}
