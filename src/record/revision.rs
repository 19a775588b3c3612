//! Revisions: begin, end, history, and the intents that a run left open.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use formwork_contract::Str;
use rusqlite::{Connection, Row, params};

use super::commit::{bump_serial, status, take_up};
use super::error::RecordError;
use super::journal::StepStatus;
use super::lease::is_live;
use super::model::{
    Adoption, MetaArguments, NewRevision, NewStep, OpenIntent, Revision, RevisionKind, RevisionStatus, RevisionSummary,
    StepCount,
};
use super::outputs::{self, OutputEdit};
use super::resource::{self, Reader};
use super::vault::Vault;
use super::{Record, Writing, adopt, approvals, audit, json, private, release, stuck, to_i64, to_u64, undo, waivers};

const SUMMARY: &str = "SELECT number, kind, status, plan_digest, git_commit, git_clean, actor, started_ms, ended_ms,
                       (SELECT undone FROM undos WHERE revision = number) FROM revisions";

impl Record {
    /// Begins a revision and gives its number. Runs that were interrupted are ended as incomplete; their
    /// open intents stay open. Runs that go on elsewhere are left alone.
    ///
    /// # Errors
    /// No lease or a lost one, or a step outside of it. As leases never overlap while they live, no
    /// other run can be at the same resources.
    pub fn begin(&mut self, revision: NewRevision) -> Result<u64, RecordError> {
        self.write(|writing| begin(writing, &revision, None))
    }

    /// Ends the run of a revision, with what it made of the outputs: complete when all steps are done.
    ///
    /// # Errors
    /// No lease or a lost one; a revision that is complete or run by another; an output outside of the lease.
    pub fn finish(&mut self, revision: u64, outputs: impl Into<OutputEdit>) -> Result<RevisionStatus, RecordError> {
        self.close(revision, &outputs.into(), true)
    }

    /// Ends the run of a revision that something went wrong with, though its steps may all be done: it is
    /// incomplete, and no rollback returns to it by itself.
    ///
    /// # Errors
    /// As for [`Record::finish`].
    pub fn finish_broken(
        &mut self,
        revision: u64,
        outputs: impl Into<OutputEdit>,
    ) -> Result<RevisionStatus, RecordError> {
        self.close(revision, &outputs.into(), false)
    }

    fn close(&mut self, revision: u64, outputs: &OutputEdit, sound: bool) -> Result<RevisionStatus, RecordError> {
        self.write(|writing| close(writing, revision, outputs, sound))
    }

