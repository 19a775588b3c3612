//! Waves and gates of a revision: what happened to them, in the order in which it did.

use std::collections::BTreeMap;

use formwork_contract::Str;
use rusqlite::{Connection, params};

use super::commit::take_up;
use super::error::RecordError;
use super::model::{GateSummary, NewReleaseEvent, ReleaseEvent, ReleaseEventKind, RevisionStatus, WaveSummary};
use super::outputs;
use super::revision::end;
use super::{Record, Writing, audit, to_i64, to_u64};

const COLUMNS: &str = "wave, wave_name, gate, event, message, approver, signature, at_ms";

impl Record {
    /// Writes down what happened to waves and gates of a revision; it is durable when this returns. What
    /// begins opens a revision again that was paused or broke off.
    ///
    /// # Errors
    /// No lease or a lost one; a revision that is complete or run by another.
    pub fn note(&mut self, revision: u64, events: &[NewReleaseEvent]) -> Result<(), RecordError> {
        if events.is_empty() {
            return Ok(());
        }
        self.write(|writing| {
            take_up(writing, revision)?;
            insert(writing, revision, events)
        })
    }

    /// Ends the run of a revision in an orderly way, before all of it is done: it waits for something, and goes on
    /// where it stopped.
    ///
    /// # Errors
    /// No lease or a lost one; a revision that is complete or run by another.
    pub fn pause(&mut self, revision: u64) -> Result<(), RecordError> {
        self.write(|writing| {
            take_up(writing, revision)?;
            let outputs = outputs::current(writing.transaction)?;
            end(writing, to_i64(revision), RevisionStatus::Paused, &outputs)
        })
    }

    /// What happened to waves and gates of a revision, the oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn release_events(&self, revision: u64) -> Result<Vec<ReleaseEvent>, RecordError> {
        self.read(|connection| events(connection, to_i64(revision)))
    }
}

fn insert(writing: &Writing, revision: u64, events: &[NewReleaseEvent]) -> Result<(), RecordError> {
    let connection = writing.transaction;
    let number = to_i64(revision);
    let mut statement = connection.prepare_cached(&format!(
        "INSERT INTO release_events (revision, {COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
    ))?;
    let mut ids = None;
    for event in events {
        statement.execute(params![
            number,
            to_i64(event.wave),
            &*event.wave_name,
            event.gate.as_deref(),
            event.kind.as_str(),
            event.message.as_deref(),
            event.approver.as_deref(),
            event.signature.as_deref(),
            writing.now_ms,
        ])?;
        let id = connection.last_insert_rowid();
        ids = Some((ids.map_or(id, |(first, _)| first), id));
    }
    if events.iter().any(|event| event.kind == ReleaseEventKind::Begun) {
        let reopen = "UPDATE revisions SET status = 'open', ended_ms = NULL WHERE number = ?1 AND status <> 'open'";
        connection.prepare_cached(reopen)?.execute([number])?;
    }
    audit::append(writing, audit::Kind::Release, number, ids.unwrap_or_default())
}

fn events(connection: &Connection, revision: i64) -> Result<Vec<ReleaseEvent>, RecordError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM release_events WHERE revision = ?1 ORDER BY id"))?;
    let mut rows = statement.query([revision])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column: usize| -> Result<Option<Str>, RecordError> {
            Ok(row.get_ref(column)?.as_str_or_null()?.map(Str::from))
        };
        let kind = row.get_ref(3)?.as_str()?;
        found.push(ReleaseEvent {
            event: NewReleaseEvent {
                wave: to_u64(row.get(0)?) as usize,
                wave_name: row.get_ref(1)?.as_str()?.into(),
                gate: text(2)?,
                kind: ReleaseEventKind::from_text(kind)
                    .ok_or_else(|| RecordError::corrupt(format!("a wave has the event `{kind}`")))?,
                message: text(4)?,
                approver: text(5)?,
                signature: text(6)?,
            },
            at_ms: row.get(7)?,
        });
    }
    Ok(found)
}

/// The waves of a revision that began or wait, and how far each has come.
pub(super) fn waves(connection: &Connection, revision: i64) -> Result<Vec<WaveSummary>, RecordError> {
    let mut waves: BTreeMap<usize, WaveSummary> = BTreeMap::new();
    for ReleaseEvent { event, at_ms } in events(connection, revision)? {
        let wave = waves.entry(event.wave).or_insert_with(|| WaveSummary {
            wave: event.wave,
            name: event.wave_name.clone(),
            status: event.kind,
            message: None,
            started_ms: None,
            ended_ms: None,
            approvals: Vec::new(),
            gates: Vec::new(),
        });
        match &event.gate {
            None => in_wave(wave, &event, at_ms),
            Some(name) => in_gate(wave, name, &event, at_ms),
        }
    }
    Ok(waves.into_values().collect())
}

fn in_wave(wave: &mut WaveSummary, event: &NewReleaseEvent, at_ms: i64) {
    if event.kind == ReleaseEventKind::Approved {
        wave.approvals.extend(event.approver.clone());
        return;
    }
    wave.status = event.kind;
    wave.message.clone_from(&event.message);
    match event.kind {
        ReleaseEventKind::Begun => wave.started_ms = wave.started_ms.or(Some(at_ms)),
        ReleaseEventKind::Waiting => {}
        _ => wave.ended_ms = Some(at_ms),
    }
}

fn in_gate(wave: &mut WaveSummary, name: &Str, event: &NewReleaseEvent, at_ms: i64) {
    let place = wave.gates.iter().position(|gate| gate.name == *name).unwrap_or_else(|| {
        let (name, status) = (name.clone(), event.kind);
        wave.gates.push(GateSummary { name, status, message: None, started_ms: at_ms, ended_ms: None });
        wave.gates.len() - 1
    });
    let gate = &mut wave.gates[place];
    gate.status = event.kind;
    gate.message.clone_from(&event.message);
    match event.kind {
        ReleaseEventKind::Begun => gate.started_ms = at_ms,
        _ => gate.ended_ms = Some(at_ms),
    }
    if event.kind == ReleaseEventKind::Failed {
        wave.status = ReleaseEventKind::Failed;
        wave.ended_ms = Some(at_ms);
    }
}
