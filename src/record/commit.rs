//! Events of steps become durable: journal, resources, before-images and statuses in one transaction.

use std::collections::{BTreeMap, HashMap};

use formwork_contract::Address;
use rusqlite::{OptionalExtension, params};

use super::error::RecordError;
use super::journal::{REINSTATE, Reach, StepStatus};
use super::lease::is_live;
use super::model::{RecordedResource, StepEvent, StepEventKind};
use super::{Record, Writing, audit, resource, rows, to_i64};

impl Record {
    /// Writes down what happened to steps of a revision; all of it is durable when this returns.
    ///
    /// The cost is that of the events, whatever the record's size. Within a call the old addresses of
    /// moves are cleared first, so two resources may swap places.
    ///
    /// A `create` whose revision has a step for a deposed key of the same address makes a successor: when
    /// the new object is reported, the one that stands at the address is kept under that key. Until then
    /// the old one stands, and "nothing" as the outcome of the create leaves it alone.
    ///
    /// # Errors
    /// No lease or a lost one, an address outside of it, an event that cannot follow, an outcome for
    /// another object, a revision that is complete or run by another. Nothing is written then.
    pub fn commit(&mut self, revision: u64, events: &[StepEvent]) -> Result<(), RecordError> {
        if events.is_empty() {
            return Ok(());
        }
        self.write(|writing| commit(writing, revision, events))
    }
}

/// Writes events down: what [`Record::commit`] does within its transaction.
pub(super) fn commit(writing: &Writing, revision: u64, events: &[StepEvent]) -> Result<(), RecordError> {
    take_up(writing, revision)?;
    let mut batch = Batch::load(writing, revision, events)?;
    batch.clear_moved(events)?;
    let journal = batch.journal(events)?;
    batch.save_steps()?;
    audit::append(writing, audit::Kind::Journal, to_i64(revision), journal)
}

