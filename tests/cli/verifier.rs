//! A verifier of plan files and audit chains that shares no code with the program: written from
//! `docs/reference/formats.md` alone, with SHA-256, JSON and SQLite.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

/// What is wrong with a plan file; its digest where nothing is.
pub(crate) fn check_plan(file: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(file).map_err(|error| error.to_string())?;
    let json: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let stated = json["digest"].as_str().ok_or("no digest")?;
    let version = &json["version"];
    if json["format"] != "formwork.plan" || *version != 1 {
        return Err(format!("it is {} version {version}", json["format"]));
    }
    // The content is the last entry: what is hashed are its bytes as they stand.
    let (_, rest) = text.split_once("\"content\":").ok_or("no content")?;
    let content = rest.trim_end().strip_suffix('}').ok_or("no end")?;
    let digest = hex(&Sha256::digest(content));
    if digest == stated { Ok(digest) } else { Err(format!("its digest is {digest}, and it says {stated}")) }
}

/// The links of a record's chain, as hashes; or the first that does not hold.
pub(crate) fn check_chain(record: &std::path::Path) -> Result<Vec<String>, String> {
    let open = Connection::open_with_flags(record, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let chain = Chain(open.map_err(|error| error.to_string())?);
    chain.check().map_err(|error| error.to_string())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Chain(Connection);

type Checked<T> = Result<T, Box<dyn std::error::Error>>;

/// Seq, time, kind, revision, first and last row, content, hash, and what it was sealed anew to.
type Row = (i64, i64, String, i64, i64, i64, Vec<u8>, Vec<u8>, Option<Vec<u8>>);

impl Chain {
    fn check(&self) -> Checked<Vec<String>> {
        let id: String = self.0.query_row("SELECT id FROM record", [], |row| row.get(0))?;
        let mut before: Vec<u8> = Sha256::digest(id).to_vec();
        let select = "SELECT seq, at_ms, kind, revision, first, last, content, hash, resealed FROM audit ORDER BY seq";
        let mut statement = self.0.prepare(select)?;
        let rows = statement.query_map([], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
                row.get(5)?,
                row.get(6)?,
                row.get(7)?,
                row.get(8)?,
            ))
        })?;
        let mut hashes = Vec::new();
        for (place, row) in (1..).zip(rows) {
            let (seq, at_ms, kind, revision, first, last, content, hash, resealed): Row = row?;
            let mut link = Sha256::new();
            link.update(&before);
            for number in [seq, at_ms, revision, first, last] {
                link.update(number.to_le_bytes());
            }
            link.update(&content);
            link.update(&kind);
            let found = self.content(&kind, revision, (first, last), seq)?;
            if seq != place || link.finalize()[..] != hash || found != resealed.unwrap_or(content) {
                return Err(format!("link {place} ({kind}) does not hold").into());
            }
            hashes.push(hex(&hash));
            before = hash;
        }
        Ok(hashes)
    }

    fn content(&self, kind: &str, revision: i64, rows: (i64, i64), seq: i64) -> Checked<Vec<u8>> {
        let mut hasher = Sha256::new();
        if kind == "begin" {
            self.beginning(&mut hasher, revision)?;
            return Ok(hasher.finalize().to_vec());
        }
        hasher.update(revision.to_le_bytes());
        for id in rows.0..=rows.1 {
            match kind {
                "journal" => {
                    let columns =
                        "id, revision, step, kind, attempt, provider, prior, planned, private, message, result,
                                   moved_from, deposed_to";
                    self.rows(&mut hasher, &format!("SELECT {columns} FROM journal WHERE id = ?1"), id)?;
                    let select = "SELECT source FROM journal WHERE id = ?1";
                    if let Some(source) = self.0.query_row(select, [id], |row| row.get::<_, Option<String>>(0))? {
                        hasher.update((source.len() as u64).to_le_bytes());
                        hasher.update(source);
                    }
                    self.rows_if_any(
                        &mut hasher,
                        "SELECT dependencies, create_before_destroy, protected FROM journal WHERE id = ?1
                         AND (dependencies IS NOT NULL OR create_before_destroy IS NOT NULL OR protected IS NOT NULL)",
                        id,
                    )?;
                }
                "end" => {
                    self.rows(
                        &mut hasher,
                        "SELECT id, revision, status, outputs, at_ms FROM endings WHERE id = ?1",
                        id,
                    )?;
                    self.rows_if_any(
                        &mut hasher,
                        "SELECT ending, step, error FROM stuck WHERE ending = ?1 ORDER BY step",
                        id,
                    )?;
                }
                "release" => {
                    let columns = "id, revision, wave, wave_name, gate, event, message, approver, signature, at_ms";
                    self.rows(&mut hasher, &format!("SELECT {columns} FROM release_events WHERE id = ?1"), id)?;
                }
                "rekey" => self.rekey(&mut hasher, id, seq)?,
                other => return Err(format!("there is no kind `{other}`").into()),
            }
        }
        Ok(hasher.finalize().to_vec())
    }

    fn beginning(&self, hasher: &mut Sha256, revision: i64) -> Checked<()> {
        for query in [
            "SELECT number, kind, plan_digest, variables, pinned, git_commit, git_clean, actor, started_ms
             FROM revisions WHERE number = ?1",
            "SELECT name, digest FROM revision_files WHERE revision = ?1 ORDER BY name",
            "SELECT step, address, deposed, action FROM steps WHERE revision = ?1 ORDER BY step",
        ] {
            self.rows(hasher, query, revision)?;
        }
        for query in [
            "SELECT revision, lineage, serial FROM adoptions WHERE revision = ?1",
            "SELECT revision, place, signer, fingerprint, signature FROM approvals WHERE revision = ?1 ORDER BY place",
            "SELECT revision, place, kind, address, what, signer, reason, until, file, body, signature
             FROM waivers WHERE revision = ?1 ORDER BY place",
            "SELECT revision, undone FROM undos WHERE revision = ?1",
        ] {
            self.rows_if_any(hasher, query, revision)?;
        }
        Ok(())
    }

    fn rekey(&self, hasher: &mut Sha256, id: i64, seq: i64) -> Checked<()> {
        let select = "SELECT id, at_ms, actor, rotated, key_before, key_after, recipients FROM rekeys WHERE id = ?1";
        self.rows(hasher, select, id)?;
        if self.0.query_row("SELECT rotated FROM rekeys WHERE id = ?1", [id], |row| row.get(0))? {
            let select = "SELECT seq, resealed FROM audit WHERE seq < ?1 AND resealed IS NOT NULL ORDER BY seq";
            let mut statement = self.0.prepare(select)?;
            let mut rows = statement.query([seq])?;
            while let Some(row) = rows.next()? {
                hasher.update(row.get::<_, i64>(0)?.to_le_bytes());
                hasher.update(row.get::<_, Vec<u8>>(1)?);
            }
        }
        Ok(())
    }

    fn rows_if_any(&self, hasher: &mut Sha256, query: &str, parameter: i64) -> Checked<()> {
        if self.0.prepare(query)?.exists([parameter])? { self.rows(hasher, query, parameter) } else { Ok(()) }
    }

    /// Each value as a byte for its type, then its bytes; in the end the number of rows.
    fn rows(&self, hasher: &mut Sha256, query: &str, parameter: i64) -> Checked<()> {
        let mut statement = self.0.prepare(query)?;
        let columns = statement.column_count();
        let mut rows = statement.query([parameter])?;
        let mut count: u64 = 0;
        while let Some(row) = rows.next()? {
            count += 1;
            for column in 0..columns {
                match row.get_ref(column)? {
                    ValueRef::Null => hasher.update([0, 0, 0, 0, 0, 0, 0, 0, 0]),
                    ValueRef::Integer(number) => {
                        hasher.update([1]);
                        hasher.update(number.to_le_bytes());
                    }
                    ValueRef::Real(number) => {
                        hasher.update([2]);
                        hasher.update(number.to_le_bytes());
                    }
                    ValueRef::Text(bytes) => {
                        hasher.update([3]);
                        hasher.update((bytes.len() as u64).to_le_bytes());
                        hasher.update(bytes);
                    }
                    ValueRef::Blob(bytes) => {
                        hasher.update([4]);
                        hasher.update((bytes.len() as u64).to_le_bytes());
                        hasher.update(bytes);
                    }
                }
            }
        }
        hasher.update(count.to_le_bytes());
        Ok(())
    }
}
