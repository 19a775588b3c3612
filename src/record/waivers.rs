//! What somebody let pass that would have stopped a plan: kept with the revision that relied on it.

use formwork_contract::Str;
use rusqlite::{Connection, params};

use super::Writing;
use super::error::RecordError;
use super::model::{RecordedWaiver, SignedWaiver, WaiverKind};

/// What the audit chain covers of them, where a revision has any.
pub(super) const ROWS: &str =
    "SELECT revision, place, kind, address, what, signer, reason, until, file, body, signature
                               FROM waivers WHERE revision = ?1 ORDER BY place";

pub(super) fn insert(writing: &Writing, revision: i64, waivers: &[RecordedWaiver]) -> Result<(), RecordError> {
    let insert =
        "INSERT INTO waivers (revision, place, kind, address, what, signer, reason, until, file, body, signature)
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let mut statement = writing.transaction.prepare_cached(insert)?;
    for (place, waiver) in (0i64..).zip(waivers) {
        let signed = waiver.signed.as_ref();
        statement.execute(params![
            revision,
            place,
            waiver.kind.as_str(),
            waiver.address.as_deref(),
            waiver.what.as_deref(),
            waiver.signer.as_deref(),
            waiver.reason.as_deref(),
            waiver.until.as_deref(),
            signed.map(|signed| &*signed.file),
            signed.map(|signed| signed.text.as_bytes()),
            signed.map(|signed| &*signed.signature),
        ])?;
    }
    Ok(())
}

pub(super) fn of(connection: &Connection, revision: i64) -> Result<Vec<RecordedWaiver>, RecordError> {
    let mut statement = connection.prepare_cached(ROWS)?;
    let mut rows = statement.query([revision])?;
    let mut waivers = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column: usize| -> Result<Option<Str>, RecordError> {
            Ok(row.get_ref(column)?.as_str_or_null()?.map(Str::from))
        };
        let kind = row.get_ref(2)?.as_str()?;
        let body = row.get_ref(9)?.as_blob_or_null()?.map(std::str::from_utf8).transpose();
        let body = body.map_err(RecordError::corrupt)?;
        let signed = match (text(8)?, body, text(10)?) {
            (Some(file), Some(text), Some(signature)) => Some(SignedWaiver { file, text: text.into(), signature }),
            _ => None,
        };
        waivers.push(RecordedWaiver {
            kind: WaiverKind::from_text(kind)
                .ok_or_else(|| RecordError::corrupt(format!("a waiver has the kind `{kind}`")))?,
            address: text(3)?,
            what: text(4)?,
            signer: text(5)?,
            reason: text(6)?,
            until: text(7)?,
            signed,
        });
    }
    Ok(waivers)
}

/// Whether a revision has any.
pub(super) fn has(connection: &Connection, revision: i64) -> Result<bool, RecordError> {
    Ok(connection.prepare_cached("SELECT 1 FROM waivers WHERE revision = ?1")?.exists([revision])?)
}
