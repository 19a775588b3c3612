//! What is left of a plan whose run ended before it was carried out, and whether it still holds.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use formwork_contract::json::{Seal, decode};
use formwork_contract::planning::contradiction;
use formwork_contract::provider::{AttemptKey, Private};
use formwork_contract::{Address, Diagnostic, Diagnostics, Str, Value};

use super::journal::{deposed_key, failed, numbers};
use super::prepare::{Prepared, prepare};
use crate::plan::model::{Change, StepAction};
use crate::plan::{Plan, fingerprint};
use crate::record::model::{RecordedResource, StepEventKind};
use crate::record::{Record, RecordError, RecordedStep, StepStatus, private};

/// Where the run that goes on begins.
#[derive(Default)]
pub(super) struct Left {
    /// Places of steps that are done.
    pub done: Vec<usize>,
    /// Places of steps that are done anew without being written: what they gave was not kept.
    pub unwritten: Vec<usize>,
    /// What a look at reality said was done already, to be written down.
    pub events: Vec<(usize, StepEventKind)>,
    /// What the steps that are done made.
    pub standing: Vec<(Address, Value)>,
    pub half_way: HashMap<usize, HalfWay>,
}

/// An object that was changed in part.
pub(super) struct HalfWay {
    pub value: Value,
    pub private: Private,
    pub fingerprint: Str,
}

/// Where one step stands.
enum Standing {
    Done,
    /// It was done, and nobody wrote so.
    FoundDone(Box<RecordedResource>),
    FoundGone,
    Again,
    HalfWay(HalfWay),
}

/// What is left to be done of a plan.
///
/// # Errors
/// Steps that cannot be gone on with, and addresses that a later revision changed.
pub(super) fn left_of(plan: &Plan, digest: &str, record: &Record, revision: u64) -> Result<Left, Diagnostics> {
    let read = || Ok::<_, RecordError>((record.steps_of(revision)?, record.touched_since(revision)?));
    let (steps, touched) = read().map_err(|error| failed(&error))?;
    let mut diagnostics = changed_since(revision, &touched);
    let mut left = Left::default();
    for (place, number) in numbers(plan).into_iter().enumerate() {
        let (Some(number), Some(change)) = (number, plan.steps[place].change.map(|at| &plan.changes[at])) else {
            continue;
        };
        let Some(step) = steps.get(number) else { continue };
        let asked = Asked { plan, place, change, step, record, digest };
        match asked.standing() {
            Ok(standing) => asked.sort(standing, &mut left)?,
            Err(found) => diagnostics.append(found),
        }
    }
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(left) }
}

fn changed_since(revision: u64, touched: &BTreeMap<Address, u64>) -> Diagnostics {
    let told = touched.iter().map(|(address, by)| {
        Diagnostic::error(format!("revision {by} changed `{address}`, which revision {revision} is about"))
            .detail("What was approved was made for the object as it was before.")
            .address(address)
            .hint("make a new plan: `formwork plan`")
    });
    told.collect()
}

/// One step of the plan beside what the journal says of it.
struct Asked<'a> {
    plan: &'a Plan,
    place: usize,
    change: &'a Change,
    step: &'a RecordedStep,
    record: &'a Record,
    digest: &'a str,
}

