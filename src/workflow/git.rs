//! The commit that a blueprint stands at.

use std::path::Path;

use crate::plan::model::Git;

/// The commit of the working tree around a folder, and whether tracked files differ from it. `None`
/// outside of a repository, and before its first commit.
pub(super) fn state(dir: &Path) -> Option<Git> {
    let repository = gix::discover(dir).ok()?;
    let commit = repository.head_id().ok()?.to_string().into();
    let clean = repository.is_dirty().is_ok_and(|dirty| !dirty);
    Some(Git { commit, clean })
}
