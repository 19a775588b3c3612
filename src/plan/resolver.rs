//! What an apply needs of the blueprint: configurations, evaluated again once more is known.

use std::collections::{BTreeMap, HashMap};

use formwork_contract::{Address, Diagnostics, Str, Value};

use super::checks::{check_blocks, conditions, failing};
use super::model::{Change, CheckResult};
use super::open_conditions::OpenConditions;
use super::reopen::Blocks;
use super::undo::Links;
use crate::blueprint::expression::Expr;
use crate::blueprint::model::{Condition, Lifecycle};
use crate::graph::{Each, Evaluation, InstanceId, ModuleId, Unit};
use crate::language::Retention;
use crate::live::Reality;

/// The evaluation and the providers that a plan was made with.
#[derive(Debug)]
pub struct Resolver {
    pub reality: Reality,
    pub(super) evaluation: Evaluation,
    pub(super) origins: HashMap<Address, (Unit, Each)>,
    pub(super) open_conditions: OpenConditions,
    pub(super) blocks: Blocks,
    /// For a way back: what refers to objects that are made anew.
    pub(super) links: Links,
    /// For a way back: the outputs from before.
    pub(super) outputs_before: BTreeMap<Str, Value>,
}

impl Resolver {
    /// The configuration of a change, with what has become known. What was known when the plan was made
    /// stays as it was planned.
    ///
    /// # Errors
    /// The expression fails with the values that are known now.
    pub fn config(&self, change: &Change) -> Result<Value, Diagnostics> {
        if change.config.is_wholly_known() {
            return Ok(change.config.clone());
        }
        let Some((unit, each)) = self.origins.get(&change.address) else {
            return Ok(self.links.filled(change));
        };
        let resource = self.evaluation.resource(unit.1);
        let each = self.evaluation.current_each(*unit, each)?;
        let fresh = self.evaluation.with_scope(unit.0, each, None, |scope| {
            scope.body(&resource.config, &change.kind.block, Retention::Recorded)
        })?;
        Ok(filled(&change.config, &fresh))
    }

    /// What an output is again after a way back: what it was, with the new objects in place of the old ones.
    pub fn output_again(&self, name: &str) -> Option<Value> {
        self.outputs_before.get(name).map(|before| self.links.renewed(before))
    }

    /// Tells what stands at an address now, for those that refer to it.
    pub fn set(&mut self, address: &Address, value: Value) {
        self.links.set(address, &value);
        if let Some((unit, each)) = self.origins.get(address) {
            self.evaluation.set_resource_instance(*unit, &each.instance_key(), value);
        }
    }

    /// Whether a data source stands in a `check` block, and so never stops anything.
    pub fn serves_a_check(&self, address: &Address) -> bool {
        self.origins.get(address).is_some_and(|(unit, _)| self.evaluation.serves_a_check(unit.1))
    }

    /// The preconditions of a resource that do not hold, with what is known now; and the conditions of
    /// variables and outputs that it depends on, where the plan could not decide them.
    pub fn preconditions(&self, address: &Address) -> Diagnostics {
        let mut broken = match self.origins.get(address) {
            Some((unit, _)) => self.open_conditions.failing_before(&self.evaluation, *unit),
            None => Diagnostics::new(),
        };
        broken.append(self.conditions(address, |lifecycle| (&lifecycle.preconditions, "precondition"), false));
        broken
    }

    /// The conditions of variables and outputs that the plan could not decide and that do not hold, once
    /// everything is applied.
    pub fn failing_conditions(&self) -> Diagnostics {
        self.open_conditions.failing(&self.evaluation)
    }

    /// The postconditions of a resource that do not hold, with what stands now.
    pub fn postconditions(&self, address: &Address) -> Diagnostics {
        self.conditions(address, |lifecycle| (&lifecycle.postconditions, "postcondition"), true)
    }

    fn conditions(
        &self,
        address: &Address,
        choose: impl Fn(&Lifecycle) -> (&[Condition], &'static str),
        with_own: bool,
    ) -> Diagnostics {
        let Some((unit, each)) = self.origins.get(address) else { return Diagnostics::new() };
        let (conditions, what) = choose(&self.evaluation.resource(unit.1).lifecycle);
        if conditions.is_empty() {
            return Diagnostics::new();
        }
        let checked = self.evaluation.current_each(*unit, each).and_then(|each| {
            let key = each.instance_key();
            let own =
                self.evaluation.resource_values(*unit).and_then(|all| all.get(&key)).filter(|_| with_own).cloned();
            self.evaluation.with_scope(unit.0, each, own, |scope| failing(scope, conditions, what))
        });
        checked.unwrap_or_else(|failed| failed)
    }

    /// An expression in the root module that is no part of the blueprint.
    ///
    /// # Errors
    /// It fails.
    pub async fn evaluate(&mut self, expr: &Expr) -> Result<Value, Diagnostics> {
        let called = self.evaluation.graph.providers_called_by(ModuleId(0), expr)?;
        self.reality.provide_functions(&mut self.evaluation, &called).await?;
        self.evaluation.with_scope(InstanceId(0), Each::None, None, |scope| scope.evaluate(expr))
    }

    /// The outputs of the root module, and what is wrong with those that cannot be given.
    pub fn outputs(&self) -> (BTreeMap<Str, Value>, BTreeMap<Str, Diagnostics>) {
        let (mut values, mut broken) = (BTreeMap::new(), BTreeMap::new());
        for (name, unit) in self.evaluation.root_outputs() {
            let checked = self.evaluation.value(unit).and_then(|value| {
                let failed = conditions(&self.evaluation, unit, &value)?;
                if failed.has_errors() { Err(failed) } else { Ok(value) }
            });
            match checked {
                Ok(value) => values.insert(name, value).map(drop),
                Err(diagnostics) => broken.insert(name, diagnostics).map(drop),
            };
        }
        (values, broken)
    }

    /// The `check` blocks, as reality is now.
    pub fn checks(&self) -> Vec<CheckResult> {
        check_blocks(&self.evaluation)
    }
}

/// `planned`, with its unknown parts taken from `fresh`.
fn filled(planned: &Value, fresh: &Value) -> Value {
    if planned.is_wholly_known() {
        return planned.clone();
    }
    let same_shape = match (planned.unmarked(), fresh.unmarked()) {
        (Value::Object(_), Value::Object(_)) | (Value::Map(_), Value::Map(_)) => true,
        (Value::List(_), Value::List(_)) | (Value::Tuple(_), Value::Tuple(_)) => {
            planned.elements().map(<[_]>::len) == fresh.elements().map(<[_]>::len)
        }
        _ => false,
    };
    if !same_shape {
        return fresh.clone();
    }
    let filled = planned.map_children(&mut |step, part| {
        let path = formwork_contract::Path::root().join(step);
        fresh.at(&path).map_or_else(|| part.clone(), |fresh| filled(part, fresh))
    });
    filled.mark(fresh.marks())
}
