//! Conditions over live data: what they are made of, and how they come out with what stands now.

use std::collections::{BTreeMap, BTreeSet};

use formwork_contract::{Address, Diagnostics, Mode, Value};

use crate::blueprint::model::Condition;
use crate::graph::{Each, InstanceId, NodeId, NodeKind, ProviderKey, Unit};
use crate::language::{ConditionResult, Retention};
use crate::plan::Resolver;

/// What stands now, by address; null for what does not.
pub type Fresh = BTreeMap<Address, Value>;

/// Something that a condition is made of, to be read again.
#[derive(Clone, Debug)]
pub struct Behind {
    pub address: Address,
    pub provider: ProviderKey,
    /// Of a data source; `None` for an object of the record.
    pub config: Option<Value>,
}

impl Resolver {
    /// The objects and data sources that a condition is made of, directly or through locals and outputs.
    ///
    /// # Errors
    /// The configuration of a data source cannot be evaluated.
    pub fn behind(&self, condition: &Condition) -> Result<Vec<Behind>, Diagnostics> {
        let graph = &self.evaluation.graph;
        let mut found = Vec::new();
        for node in graph.behind(&condition.condition) {
            let NodeKind::Resource(_) = graph.node(node).kind else { continue };
            let Some(provider) = graph.provider_of(node).map(|provider| graph.provider_key(provider)) else { continue };
            let resource = graph.resource(node);
            for unit in self.evaluation.units(node) {
                for (address, each) in self.origins_of(unit) {
                    let config = match resource.mode {
                        Mode::Managed => None,
                        Mode::Data => Some(self.data_config(unit, &address, each)?),
                        Mode::Ephemeral => continue,
                    };
                    found.push(Behind { address, provider: provider.clone(), config });
                }
            }
        }
        Ok(found)
    }

    /// How a condition comes out with what stands now. Nothing else sees these values.
    ///
    /// # Errors
    /// It cannot be evaluated.
    pub fn judge(&mut self, condition: &Condition, fresh: &Fresh) -> Result<ConditionResult, Diagnostics> {
        let nodes: BTreeSet<NodeId> = self.evaluation.graph.behind(&condition.condition);
        let values: Vec<(Unit, Each, Value)> = fresh
            .iter()
            .filter_map(|(address, value)| {
                let (unit, each) = self.origins.get(address)?;
                Some((*unit, each.clone(), value.clone()))
            })
            .collect();
        self.evaluation.with_other_values(&nodes, values, |evaluation| {
            evaluation.with_scope(InstanceId(0), Each::None, None, |scope| scope.condition(condition, "gate"))
        })
    }

    fn origins_of(&self, unit: Unit) -> Vec<(Address, &Each)> {
        let Some(values) = self.evaluation.resource_values(unit) else { return Vec::new() };
        let mut keys = Vec::new();
        values.map(|key, _| keys.push(key));
        let addresses = keys.into_iter().map(|key| self.evaluation.address(unit, key));
        addresses.filter_map(|address| self.origins.get(&address).map(|(_, each)| (address, each))).collect()
    }

    fn data_config(&self, unit: Unit, address: &Address, each: &Each) -> Result<Value, Diagnostics> {
        let resource = self.evaluation.resource(unit.1);
        let provider = self.evaluation.graph.provider_of(unit.1).map(|node| self.evaluation.graph.provider_key(node));
        let configured = provider.and_then(|key| self.reality.get(&key));
        let kind = configured.and_then(|configured| configured.loaded.kinds.get(address.mode, &address.type_name));
        let Some(kind) = kind else { return Ok(Value::NULL) };
        let each = self.evaluation.current_each(unit, each)?;
        self.evaluation
            .with_scope(unit.0, each, None, |scope| scope.body(&resource.config, &kind.block, Retention::Recorded))
    }
}
