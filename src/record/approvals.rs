//! Who approved a revision: the signatures that counted, kept with it.

use rusqlite::{Connection, params};

use super::Writing;
use super::error::RecordError;
use super::model::RecordedApproval;

/// What the audit chain covers of them, where a revision has any.
pub(super) const ROWS: &str =
    "SELECT revision, place, signer, fingerprint, signature FROM approvals WHERE revision = ?1 ORDER BY place";

pub(super) fn insert(writing: &Writing, revision: i64, approvals: &[RecordedApproval]) -> Result<(), RecordError> {
    let insert = "INSERT INTO approvals (revision, place, signer, fingerprint, signature) VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut statement = writing.transaction.prepare_cached(insert)?;
    for (place, approval) in (0i64..).zip(approvals) {
        statement.execute(params![revision, place, &*approval.signer, &*approval.fingerprint, &*approval.signature])?;
    }
    Ok(())
}

pub(super) fn of(connection: &Connection, revision: i64) -> Result<Vec<RecordedApproval>, RecordError> {
    let mut statement = connection
        .prepare_cached("SELECT signer, fingerprint, signature FROM approvals WHERE revision = ?1 ORDER BY place")?;
    let mut rows = statement.query([revision])?;
    let mut approvals = Vec::new();
    while let Some(row) = rows.next()? {
        approvals.push(RecordedApproval {
            signer: row.get_ref(0)?.as_str()?.into(),
            fingerprint: row.get_ref(1)?.as_str()?.into(),
            signature: row.get_ref(2)?.as_str()?.into(),
        });
    }
    Ok(approvals)
}

/// Whether a revision has any.
pub(super) fn has(connection: &Connection, revision: i64) -> Result<bool, RecordError> {
    Ok(connection.prepare_cached("SELECT 1 FROM approvals WHERE revision = ?1")?.exists([revision])?)
}
