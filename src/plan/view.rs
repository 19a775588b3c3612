//! A plan as renderers take it: without what only an apply needs.

use std::collections::BTreeMap;

use formwork_contract::{Address, Str};

use super::model::{Action, Change, CheckResult, DataRead, Deferred, Drift, Header, OutputChange, Plan, Step};
use super::release::Release;

/// The parts of a [`Plan`] that people and tools see.
#[derive(Clone, Copy, Debug)]
pub struct PlanView<'a> {
    pub header: &'a Header,
    pub changes: &'a [Change],
    pub drift: &'a [Drift],
    pub outputs: &'a BTreeMap<Str, OutputChange>,
    pub deferred: &'a [Deferred],
    pub data: &'a BTreeMap<Address, DataRead>,
    pub checks: &'a [CheckResult],
    pub steps: &'a [Step],
    pub release: &'a Release,
}

impl<'a> From<&'a Plan> for PlanView<'a> {
    fn from(plan: &'a Plan) -> Self {
        Self {
            header: &plan.header,
            changes: &plan.changes,
            drift: &plan.drift,
            outputs: &plan.outputs,
            deferred: &plan.deferred,
            data: &plan.data,
            checks: &plan.checks,
            steps: &plan.steps,
            release: &plan.release,
        }
    }
}

impl PlanView<'_> {
    /// Whether nothing in reality, no output, no address and no rule of approval would change.
    pub fn is_empty(&self) -> bool {
        self.changes
            .iter()
            .all(|change| change.action == Action::NoOp && change.moved_from.is_none() && change.importing.is_none())
            && self.outputs.values().all(|output| output.action == Action::NoOp)
            && self.header.approval.rule_changes.is_empty()
    }
}
