//! What stands where the rebuilt record is to be: nothing, something that is no record any more, or one that a person
//! gives up.

use std::path::Path;
use std::sync::Arc;

use formwork_contract::{Diagnostic, Str};

use crate::blueprint::Failure;
use crate::blueprint::sources::Sources;
use crate::record::{LeaseScope, Record, RecordError, Replaced};
use crate::workflow::Workspace;
use crate::workflow::open::{self, failure, record_diagnostic, record_failure};

/// What stands in the record's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    Missing,
    /// A record without a history, such as a plan makes.
    Empty,
    /// It cannot be read: why.
    Damaged(String),
    /// It can be read, or could be with its key, and a person gives it up.
    GivenUp {
        /// How many revisions it has; `None` where it does not open.
        revisions: Option<usize>,
    },
}

impl Standing {
    /// What becomes of the files that stand there.
    pub(super) fn replaced(&self) -> Replaced {
        match self {
            Self::Missing => Replaced::Nothing,
            Self::Empty => Replaced::Empty,
            Self::Damaged(_) | Self::GivenUp { .. } => Replaced::SetAside,
        }
    }
}

/// Looks at what stands there. `give_up` is a person's word that a record may go that is not damaged.
///
/// # Errors
/// It is a sound record and nobody gave it up, or another run works with it.
pub(super) fn standing(
    workspace: &Workspace,
    environment: &Str,
    sources: &Arc<Sources>,
    give_up: bool,
) -> Result<Standing, Failure> {
    let path = open::record_path(workspace, environment);
    if !Record::exists(&path) {
        return Ok(Standing::Missing);
    }
    let fail = |error: &RecordError| record_failure(sources, error);
    let opened = open::record(workspace, environment).map_err(|error| *error);
    let held = opened.and_then(|record| {
        let revisions = record.history()?.len();
        let objects = record.resources()?.len();
        Ok((record, revisions, objects))
    });
    match held {
        Ok((_, 0, 0)) => Ok(Standing::Empty),
        Ok((mut record, revisions, _)) if give_up => {
            // Nobody may be in the middle of a run with it.
            open::acquire(workspace, &mut record, LeaseScope::Whole).map_err(|error| fail(&error))?;
            Ok(Standing::GivenUp { revisions: Some(revisions) })
        }
        Ok((_, revisions, objects)) => Err(failure(sources, sound(&path, revisions, objects))),
        Err(RecordError::Corrupt { problem, .. }) => Ok(Standing::Damaged(problem)),
        Err(error) if is_unopenable(&error) && give_up => Ok(Standing::GivenUp { revisions: None }),
        Err(error) if is_unopenable(&error) => {
            let told = record_diagnostic(&error);
            let hint = told.hint.as_deref().map(|hint| format!("{hint}; ")).unwrap_or_default();
            Err(failure(sources, told.hint(format!("{hint}to give it up for good: `formwork recover --set-aside`"))))
        }
        Err(error) => Err(fail(&error)),
    }
}

/// Whether the record is whole, and only cannot be opened here.
fn is_unopenable(error: &RecordError) -> bool {
    matches!(
        error,
        RecordError::MissingIdentity { .. }
            | RecordError::UnusableIdentity { .. }
            | RecordError::WrongIdentity { .. }
            | RecordError::LockedIdentity { .. }
            | RecordError::NewerVersion { .. }
            | RecordError::OtherEnvironment { .. }
    )
}

fn sound(path: &Path, revisions: usize, objects: usize) -> Diagnostic {
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    Diagnostic::error(format!("the record `{}` is not lost", path.display()))
        .detail(format!(
            "It can be read, and holds {revisions} revision{} and {objects} object{}. A rebuilt one would have no history.",
            plural(revisions),
            plural(objects)
        ))
        .hint(
            "`formwork plan` compares it with what is live; to give it up all the same: `formwork recover --set-aside`, \
             which keeps the file beside the new one",
        )
}
