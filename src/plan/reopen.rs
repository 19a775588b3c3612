//! Opens again, for an apply, what a plan had open; and what only now can be opened.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use formwork_contract::{Address, Diagnostic, Diagnostics, Marks, Value};

use super::ephemeral::{self, Instance, instances, placed, postconditions};
use super::resolver::Resolver;
use super::{Secrets, walk};
use crate::graph::{DesiredGraph, Each, Expansion, NodeId, NodeKind, Unit};
use crate::live::{Configured, ResourceKind};

/// The ephemeral blocks of a plan.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// In an order in which they can be opened, and whether each waits for what it names in `depends_on`.
    pub all: Vec<(Unit, bool)>,
    /// Those that are not open in this apply.
    pub closed: BTreeSet<Unit>,
}

/// A block of which the instances are about to be opened.
pub struct Reopening {
    pub unit: Unit,
    instances: Vec<Instance>,
    ephemerals: crate::live::Ephemerals,
}

/// What came of it.
pub type Reopened = Vec<(Each, Result<Value, Diagnostics>)>;

impl Reopening {
    pub async fn run(self) -> (Unit, Reopened) {
        (self.unit, ephemeral::open(self.instances, &self.ephemerals).await)
    }
}

impl Resolver {
    /// From now on impure functions give real results. Ephemeral resources are opened anew, and the providers
    /// made ready that are configured by what is ephemeral. What is not known well enough is left: see
    /// [`Resolver::next_to_open`].
    ///
    /// # Errors
    /// Something cannot be opened, or a provider refuses its settings.
    pub async fn begin_applying(&mut self) -> Result<(), Diagnostics> {
        self.evaluation.begin_applying();
        let graph = Arc::clone(&self.evaluation.graph);
        let affected = graph.made_of_ephemerals();
        for (unit, _) in self.blocks.all.clone() {
            self.forget(unit);
        }
        for node in graph.levels.iter().flatten().filter(|node| affected.contains(node)) {
            match graph.node(*node).kind {
                NodeKind::Provider(_) => self.configure_again(*node).await?,
                NodeKind::Resource(_) => {
                    let due = self.blocks.all.iter().filter(|((_, block), waits)| block == node && !waits);
                    for unit in due.map(|(unit, _)| *unit).collect::<Vec<_>>() {
                        self.open_if_known(unit).await?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The first block that has to be opened before an object is touched and can be opened now. `None` where
    /// all are open.
    ///
    /// # Errors
    /// Its configuration cannot be evaluated or still is not known.
    pub fn next_to_open(&self, address: &Address) -> Result<Option<Reopening>, Diagnostics> {
        if self.blocks.closed.is_empty() {
            return Ok(None);
        }
        let Some((user, _)) = self.origins.get(address) else { return Ok(None) };
        let needed = needed(&self.evaluation.graph, user.1);
        let is_needed =
            |unit: &Unit| needed.contains(&unit.1) && self.evaluation.seen_from(user.0, unit.1).contains(unit);
        let next = self.blocks.all.iter().map(|(unit, _)| *unit);
        let Some(unit) = next.filter(|unit| self.blocks.closed.contains(unit)).find(is_needed) else {
            return Ok(None);
        };
        match self.reopening(unit)? {
            Some(reopening) => Ok(Some(reopening)),
            None => {
                let resource = self.evaluation.resource(unit.1);
                let name = self.evaluation.graph.describe(unit.1);
                Err(Diagnostic::error(format!("`{name}` still depends on values that are not known"))
                    .label(resource.span, "cannot be opened")
                    .hint("apply again: the next plan knows more")
                    .into())
            }
        }
    }

    /// Takes in what was opened.
    ///
    /// # Errors
    /// It could not be opened, or a postcondition does not hold.
    pub fn opened(&mut self, unit: Unit, opened: Reopened) -> Result<(), Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        for (each, value) in opened {
            match value {
                Ok(value) => {
                    self.reality.secrets().know(&value);
                    // What a rehearsal made up says nothing of them.
                    if self.reality.rehearsal().is_none() {
                        diagnostics.append(postconditions(&self.evaluation, unit, &each, &value));
                    }
                    self.evaluation.set_resource_instance(unit, &each.instance_key(), value);
                }
                Err(found) => diagnostics.append(found),
            }
        }
        self.blocks.closed.remove(&unit);
        let resource = self.evaluation.resource(unit.1);
        placed(diagnostics, resource).into_result(()).map(|((), _)| ())
    }

    /// What was open in the plan is not any more.
    fn forget(&mut self, unit: Unit) {
        let Some((_, kind)) = self.kind(unit) else { return };
        let unknown = Value::unknown(kind.ty.clone()).mark(Marks::EPHEMERAL);
        if let Some(values) = self.evaluation.resource_values(unit) {
            let values = values.map(|_, _| unknown.clone());
            self.evaluation.set_resource(unit, values);
            self.blocks.closed.insert(unit);
        }
    }

    async fn open_if_known(&mut self, unit: Unit) -> Result<(), Diagnostics> {
        let span_of = |found| placed(found, self.evaluation.resource(unit.1));
        let Some(reopening) = self.reopening(unit).map_err(span_of)? else { return Ok(()) };
        let (unit, opened) = reopening.run().await;
        self.opened(unit, opened)
    }

    /// `None` while not all of its instances can be opened.
    fn reopening(&self, unit: Unit) -> Result<Option<Reopening>, Diagnostics> {
        let Some((configured, kind)) = self.kind(unit) else { return Ok(None) };
        let expansion = self.evaluation.expand_resource(unit)?;
        if matches!(expansion, Expansion::Unknown { .. }) {
            return Ok(None);
        }
        let instances = instances(&self.evaluation, unit, &expansion, &configured, &kind, false)?;
        if !instances.iter().all(Instance::is_known) {
            return Ok(None);
        }
        Ok(Some(Reopening { unit, instances, ephemerals: self.reality.ephemerals().clone() }))
    }

    fn kind(&self, unit: Unit) -> Option<(Configured, Arc<ResourceKind>)> {
        let graph = &self.evaluation.graph;
        let resource = graph.resource(unit.1);
        let configured = self.reality.get(&graph.provider_key(graph.provider_of(unit.1)?))?;
        let kind = configured.loaded.kinds.get(resource.mode, &resource.type_name)?;
        Some((configured.clone(), Arc::clone(kind)))
    }

    /// The plan's own configuration speaks of what is closed by now.
    async fn configure_again(&mut self, node: NodeId) -> Result<(), Diagnostics> {
        let graph = Arc::clone(&self.evaluation.graph);
        let key = graph.provider_key(node);
        if self.reality.get(&key).is_none() {
            return Ok(());
        }
        for unit in self.evaluation.units(node) {
            let wanted = graph.wanted(&graph.provider_source(node));
            let loaded = self.reality.load(&wanted).await?;
            let config = walk::provider_config(&self.evaluation, unit, &loaded)?;
            if !config.is_wholly_known() {
                return Err(Diagnostic::error(format!("the settings of provider `{key}` are not known any more"))
                    .hint("make a new plan: `formwork plan`")
                    .into());
            }
            self.reality.secrets().know(&config);
            self.reality.configure(&key, &wanted, config.deep_unmarked()).await.map_err(|found| {
                let secrets = Secrets::of([&config]);
                let place = |diagnostic: Diagnostic| match (graph.span(node), diagnostic.labels.is_empty()) {
                    (Some(span), true) => secrets.redacted(diagnostic).label(span, "asked for here"),
                    _ => secrets.redacted(diagnostic),
                };
                found.into_iter().map(place).collect::<Diagnostics>()
            })?;
        }
        Ok(())
    }
}

/// Everything that a node depends on, directly or not.
fn needed(graph: &DesiredGraph, node: NodeId) -> HashSet<NodeId> {
    let mut queue = vec![node];
    let mut seen = HashSet::new();
    while let Some(node) = queue.pop() {
        let fresh = graph.dependencies[node.0 as usize].iter().filter(|next| seen.insert(**next));
        queue.extend(fresh.copied());
    }
    seen
}
