//! One question to a provider: what would come of this configuration.

use std::sync::Arc;

use formwork_contract::path::{Path, Step};
use formwork_contract::planning::{proposed, restoring};
use formwork_contract::provider::{ConfiguredProvider, Deferral, PlanRequest, PlannedChange, Private, Provider};
use formwork_contract::{Address, Diagnostics, Str, Value};

use super::file_v1::ObjectAnswer;
use super::model::Reason;
use crate::graph::{Each, Unit};
use crate::live::ResourceKind;

/// Everything that is needed to ask, so that many can be asked at once.
pub(super) struct Ask {
    pub unit: Unit,
    pub each: Each,
    pub address: Address,
    pub kind: Arc<ResourceKind>,
    pub provider: Arc<dyn ConfiguredProvider>,
    pub unconfigured: Arc<dyn Provider>,
    pub concurrency: usize,
    /// Sensitive parts are marked.
    pub config: Value,
    pub work: Work,
}

pub(super) enum Work {
    Managed(Box<ManagedAsk>),
    Data(DataAsk),
}

pub(super) struct ManagedAsk {
    /// The live object, marked; null where there is none.
    pub prior: Value,
    pub private: Private,
    /// There was one, and it is gone.
    pub vanished: bool,
    pub force: Option<Reason>,
    pub restore: Option<Value>,
    /// `None`: ignore every change.
    pub ignore: Option<Vec<Path>>,
    pub import: Option<Str>,
    /// What an opened plan file says instead.
    pub answer: Option<ObjectAnswer>,
}

pub(super) struct DataAsk {
    pub pinned: Option<Value>,
    /// Something that it depends on is to change first.
    pub waits: bool,
}

pub(super) struct Answer {
    pub ask: Ask,
    pub result: Result<Answered, Diagnostics>,
    pub warnings: Diagnostics,
}

pub(super) enum Answered {
    Managed(Box<ManagedAnswer>),
    Data(DataAnswer),
}

pub(super) enum DataAnswer {
    Known(Value),
    /// Only during apply, and what is known of it until then.
    Later(Reason, Value),
}

pub(super) struct ManagedAnswer {
    pub prior: Value,
    /// The provider's own data about the prior object.
    pub private: Private,
    /// As asked for, with `ignore_changes` and what a rollback restores.
    pub config: Value,
    pub planned: PlannedChange,
    /// The plan of the new object, where there is to be one.
    pub replacement: Option<PlannedChange>,
    pub reason: Option<Reason>,
    pub import: Option<Str>,
    pub vanished: bool,
}

impl Ask {
    pub(super) async fn run(mut self) -> Answer {
        let work = std::mem::replace(&mut self.work, Work::Data(DataAsk { pinned: None, waits: false }));
        let mut warnings = Diagnostics::new();
        let result = match work {
            Work::Managed(managed) => {
                self.managed(*managed, &mut warnings).await.map(|answer| Answered::Managed(Box::new(answer)))
            }
            Work::Data(data) => self.data(data, &mut warnings).await.map(Answered::Data),
        };
        Answer { ask: self, result, warnings }
    }

    async fn data(&self, data: DataAsk, warnings: &mut Diagnostics) -> Result<DataAnswer, Diagnostics> {
        if let Some(value) = data.pinned {
            return Ok(DataAnswer::Known(value));
        }
        let later = |reason| {
            DataAnswer::Later(
                reason,
                formwork_contract::planning::unknown_where_computed(&self.kind.block, &self.config),
            )
        };
        let config = self.config.deep_unmarked();
        check(self.unconfigured.validate_data(&self.kind.name, &config).await, warnings)?;
        if !self.config.is_wholly_known() {
            return Ok(later(Reason::ConfigUnknown));
        }
        if data.waits {
            return Ok(later(Reason::DependencyPending));
        }
        let value = self.provider.read_data(&self.kind.name, &config).await?;
        let value = self.kind.conforming(value, "a reading of the data source")?;
        Ok(DataAnswer::Known(value.with_marks_of(&self.config)))
    }

    async fn managed(&self, mut ask: ManagedAsk, warnings: &mut Diagnostics) -> Result<ManagedAnswer, Diagnostics> {
        check(self.unconfigured.validate_resource(&self.kind.name, &self.config.deep_unmarked()).await, warnings)?;
        if let Some(answer) = ask.answer.take() {
            return Ok(self.as_filed(ask, answer));
        }
        if let Some(id) = &ask.import {
            let imported = self.provider.import(&self.kind.name, id).await?;
            let value = self.kind.conforming(imported.value, "an import")?;
            ask.prior = self.kind.block.mark_sensitive(&value);
            ask.private = imported.private;
        }
        let config = self.effective_config(&ask);
        let planned = self.plan(&ask.prior, &config, &ask.private, warnings).await?;
        let exists = !ask.prior.is_null();
        // Plugins name what could not change in place when they plan a creation as well.
        let forces = |path: &&Path| {
            let (before, after) = (ask.prior.at(path), planned.planned.at(path));
            exists && before.map(Value::deep_unmarked) != after.map(Value::deep_unmarked)
        };
        let requires_replace: Vec<Path> = planned.requires_replace.iter().filter(forces).cloned().collect();
        let replace = exists && (ask.force.is_some() || !requires_replace.is_empty());
        let replacement = if replace {
            Some(self.plan(&Value::Null(self.kind.ty.clone()), &config, &Private::default(), warnings).await?)
        } else {
            None
        };
        Ok(ManagedAnswer {
            config,
            planned: PlannedChange { requires_replace, ..planned },
            replacement,
            reason: ask.force,
            import: ask.import,
            vanished: ask.vanished,
            prior: ask.prior,
            private: ask.private,
        })
    }