    /// All revisions, the oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn history(&self) -> Result<Vec<RevisionSummary>, RecordError> {
        self.read(|connection| summaries(connection, &format!("{SUMMARY} ORDER BY number"), &[]))
    }

    /// What each revision has pinned that has a name with `part` in it, by its number, the oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn pinned_like(&self, part: &str) -> Result<Vec<(u64, serde_json::Value)>, RecordError> {
        self.read(|connection| {
            let select = "SELECT number, pinned FROM revisions WHERE instr(pinned, ?1) > 0 ORDER BY number";
            let mut statement = connection.prepare_cached(select)?;
            let mut rows = statement.query([part])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push((to_u64(row.get(0)?), json(row.get_ref(1)?.as_str()?)?));
            }
            Ok(found)
        })
    }

    /// The latest revision whose run has not ended: it goes on in another process, or was interrupted.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open_revision(&self) -> Result<Option<RevisionSummary>, RecordError> {
        self.read(|connection| {
            let query = format!("{SUMMARY} WHERE status = 'open' ORDER BY number DESC LIMIT 1");
            Ok(summaries(connection, &query, &[])?.pop())
        })
    }

    /// A revision with what a rollback needs.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn revision(&self, number: u64) -> Result<Option<Revision>, RecordError> {
        self.read(|connection| read_revision(connection, &self.vault, to_i64(number)))
    }

    /// Where each step of a revision stands, in the order of its steps.
    ///
    /// # Errors
    /// There is no such revision, or the file cannot be read.
    pub fn step_statuses(&self, revision: u64) -> Result<Vec<StepStatus>, RecordError> {
        self.read(|connection| {
            if !connection.prepare_cached("SELECT 1 FROM revisions WHERE number = ?1")?.exists([to_i64(revision)])? {
                return Err(RecordError::NoSuchRevision { revision });
            }
            let mut statement =
                connection.prepare_cached("SELECT status FROM steps WHERE revision = ?1 ORDER BY step")?;
            let mut rows = statement.query([to_i64(revision)])?;
            let mut statuses = Vec::new();
            while let Some(row) = rows.next()? {
                statuses.push(status(row.get_ref(0)?.as_str()?)?);
            }
            Ok(statuses)
        })
    }

    /// Intents without an outcome, of all revisions, the oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open_intents(&self) -> Result<Vec<OpenIntent>, RecordError> {
        self.read(open_intents)
    }

    /// Those of [`Record::open_intents`] that nobody works on any more: the runs of their revisions have ended.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn interrupted_intents(&self) -> Result<Vec<OpenIntent>, RecordError> {
        let now_ms = (self.clock)();
        self.read(|connection| {
            let mut live: HashMap<u64, bool> = HashMap::new();
            let mut interrupted = Vec::new();
            for intent in open_intents(connection)? {
                let goes_on = match live.get(&intent.revision) {
                    Some(known) => *known,
                    None => {
                        let select = "SELECT token FROM revisions WHERE number = ?1";
                        let token = connection.query_row(select, [to_i64(intent.revision)], |row| row.get(0))?;
                        is_live(connection, &self.path, token, now_ms)?
                    }
                };
                live.insert(intent.revision, goes_on);
                if !goes_on {
                    interrupted.push(intent);
                }
            }
            Ok(interrupted)
        })
    }
}

/// Begins a revision: what [`Record::begin`] does within its transaction.
pub(super) fn begin(
    writing: &Writing,
    revision: &NewRevision,
    adoption: Option<&Adoption>,
) -> Result<u64, RecordError> {
    let lease = writing.held_lease()?;
    if let Some(step) = revision.steps.iter().find(|step| !lease.scope.covers(&step.address)) {
        return Err(RecordError::OutsideLease { address: step.address.clone() });
    }
    end_interrupted(writing, lease.token)?;
    let number = insert_revision(writing, revision, lease.token)?;
    insert_steps(writing, number, &revision.steps)?;
    approvals::insert(writing, number, &revision.approvals)?;
    waivers::insert(writing, number, &revision.waivers)?;
    if let Some(adoption) = adoption {
        adopt::insert(writing, number, adoption)?;
    }
    undo::insert(writing, number, revision.undoes, revision.plan.as_deref())?;
    audit::append(writing, audit::Kind::Begin, number, (0, 0))?;
    Ok(to_u64(number))
}

/// Ends the run of a revision: what [`Record::finish`] does within its transaction.
pub(super) fn close(
    writing: &Writing,
    revision: u64,
    outputs: &OutputEdit,
    sound: bool,
) -> Result<RevisionStatus, RecordError> {
    take_up(writing, revision)?;
    let number = to_i64(revision);
    let left: i64 = writing.transaction.query_row(
        "SELECT coalesce(sum(planned - done), 0) FROM step_counts WHERE revision = ?1",
        [number],
        |row| row.get(0),
    )?;
    let whole = left == 0 && sound;
    let waiting = if whole { Vec::new() } else { stuck::still_left(writing.transaction, number)? };
    let status = match (whole, waiting.is_empty()) {
        (true, _) => RevisionStatus::Complete,
        (false, true) => RevisionStatus::Incomplete,
        (false, false) => RevisionStatus::Stuck,
    };
    let after = outputs_after(writing, outputs)?;
    end(writing, number, status, &after, &waiting)?;
    Ok(status)
}

