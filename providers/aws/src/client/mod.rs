//! How AWS is called: at a pace that the service takes, again where that does no harm, and saying what happened.
//!
//! The SDK's own retries are off. They send a creation again after an answer was lost, and so make two of what was
//! to be one; here each call says whether it may be sent twice.

pub(crate) mod fault;
mod hint;
pub(crate) mod limiter;
pub(crate) mod rehearse;
pub(crate) mod several;

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::time::{Instant, sleep};

use fault::{Fault, Nature};
use limiter::{Limiter, back_off};

/// The client of one service.
#[derive(Debug)]
pub(crate) struct Service<C> {
    name: &'static str,
    client: C,
    limiter: Limiter,
    pace: Pace,
    /// How often a call is tried again.
    retries: u32,
}

/// How long is waited between two looks or tries.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Before the second look or try.
    pub first: Duration,
    /// Between two, at most.
    pub longest: Duration,
    /// How long an object that was created may stay hidden from reads.
    pub hidden: Duration,
}

impl Default for Pace {
    /// What AWS needs.
    fn default() -> Self {
        Self { first: Duration::from_millis(200), longest: Duration::from_secs(10), hidden: Duration::from_secs(10) }
    }
}

/// Whether a call may be sent again when nobody knows what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It changes nothing, or a second time changes nothing more, or it carries a client token.
    Harmless,
    /// It would make another object.
    Harmful,
}

/// A call, as it is to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Action {
    name: &'static str,
    repeat: Repeat,
    /// Codes that pass by themselves, since what the call stands on does not show yet.
    passing: &'static [&'static str],
}

impl Action {
    /// A call that may be sent twice: reads, changes and deletions, and creations with a client token.
    pub(crate) fn repeatable(name: &'static str) -> Self {
        Self { name, repeat: Repeat::Harmless, passing: &[] }
    }

    /// A creation without a client token.
    pub(crate) fn once(name: &'static str) -> Self {
        Self { name, repeat: Repeat::Harmful, passing: &[] }
    }

    /// Tries again while the answer is one of these codes, as long as an object may stay hidden.
    pub(crate) fn passing(self, codes: &'static [&'static str]) -> Self {
        Self { passing: codes, ..self }
    }
}

impl<C> Service<C> {
    pub(crate) fn new(name: &'static str, client: C, pace: Pace, retries: u32, limiter: Limiter) -> Self {
        Self { name, client, limiter, pace, retries }
    }

    /// Makes a call. `send` is called once a try.
    ///
    /// # Errors
    /// The last try's, when trying again does harm or does not help.
    pub(crate) async fn call<T, E, F, S>(&self, action: Action, send: S) -> Result<T, Fault>
    where
        E: ProvideErrorMetadata + Error + 'static,
        F: Future<Output = Result<T, SdkError<E, Response>>>,
        S: Fn(&C) -> F,
    {
        let mut tries = 0;
        let mut hidden = Duration::ZERO;
        loop {
            self.limiter.turn().await;
            let fault = match send(&self.client).await {
                Ok(answer) => {
                    self.limiter.accepted();
                    return Ok(answer);
                }
                Err(error) => Fault::of(self.name, action.name, &error),
            };
            let again = match fault.nature {
                Nature::Throttled => {
                    self.limiter.refused();
                    tries < self.retries
                }
                Nature::Transient => tries < self.retries && (fault.certain || action.repeat == Repeat::Harmless),
                Nature::Refused => fault.is(action.passing) && !fault.is_of_text() && hidden < self.pace.hidden,
            };
            if !again {
                return Err(fault);
            }
            let pause = back_off(self.pace.first, self.pace.longest, tries);
            tries += 1;
            hidden += pause;
            sleep(pause).await;
        }
    }

    /// Asks again and again, with longer pauses each time, until `ask` has an answer. `None` after `at_most`.
    ///
    /// # Errors
    /// AWS refuses to tell.
    pub(crate) async fn until<T, F>(&self, at_most: Duration, ask: impl Fn() -> F) -> Result<Option<T>, Fault>
    where
        F: Future<Output = Result<Option<T>, Fault>>,
    {
        let begun = Instant::now();
        let mut looks = 0;
        loop {
            if let Some(answer) = ask().await? {
                return Ok(Some(answer));
            }
            if begun.elapsed() >= at_most {
                return Ok(None);
            }
            sleep(back_off(self.pace.first, self.pace.longest, looks)).await;
            looks += 1;
        }
    }

    /// Makes a call that changes nothing.
    ///
    /// # Errors
    /// AWS refuses it.
    pub(crate) async fn read<T, E, F, S>(&self, name: &'static str, send: S) -> Result<T, Fault>
    where
        E: ProvideErrorMetadata + Error + 'static,
        F: Future<Output = Result<T, SdkError<E, Response>>>,
        S: Fn(&C) -> F,
    {
        self.call(Action::repeatable(name), send).await
    }

    /// Reads all pages of a list. `send` gets the token of a page, `open` takes its items and the next token out.
    ///
    /// # Errors
    /// AWS refuses a page.
    pub(crate) async fn pages<I, T, E, F, S, O>(&self, name: &'static str, send: S, open: O) -> Result<Vec<I>, Fault>
    where
        E: ProvideErrorMetadata + Error + 'static,
        F: Future<Output = Result<T, SdkError<E, Response>>>,
        S: Fn(&C, Option<String>) -> F,
        O: Fn(T) -> (Option<Vec<I>>, Option<String>),
    {
        let mut items = Vec::new();
        let mut token = None;
        loop {
            let page = self.read(name, |client| send(client, token.clone())).await?;
            let (some, next) = open(page);
            items.extend(some.unwrap_or_default());
            match next.filter(|next| !next.is_empty()) {
                // A service that gives the same token again would be asked for ever.
                Some(next) if Some(&next) != token.as_ref() => token = Some(next),
                _ => return Ok(items),
            }
        }
    }
}
