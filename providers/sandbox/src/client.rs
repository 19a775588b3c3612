//! How the provider calls the cloud: through the weather, with patience, and saying what happened.

use std::collections::HashMap;
use std::time::Duration;

use formwork_contract::provider::{ApplyError, Retry};
use formwork_contract::{Address, Diagnostic, Diagnostics, Value};
use tokio::time::sleep;

use crate::fault::{Code, Fault};
use crate::service::{Change, Service, id_of};
use crate::store::objects::{self, Object};
use crate::weather::{Fate, Occasion, Weather};

/// How often a throttled read is called again before it is given up.
const READ_TRIES: u64 = 20;

/// The pause between two looks for an object that does not show yet.
const POLL: Duration = Duration::from_millis(1);

/// The caller's side of the cloud's API.
pub(crate) struct Client {
    pub service: Service,
    pub weather: Weather,
}

impl Client {
    /// Many objects by their ids, as one call. Those that do not show, after patience, are left out.
    /// `subject` is what the weather of the call is decided by: the address of the first.
    pub(crate) async fn read(&self, subject: &str, ids: &[&str]) -> Result<HashMap<String, Object>, Diagnostics> {
        self.patiently("read", subject).await?;
        let mut found = HashMap::with_capacity(ids.len());
        let mut missing = ids.to_vec();
        for look in 0..=self.service.settings.eventual_consistency {
            if look > 0 {
                sleep(POLL).await;
            }
            let visible = self.service.visible(missing.iter().copied()).map_err(|fault| self.told("read", &fault))?;
            found.extend(visible.into_iter().map(|object| (object.id.clone(), object)));
            missing.retain(|id| !found.contains_key(*id));
            if missing.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    /// The object that an attempt made. After patience, that there is none is certain.
    pub(crate) async fn made_by(&self, subject: &str, attempt: &str) -> Result<Option<Object>, Diagnostics> {
        self.patiently("find", subject).await?;
        for look in 0..=self.service.settings.eventual_consistency {
            if look > 0 {
                sleep(POLL).await;
            }
            let made = self.service.made_by(attempt).map_err(|fault| self.told("find", &fault))?;
            if made.is_some() {
                return Ok(made);
            }
        }
        Ok(None)
    }

    /// All objects that carry an environment's owner tag.
    pub(crate) async fn discover(&self, environment: &str) -> Result<Vec<Object>, Diagnostics> {
        self.patiently("discover", environment).await?;
        Ok(self.service.of_environment(environment).map_err(|fault| self.told("discover", &fault))?)
    }

    /// All objects that carry nobody's owner tag.
    pub(crate) async fn unowned(&self) -> Result<Vec<Object>, Diagnostics> {
        self.patiently("list", "unowned").await?;
        Ok(self.service.of_environment(objects::NOBODY).map_err(|fault| self.told("list", &fault))?)
    }

    /// Carries a change out; null is what stands after a deletion.
    pub(crate) async fn apply(&self, address: &Address, change: Change<'_>) -> Result<Value, ApplyError> {
        let verb = match (change.prior.is_null(), change.planned.is_null()) {
            (true, _) => "create",
            (false, true) => "delete",
            (false, false) => "update",
        };
        let operation = format!("{verb} {}", change.kind.description.type_name);
        let attempt = if self.weather.is_rough() {
            self.service.count_attempt(&operation, change.address).map_err(|fault| {
                let occasion = Occasion { operation: &operation, subject: change.address, attempt: 0 };
                self.did_not_happen(occasion, address, &fault, Retry::Never)
            })?
        } else {
            0
        };
        let occasion = Occasion { operation: &operation, subject: change.address, attempt };
        let latency = self.weather.latency(occasion);
        pause(latency / 2).await;
        let fate = self.weather.fate(occasion);
        if fate == Fate::Throttled {
            let fault = Fault::new(Code::Throttled, "There are too many calls.").hint("try again later");
            return Err(self.did_not_happen(occasion, address, &fault, Retry::After(Weather::back_off(occasion))));
        }
        let done = if fate == (Fate::Lost { made: false }) {
            Ok(Value::NULL)
        } else {
            self.act(verb, &Change { half: fate == Fate::Partial, ..change })
        };
        pause(latency / 2).await;
        let value = done.map_err(|fault| self.did_not_happen(occasion, address, &fault, Retry::Never))?;
        match fate {
            Fate::Partial => Err(self.partly(occasion, address, value)),
            Fate::Lost { .. } => Err(self.unknown(occasion, address)),
            _ => {
                self.until_visible(verb, &value).await;
                Ok(value)
            }
        }
    }

    fn act(&self, verb: &str, change: &Change<'_>) -> Result<Value, Fault> {
        match verb {
            "create" => self.service.create(change),
            "update" => self.service.update(change),
            // A deletion that stops half-way has deleted nothing.
            _ if change.half => Ok(change.prior.deep_unmarked()),
            _ => self.service.delete(change.kind, id_of(change.prior)).map(|()| Value::Null(change.kind.ty.clone())),
        }
    }

    /// A created object is of use once it shows. If it never does, the next read tells.
    async fn until_visible(&self, verb: &str, value: &Value) {
        if verb != "create" {
            return;
        }
        for _ in 0..self.service.settings.eventual_consistency {
            if self.service.visible([id_of(value)]).is_ok_and(|found| !found.is_empty()) {
                return;
            }
            sleep(POLL).await;
        }
    }

    /// Waits for a call that changes nothing to be let through.
    pub(crate) async fn patiently(&self, operation: &str, subject: &str) -> Result<(), Diagnostics> {
        for attempt in 0..READ_TRIES {
            let occasion = Occasion { operation, subject, attempt };
            pause(self.weather.latency(occasion)).await;
            if !self.weather.is_throttled(occasion) {
                return Ok(());
            }
            pause(Weather::back_off(occasion)).await;
        }
        let message = format!("There are too many calls; it was tried {READ_TRIES} times.");
        Err(self.told(operation, &Fault::new(Code::Throttled, message).hint("try again later")).into())
    }

    /// A fault of a call that is not about one address.
    pub(crate) fn told(&self, operation: &str, fault: &Fault) -> Diagnostic {
        let occasion = Occasion { operation, subject: "", attempt: 0 };
        fault.diagnostic(operation, None, &self.weather.request_id(occasion))
    }

    fn did_not_happen(&self, occasion: Occasion<'_>, address: &Address, fault: &Fault, retry: Retry) -> ApplyError {
        let diagnostic = fault.diagnostic(occasion.operation, Some(address), &self.weather.request_id(occasion));
        ApplyError::DidNotHappen { diagnostic: Box::new(diagnostic), retry }
    }

    fn partly(&self, occasion: Occasion<'_>, address: &Address, value: Value) -> ApplyError {
        let fault = Fault::new(Code::Internal, "The change stopped half-way; what was done so far stands.")
            .hint("plan again: what is missing is planned as a change");
        let diagnostic = fault.diagnostic(occasion.operation, Some(address), &self.weather.request_id(occasion));
        ApplyError::Partly {
            diagnostic: Box::new(diagnostic),
            value: Box::new(value),
            private: formwork_contract::provider::Private::default(),
        }
    }

    fn unknown(&self, occasion: Occasion<'_>, address: &Address) -> ApplyError {
        let fault = Fault::new(Code::Internal, "The connection was lost before the answer came.")
            .hint("apply again: the object is looked for first");
        let diagnostic = fault.diagnostic(occasion.operation, Some(address), &self.weather.request_id(occasion));
        ApplyError::Unknown { diagnostic: Box::new(diagnostic) }
    }
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}