/// Makes sure that this run may write to the revision, and takes it over from a run that died.
pub(super) fn take_up(writing: &Writing, revision: u64) -> Result<(), RecordError> {
    let lease = writing.held_lease()?;
    let connection = writing.transaction;
    let found: Option<(String, i64)> = connection
        .prepare_cached("SELECT status, token FROM revisions WHERE number = ?1")?
        .query_row([to_i64(revision)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (status, token) = found.ok_or(RecordError::NoSuchRevision { revision })?;
    if status == "complete" {
        return Err(RecordError::RevisionComplete { revision });
    }
    if token == to_i64(lease.token) {
        return Ok(());
    }
    if is_live(connection, writing.record, token, writing.now_ms)? {
        let select = "SELECT holder, acquired_ms, expires_ms FROM leases WHERE token = ?1";
        let (holder, since_ms, until_ms): (String, i64, i64) =
            connection.query_row(select, [token], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        return Err(RecordError::Locked { holder: holder.into(), since_ms, until_ms, held: Vec::new() });
    }
    connection.execute("UPDATE revisions SET token = ?2 WHERE number = ?1", [to_i64(revision), to_i64(lease.token)])?;
    Ok(())
}

/// Counts a change of resources or outputs; the record's serial with it.
pub(super) fn bump_serial(writing: &Writing) -> Result<i64, RecordError> {
    let update = "UPDATE record SET serial = serial + 1 RETURNING serial";
    Ok(writing.transaction.prepare_cached(update)?.query_row([], |row| row.get(0))?)
}

/// A step as its row says.
struct StepRow {
    address: String,
    deposed: String,
    action: String,
    status: StepStatus,
    deposes: Option<String>,
    intent: Option<i64>,
}

/// What an event did to a resource, for its journal row.
#[derive(Default)]
struct Effect {
    /// The digest of what stands now; empty when nothing does.
    result: Option<Vec<u8>>,
    deposed_to: Option<String>,
}

/// The events of one commit and the steps that they are about.
struct Batch<'a> {
    writing: &'a Writing<'a>,
    revision: u64,
    steps: BTreeMap<usize, StepRow>,
    /// Steps that became done, by action.
    done: HashMap<String, i64>,
    /// The record's serial with this commit, once a resource was changed.
    serial: Option<i64>,
}

impl<'a> Batch<'a> {
    /// Reads the steps, and moves their statuses on; fails on the first event that cannot follow.
    fn load(writing: &'a Writing<'a>, revision: u64, events: &[StepEvent]) -> Result<Self, RecordError> {
        let mut batch = Self { writing, revision, steps: BTreeMap::new(), done: HashMap::new(), serial: None };
        for event in events {
            let step = event.step;
            if !batch.steps.contains_key(&step) {
                let row = batch.load_step(step)?;
                batch.steps.insert(step, row);
            }
            let Some(row) = batch.steps.get_mut(&step) else { continue };
            match row.status.next(Reach::of_action(&row.action), &event.kind) {
                Ok(status) => row.status = status,
                Err(source) => {
                    let address = row.address.parse().map_err(RecordError::corrupt)?;
                    return Err(RecordError::IllegalTransition { revision, step, address, source });
                }
            }
            if row.status == StepStatus::Done {
                *batch.done.entry(row.action.clone()).or_default() += 1;
            }
        }
        Ok(batch)
    }

    fn load_step(&self, step: usize) -> Result<StepRow, RecordError> {
        let select = "SELECT address, deposed, action, status, deposes, intent FROM steps
                      WHERE revision = ?1 AND step = ?2";
        let mut statement = self.writing.transaction.prepare_cached(select)?;
        let mut rows = statement.query([to_i64(self.revision), to_i64(step)])?;
        let row = rows.next()?.ok_or(RecordError::NoSuchStep { revision: self.revision, step })?;
        let loaded = StepRow {
            address: row.get(0)?,
            deposed: row.get(1)?,
            action: row.get(2)?,
            status: status(row.get_ref(3)?.as_str()?)?,
            deposes: row.get(4)?,
            intent: row.get(5)?,
        };
        self.check_lease(&loaded.address)?;
        Ok(loaded)
    }

    /// A lease of the whole record covers everything, so nothing is parsed for it.
    fn check_lease(&self, address: &str) -> Result<(), RecordError> {
        let lease = self.writing.held_lease()?;
        if lease.scope == super::LeaseScope::Whole {
            return Ok(());
        }
        let address: Address = address.parse().map_err(RecordError::corrupt)?;
        if lease.scope.covers(&address) { Ok(()) } else { Err(RecordError::OutsideLease { address }) }
    }

    fn clear_moved(&mut self, events: &[StepEvent]) -> Result<(), RecordError> {
        for event in events {
            let StepEventKind::Done { from: Some(from), .. } = &event.kind else { continue };
            let (Some(step), from) = (self.steps.get(&event.step), from.to_string()) else { continue };
            self.check_lease(&from)?;
            let deposed = step.deposed.clone();
            self.touch(&from, &deposed)?;
            resource::remove(self.writing.transaction, &from, &deposed)?;
        }
        Ok(())
    }

    /// Writes the journal's rows and what they change; gives the ids of the first and the last one.
    fn journal(&mut self, events: &[StepEvent]) -> Result<(i64, i64), RecordError> {
        let mut ids = None;
        for event in events {
            let Some(mut step) = self.steps.remove(&event.step) else { continue };
            let effect = self.effect(event, &mut step)?;
            let id = self.journal_row(event, effect)?;
            if matches!(event.kind, StepEventKind::Intended { .. }) {
                step.intent = Some(id);
            }
            self.steps.insert(event.step, step);
            ids = Some((ids.map_or(id, |(first, _)| first), id));
        }
        Ok(ids.unwrap_or_default())
    }

    fn effect(&mut self, event: &StepEvent, step: &mut StepRow) -> Result<Effect, RecordError> {
        match &event.kind {
            StepEventKind::Done { resource, .. } | StepEventKind::Settled { resource } => {
                self.stands(event.step, step, resource.as_deref())
            }
            StepEventKind::Partly { resource, .. } => self.stands(event.step, step, Some(resource)),
            StepEventKind::Intended { .. } | StepEventKind::Failed { .. } | StepEventKind::Unknown { .. } => {
                Ok(Effect::default())
            }
        }
    }

    /// Makes the record say what stands at the step's address and key.
    fn stands(
        &mut self,
        number: usize,
        step: &mut StepRow,
        resource: Option<&RecordedResource>,
    ) -> Result<Effect, RecordError> {
        let connection = self.writing.transaction;
        let Some(resource) = resource else {
            if step.deposes.is_some() {
                return Ok(Effect::default());
            }
            self.touch(&step.address, &step.deposed)?;
            resource::remove(connection, &step.address, &step.deposed)?;
            return Ok(Effect { result: Some(Vec::new()), deposed_to: None });
        };
        let found = (resource.address.to_string(), resource.deposed.as_deref().unwrap_or_default());
        let key = if step.action == REINSTATE { "" } else { step.deposed.as_str() };
        if (found.0.as_str(), found.1) != (&step.address, key) {
            let expected = object_name(&step.address, key);
            let (revision, found) = (self.revision, object_name(&found.0, found.1));
            return Err(RecordError::OtherObject { revision, step: number, expected, found });
        }
        let deposed_to = match step.deposes.take() {
            Some(key) if resource::exists(connection, &step.address)? => {
                self.touch(&step.address, "")?;
                self.touch(&step.address, &key)?;
                resource::depose(connection, &step.address, &key)?;
                Some(key)
            }
            _ => None,
        };
        self.touch(&step.address, key)?;
        let digest = resource::upsert(connection, resource)?;
        Ok(Effect { result: Some(digest.to_vec()), deposed_to })
    }

    /// Before an object is changed: keeps it as it stood, and says when it changed.
    fn touch(&mut self, address: &str, deposed: &str) -> Result<(), RecordError> {
        let (connection, revision) = (self.writing.transaction, to_i64(self.revision));
        resource::save_image(connection, revision, address, deposed)?;
        let serial = match self.serial {
            Some(serial) => serial,
            None => *self.serial.insert(bump_serial(self.writing)?),
        };
        rows::changed(connection, address, deposed, serial, revision)
    }

    fn journal_row(&self, event: &StepEvent, effect: Effect) -> Result<i64, RecordError> {
        let connection = self.writing.transaction;
        let mut insert = connection.prepare_cached(
            "INSERT INTO journal (revision, step, kind, attempt, provider, prior, planned, private, message, result,
                moved_from, deposed_to, source, dependencies, create_before_destroy, protected)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?;
        let intent = IntentColumns::of(&event.kind);
        let (mut message, mut moved_from) = (None, None);
        match &event.kind {
            StepEventKind::Done { from, .. } => moved_from = from.as_ref().map(ToString::to_string),
            StepEventKind::Intended { .. } | StepEventKind::Settled { .. } => {}
            StepEventKind::Failed { message: told }
            | StepEventKind::Partly { message: told, .. }
            | StepEventKind::Unknown { message: told } => message = Some(&**told),
        }
        insert.execute(params![
            to_i64(self.revision),
            to_i64(event.step),
            StepStatus::after(&event.kind).as_str(),
            intent.attempt,
            intent.provider,
            intent.prior,
            intent.planned,
            intent.private,
            message,
            effect.result,
            moved_from,
            effect.deposed_to,
            intent.source,
            intent.dependencies,
            intent.create_before_destroy,
            intent.protected,
        ])?;
        Ok(connection.last_insert_rowid())
    }

    fn save_steps(&self) -> Result<(), RecordError> {
        let connection = self.writing.transaction;
        let revision = to_i64(self.revision);
        let update = "UPDATE steps SET status = ?3, deposes = ?4, intent = ?5 WHERE revision = ?1 AND step = ?2";
        let mut statement = connection.prepare_cached(update)?;
        for (number, step) in &self.steps {
            statement.execute(params![revision, to_i64(*number), step.status.as_str(), step.deposes, step.intent])?;
        }
        for (action, done) in &self.done {
            let update = "UPDATE step_counts SET done = done + ?3 WHERE revision = ?1 AND action = ?2";
            connection.prepare_cached(update)?.execute(params![revision, action, done])?;
        }
        if self.steps.values().any(|step| step.status == StepStatus::Intended) {
            let reopen = "UPDATE revisions SET status = 'open', ended_ms = NULL WHERE number = ?1 AND status <> 'open'";
            connection.prepare_cached(reopen)?.execute([revision])?;
        }
        Ok(())
    }
}

/// What the journal keeps of an intent; all null in other events.
#[derive(Default)]
struct IntentColumns<'a> {
    attempt: Option<&'a str>,
    provider: Option<&'a str>,
    source: Option<&'a str>,
    prior: Option<String>,
    planned: Option<String>,
    private: Option<&'a [u8]>,
    dependencies: Option<String>,
    create_before_destroy: Option<bool>,
    protected: Option<bool>,
}

impl<'a> IntentColumns<'a> {
    fn of(event: &'a StepEventKind) -> Self {
        let StepEventKind::Intended { attempt, provider, source, prior, planned, private, meta } = event else {
            return Self::default();
        };
        let text = |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string);
        Self {
            attempt: Some(attempt),
            provider: Some(provider),
            source: Some(&**source).filter(|source| !source.is_empty()),
            prior: text(prior),
            planned: text(planned),
            private: Some(private),
            dependencies: meta.as_ref().map(|meta| resource::dependencies_text(&meta.dependencies)),
            create_before_destroy: meta.as_ref().map(|meta| meta.create_before_destroy),
            protected: meta.as_ref().map(|meta| meta.protected),
        }
    }
}

/// A status from its column.
pub(super) fn status(text: &str) -> Result<StepStatus, RecordError> {
    let found = StepStatus::ALL.into_iter().find(|status| status.as_str() == text);
    found.ok_or_else(|| RecordError::corrupt(format!("a step has the status `{text}`")))
}

fn object_name(address: &str, deposed: &str) -> String {
    if deposed.is_empty() { address.to_owned() } else { format!("{address} (deposed {deposed})") }
}