impl Asked<'_> {
    fn standing(&self) -> Result<Standing, Diagnostics> {
        let action = self.plan.steps[self.place].action;
        Ok(match (self.step.status, action) {
            (StepStatus::Done, _) => Standing::Done,
            (StepStatus::Planned | StepStatus::Failed, _) => Standing::Again,
            (StepStatus::Intended | StepStatus::Unknown, _) => {
                return Err(self.refused("it is not known what became of it"));
            }
            (StepStatus::Partly, StepAction::Create) => return Err(self.refused("it was made only in part")),
            (StepStatus::Partly, _) => self.half_way()?,
            (StepStatus::Settled, StepAction::Create) => match self.recorded()? {
                Some(made) if self.step.took_effect && made.tainted => {
                    return Err(self.refused("it was made only in part"));
                }
                Some(made) if self.step.took_effect => Standing::FoundDone(Box::new(made)),
                _ => Standing::Again,
            },
            (StepStatus::Settled, StepAction::Delete) => match self.recorded()? {
                Some(_) => self.half_way()?,
                None => Standing::FoundGone,
            },
            (StepStatus::Settled, _) => match self.recorded()? {
                None => return Err(self.refused("it is gone")),
                Some(found) => match contradiction(&self.change.after, &self.value(&found)?) {
                    None => Standing::FoundDone(Box::new(found)),
                    Some(_) => self.half_way()?,
                },
            },
        })
    }

    fn sort(&self, standing: Standing, left: &mut Left) -> Result<(), Diagnostics> {
        let action = self.plan.steps[self.place].action;
        match standing {
            // What a data source gave was not kept.
            Standing::Done if action == StepAction::Read => left.unwritten.push(self.place),
            Standing::Done => {
                left.done.push(self.place);
                if matches!(action, StepAction::Create | StepAction::Update)
                    && let Some(made) = self.recorded()?
                {
                    left.standing.push((self.change.address.clone(), self.value(&made)?));
                }
            }
            Standing::FoundDone(made) => {
                left.done.push(self.place);
                left.standing.push((self.change.address.clone(), self.value(&made)?));
                left.events.push((self.place, StepEventKind::Done { resource: Some(made), from: None }));
            }
            Standing::FoundGone => {
                left.done.push(self.place);
                left.events.push((self.place, StepEventKind::Done { resource: None, from: None }));
            }
            Standing::Again => {}
            Standing::HalfWay(half) => drop(left.half_way.insert(self.place, half)),
        }
        Ok(())
    }

    /// What the record holds of the object that the step is about.
    fn recorded(&self) -> Result<Option<RecordedResource>, Diagnostics> {
        let key = deposed_key(self.plan, self.place, self.digest);
        self.record.resource(&self.change.address, key.as_deref()).map_err(|error| failed(&error))
    }

    fn value(&self, recorded: &RecordedResource) -> Result<Value, Diagnostics> {
        let kind = &self.change.kind;
        let value = decode(&recorded.value, &kind.ty, &**self.record.vault()).map_err(|error| {
            Diagnostic::error("what the record holds cannot be read")
                .detail(error.to_string())
                .address(&self.change.address)
        })?;
        Ok(kind.block.mark_sensitive(&value))
    }

    /// An object that this revision itself left as it is now.
    fn half_way(&self) -> Result<Standing, Diagnostics> {
        let Some(found) = self.recorded()? else { return Ok(Standing::Again) };
        let value = self.value(&found)?;
        let vault = &**self.record.vault();
        let private = private::opened(&found.private, vault)
            .map_err(|error| Diagnostic::error(error.to_string()).address(&self.change.address))?;
        let fingerprint = as_fingerprint(&value, self.change, vault);
        Ok(Standing::HalfWay(HalfWay { value, private: Private(private), fingerprint }))
    }

    fn refused(&self, why: &str) -> Diagnostics {
        let address = &self.change.address;
        Diagnostic::error(format!("`{address}` cannot be gone on with: {why}"))
            .detail("What was approved was another step than the one that is needed now.")
            .address(address)
            .hint("make a new plan, which takes it from here: `formwork apply`; or go back: `formwork rollback`")
            .into()
    }
}

fn as_fingerprint(value: &Value, change: &Change, seal: &dyn Seal) -> Str {
    fingerprint(&value.deep_unmarked().with_marks_of(value), &change.kind.ty, seal)
}

/// Looks again at every object that is still to be touched, before anything is begun.
///
/// # Errors
/// Each object that is not what it was when the plan was made.
pub(super) async fn unmoved(plan: &Plan, left: &Left, record: &Record) -> Result<(), Diagnostics> {
    let mut batches: BTreeMap<String, Vec<Prepared>> = BTreeMap::new();
    for (place, step) in plan.steps.iter().enumerate() {
        let Some(change) = step.change.map(|at| &plan.changes[at]) else { continue };
        let touches = matches!(step.action, StepAction::Update | StepAction::Delete);
        let Some(configured) = plan.resolver.reality.get(&change.provider) else { continue };
        if !touches || left.done.contains(&place) {
            continue;
        }
        let half = left.half_way.get(&place);
        let nothing = Value::Null(change.kind.ty.clone());
        let looked_at = Prepared {
            step: place,
            action: step.action,
            address: change.address.clone(),
            kind: Arc::clone(&change.kind),
            provider: Arc::clone(&configured.provider),
            prior: half.map_or_else(|| change.before.clone(), |half| half.value.clone()),
            config: nothing.clone(),
            planned: nothing,
            prior_private: half.map_or_else(|| change.private.clone(), |half| half.private.clone()),
            private: Private::default(),
            attempt: AttemptKey(Str::default()),
            seen: None,
            fingerprint: half.map_or_else(|| step.fingerprint.clone(), |half| Some(half.fingerprint.clone())),
            completed: false,
        };
        batches.entry(change.provider.to_string()).or_default().push(looked_at);
    }
    let mut diagnostics = Diagnostics::new();
    for batch in batches.into_values() {
        for (_, looked) in prepare(batch, Arc::clone(record.vault())).await {
            diagnostics.append(looked.err().unwrap_or_default());
        }
    }
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(()) }
}
