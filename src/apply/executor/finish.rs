//! The end of a run: what was done and what was not, the outputs, and the checks.

use std::collections::BTreeMap;

use formwork_contract::json::encode;
use formwork_contract::{Diagnostics, Str, Type, Value};

use super::Executor;
use crate::apply::ApplyOutcome;
use crate::apply::journal::failed;
use crate::approve::UndoConsent;
use crate::plan::model::{Action, CheckResult, CheckStatus, FailurePolicy, PlanKind};
use crate::record::OutputEdit;

impl Executor<'_> {
    /// Closes the revision and says what became of the plan.
    pub(in crate::apply) fn finish(mut self, undo: Option<UndoConsent>) -> Result<ApplyOutcome, Diagnostics> {
        let mut not_started = Vec::new();
        let mut open = Vec::new();
        for (place, step) in self.plan.steps.iter().enumerate() {
            let Some(number) = step.change else { continue };
            let named = (self.plan.changes[number].address.clone(), step.action);
            if self.open.contains(&place) || self.schedule.is_under_way(place) {
                open.push(named);
            } else if !self.schedule.is_finished(place) {
                not_started.push(named);
            }
        }
        let (values, broken) = self.plan.resolver.outputs();
        let (outputs, filed) = self.outputs(&values);
        let is_undo = self.journal.is_undo();
        let left = !(not_started.is_empty() && open.is_empty());
        if self.failures.is_empty() && !left && !is_undo && !self.is_rehearsal() {
            self.failures.extend(self.plan.resolver.failing_conditions());
            self.refuse_outputs(broken);
        }
        let checks = self.checks();
        let (revision, journaled) = (self.journal.revision, self.journal.written());
        let interrupted = self.interrupt.is_set();
        let paused = self.gates.paused.take().filter(|_| self.failures.is_empty());
        // Who stopped it goes on with it, and was not stopped by what stands.
        let stuck = is_undo && !interrupted && !self.failures.is_empty();
        let roll_back = undo.filter(|_| self.reaction == FailurePolicy::Rollback && !interrupted);
        // With calls still under way the revision stays open: the next run settles them.
        if self.schedule.under_way() == 0 {
            let ended = match &paused {
                Some(_) => self.journal.pause(),
                None if stuck => self.journal.finish_stuck(&filed, &self.errors),
                None => self.journal.finish(filed, self.failures.is_empty()),
            };
            self.failures.extend(ended.err().into_iter().flat_map(|error| failed(&error)));
        }
        Ok(ApplyOutcome {
            revision,
            done: self.done,
            failed: self.failures,
            not_started,
            open,
            interrupted,
            journaled,
            stuck,
            roll_back,
            paused,
            outputs,
            checks,
            warnings: self.warnings,
        })
    }

    /// Outputs that cannot be given though everything is known; of those out of focus nothing was promised.
    fn refuse_outputs(&mut self, broken: BTreeMap<Str, Diagnostics>) {
        let promised = |name: &Str| {
            self.plan.outputs.get(name).is_some_and(|change| matches!(change.action, Action::Create | Action::Update))
        };
        let told: Vec<Diagnostics> =
            broken.into_iter().filter(|(name, _)| promised(name)).map(|(_, told)| told).collect();
        self.failures.extend(told.into_iter().flatten());
    }

    /// The `check` blocks, as reality is now; those that fail warn. After a destroy there is nothing to check.
    fn checks(&mut self) -> Vec<CheckResult> {
        if matches!(self.plan.header.kind, PlanKind::Destroy | PlanKind::Undo { .. }) || self.is_rehearsal() {
            return self.plan.checks.clone();
        }
        let checks = self.plan.resolver.checks();
        let failed = checks.iter().filter(|check| check.status == CheckStatus::Fail);
        self.warnings.append(failed.flat_map(|check| check.problems.iter().cloned()).collect());
        checks
    }

    /// Output values as they are now, and what the run makes of those that it changes. Of one that is not known the
    /// record keeps what it had.
    fn outputs(&self, values: &BTreeMap<Str, Value>) -> (BTreeMap<Str, (Value, bool)>, OutputEdit) {
        let mut filed = BTreeMap::new();
        let mut shown = BTreeMap::new();
        for (name, change) in &self.plan.outputs {
            let is_written = self.plan.header.bound.outputs.contains_key(name);
            if change.action == Action::Delete {
                filed.extend(is_written.then(|| (name.clone(), None)));
                continue;
            }
            // A way back leaves what was before, which nothing here gives.
            let value =
                if self.journal.is_undo() { self.plan.resolver.output_again(name) } else { values.get(name).cloned() };
            let Some(value) = value.filter(Value::is_wholly_known) else { continue };
            let value = if change.sensitive { value.mark(formwork_contract::Marks::SENSITIVE) } else { value };
            if is_written {
                let exact = encode(&value, &Type::Any, &*self.journal.vault);
                filed.insert(name.clone(), Some(serde_json::json!({"value": exact, "sensitive": change.sensitive})));
            }
            shown.insert(name.clone(), (value, change.sensitive));
        }
        (shown, OutputEdit::These(filed))
    }
}
