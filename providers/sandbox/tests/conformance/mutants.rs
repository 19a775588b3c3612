//! Providers broken on purpose: the suite must catch each, by the check that is meant to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use formwork_conformance::{Check, Subject, run};
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, AttemptKey, ConfiguredProvider, Context, Discovered, Imported, PlanRequest,
    PlannedChange, Preflight, PreflightRequest, Provider, ReadOutcome, ReadRequest, Retry, SettleRequest, Settlement,
};
use formwork_contract::{Attribute, Diagnostic, Diagnostics, Path, ProviderSchema, Type, Value};
use formwork_sandbox::Sandbox;

use crate::{fixtures, sandbox_subject};

/// A way to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    ReservedName,
    RefusesUnknowns,
    ClaimsToKnow,
    ReadsSomethingElse,
    ForgetsTags,
    NeverSettlesDown,
    AlwaysReplaces,
    NeverReplaces,
    SecondDeletionFails,
    DoesNotDelete,
    IgnoresAttempts,
    SettlesNothing,
    SettlesTooMuch,
    ImportsHalf,
    ReadsFromMemory,
    DiscoversNothing,
    DiscoversForAnyone,
    DiscoversTheDead,
    ReadsBackwards,
    SaysNothingHappened,
    SaysMoreThanHappened,
    PreflightRefusesAll,
    PreflightRefusesNothing,
}

impl Fault {
    const ALL: [(Self, Check); 23] = [
        (Self::ReservedName, Check::SchemaSanity),
        (Self::RefusesUnknowns, Check::Validation),
        (Self::ClaimsToKnow, Check::UnknownsPlanned),
        (Self::ReadsSomethingElse, Check::ReadAfterApply),
        (Self::ForgetsTags, Check::UpdateInPlace),
        (Self::NeverSettlesDown, Check::EmptyPlanAfterApply),
        (Self::AlwaysReplaces, Check::UpdateInPlace),
        (Self::NeverReplaces, Check::Replacement),
        (Self::SecondDeletionFails, Check::DeleteTwice),
        (Self::DoesNotDelete, Check::DeleteTwice),
        (Self::IgnoresAttempts, Check::SameAttemptMakesOne),
        (Self::SettlesNothing, Check::SettleWhatHappened),
        (Self::SettlesTooMuch, Check::SettleWhatDidNotHappen),
        (Self::ImportsHalf, Check::Import),
        (Self::ReadsFromMemory, Check::DriftSeen),
        (Self::DiscoversNothing, Check::Discovery),
        (Self::DiscoversForAnyone, Check::Discovery),
        (Self::DiscoversTheDead, Check::Discovery),
        (Self::ReadsBackwards, Check::BatchOrder),
        (Self::SaysNothingHappened, Check::RoughWeather),
        (Self::SaysMoreThanHappened, Check::RoughWeather),
        (Self::PreflightRefusesAll, Check::PreflightOfWhatWorks),
        (Self::PreflightRefusesNothing, Check::PreflightOfWhatIsRefused),
    ];
}

#[tokio::test]
async fn the_suite_catches_each_fault() {
    for (fault, check) in Fault::ALL {
        let state = tempfile::tempdir().expect("a temporary folder");
        let mutant = Mutant { inner: Sandbox::new(), fault, calls: Arc::default() };
        let subject = sandbox_subject(Arc::new(mutant), state.path());
        let fixtures: Vec<_> = fixtures::sandbox(state.path())
            .into_iter()
            .filter(|fixture| matches!(&*fixture.type_name, "sandbox_machine"))
            .collect();
        let report = run(&Subject { ..subject }, &fixtures).await;
        assert!(report.failed(check), "`{fault:?}` is not caught by `{check}`: {report}");
    }
}

/// The sandbox with one fault.
struct Mutant {
    inner: Sandbox,
    fault: Fault,
    calls: Arc<AtomicUsize>,
}

struct Configured {
    inner: Arc<dyn ConfiguredProvider>,
    /// The same for whom everything is one environment.
    environment: String,
    fault: Fault,
    calls: Arc<AtomicUsize>,
    /// What it found before.
    seen: std::sync::Mutex<Vec<Discovered>>,
}

#[async_trait]
impl Provider for Mutant {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        let schema = self.inner.schema().await?;
        if self.fault != Fault::ReservedName {
            return Ok(schema);
        }
        let mut schema = (*schema).clone();
        for resource in schema.resources.values_mut() {
            let count = Attribute::optional(Type::Number).describe("How many.");
            resource.block.attributes.insert("count".into(), count);
        }
        Ok(Arc::new(schema))
    }

    async fn validate_resource(&self, type_name: &str, config: &Value) -> Diagnostics {
        if self.fault == Fault::RefusesUnknowns && !config.is_wholly_known() {
            return Diagnostic::error("something is not known").into();
        }
        self.inner.validate_resource(type_name, config).await
    }

    async fn configure(&self, config: Value, context: Context) -> Result<Arc<dyn ConfiguredProvider>, Diagnostics> {
        let environment = context.environment.to_string();
        let inner = self.inner.configure(config, context).await?;
        let (calls, seen) = (Arc::clone(&self.calls), std::sync::Mutex::default());
        Ok(Arc::new(Configured { inner, environment, fault: self.fault, calls, seen }))
    }
}

impl Configured {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn next(&self) -> usize {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }
}

