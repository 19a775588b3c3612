//! What the tables must hold, if the journal is right: everything that was done, done again in memory.
//!
//! The audit chain covers what was written down; this covers what follows from it: resources and their images, where
//! steps, revisions and counts stand, and which change each object saw last.

use std::collections::{BTreeMap, HashMap, HashSet};

use rusqlite::Connection;

use super::audit::{Kind, Link, broken};
use super::error::RecordError;
use super::journal;
use super::resource::{Body, COLUMNS};

type Hash = [u8; 32];

/// An address and a deposed key.
type Object = (String, String);

/// Revision and step.
type Step = (i64, i64);

/// What the tables must hold.
#[derive(Default)]
pub(super) struct Replay {
    resources: HashMap<Object, Hash>,
    /// By object: the revision of each image, in ascending order, and the digest before it.
    images: HashMap<Object, Vec<(i64, Option<Hash>)>>,
    steps: HashMap<Step, StepState>,
    /// By revision: the status and time of its ending; `None` while its run goes on.
    endings: HashMap<i64, Option<(String, i64)>>,
    /// By object: the serial after its last change, and the revision that made it.
    changes: HashMap<Object, (i64, i64)>,
    /// How often resources or outputs changed.
    serial: i64,
    outputs: serde_json::Value,
}

/// Where a step stands.
struct StepState {
    action: String,
    status: String,
    /// The journal row of the latest intent.
    intent: Option<i64>,
    /// The key under which it is to keep what stands at its address.
    deposes: Option<String>,
}

/// A journal row's effect.
struct Event {
    id: i64,
    step: Step,
    status: String,
    object: Object,
    /// What stood under a deposed key stands at the address again.
    reinstates: bool,
    result: Option<Vec<u8>>,
    moved_from: Option<String>,
    deposed_to: Option<String>,
}

impl Replay {
    pub(super) fn of(connection: &Connection, links: &[Link]) -> Result<Self, RecordError> {
        let mut replay = Self { outputs: serde_json::Value::Object(serde_json::Map::new()), ..Self::default() };
        for link in links {
            match link.kind {
                Kind::Begin => replay.begin(connection, link.revision)?,
                Kind::Journal => replay.batch(link.revision, events(connection, link.rows)?)?,
                Kind::End => replay.end(connection, link.rows.0)?,
                Kind::Release => replay.release(connection, link)?,
                Kind::Rekey => {}
            }
        }
        Ok(replay)
    }

