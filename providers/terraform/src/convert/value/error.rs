//! Why bytes are not a value of the type that they should have.

use formwork_contract::{Path, Step, Str};

/// What is wrong, and at which place within the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", at(.path))]
pub(crate) struct DecodeError {
    pub(crate) path: Path,
    pub(crate) problem: Problem,
}

/// What was expected there, and what was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("{expected} is required, found {found}")]
    Kind { expected: &'static str, found: &'static str },
    #[error("a tuple of {expected} is required, found one of {found}")]
    Length { expected: usize, found: usize },
    #[error("the attribute `{0}` is missing")]
    Missing(Str),
    #[error("there is no attribute `{0}` in its type")]
    Surplus(String),
    #[error("an attribute stands twice")]
    Twice,
    #[error("a number is required, found `{0}`")]
    NotANumber(String),
    #[error("a type is required, found `{0}`")]
    NotAType(String),
    #[error("its elements do not share a type: {0}")]
    NoSharedType(String),
    #[error("it ends too early")]
    Truncated,
    #[error("{0} more bytes than the value has")]
    Trailing(usize),
    #[error("its values are nested more than {} levels deep", super::MAX_DEPTH)]
    TooDeep,
    #[error("it is not JSON: {0}")]
    NotJson(String),
}

impl DecodeError {
    /// The same error, seen from the value around it.
    #[must_use]
    pub(super) fn within(self, step: Step) -> Self {
        let path = std::iter::once(step).chain(self.path.steps().into_iter().cloned()).collect();
        Self { path, ..self }
    }
}

impl From<Problem> for DecodeError {
    fn from(problem: Problem) -> Self {
        Self { path: Path::root(), problem }
    }
}

fn at(path: &Path) -> String {
    if path.is_root() { String::new() } else { format!("`{path}`: ") }
}