/// What an ending makes of the outputs; a change is counted.
pub(super) fn outputs_after(writing: &Writing, edit: &OutputEdit) -> Result<serde_json::Value, RecordError> {
    let before = outputs::current(writing.transaction)?;
    let after = edit.applied(&before, &writing.held_lease()?.scope)?;
    if before != after {
        bump_serial(writing)?;
    }
    Ok(after)
}

fn insert_revision(writing: &Writing, revision: &NewRevision, token: u64) -> Result<i64, RecordError> {
    let connection = writing.transaction;
    connection.execute(
        "INSERT INTO revisions (kind, status, plan_digest, variables, pinned, git_commit, git_clean, actor,
            started_ms, token) VALUES (?1, 'open', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            kind_text(revision.kind),
            &*revision.plan_digest,
            revision.variables.to_string(),
            revision.pinned.to_string(),
            revision.git_commit.as_deref(),
            revision.git_clean,
            &*revision.actor,
            writing.now_ms,
            to_i64(token),
        ],
    )?;
    let number = connection.last_insert_rowid();
    for (name, body) in &revision.files {
        let digest = writing.vault.digest(body);
        connection
            .prepare_cached("INSERT INTO contents (digest, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute(params![digest, &*private::sealed(body, writing.vault)])?;
        connection
            .prepare_cached("INSERT INTO revision_files (revision, name, digest) VALUES (?1, ?2, ?3)")?
            .execute(params![number, name, digest])?;
    }
    Ok(number)
}

fn insert_steps(writing: &Writing, revision: i64, steps: &[NewStep]) -> Result<(), RecordError> {
    let connection = writing.transaction;
    let mut deposed_here: HashMap<_, &Str> = HashMap::new();
    for step in steps {
        if let Some(key) = &step.deposed
            && resource::find(connection, &step.address.to_string(), key)?.is_none()
        {
            deposed_here.insert(&step.address, key);
        }
    }
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    let mut insert = connection.prepare_cached(
        "INSERT INTO steps (revision, step, address, deposed, action, status, deposes)
         VALUES (?1, ?2, ?3, ?4, ?5, 'planned', ?6)",
    )?;
    for (number, step) in (0i64..).zip(steps) {
        let makes_successor = &*step.action == "create" && step.deposed.is_none();
        let deposes = deposed_here.get(&step.address).filter(|_| makes_successor).map(|key| &***key);
        let deposed = step.deposed.as_deref().unwrap_or_default();
        insert.execute(params![revision, number, step.address.to_string(), deposed, &*step.action, deposes])?;
        *counts.entry(&step.action).or_default() += 1;
    }
    for (action, planned) in counts {
        let insert = "INSERT INTO step_counts (revision, action, planned, done) VALUES (?1, ?2, ?3, 0)";
        connection.execute(insert, params![revision, action, planned])?;
    }
    Ok(())
}

/// Ends runs that nobody runs any more: those of this lease, and those whose lease ended.
fn end_interrupted(writing: &Writing, own_token: u64) -> Result<(), RecordError> {
    let open: Vec<(i64, i64)> = writing
        .transaction
        .prepare_cached("SELECT number, token FROM revisions WHERE status = 'open' ORDER BY number")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (number, token) in open {
        if token == to_i64(own_token) || !is_live(writing.transaction, writing.record, token, writing.now_ms)? {
            let outputs = outputs::current(writing.transaction)?;
            let waiting = stuck::still_left(writing.transaction, number)?;
            let status = if waiting.is_empty() { RevisionStatus::Incomplete } else { RevisionStatus::Stuck };
            end(writing, number, status, &outputs, &waiting)?;
        }
    }
    Ok(())
}

