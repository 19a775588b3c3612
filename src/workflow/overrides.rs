//! Overrides of protection: read with their signatures, judged by the rules that were applied last, and written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use formwork_contract::{Address, Diagnostic, Diagnostics};

use super::Workspace;
use super::approval::{Governing, signatures_beside};
use super::open::{self, failure, record_failure};
use crate::approve::overrides::{Bench, OverrideText, end_of, judge};
use crate::blueprint::Failure;
use crate::blueprint::sources::Sources;
use crate::plan::{OverrideFile, Overrides};
use crate::record::Record;

/// Reads override files, and the signatures that lie beside each: `FILE.sig` and `FILE.NAME.sig`.
///
/// # Errors
/// One of them cannot be read.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<OverrideFile>, Diagnostics> {
    paths.iter().map(|path| read_one(path)).collect()
}

fn read_one(path: &Path) -> Result<OverrideFile, Diagnostics> {
    let unreadable = |error: std::io::Error| {
        Diagnostics::from(
            Diagnostic::error(format!("the override `{}` cannot be read", path.display()))
                .detail(format!("{error}."))
                .hint("write one with `formwork override`"),
        )
    };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let signatures = signatures_beside(path).map_err(unreadable)?;
    let signatures =
        signatures.iter().map(std::fs::read_to_string).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    Ok(OverrideFile {
        name: name.into(),
        text: text.into(),
        signatures: signatures.into_iter().map(Into::into).collect(),
    })
}

/// Overrides as they were given: who makes a plan judges them.
pub(super) fn unjudged(sources: &Arc<Sources>, paths: &[PathBuf]) -> Result<Overrides, Failure> {
    let files = read(paths).map_err(|refused| failure(sources, refused))?;
    Ok(Overrides { files, ..Overrides::default() })
}

/// Judges overrides for a record, by the rules that judge its plans.
///
/// # Errors
/// An override that does not hold.
pub(super) fn judged(
    workspace: &Workspace,
    record: &Record,
    governing: &Governing,
    files: Vec<OverrideFile>,
) -> Result<Overrides, Diagnostics> {
    judge(files, &Bench { record_id: record.id(), rules: &governing.rules, now_ms: workspace.now_ms })
}

/// What an override is to say.
#[derive(Clone, Debug)]
pub struct OverrideRequest {
    pub addresses: Vec<Address>,
    pub reason: String,
    /// A day, or a time as in RFC 3339.
    pub until: String,
    pub out: PathBuf,
}

/// Writes an override for objects of the record, for somebody to sign.
///
/// # Errors
/// An object that the record does not have or does not protect, an `until` that is no time or over, or a file that
/// cannot be written.
pub fn write_override(workspace: &Workspace, request: &OverrideRequest) -> Result<(), Failure> {
    let (blueprint, _) = open::blueprint(workspace)?;
    let sources = Arc::clone(&blueprint.sources);
    let record = open::record(workspace, &blueprint.environment).map_err(|error| record_failure(&sources, &error))?;
    for address in &request.addresses {
        let found = super::state::find(&sources, &record, address)?;
        if !found.protected {
            return Err(failure(
                &sources,
                Diagnostic::error(format!("`{address}` is not protected"))
                    .detail("Nothing stands in the way of a plan that takes it away.")
                    .hint("leave it out"),
            ));
        }
    }
    if end_of(&request.until).is_none_or(|until| until < workspace.now_ms) {
        return Err(failure(
            &sources,
            Diagnostic::error(format!("`{}` is no time to come", request.until))
                .hint("give a day such as 2031-05-01, or a time such as 2031-05-01T12:00:00Z"),
        ));
    }
    let text =
        OverrideText::new(&blueprint.environment, record.id(), &request.addresses, &request.reason, &request.until);
    let json = serde_json::to_string_pretty(&text).unwrap_or_default();
    std::fs::write(&request.out, json + "\n").map_err(|error| unwritable(&sources, &request.out, &error))
}

fn unwritable(sources: &Arc<Sources>, path: &Path, error: &std::io::Error) -> Failure {
    failure(
        sources,
        Diagnostic::error(format!("the override cannot be written to `{}`", path.display()))
            .detail(format!("{error}."))
            .hint("check that the folder exists and that you may write to it"),
    )
}
