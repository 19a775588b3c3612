//! One call of a provider, with its retries, and what it comes to.

use std::time::Duration;

use formwork_contract::planning::contradiction;
use formwork_contract::provider::{Applied, ApplyError, ApplyRequest, Private, Retry, SettleRequest, Settlement};
use formwork_contract::{Diagnostic, Diagnostics, Str, Value};

use super::prepare::Prepared;
use super::progress::{Progress, ProgressEvent};
use crate::plan::Secrets;
use crate::plan::model::StepAction;

/// How often a call that "did not happen, try later" is made again.
const RETRIES: u32 = 12;
/// No wait between two calls is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What a step came to.
pub(super) enum Called {
    Done {
        value: Value,
        private: Private,
        /// A result that differs from the plan is no error.
        imprecise: bool,
        warnings: Diagnostics,
    },
    /// Nothing changed.
    Failed(Diagnostic),
    Partly {
        value: Value,
        private: Private,
        diagnostic: Diagnostic,
    },
    Unknown(Diagnostic),
}

/// Carries one step out.
pub(super) async fn call(step: &Prepared, progress: &dyn Progress) -> Called {
    if step.action == StepAction::Read {
        return read(step).await;
    }
    let deleting = step.action == StepAction::Delete;
    let nothing = || Value::Null(step.kind.ty.clone());
    let request = ApplyRequest {
        type_name: step.kind.name.clone(),
        address: step.address.clone(),
        prior: step.prior.deep_unmarked(),
        config: if deleting { nothing() } else { step.config.deep_unmarked() },
        planned: if deleting { nothing() } else { step.planned.deep_unmarked() },
        private: step.private.clone(),
        attempt: step.attempt.clone(),
    };
    let mut attempt = 0;
    loop {
        match step.provider.apply(request.clone()).await {
            Ok(applied) => return done(step, applied),
            Err(ApplyError::DidNotHappen { diagnostic, retry: Retry::After(wait) }) if attempt < RETRIES => {
                attempt += 1;
                let after = wait.saturating_mul(1 << attempt.min(6)).min(LONGEST_WAIT);
                let why: Str = about(*diagnostic, step).summary.as_str().into();
                progress.event(&ProgressEvent::StepRetried { address: step.address.clone(), after, why });
                tokio::time::sleep(after).await;
            }
            Err(ApplyError::DidNotHappen { diagnostic, .. }) => return Called::Failed(about(*diagnostic, step)),
            Err(ApplyError::Partly { diagnostic, value, private }) => {
                return match step.kind.typed(*value, "the result of an apply") {
                    Ok(value) => {
                        let value = marked_half_way(step, &value);
                        Called::Partly { value, private, diagnostic: about(*diagnostic, step) }
                    }
                    Err(_) => Called::Unknown(about(*diagnostic, step)),
                };
            }
            Err(ApplyError::Unknown { diagnostic }) => return settle_now(step, about(*diagnostic, step)).await,
        }
    }
}

fn done(step: &Prepared, applied: Applied) -> Called {
    match step.kind.typed(applied.value, "the result of an apply") {
        Ok(value) => Called::Done {
            value: marked(step, &value),
            private: applied.private,
            imprecise: applied.imprecise,
            warnings: applied.diagnostics,
        },
        // Something was done, and it cannot be read what.
        Err(found) => Called::Unknown(first(found, step)),
    }
}

/// A value from the provider, with the marks of what led to it.
fn marked(step: &Prepared, value: &Value) -> Value {
    let value = step.kind.block.mark_sensitive(value).with_marks_of(&step.planned);
    Secrets::of([&step.config]).seal_copies(&value)
}

/// The same, where a part of what stood may still stand: what was secret of that stays so.
fn marked_half_way(step: &Prepared, value: &Value) -> Value {
    let value = marked(step, value).with_marks_of(&step.prior);
    Secrets::of([&step.prior]).seal_copies(&value)
}

fn first(diagnostics: Diagnostics, step: &Prepared) -> Diagnostic {
    let first = diagnostics.into_iter().find(Diagnostic::is_error);
    about(first.unwrap_or_else(|| Diagnostic::error("the provider gave no reason")), step)
}

/// The answer was lost: a look at reality often tells at once what came of the call.
async fn settle_now(step: &Prepared, diagnostic: Diagnostic) -> Called {
    let request = SettleRequest {
        type_name: step.kind.name.clone(),
        address: step.address.clone(),
        prior: step.prior.deep_unmarked(),
        planned: if step.action == StepAction::Delete {
            Value::Null(step.kind.ty.clone())
        } else {
            step.planned.deep_unmarked()
        },
        private: step.known_private(),
        attempt: step.attempt.clone(),
    };
    match (step.action, step.provider.settle(request).await) {
        (StepAction::Delete, Ok(Settlement::Absent)) => Called::Done {
            value: Value::Null(step.kind.ty.clone()),
            private: Private::default(),
            imprecise: false,
            warnings: Diagnostics::new(),
        },
        (StepAction::Create | StepAction::Update, Ok(Settlement::Present { value, private })) => {
            match step.kind.conforming(value, "a reading") {
                Ok(value) if contradiction(&step.planned, &value).is_none() => {
                    let value = marked(step, &value);
                    Called::Done { value, private, imprecise: false, warnings: Diagnostics::new() }
                }
                _ => Called::Unknown(diagnostic),
            }
        }
        (StepAction::Create, Ok(Settlement::Absent)) => Called::Failed(diagnostic),
        _ => Called::Unknown(diagnostic),
    }
}

async fn read(step: &Prepared) -> Called {
    match step.provider.read_data(&step.kind.name, &step.config.deep_unmarked()).await {
        Ok(value) => match step.kind.conforming(value, "a reading of the data source") {
            Ok(value) => {
                let value = step.kind.block.mark_sensitive(&value).with_marks_of(&step.config);
                Called::Done { value, private: Private::default(), imprecise: false, warnings: Diagnostics::new() }
            }
            Err(found) => Called::Failed(first(found, step)),
        },
        Err(diagnostics) => Called::Failed(first(diagnostics, step)),
    }
}

fn about(diagnostic: Diagnostic, step: &Prepared) -> Diagnostic {
    let diagnostic = Secrets::of([&step.config, &step.prior, &step.planned]).redacted(diagnostic);
    if diagnostic.address.is_some() { diagnostic } else { diagnostic.address(&step.address) }
}
