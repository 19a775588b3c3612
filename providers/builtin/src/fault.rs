//! Why something is refused, small enough to be handed up by every function.

use formwork_contract::{Diagnostic, Diagnostics, Path};

/// An error to a person.
#[derive(Clone, Debug)]
pub(crate) struct Fault(Box<Diagnostic>);

pub(crate) fn fault(summary: impl Into<String>) -> Fault {
    Fault(Box::new(Diagnostic::error(summary)))
}

/// About an attribute.
pub(crate) fn wrong(name: &str, summary: impl Into<String>) -> Fault {
    Fault(Box::new(Diagnostic::error(summary).path(Path::attribute(name))))
}

impl Fault {
    pub(crate) fn detail(self, detail: impl Into<String>) -> Self {
        Self(Box::new(self.0.detail(detail)))
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self(Box::new(self.0.hint(hint)))
    }
}

impl From<Fault> for Diagnostic {
    fn from(fault: Fault) -> Self {
        *fault.0
    }
}

impl From<Diagnostic> for Fault {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(Box::new(diagnostic))
    }
}

impl From<Fault> for Diagnostics {
    fn from(fault: Fault) -> Self {
        Diagnostic::from(fault).into()
    }
}

/// What a check found, as those who run it take it.
pub(crate) fn found(faults: impl IntoIterator<Item = Fault>) -> Diagnostics {
    faults.into_iter().map(Diagnostic::from).collect()
}
