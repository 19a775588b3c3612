//! Ephemeral resources in a plan, and again in its apply: opened once what they are made of is known.

use std::sync::Arc;

use formwork_contract::planning::unknown_where_computed;
use formwork_contract::{Diagnostics, Marks, Value};
use futures_util::stream::{self, StreamExt};

use super::Secrets;
use super::checks;
use super::walk::{UnitState, Walk};
use crate::blueprint::model::Resource;
use crate::graph::{Each, Evaluation, Expansion, Unit};
use crate::language::Retention;
use crate::live::{Configured, Ephemerals, Opening, ResourceKind};

/// One instance of an ephemeral resource.
pub(super) struct Instance {
    each: Each,
    /// What stands for it until it is opened: as far as its configuration says.
    value: Value,
    /// `None` while its configuration is not known.
    opening: Option<Opening>,
}

impl Instance {
    /// Whether it can be opened.
    pub(super) fn is_known(&self) -> bool {
        self.opening.is_some()
    }
}

/// Opens what can be opened, as many at once as the provider takes.
pub(super) async fn open(instances: Vec<Instance>, ephemerals: &Ephemerals) -> Vec<(Each, Result<Value, Diagnostics>)> {
    let limit = instances.iter().filter_map(|instance| instance.opening.as_ref());
    let limit = limit.map(|opening| opening.configured.provider.concurrency()).min().unwrap_or(1);
    let opened = instances.into_iter().map(|Instance { each, value, opening }| async move {
        let opened = match opening {
            Some(opening) => {
                let (secrets, address) = (Secrets::of([&opening.config]), opening.address.clone());
                let told = |found: Diagnostics| -> Diagnostics {
                    found.into_iter().map(|diagnostic| secrets.redacted(diagnostic).address(&address)).collect()
                };
                ephemerals.open(opening).await.map_err(told)
            }
            None => Ok(value),
        };
        (each, opened)
    });
    stream::iter(opened).buffered(limit.max(1)).collect().await
}

/// What the instances of a block are to be opened with. `postponed` leaves all of them for later.
///
/// # Errors
/// The configuration is wrong, or a precondition does not hold.
pub(super) fn instances(
    evaluation: &Evaluation,
    unit: Unit,
    expansion: &Expansion<Each>,
    configured: &Configured,
    kind: &Arc<ResourceKind>,
    postponed: bool,
) -> Result<Vec<Instance>, Diagnostics> {
    let resource = evaluation.resource(unit.1);
    let mut instances = Vec::new();
    for each in expansion.iter() {
        let config = evaluation.with_scope(unit.0, each.clone(), None, |scope| {
            let config = scope.body(&resource.config, &kind.block, Retention::Run)?;
            let failed = checks::failing(scope, &resource.lifecycle.preconditions, "precondition")?;
            if failed.has_errors() { Err(failed) } else { Ok(config) }
        })?;
        let value = unknown_where_computed(&kind.block, &config).mark(Marks::EPHEMERAL);
        let opening = (config.is_wholly_known() && !postponed).then(|| Opening {
            address: evaluation.address(unit, each.instance_key()),
            kind: Arc::clone(kind),
            configured: configured.clone(),
            config,
        });
        instances.push(Instance { each: each.clone(), value, opening });
    }
    Ok(instances)
}

/// The postconditions of what was just opened that do not hold.
pub(super) fn postconditions(evaluation: &Evaluation, unit: Unit, each: &Each, value: &Value) -> Diagnostics {
    let conditions = &evaluation.resource(unit.1).lifecycle.postconditions;
    if conditions.is_empty() {
        return Diagnostics::new();
    }
    let checked = evaluation.with_scope(unit.0, each.clone(), Some(value.clone()), |scope| {
        checks::failing(scope, conditions, "postcondition")
    });
    checked.unwrap_or_else(|failed| failed)
}

/// Points at the block where nothing else is pointed at.
pub(super) fn placed(found: Diagnostics, resource: &Resource) -> Diagnostics {
    let place = |diagnostic: formwork_contract::Diagnostic| match diagnostic.labels.is_empty() {
        true => diagnostic.label(resource.span, "opened here"),
        false => diagnostic,
    };
    found.into_iter().map(place).collect()
}

impl Walk<'_> {
    /// Opens the instances of an ephemeral block, or leaves them for the apply.
    pub(super) async fn visit_ephemeral(&mut self, unit: Unit, state: &mut UnitState) {
        let graph = Arc::clone(&self.graph);
        let resource = graph.resource(unit.1);
        if self.is_idle(unit.1) {
            return;
        }
        if let Some(waits_for) = &state.deferred {
            let reason = format!("it depends on `{waits_for}`, which is deferred").into();
            self.defer(unit, resource, reason, state);
            return;
        }
        if let Err(found) = self.open_unit(unit, resource, state).await {
            state.failed = true;
            self.diagnostics.append(placed(found, resource));
        }
    }

    async fn open_unit(&mut self, unit: Unit, resource: &Resource, state: &mut UnitState) -> Result<(), Diagnostics> {
        let (configured, kind) = self.kind_of(unit, resource).map_err(|diagnostic| Diagnostics::from(*diagnostic))?;
        let expansion = self.evaluation.expand_resource(unit)?;
        if let Expansion::Unknown { why, .. } = &expansion {
            self.defer(unit, resource, why.clone(), state);
            return Ok(());
        }
        self.evaluation.set_resource(unit, expansion.map(|_, _| Value::unknown(kind.ty.clone())));
        let waits = self.waits(unit, resource, state);
        self.ephemerals.all.push((unit, waits));
        let instances = instances(&self.evaluation, unit, &expansion, &configured, &kind, waits)?;
        let openings = instances.iter().filter_map(|instance| instance.opening.as_ref());
        openings.for_each(|opening| self.reality.secrets().know(&opening.config));
        let mut diagnostics = Diagnostics::new();
        for (each, opened) in open(instances, self.reality.ephemerals()).await {
            match opened {
                Ok(value) => {
                    self.reality.secrets().know(&value);
                    diagnostics.append(postconditions(&self.evaluation, unit, &each, &value));
                    self.evaluation.set_resource_instance(unit, &each.instance_key(), value);
                }
                Err(found) => diagnostics.append(found),
            }
        }
        diagnostics.into_result(()).map(|((), _)| ())
    }

    /// Whether something that a block names in `depends_on`, or that its module waits for, is to change first.
    pub(super) fn waits(&self, unit: Unit, resource: &Resource, state: &UnitState) -> bool {
        let module_waits = || {
            let mut begins = self.evaluation.waits_for_module(unit);
            begins.any(|begin| self.units.get(&begin).is_some_and(|state| state.token.is_some()))
        };
        (!resource.depends_on.is_empty() && state.token.is_some()) || module_waits()
    }
}
