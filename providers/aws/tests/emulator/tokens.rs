//! TEST CODE: a repeated client token gets the answer of the first call, which moto does not see to.
//!
//! As in EC2's reference: the same token with the same parameters makes nothing more, and with others is refused.

use std::collections::BTreeMap;
use std::sync::Mutex;

use hyper::StatusCode;

use crate::dialect::Dialect;
use crate::moto::Answer;
use crate::shim::Call;

/// What was answered, by action and token, with the call that got it.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<BTreeMap<(String, String), (String, Answer)>>);

impl Tokens {
    /// The answer to a call that was made before.
    pub(crate) fn answer(&self, action: &str, call: &Call, dialect: Dialect) -> Option<Answer> {
        let token = call.parameter("ClientToken")?;
        let kept = self.0.lock().expect("not poisoned");
        let (first, answer) = kept.get(&(action.to_owned(), token))?;
        if *first == call.text {
            return Some(answer.clone());
        }
        let text = "The parameters of the request are not those of the first request with its client token.";
        Some(dialect.error(StatusCode::BAD_REQUEST, "IdempotentParameterMismatch", text))
    }

    /// Remembers what a call with a token was answered.
    pub(crate) fn keep(&self, action: &str, call: &Call, answer: &Answer) {
        if let Some(token) = call.parameter("ClientToken").filter(|_| answer.status.is_success()) {
            let mut kept = self.0.lock().expect("not poisoned");
            kept.insert((action.to_owned(), token), (call.text.clone(), answer.clone()));
        }
    }
}
