//! The end of a run: what was done and what was not, the outputs, and the checks.

use std::collections::BTreeMap;

use formwork_contract::json::encode;
use formwork_contract::{Diagnostics, Str, Type, Value};

use super::Executor;
use crate::apply::ApplyOutcome;
use crate::apply::journal::failed;
use crate::approve::UndoConsent;
use crate::plan::model::{Action, CheckResult, CheckStatus, FailurePolicy, PlanKind};

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
        if self.failures.is_empty() && !left && !is_undo {
            self.failures.extend(self.plan.resolver.failing_conditions());
            self.refuse_outputs(broken);
        }
        let checks = self.checks();
        let (revision, journaled) = (self.journal.revision, self.journal.written());
        let interrupted = self.interrupt.is_set();
        // Who stopped it goes on with it, and was not stopped by what stands.
        let stuck = is_undo && !interrupted && !self.failures.is_empty();
        let roll_back = undo.filter(|_| self.reaction == FailurePolicy::Rollback && !interrupted);
        // With calls still under way the revision stays open: the next run settles them.
        if self.schedule.under_way() == 0
            && let Err(error) = if stuck {
                self.journal.finish_stuck(&filed, &self.errors)
            } else {
                self.journal.finish(filed, self.failures.is_empty())
            }
        {
            self.failures.extend(failed(&error));
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
        if matches!(self.plan.header.kind, PlanKind::Destroy | PlanKind::Undo { .. }) {
            return self.plan.checks.clone();
        }
        let checks = self.plan.resolver.checks();
        let failed = checks.iter().filter(|check| check.status == CheckStatus::Fail);
        self.warnings.append(failed.flat_map(|check| check.problems.iter().cloned()).collect());
        checks
    }

    /// Output values as they are now; of those that are not known, what the record had.
    fn outputs(&self, values: &BTreeMap<Str, Value>) -> (BTreeMap<Str, (Value, bool)>, serde_json::Value) {
        let mut filed = serde_json::Map::new();
        let mut shown = BTreeMap::new();
        let before = self.journal.recorded_outputs();
        for (name, change) in &self.plan.outputs {
            if change.action == Action::Delete {
                continue;
            }
            let value = if self.journal.is_undo() { Some(&change.after) } else { values.get(name) };
            match value {
                Some(value) if value.is_wholly_known() => {
                    let value = if change.sensitive {
                        value.clone().mark(formwork_contract::Marks::SENSITIVE)
                    } else {
                        value.clone()
                    };
                    let exact = encode(&value, &Type::Any, &*self.journal.vault);
                    filed.insert(name.to_string(), serde_json::json!({"value": exact, "sensitive": change.sensitive}));
                    shown.insert(name.clone(), (value, change.sensitive));
                }
                _ => {
                    if let Some(kept) = before.get(&**name) {
                        filed.insert(name.to_string(), kept.clone());
                    }
                }
            }
        }
        (shown, serde_json::Value::Object(filed))
    }
}