    async fn plan(
        &self,
        prior: &Value,
        config: &Value,
        private: &Private,
        warnings: &mut Diagnostics,
    ) -> Result<PlannedChange, Diagnostics> {
        let mut planned = planned_change(&*self.provider, &self.kind, &self.address, prior, config, private).await?;
        warnings.append(std::mem::take(&mut planned.diagnostics));
        Ok(planned)
    }

    fn effective_config(&self, ask: &ManagedAsk) -> Value {
        let config = match &ask.restore {
            Some(image) => restoring(&self.kind.block, image, &self.config),
            None => self.config.clone(),
        };
        if ask.prior.is_null() {
            return config;
        }
        match &ask.ignore {
            Some(paths) => paths.iter().fold(config, |config, path| with_part_of(&config, &ask.prior, path)),
            None => {
                let entries = config.entries().into_iter().flat_map(formwork_contract::Entries::iter);
                let names: Vec<Path> = entries.map(|(name, _)| Path::attribute(name.clone())).collect();
                let settable = |path: &&Path| match path.steps().first() {
                    Some(Step::Attribute(name)) => self
                        .kind
                        .block
                        .attributes
                        .get(name)
                        .is_none_or(|attribute| attribute.required || attribute.optional),
                    _ => false,
                };
                names.iter().filter(settable).fold(config, |config, path| with_part_of(&config, &ask.prior, path))
            }
        }
    }

    /// The answer that a plan file keeps.
    fn as_filed(&self, ask: ManagedAsk, answer: ObjectAnswer) -> ManagedAnswer {
        let config = self.effective_config(&ask);
        let plan = |planned: Value| PlannedChange {
            requires_replace: answer.replace_paths.clone(),
            private: Private(Arc::clone(&answer.planned_private)),
            deferred: answer.deferred,
            ..PlannedChange::new(planned)
        };
        ManagedAnswer {
            config,
            prior: answer.before.clone().unwrap_or(ask.prior),
            private: answer.before.map_or(ask.private, |_| Private(answer.private)),
            replacement: answer.replace.then(|| plan(answer.after.clone())),
            planned: plan(answer.after.clone()),
            reason: ask.force,
            import: ask.import,
            vanished: ask.vanished,
        }
    }
}

impl ManagedAnswer {
    /// Why the provider puts this off, if it does.
    pub(super) fn deferred(&self) -> Option<Deferral> {
        self.planned.deferred.or(self.replacement.as_ref().and_then(|planned| planned.deferred))
    }
}

/// What a provider says would come of a configuration.
///
/// # Errors
/// The change is not possible, or the answer does not fit the schema.
pub(super) async fn planned_change(
    provider: &dyn ConfiguredProvider,
    kind: &ResourceKind,
    address: &Address,
    prior: &Value,
    config: &Value,
    private: &Private,
) -> Result<PlannedChange, Diagnostics> {
    let (prior, config) = (prior.deep_unmarked(), config.deep_unmarked());
    let request = PlanRequest {
        type_name: kind.name.clone(),
        address: address.clone(),
        proposed: proposed(&kind.block, &prior, &config),
        prior,
        config,
        private: private.clone(),
    };
    let planned = provider.plan(request).await?;
    Ok(PlannedChange { planned: kind.conforming(planned.planned, "a plan")?, ..planned })
}

fn check(diagnostics: Diagnostics, warnings: &mut Diagnostics) -> Result<(), Diagnostics> {
    let ((), told) = diagnostics.into_result(())?;
    warnings.append(told);
    Ok(())
}

/// `value` with the part at a path taken from `other`; as it is where either has no such part.
fn with_part_of(value: &Value, other: &Value, path: &Path) -> Value {
    let Some(part) = other.at(path) else { return value.clone() };
    set_at(value, &path.steps(), part)
}

pub(super) fn set_at(value: &Value, steps: &[&Step], part: &Value) -> Value {
    let Some((first, rest)) = steps.split_first() else { return part.clone() };
    if let (Value::Map(_), Step::Key(name) | Step::Attribute(name)) = (value.unmarked(), first)
        && value.get(name).is_none()
        && rest.is_empty()
    {
        return value.with(name, part.clone());
    }
    value.map_children(&mut |step, child| if step == **first { set_at(child, rest, part) } else { child.clone() })
}