/// Writes an ending down; `left` are the steps that wait for a person, and why.
pub(super) fn end(
    writing: &Writing,
    revision: i64,
    status: RevisionStatus,
    outputs: &serde_json::Value,
    left: &[(i64, String)],
) -> Result<(), RecordError> {
    let connection = writing.transaction;
    if status == RevisionStatus::Complete {
        undo::forget_plan(writing, revision)?;
    }
    let status = status_text(status);
    connection.execute(
        "INSERT INTO endings (revision, status, outputs, at_ms) VALUES (?1, ?2, ?3, ?4)",
        params![revision, status, outputs.to_string(), writing.now_ms],
    )?;
    let ending = connection.last_insert_rowid();
    stuck::insert(writing, ending, left)?;
    connection.execute(
        "UPDATE revisions SET status = ?2, ended_ms = ?3 WHERE number = ?1",
        params![revision, status, writing.now_ms],
    )?;
    audit::append(writing, audit::Kind::End, revision, (ending, ending))
}

fn summaries(
    connection: &Connection,
    query: &str,
    parameters: &[&dyn rusqlite::ToSql],
) -> Result<Vec<RevisionSummary>, RecordError> {
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query(parameters)?;
    let mut counts = connection.prepare_cached("SELECT action, planned, done FROM step_counts WHERE revision = ?1")?;
    let mut summaries = Vec::new();
    while let Some(row) = rows.next()? {
        let mut summary = summary(row)?;
        let mut rows = counts.query([to_i64(summary.number)])?;
        while let Some(row) = rows.next()? {
            let count = StepCount { planned: to_u64(row.get(1)?), done: to_u64(row.get(2)?) };
            summary.steps.insert(row.get_ref(0)?.as_str()?.into(), count);
        }
        summary.waves = release::waves(connection, to_i64(summary.number))?;
        summary.approvals = approvals::of(connection, to_i64(summary.number))?;
        summary.waivers = waivers::of(connection, to_i64(summary.number))?;
        summaries.push(summary);
    }
    Ok(summaries)
}

fn summary(row: &Row) -> Result<RevisionSummary, RecordError> {
    Ok(RevisionSummary {
        number: to_u64(row.get(0)?),
        kind: kind(row.get_ref(1)?.as_str()?)?,
        status: revision_status(row.get_ref(2)?.as_str()?)?,
        plan_digest: row.get_ref(3)?.as_str()?.into(),
        git_commit: row.get_ref(4)?.as_str_or_null()?.map(Into::into),
        git_clean: row.get(5)?,
        actor: row.get_ref(6)?.as_str()?.into(),
        started_ms: row.get(7)?,
        ended_ms: row.get(8)?,
        undoes: row.get::<_, Option<i64>>(9)?.map(to_u64),
        steps: BTreeMap::new(),
        waves: Vec::new(),
        approvals: Vec::new(),
        waivers: Vec::new(),
    })
}

fn read_revision(connection: &Connection, vault: &Vault, number: i64) -> Result<Option<Revision>, RecordError> {
    let Some(summary) = summaries(connection, &format!("{SUMMARY} WHERE number = ?1"), &[&number])?.pop() else {
        return Ok(None);
    };
    let select = "SELECT variables, pinned FROM revisions WHERE number = ?1";
    let (variables, pinned): (String, String) =
        connection.query_row(select, [number], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut statement = connection
        .prepare_cached("SELECT name, body FROM revision_files JOIN contents USING (digest) WHERE revision = ?1")?;
    let mut rows = statement.query([number])?;
    let mut files: BTreeMap<String, Arc<[u8]>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let body = private::opened(row.get_ref(1)?.as_blob()?, vault).map_err(RecordError::corrupt)?;
        files.insert(row.get(0)?, body);
    }
    let last = "SELECT outputs FROM endings WHERE revision = ?1 ORDER BY id DESC LIMIT 1";
    Ok(Some(Revision {
        summary,
        files,
        variables: json(&variables)?,
        pinned: json(&pinned)?,
        outputs: outputs::of(connection, last, &[&number])?,
    }))
}

