//! Outputs: what they are, and what the end of a run makes of them.
//!
//! The end of each run keeps all outputs as they were then. A run changes only those that it means to: others
//! may have ended since it began.

use std::collections::{BTreeMap, BTreeSet};

use formwork_contract::Str;
use rusqlite::{Connection, OptionalExtension, ToSql};
use serde_json::{Map, Value as Json};

use super::error::RecordError;
use super::scope::LeaseScope;
use super::{Record, json, to_u64};

/// What the end of a run makes of the outputs. Each is `{"value", "sensitive"}` in the exact form.
#[derive(Clone, Debug, PartialEq)]
pub enum OutputEdit {
    /// An object with all of them: the others are gone.
    All(Json),
    /// These; `None` takes one away. The others stay.
    These(BTreeMap<Str, Option<Json>>),
}

impl From<Json> for OutputEdit {
    fn from(all: Json) -> Self {
        Self::All(all)
    }
}

impl OutputEdit {
    /// The outputs stay what they are.
    pub fn nothing() -> Self {
        Self::These(BTreeMap::new())
    }

    /// The outputs after it.
    ///
    /// # Errors
    /// It changes one that the lease does not cover.
    pub(super) fn applied(&self, before: &Json, scope: &LeaseScope) -> Result<Json, RecordError> {
        let after = match self {
            Self::All(all) => all.clone(),
            Self::These(these) => {
                let mut after = before.as_object().cloned().unwrap_or_default();
                for (name, output) in these {
                    match output {
                        Some(output) => after.insert(name.to_string(), output.clone()),
                        None => after.remove(&**name),
                    };
                }
                Json::Object(after)
            }
        };
        let names = [before, &after].into_iter().filter_map(Json::as_object).flat_map(Map::keys);
        let outside = |name: &&String| before.get(*name) != after.get(*name) && !scope.covers_output(name);
        if let Some(name) = names.collect::<BTreeSet<&String>>().into_iter().find(outside) {
            return Err(RecordError::OutputOutsideLease { name: name.as_str().into() });
        }
        Ok(after)
    }
}

impl Record {
    /// Output values after the last run, in the exact form: name to `{"value", "type", "sensitive"}`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn outputs(&self) -> Result<Json, RecordError> {
        self.read(current)
    }

    /// The revision whose end made an output what it is, or took it away; `None` where there never was one.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn last_change_of_output(&self, name: &str) -> Result<Option<u64>, RecordError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT revision, outputs FROM endings ORDER BY id DESC")?;
            let mut rows = statement.query([])?;
            // The ending after the one that is looked at, and the output then.
            let mut later: Option<(i64, Option<Json>)> = None;
            while let Some(row) = rows.next()? {
                let revision: i64 = row.get(0)?;
                let output = json(row.get_ref(1)?.as_str()?)?.get(name).cloned();
                if let Some((changed_by, then)) = later
                    && then != output
                {
                    return Ok(Some(to_u64(changed_by)));
                }
                later = Some((revision, output));
            }
            Ok(later.and_then(|(revision, output)| output.map(|_| to_u64(revision))))
        })
    }
}

pub(super) fn current(connection: &Connection) -> Result<Json, RecordError> {
    of(connection, "SELECT outputs FROM endings ORDER BY id DESC LIMIT 1", &[])
}

/// The outputs that a query finds; none where it finds nothing.
pub(super) fn of(connection: &Connection, query: &str, parameters: &[&dyn ToSql]) -> Result<Json, RecordError> {
    let text: Option<String> = connection.prepare_cached(query)?.query_row(parameters, |row| row.get(0)).optional()?;
    text.map_or_else(|| Ok(Json::Object(Map::new())), |text| json(&text))
}
