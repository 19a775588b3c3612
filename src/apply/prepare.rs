//! Makes steps ready to be done: reads again what they touch, and completes what was unknown.

use std::sync::Arc;

use formwork_contract::planning::{contradiction, differences, proposed};
use formwork_contract::provider::{AttemptKey, ConfiguredProvider, PlanRequest, Private, ReadOutcome, ReadRequest};
use formwork_contract::{Address, Diagnostic, Diagnostics, Path, Value};

use crate::live::ResourceKind;
use crate::plan::model::StepAction;
use crate::plan::{Secrets, fingerprint};
use crate::record::Vault;

/// How many characters of a value are told.
const SHOWN: usize = 200;

/// A step that is about to be done, with all that a provider has to be told.
#[derive(Clone)]
pub(super) struct Prepared {
    pub step: usize,
    pub action: StepAction,
    pub address: Address,
    pub kind: Arc<ResourceKind>,
    pub provider: Arc<dyn ConfiguredProvider>,
    /// Marked; null where nothing stands or is to stand.
    pub prior: Value,
    pub config: Value,
    pub planned: Value,
    /// The provider's own data about what stands, and about what is planned.
    pub prior_private: Private,
    pub private: Private,
    /// The object that the plan saw, where that is not `prior`: one that a new one is made in place of.
    pub seen: Option<(Value, Private)>,
    pub attempt: AttemptKey,
    /// Of the object, as it was when the plan was made.
    pub fingerprint: Option<formwork_contract::Str>,
    /// The configuration was not wholly known when the plan was made.
    pub completed: bool,
}

impl Prepared {
    /// The object that the fingerprint is of.
    fn seen(&self) -> (&Value, &Private) {
        self.seen.as_ref().map_or((&self.prior, &self.prior_private), |(value, private)| (value, private))
    }

    /// The provider's own data, of what stands where something does.
    pub(super) fn known_private(&self) -> Private {
        if self.prior.is_null() { self.private.clone() } else { self.prior_private.clone() }
    }
}

/// Prepares steps of one provider: one read for all that have to be looked at again.
pub(super) async fn prepare(steps: Vec<Prepared>, vault: Arc<Vault>) -> Vec<(usize, Result<Prepared, Diagnostics>)> {
    let Some(provider) = steps.first().map(|step| Arc::clone(&step.provider)) else { return Vec::new() };
    let requests: Vec<ReadRequest> = steps.iter().filter(|step| step.fingerprint.is_some()).map(read_request).collect();
    let mut answers = if requests.is_empty() { Vec::new() } else { provider.read(&requests).await }.into_iter();
    let mut prepared = Vec::with_capacity(steps.len());
    for step in steps {
        let number = step.step;
        let seen = match &step.fingerprint {
            Some(_) => answers.next().map(|answer| answer.and_then(|outcome| unmoved(&step, outcome, &vault))),
            None => Some(Ok(())),
        };
        let result = match seen {
            Some(Ok(())) => complete(step).await,
            Some(Err(diagnostics)) => Err(diagnostics),
            None => Err(Diagnostic::error("the provider answered fewer reads than were asked")
                .address(&step.address)
                .into()),
        };
        prepared.push((number, result));
    }
    prepared
}

fn read_request(step: &Prepared) -> ReadRequest {
    let (seen, private) = step.seen();
    ReadRequest {
        type_name: step.kind.name.clone(),
        address: step.address.clone(),
        value: seen.deep_unmarked(),
        private: private.clone(),
    }
}

/// The object must be what it was when the plan was approved.
fn unmoved(step: &Prepared, outcome: ReadOutcome, vault: &Vault) -> Result<(), Diagnostics> {
    let ReadOutcome::Present { value, .. } = outcome else {
        if step.action == StepAction::Delete {
            return Ok(());
        }
        return Err(Diagnostic::error(format!("`{}` is gone since the plan was made", step.address))
            .detail("The plan changes an object that no longer stands.")
            .address(&step.address)
            .hint("make a new plan: `formwork plan`")
            .into());
    };
    let (seen, _) = step.seen();
    let value = step.kind.block.mark_sensitive(&value).with_marks_of(seen);
    if step.fingerprint.as_deref() == Some(&*fingerprint(&value, &step.kind.ty, vault)) {
        return Ok(());
    }
    let moved: Vec<String> = differences(seen, &value).iter().map(|path| moved_part(path, seen, &value)).collect();
    if moved.is_empty() {
        // The same object in another form: a key of the record was changed.
        return Ok(());
    }
    Err(Diagnostic::error(format!("`{}` changed since the plan was made", step.address))
        .detail(format!("{}.", moved.join("; ")))
        .address(&step.address)
        .hint("make a new plan that takes this into account: `formwork plan`")
        .into())
}

/// What a part of an object was and is. Of a sensitive one only that it differs.
fn moved_part(path: &Path, was: &Value, is: &Value) -> String {
    let parts = [was.at(path), is.at(path)];
    if parts.iter().flatten().any(|part| part.deep_marks().sensitive) {
        return format!("`{path}` is another (sensitive)");
    }
    let [was, is] = parts.map(|part| match part {
        Some(part) => shortened(&formwork_contract::json::to_plain(part).to_string()),
        None => "nothing".into(),
    });
    format!("`{path}` was {was} and is {is}")
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Plans again where the configuration has become known only now. What was approved must still hold.
async fn complete(mut step: Prepared) -> Result<Prepared, Diagnostics> {
    if !step.completed || !matches!(step.action, StepAction::Create | StepAction::Update) {
        return Ok(step);
    }
    let (prior, config) = (step.prior.deep_unmarked(), step.config.deep_unmarked());
    let request = PlanRequest {
        type_name: step.kind.name.clone(),
        address: step.address.clone(),
        proposed: proposed(&step.kind.block, &prior, &config),
        prior,
        config,
        private: step.prior_private.clone(),
    };
    let planned = step.provider.plan(request).await?;
    if planned.deferred.is_some() {
        return Err(Diagnostic::error(format!(
            "`{}` cannot be planned yet, though all values are known",
            step.address
        ))
        .detail("Its provider puts it off.")
        .address(&step.address)
        .hint("apply again: the next plan knows more")
        .into());
    }
    if step.action == StepAction::Update && !planned.requires_replace.is_empty() {
        let paths: Vec<String> = planned.requires_replace.iter().map(|path| format!("`{path}`")).collect();
        return Err(Diagnostic::error(format!("`{}` would have to be replaced, which was not approved", step.address))
            .detail(format!("Only now is it known what {} will be.", paths.join(", ")))
            .address(&step.address)
            .hint("make a new plan: it will show the replacement")
            .into());
    }
    if let Some(path) = contradiction(&step.planned, &planned.planned) {
        return Err(Diagnostic::error(format!("`{path}` of `{}` would differ from what was approved", step.address))
            .detail("The provider plans something else now that all values are known.")
            .address(&step.address)
            .hint("make a new plan and look at the difference")
            .into());
    }
    let planned_value = step.kind.conforming(planned.planned, "a plan")?;
    let planned_value = step.kind.block.mark_sensitive(&planned_value).with_marks_of(&step.planned);
    // What has become known may be sensitive, and the provider repeats it.
    step.planned = Secrets::of([&step.config]).seal_copies(&planned_value);
    step.private = planned.private;
    Ok(step)
}