fn open_intents(connection: &Connection) -> Result<Vec<OpenIntent>, RecordError> {
    let mut statement = connection.prepare_cached(
        "SELECT s.revision, s.step, s.address, s.deposed, s.action, j.attempt, j.provider, j.prior, j.planned, j.private,
            j.source, j.dependencies, j.create_before_destroy, j.protected
         FROM steps AS s JOIN journal AS j ON j.id = s.intent
         WHERE s.status IN ('intended', 'unknown') ORDER BY s.revision, s.step",
    )?;
    let mut rows = statement.query([])?;
    let mut reader = Reader::default();
    let mut intents = Vec::new();
    while let Some(row) = rows.next()? {
        let (address, deposed) = (row.get_ref(2)?.as_str()?, row.get_ref(3)?.as_str()?);
        let value = |column: usize| -> Result<Option<serde_json::Value>, RecordError> {
            row.get_ref(column)?.as_str_or_null()?.map(json).transpose()
        };
        intents.push(OpenIntent {
            revision: to_u64(row.get(0)?),
            step: usize::try_from(row.get::<_, i64>(1)?).map_err(RecordError::corrupt)?,
            address: reader.address(address)?,
            deposed: resource::deposed(deposed),
            action: row.get_ref(4)?.as_str()?.into(),
            attempt: row.get_ref(5)?.as_str()?.into(),
            provider: row.get_ref(6)?.as_str()?.into(),
            source: row.get_ref(10)?.as_str_or_null()?.unwrap_or_default().into(),
            prior: value(7)?,
            planned: value(8)?,
            private: row.get_ref(9)?.as_blob()?.into(),
            meta: meta(row, 11)?,
            recorded: resource::find(connection, address, deposed)?,
        });
    }
    Ok(intents)
}

/// The meta-arguments of an intent, in three columns from `start` on.
fn meta(row: &Row, start: usize) -> Result<Option<MetaArguments>, RecordError> {
    let Some(dependencies) = row.get_ref(start)?.as_str_or_null()? else { return Ok(None) };
    Ok(Some(MetaArguments {
        dependencies: resource::dependencies(dependencies)?,
        create_before_destroy: row.get(start + 1)?,
        protected: row.get(start + 2)?,
    }))
}

fn kind_text(kind: RevisionKind) -> &'static str {
    match kind {
        RevisionKind::Apply => "apply",
        RevisionKind::Destroy => "destroy",
        RevisionKind::Rollback => "rollback",
        RevisionKind::Edit => "edit",
        RevisionKind::Adopt => "adopt",
        RevisionKind::Recover => "recover",
    }
}

fn kind(text: &str) -> Result<RevisionKind, RecordError> {
    Ok(match text {
        "apply" => RevisionKind::Apply,
        "destroy" => RevisionKind::Destroy,
        "rollback" => RevisionKind::Rollback,
        "edit" => RevisionKind::Edit,
        "adopt" => RevisionKind::Adopt,
        "recover" => RevisionKind::Recover,
        _ => return Err(RecordError::corrupt(format!("a revision has the kind `{text}`"))),
    })
}

fn status_text(status: RevisionStatus) -> &'static str {
    match status {
        RevisionStatus::Open => "open",
        RevisionStatus::Complete => "complete",
        RevisionStatus::Incomplete => "incomplete",
        RevisionStatus::Paused => "paused",
        RevisionStatus::Stuck => "stuck",
    }
}

fn revision_status(text: &str) -> Result<RevisionStatus, RecordError> {
    Ok(match text {
        "open" => RevisionStatus::Open,
        "complete" => RevisionStatus::Complete,
        "incomplete" => RevisionStatus::Incomplete,
        "paused" => RevisionStatus::Paused,
        "stuck" => RevisionStatus::Stuck,
        _ => return Err(RecordError::corrupt(format!("a revision has the status `{text}`"))),
    })
}