    fn begin(&mut self, connection: &Connection, revision: i64) -> Result<(), RecordError> {
        self.endings.insert(revision, None);
        let mut statement = connection
            .prepare_cached("SELECT step, address, deposed, action FROM steps WHERE revision = ?1 ORDER BY step")?;
        let mut rows = statement.query([revision])?;
        let (mut steps, mut deposed_here) = (Vec::new(), HashMap::new());
        while let Some(row) = rows.next()? {
            let (number, address, deposed, action): (i64, String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            if !deposed.is_empty() && !self.resources.contains_key(&(address.clone(), deposed.clone())) {
                deposed_here.insert(address.clone(), deposed.clone());
            }
            steps.push((number, address, deposed, action));
        }
        for (number, address, deposed, action) in steps {
            let makes_successor = action == "create" && deposed.is_empty();
            let deposes = deposed_here.get(&address).filter(|_| makes_successor).cloned();
            let state = StepState { action, status: "planned".into(), intent: None, deposes };
            self.steps.insert((revision, number), state);
        }
        Ok(())
    }

    fn end(&mut self, connection: &Connection, ending: i64) -> Result<(), RecordError> {
        let select = "SELECT revision, status, outputs, at_ms FROM endings WHERE id = ?1";
        let mut statement = connection.prepare_cached(select)?;
        let (revision, status, outputs, at_ms): (i64, String, String, i64) =
            statement.query_row([ending], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        let outputs = super::json(&outputs)?;
        self.serial += i64::from(outputs != self.outputs);
        self.outputs = outputs;
        self.endings.insert(revision, Some((status, at_ms)));
        Ok(())
    }

    /// A wave that begins takes its revision up again.
    fn release(&mut self, connection: &Connection, link: &Link) -> Result<(), RecordError> {
        let begun = "SELECT 1 FROM release_events WHERE id BETWEEN ?1 AND ?2 AND event = 'begun' LIMIT 1";
        if connection.prepare_cached(begun)?.exists([link.rows.0, link.rows.1])? {
            self.endings.insert(link.revision, None);
        }
        Ok(())
    }

    /// In the order in which a commit changes things: old addresses of moves first.
    fn batch(&mut self, revision: i64, events: Vec<Event>) -> Result<(), RecordError> {
        let serial = self.serial + 1;
        let mut touched = false;
        let mut steps = HashSet::new();
        for event in &events {
            steps.insert(event.step);
            let Some(state) = self.steps.get_mut(&event.step) else { continue };
            state.status.clone_from(&event.status);
            if event.status == "intended" {
                state.intent = Some(event.id);
            }
            if event.result.as_ref().is_some_and(|result| !result.is_empty()) {
                state.deposes = None;
            }
            if let Some(from) = &event.moved_from {
                touched = true;
                self.set((serial, revision), (from.clone(), event.object.1.clone()), None);
            }
        }
        for event in events {
            let change = (serial, revision);
            touched |= event.result.is_some();
            if let Some(key) = event.deposed_to {
                let stood = self.resources.get(&event.object).copied();
                self.set(change, event.object.clone(), None);
                self.set(change, (event.object.0.clone(), key), stood);
            }
            match event.result.as_deref() {
                None => {}
                Some([]) => self.set(change, event.object, None),
                Some(digest) => {
                    let problem = || broken(None, format!("event {} of the journal has no digest", event.id));
                    let digest = digest.try_into().map_err(|_| problem())?;
                    let at = if event.reinstates { (event.object.0, String::new()) } else { event.object };
                    self.set(change, at, Some(digest));
                }
            }
        }
        self.serial += i64::from(touched);
        if steps.iter().any(|step| self.steps.get(step).is_some_and(|state| state.status == "intended")) {
            self.endings.insert(revision, None);
        }
        Ok(())
    }

    fn set(&mut self, change: (i64, i64), object: Object, stands: Option<Hash>) {
        let revision = change.1;
        let stood = self.resources.get(&object).copied();
        let images = self.images.entry(object.clone()).or_default();
        if images.last().is_none_or(|(imaged, _)| *imaged < revision) {
            images.push((revision, stood));
        }
        self.changes.insert(object.clone(), change);
        match stands {
            Some(digest) => self.resources.insert(object, digest),
            None => self.resources.remove(&object),
        };
    }

    pub(super) fn compare(mut self, connection: &Connection) -> Result<(), RecordError> {
        self.compare_resources(connection)?;
        self.compare_images(connection)?;
        self.compare_changes(connection)?;
        self.compare_steps(connection)?;
        self.compare_counts(connection)?;
        self.compare_endings(connection)?;
        let serial: i64 = connection.query_row("SELECT serial FROM record", [], |row| row.get(0))?;
        if serial != self.serial {
            let problem = format!("the serial is {serial}, and {} changes were written down", self.serial);
            return Err(broken(None, problem));
        }
        Ok(())
    }

    fn compare_resources(&mut self, connection: &Connection) -> Result<(), RecordError> {
        let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM resources"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let object: Object = (row.get(0)?, row.get(1)?);
            if self.resources.remove(&object) != Some(Body::read(row, 0)?.digest()) {
                return Err(broken(None, format!("the resource `{}` is not as the journal left it", object.0)));
            }
        }
        match self.resources.keys().min() {
            Some(object) => Err(broken(None, format!("the resource `{}` is missing", object.0))),
            None => Ok(()),
        }
    }

    fn compare_images(&mut self, connection: &Connection) -> Result<(), RecordError> {
        let select = format!("SELECT {COLUMNS}, revision, present FROM images ORDER BY address, deposed, revision");
        let mut statement = connection.prepare_cached(&select)?;
        let mut rows = statement.query([])?;
        let mut left: usize = self.images.values().map(Vec::len).sum();
        while let Some(row) = rows.next()? {
            let object: Object = (row.get(0)?, row.get(1)?);
            let (revision, present): (i64, bool) = (row.get(12)?, row.get(13)?);
            let digest = if present { Some(Body::read(row, 0)?.digest()) } else { None };
            let expected = self.images.get(&object).map_or(&[][..], Vec::as_slice);
            if !expected.contains(&(revision, digest)) {
                let problem = format!("the image of `{}` before revision {revision} is not as it was", object.0);
                return Err(broken(None, problem));
            }
            left -= 1;
        }
        if left > 0 {
            return Err(broken(None, format!("{left} images of resources before a revision are missing")));
        }
        Ok(())
    }

    /// What was written before changes were counted by object has no row.
    fn compare_changes(&self, connection: &Connection) -> Result<(), RecordError> {
        let mut statement = connection.prepare_cached("SELECT address, deposed, serial, revision FROM changes")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let object: Object = (row.get(0)?, row.get(1)?);
            let (serial, revision): (i64, i64) = (row.get(2)?, row.get(3)?);
            if self.changes.get(&object) != Some(&(serial, revision)) {
                let problem = format!("revision {revision} did not make the last change of `{}`", object.0);
                return Err(broken(None, problem));
            }
        }
        Ok(())
    }

