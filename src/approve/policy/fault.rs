//! What keeps a policy from judging: it does not compile, fails, or takes too long.

use formwork_contract::Diagnostic;

use super::Policies;

/// What is wrong with a policy, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) place: Option<Place>,
    pub(super) message: String,
    pub(super) hint: String,
}

/// A line in a file of the policies, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: usize,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { place: None, message: message.into(), hint: hint.into() }
    }

    pub(super) fn at(self, file: &str, line: usize) -> Self {
        Self { place: Some(Place { file: file.to_owned(), line }), ..self }
    }

    pub(super) fn diagnostic(&self, policies: &Policies) -> Diagnostic {
        let diagnostic = Diagnostic::error("a policy cannot judge").quote(&self.message).hint(&self.hint);
        match self.place.as_ref().and_then(|place| policies.span(place)) {
            Some(span) => diagnostic.label(span, "here"),
            None => diagnostic,
        }
    }
}
