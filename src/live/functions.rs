//! Calls functions of providers while an expression is evaluated.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use formwork_contract::provider::{FunctionError, Provider};
use formwork_contract::schema::FunctionSchema;
use formwork_contract::{Diagnostics, ProviderSchema, Str, Value};
use tokio::runtime::{Builder, Handle, RuntimeFlavor};

use super::Reality;
use crate::graph::{CalledProvider, Evaluation};
use crate::language::ProvidedFunctions;

impl Reality {
    /// Lets an evaluation call the functions of providers.
    ///
    /// # Errors
    /// There is no such provider, or it does not answer.
    pub async fn provide_functions(
        &mut self,
        evaluation: &mut Evaluation,
        called: &[CalledProvider],
    ) -> Result<(), Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        for CalledProvider { module, name, span } in called {
            let wanted = evaluation.graph.wanted(&evaluation.graph.source_of(*module, name));
            match self.load(&wanted).await {
                Ok(loaded) => evaluation.provide_functions(*module, name, &loaded.functions),
                Err(found) => diagnostics.append(
                    found
                        .into_iter()
                        .map(|diagnostic| match diagnostic.labels.is_empty() {
                            true => diagnostic.label(*span, "one of its functions is called here"),
                            false => diagnostic,
                        })
                        .collect(),
                ),
            }
        }
        diagnostics.into_result(()).map(|((), _)| ())
    }
}

/// The functions of a provider that has no settings. The same call is made once a run.
pub(super) struct Functions {
    provider: Arc<dyn Provider>,
    schema: Arc<ProviderSchema>,
    answers: Mutex<BTreeMap<Call, Result<Value, FunctionError>>>,
}

impl Functions {
    pub(super) fn new(provider: Arc<dyn Provider>, schema: Arc<ProviderSchema>) -> Self {
        Self { provider, schema, answers: Mutex::default() }
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Functions").field("provider", &self.provider.name()).finish_non_exhaustive()
    }
}

impl ProvidedFunctions for Functions {
    fn schemas(&self) -> &BTreeMap<Str, FunctionSchema> {
        &self.schema.functions
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, FunctionError> {
        let call = Call { name: name.into(), arguments: arguments.into() };
        let known = self.answers.lock().unwrap_or_else(PoisonError::into_inner).get(&call).cloned();
        if let Some(answer) = known {
            return answer;
        }
        let answer = wait_for(self.provider.call_function(name, arguments)).unwrap_or_else(|error| {
            Err(FunctionError { text: format!("the system gives no thread to call it: {error}"), argument: None })
        });
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(call, answer.clone());
        answer
    }
}

/// Waits for a provider from where nothing can be awaited.
///
/// On a runtime with several threads the others go on meanwhile. On one with a single thread, which would
/// wait for itself, another thread does it: that serves providers that live in this process.
fn wait_for<F: Future + Send>(answer: F) -> std::io::Result<F::Output>
where
    F::Output: Send,
{
    match Handle::try_current() {
        Ok(handle) if handle.runtime_flavor() != RuntimeFlavor::CurrentThread => {
            Ok(tokio::task::block_in_place(|| handle.block_on(answer)))
        }
        _ => {
            let apart = || Ok(Builder::new_current_thread().enable_all().build()?.block_on(answer));
            std::thread::scope(|scope| match std::thread::Builder::new().spawn_scoped(scope, apart)?.join() {
                Ok(answered) => answered,
                Err(panic) => std::panic::resume_unwind(panic),
            })
        }
    }
}

/// A call, in an order that tells all calls apart.
#[derive(Clone, PartialEq, Eq)]
struct Call {
    name: Str,
    arguments: Arc<[Value]>,
}

impl Ord for Call {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_argument = self.arguments.iter().zip(&*other.arguments).map(|(a, b)| {
            // Values of two types may be at the same place in their order, as empty lists are.
            a.total_cmp(b).then_with(|| a.ty().cmp(&b.ty()))
        });
        let differs = by_argument.fold(Ordering::Equal, Ordering::then);
        self.name.cmp(&other.name).then(self.arguments.len().cmp(&other.arguments.len())).then(differs)
    }
}

impl PartialOrd for Call {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
