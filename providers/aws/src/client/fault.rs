//! Why a call did not do what it was to do, and whether anything happened.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use formwork_contract::Diagnostic;

use super::hint;

/// A call that failed.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// As AWS names the service in permissions, such as `ec2`.
    pub service: &'static str,
    /// As AWS names the call, such as `CreateVpc`.
    pub action: &'static str,
    /// AWS's code, or a word of our own for what never got an answer.
    pub code: String,
    pub message: String,
    pub request_id: Option<String>,
    pub nature: Nature,
    /// Nothing was changed by the call.
    pub certain: bool,
}

/// What kind of failure it is, as far as trying again goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// There are too many calls. Nothing happened.
    Throttled,
    /// The network or the service failed.
    Transient,
    /// The service said no, and will say so again.
    Refused,
}

/// Codes that say that there are too many calls, as the services spell them.
const THROTTLES: [&str; 12] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException: Rate",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// Codes of a service that is out of order.
const OUTAGES: [&str; 7] = [
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "ServerException",
    "ServiceUnavailable",
    "Unavailable",
];

impl Fault {
    /// What the provider itself refuses. Nothing was asked of AWS.
    pub(crate) fn own(code: &str, message: impl Into<String>) -> Self {
        Self {
            service: "",
            action: "",
            code: code.into(),
            message: message.into(),
            request_id: None,
            nature: Nature::Refused,
            certain: true,
        }
    }

    /// A refusal that stands in an answer to a call that went well, one for each of its objects.
    pub(crate) fn within(service: &'static str, action: &'static str, code: &str, message: &str) -> Self {
        Self { service, action, nature: nature(code, 400), ..Self::own(code, message) }
    }

    /// What the SDK says of a failed call.
    pub(crate) fn of<E>(service: &'static str, action: &'static str, error: &SdkError<E, Response>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let own = |code: &str, nature, certain| Self {
            service,
            action,
            code: code.into(),
            message: chain(error),
            request_id: error.request_id().map(str::to_owned),
            nature,
            certain,
        };
        match error {
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                let metadata = answer.err().meta();
                let code = metadata.code().unwrap_or_default();
                let nature = nature(code, status);
                Self {
                    code: if code.is_empty() { format!("status {status}") } else { code.to_owned() },
                    message: metadata.message().unwrap_or("AWS gave no reason.").to_owned(),
                    ..own("", nature, nature != Nature::Transient)
                }
            }
            _ if find::<CredentialsError>(error).is_some() => own("no credentials", Nature::Refused, true),
            SdkError::ConstructionFailure(_) => own("not sent", Nature::Refused, true),
            SdkError::DispatchFailure(_) if is_unconnected(error) => own("no connection", Nature::Transient, true),
            SdkError::TimeoutError(_) => own("no answer in time", Nature::Transient, false),
            SdkError::ResponseError(_) => own("unreadable answer", Nature::Transient, false),
            _ => own("no answer", Nature::Transient, false),
        }
    }

    /// The failure of a look that came before any change.
    pub(crate) fn before_anything(self) -> Self {
        Self { certain: true, ..self }
    }

    pub(crate) fn is(&self, codes: &[&str]) -> bool {
        codes.contains(&self.code.as_str())
    }

    /// Whether AWS refuses the text of a policy, which stays as it is. That a principal is not known may pass: it is
    /// refused with the same code while it does not show yet.
    pub(crate) fn is_of_text(&self) -> bool {
        self.code.starts_with("MalformedPolicy") && !self.message.to_ascii_lowercase().contains("principal")
    }

    /// Whether AWS says that there is no such object, in any of its services' words.
    pub(crate) fn is_not_found(&self) -> bool {
        let ends = ["NotFound", "NoSuchEntity", "NotFoundException", "NotFoundError"];
        // S3 has a code for each thing that is not there, such as `NoSuchBucketPolicy`.
        self.code.starts_with("NoSuch") || ends.iter().any(|end| self.code.ends_with(end))
    }

    /// Whether AWS says that there is such an object already, in any of its services' words.
    pub(crate) fn is_taken(&self) -> bool {
        let ends =
            ["Duplicate", "AlreadyExists", "AlreadyExistsException", "AlreadyOwnedByYou", "ResourceInUseException"];
        // A bucket of another account is not the caller's to look at.
        self.code != "BucketAlreadyExists" && ends.iter().any(|end| self.code.ends_with(end))
    }

    /// In words: what was refused, by whom, why, and what to do.
    pub(crate) fn diagnostic(&self) -> Diagnostic {
        let told = if self.action.is_empty() {
            Diagnostic::error(self.message.clone())
        } else {
            let (action, service, code) = (self.action, self.service, &self.code);
            let summary = match self.nature {
                Nature::Throttled => format!("AWS takes no more calls of `{service}:{action}` now: `{code}`"),
                Nature::Transient => format!("`{service}:{action}` failed: {code}"),
                Nature::Refused => format!("AWS refused `{service}:{action}`: `{code}`"),
            };
            let request = self.request_id.as_ref().map(|id| format!(" (request {id})")).unwrap_or_default();
            Diagnostic::error(summary).quote(format!("{}{request}", self.message))
        };
        match hint::of(self) {
            Some(hint) => told.hint(hint),
            None => told,
        }
    }
}

/// The end of a call that takes something away: that it is not there is a good one.
pub(crate) fn unless_gone<T>(done: Result<T, Fault>) -> Result<(), Fault> {
    match done {
        Err(fault) if fault.is_not_found() => Ok(()),
        done => done.map(|_| ()),
    }
}

fn nature(code: &str, status: u16) -> Nature {
    if THROTTLES.contains(&code) || status == 429 {
        Nature::Throttled
    } else if OUTAGES.contains(&code) || status >= 500 {
        Nature::Transient
    } else {
        Nature::Refused
    }
}

/// The error and its sources, in one line, without saying anything twice.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut told = error.to_string();
    let mut inner = error.source();
    while let Some(source) = inner {
        let text = source.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        inner = source.source();
    }
    told
}

/// The first error of this type among the sources.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(one) = next {
        if let Some(found) = one.downcast_ref::<T>() {
            return Some(found);
        }
        next = one.source();
    }
    None
}

/// Whether there was no connection yet, so that nothing can have been sent.
fn is_unconnected(error: &(dyn Error + 'static)) -> bool {
    find::<hyper_util::client::legacy::Error>(error).is_some_and(hyper_util::client::legacy::Error::is_connect)
}