    fn compare_steps(&self, connection: &Connection) -> Result<(), RecordError> {
        let mut statement = connection.prepare_cached("SELECT revision, step, status, intent, deposes FROM steps")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let step: Step = (row.get(0)?, row.get(1)?);
            let (status, intent, deposes): (String, Option<i64>, Option<String>) =
                (row.get(2)?, row.get(3)?, row.get(4)?);
            let problem = match self.steps.get(&step) {
                None => "is not known to the journal".into(),
                Some(state) if state.status != status => format!("is {} by the journal", state.status),
                Some(state) if (state.intent, &state.deposes) != (intent, &deposes) => {
                    "is not as the journal left it".into()
                }
                Some(_) => continue,
            };
            return Err(broken(None, format!("step {} of revision {} {problem}", step.1, step.0)));
        }
        Ok(())
    }

    fn compare_counts(&self, connection: &Connection) -> Result<(), RecordError> {
        let mut counts: BTreeMap<(i64, String), (i64, i64)> = BTreeMap::new();
        for ((revision, _), state) in &self.steps {
            let count = counts.entry((*revision, state.action.clone())).or_default();
            count.0 += 1;
            count.1 += i64::from(state.status == "done");
        }
        let mut statement = connection.prepare_cached("SELECT revision, action, planned, done FROM step_counts")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (key, count): ((i64, String), (i64, i64)) = ((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?));
            let revision = key.0;
            if counts.remove(&key) != Some(count) {
                return Err(broken(None, format!("the steps of revision {revision} are not as they are counted")));
            }
        }
        match counts.keys().next() {
            Some((revision, _)) => Err(broken(None, format!("the steps of revision {revision} are not counted"))),
            None => Ok(()),
        }
    }

    fn compare_endings(&self, connection: &Connection) -> Result<(), RecordError> {
        let mut statement = connection.prepare_cached("SELECT number, status, ended_ms FROM revisions")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (number, status, ended_ms): (i64, String, Option<i64>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let expected = match self.endings.get(&number) {
                Some(Some((status, at_ms))) => (status.as_str(), Some(*at_ms)),
                _ => ("open", None),
            };
            if (status.as_str(), ended_ms) != expected {
                let problem = format!("revision {number} is {status}, and by its endings it is {}", expected.0);
                return Err(broken(None, problem));
            }
        }
        Ok(())
    }
}

/// Journal rows that were written together.
fn events(connection: &Connection, rows: (i64, i64)) -> Result<Vec<Event>, RecordError> {
    let mut statement = connection.prepare_cached(
        "SELECT j.id, j.revision, j.step, j.kind, s.address, s.deposed, j.result, j.moved_from, j.deposed_to, s.action
         FROM journal AS j JOIN steps AS s USING (revision, step) WHERE j.id BETWEEN ?1 AND ?2 ORDER BY j.id",
    )?;
    let mut rows = statement.query([rows.0, rows.1])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(Event {
            id: row.get(0)?,
            step: (row.get(1)?, row.get(2)?),
            status: row.get(3)?,
            object: (row.get(4)?, row.get(5)?),
            reinstates: row.get_ref(9)?.as_str()? == journal::REINSTATE,
            result: row.get(6)?,
            moved_from: row.get(7)?,
            deposed_to: row.get(8)?,
        });
    }
    Ok(events)
}
