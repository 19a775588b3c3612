//! What the cloud answers when it refuses, and how that is told.

use formwork_contract::{Address, Diagnostic, Path, Str};

/// An error as the API of a cloud gives it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", .code.as_str())]
pub(crate) struct Fault {
    pub code: Code,
    /// In sentences.
    pub message: String,
    pub hint: Option<String>,
    /// The attribute that it is about.
    pub attribute: Option<Str>,
}

/// The kind of a fault: what a caller decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    AccessDenied,
    NotFound,
    NameTaken,
    Conflict,
    DependencyViolation,
    QuotaExceeded,
    InvalidParameter,
    Exhausted,
    Throttled,
    Internal,
}

impl Code {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDenied",
            Self::NotFound => "ResourceNotFound",
            Self::NameTaken => "NameAlreadyExists",
            Self::Conflict => "ResourceConflict",
            Self::DependencyViolation => "DependencyViolation",
            Self::QuotaExceeded => "QuotaExceeded",
            Self::InvalidParameter => "InvalidParameterValue",
            Self::Exhausted => "InsufficientAddresses",
            Self::Throttled => "ThrottlingException",
            Self::Internal => "InternalError",
        }
    }
}

impl Fault {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, attribute: None }
    }

    #[must_use]
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    #[must_use]
    pub(crate) fn attribute(self, name: &str) -> Self {
        Self { attribute: Some(name.into()), ..self }
    }

    /// For a person. `operation` is such as `create sandbox_network`.
    pub(crate) fn diagnostic(&self, operation: &str, address: Option<&Address>, request_id: &str) -> Diagnostic {
        let subject = address.map_or_else(String::new, |address| format!(" of `{address}`"));
        let summary = format!("the sandbox refused `{operation}`{subject}: {}", self.code.as_str());
        let mut diagnostic =
            Diagnostic::error(summary).detail(format!("{} (request id {request_id})", self.message.trim_end()));
        diagnostic.hint.clone_from(&self.hint);
        diagnostic.address = address.cloned();
        diagnostic.path = self.attribute.clone().map(Path::attribute);
        diagnostic
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::new(Code::Internal, format!("The sandbox's store failed: {error}."))
            .hint("check that the disk has room and that the sandbox's file can be written")
    }
}