#[async_trait]
impl ConfiguredProvider for Configured {
    async fn preflight(&self, requests: &[PreflightRequest]) -> Vec<Preflight> {
        let mut answers = self.inner.preflight(requests).await;
        for answer in &mut answers {
            match self.fault {
                Fault::PreflightRefusesAll => answer.diagnostics.push(Diagnostic::error("it is refused")),
                Fault::PreflightRefusesNothing => answer.diagnostics = Diagnostics::new(),
                _ => {}
            }
        }
        answers
    }

    async fn read(&self, requests: &[ReadRequest]) -> Vec<Result<ReadOutcome, Diagnostics>> {
        let mut answers = self.inner.read(requests).await;
        if self.is(Fault::ReadsBackwards) {
            answers.reverse();
        }
        for (request, answer) in requests.iter().zip(&mut answers) {
            let Ok(ReadOutcome::Present { value, .. }) = answer else { continue };
            match self.fault {
                Fault::ReadsSomethingElse => *value = value.with("path", "elsewhere".into()),
                Fault::ReadsFromMemory => value.clone_from(&request.value),
                _ => {}
            }
        }
        answers
    }

    async fn read_data(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        self.inner.read_data(type_name, config).await
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlannedChange, Diagnostics> {
        let is_update = !request.prior.is_null();
        let mut change = self.inner.plan(request).await?;
        match self.fault {
            Fault::ClaimsToKnow if change.planned.get("user_data").is_some_and(Value::is_unknown) => {
                change.planned = change.planned.with("user_data", Value::Null(Type::String));
            }
            Fault::NeverSettlesDown if is_update => {
                change.planned = change.planned.with("private_ip", Value::unknown(Type::String));
            }
            Fault::AlwaysReplaces if is_update => change.requires_replace = vec![Path::attribute("name")],
            Fault::NeverReplaces => change.requires_replace.clear(),
            _ => {}
        }
        Ok(change)
    }

    async fn apply(&self, request: ApplyRequest) -> Result<Applied, ApplyError> {
        let (is_create, is_delete) = (request.prior.is_null(), request.planned.is_null());
        let mut request = request;
        match self.fault {
            Fault::IgnoresAttempts if is_create => {
                request.attempt = AttemptKey(format!("{}-{}", request.attempt.0, self.next()).into());
            }
            Fault::ForgetsTags if !is_create && !is_delete => {
                let tags = request.prior.get("tags").cloned().unwrap_or(Value::NULL);
                let applied = ApplyRequest { planned: request.planned.with("tags", tags), ..request.clone() };
                let mut answer = self.inner.apply(applied).await?;
                answer.value = answer.value.with("tags", request.planned.get("tags").cloned().unwrap_or(Value::NULL));
                return Ok(answer);
            }
            Fault::DoesNotDelete if is_delete => {
                return Ok(Applied { private: request.private, ..Applied::new(request.planned) });
            }
            Fault::SecondDeletionFails if is_delete => {
                let read = ReadRequest {
                    type_name: request.type_name.clone(),
                    address: request.address.clone(),
                    value: request.prior.clone(),
                    private: request.private.clone(),
                };
                if matches!(self.inner.read(&[read]).await.as_slice(), [Ok(ReadOutcome::Absent)]) {
                    return Err(ApplyError::did_not_happen(Diagnostic::error("there is nothing to delete")));
                }
            }
            _ => {}
        }
        let answer = self.inner.apply(request.clone()).await;
        match (self.fault, answer) {
            (
                Fault::SaysNothingHappened,
                Err(ApplyError::Unknown { diagnostic } | ApplyError::Partly { diagnostic, .. }),
            ) => Err(ApplyError::DidNotHappen { diagnostic, retry: Retry::After(std::time::Duration::ZERO) }),
            (Fault::SaysMoreThanHappened, Err(ApplyError::Partly { diagnostic, value, private })) => {
                let value = Box::new(value.with("size", "xlarge".into()));
                Err(ApplyError::Partly { diagnostic, value, private })
            }
            (_, answer) => answer,
        }
    }

    async fn settle(&self, request: SettleRequest) -> Result<Settlement, Diagnostics> {
        if self.is(Fault::SettlesNothing) {
            return Ok(Settlement::Absent);
        }
        if self.is(Fault::SettlesTooMuch) && request.prior.is_null() {
            // Looks for the owner tag alone.
            let owned = self.inner.discover(&self.environment).await?;
            if let Some(found) = owned.into_iter().find(|found| found.address == request.address) {
                return Ok(Settlement::Present { value: found.value, private: found.private });
            }
        }
        self.inner.settle(request).await
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<Imported, Diagnostics> {
        let mut imported = self.inner.import(type_name, id).await?;
        if self.is(Fault::ImportsHalf) {
            imported.value = imported.value.with("tags", Value::Null(Type::map(Type::String)));
        }
        Ok(imported)
    }

    async fn discover(&self, environment: &str) -> Result<Vec<Discovered>, Diagnostics> {
        match self.fault {
            Fault::DiscoversNothing => Ok(Vec::new()),
            Fault::DiscoversForAnyone => self.inner.discover("conformance").await,
            Fault::DiscoversTheDead => {
                let mut found = self.inner.discover(environment).await?;
                let mut seen = self.seen.lock().expect("nobody panicked with it");
                found.extend(
                    seen.iter()
                        .filter(|old| found.iter().all(|new| new.address != old.address))
                        .cloned()
                        .collect::<Vec<_>>(),
                );
                seen.clone_from(&found);
                Ok(found)
            }
            _ => self.inner.discover(environment).await,
        }
    }
}
