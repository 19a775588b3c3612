//! What each resource type says of itself; everything that types share is in `service`.

use formwork_contract::{Block, Contents, Diagnostic, Diagnostics, Path, Step, Str, Value};
use rusqlite::Connection;

use crate::fault::Fault;
use crate::settings::Settings;

/// A resource type of the sandbox.
pub(crate) trait Resource: Send + Sync {
    /// Its schema and what follows from it alone.
    fn describe(&self) -> Description;

    /// What an object holds beside its attributes.
    fn contents(&self) -> Contents {
        Contents::Nothing
    }

    /// Checks a configuration, in which values may be unknown, without asking the cloud.
    fn check(&self, _config: &Value, _problems: &mut Problems) {}

    /// Checks an update in place before it is asked for. `planned` may hold unknown values.
    fn check_update(&self, _live: &Value, _planned: &Value, _problems: &mut Problems) {}

    /// Makes the object that `call` names; answers the attributes that the cloud sets.
    fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Computed, Fault>;

    /// Called when the object's row is there, in the same transaction.
    fn created(&self, _call: &Call<'_>) -> Result<(), Fault> {
        Ok(())
    }

    /// Turns the live object into what is planned; answers the attributes that the cloud sets anew.
    fn update(&self, _call: &Call<'_>, _live: &Value, _planned: &Value) -> Result<Computed, Fault> {
        Ok(Vec::new())
    }

    /// Gives back what the object holds beyond its own row.
    fn delete(&self, _call: &Call<'_>, _live: &Value) -> Result<(), Fault> {
        Ok(())
    }
}

/// A data source of the sandbox.
pub(crate) trait DataSource: Send + Sync {
    fn type_name(&self) -> &'static str;

    fn block(&self) -> Block;

    /// Answers `config` with what the cloud knows filled in.
    fn read(&self, lookup: &Lookup<'_>, config: &Value) -> Result<Value, Fault>;
}

/// What a data source may look at.
pub(crate) struct Lookup<'a> {
    pub connection: &'a Connection,
    pub settings: &'a Settings,
}

/// Attributes that the cloud sets.
pub(crate) type Computed = Vec<(&'static str, Value)>;

/// What a resource type is.
pub(crate) struct Description {
    pub type_name: &'static str,
    /// Ids are this, a dash, and 17 hexadecimal digits.
    pub id_prefix: &'static str,
    pub block: Block,
    /// What an attribute is when the configuration is silent; `node_pool.size` reaches into blocks.
    pub defaults: Vec<(&'static str, Value)>,
    pub references: &'static [Reference],
    pub names: Names,
    /// Computed attributes that any update changes.
    pub recomputed: &'static [&'static str],
}

/// An attribute that holds ids of other objects, alone or in a collection.
pub(crate) struct Reference {
    pub attribute: &'static str,
    /// The types that it may name.
    pub types: &'static [&'static str],
}

/// Among which objects of the type the value of an attribute may stand once.
#[derive(Clone, Copy)]
pub(crate) enum Names {
    Free,
    InRegion(&'static str),
    Global(&'static str),
    /// Among those with the same value of `scope`.
    Within {
        scope: &'static str,
        attribute: &'static str,
    },
}

/// A call as the cloud's side sees it, inside a transaction.
pub(crate) struct Call<'a> {
    pub connection: &'a Connection,
    pub settings: &'a Settings,
    /// Of the object that the call is about.
    pub id: &'a str,
    /// The key of the change; empty where it does not matter.
    pub attempt: &'a str,
    /// Where write-only attributes have their values.
    pub config: &'a Value,
}

impl Call<'_> {
    /// What passwords are derived from: the same for a repeated attempt, not to be told from the id.
    pub(crate) fn secret(&self) -> String {
        format!("{} {}", self.attempt, self.id)
    }

    /// The object's path: what names it across regions and types.
    pub(crate) fn path(&self, service: &str) -> Value {
        Value::string(format!("sandbox:{}:{service}/{}", self.settings.region, self.id))
    }
}

/// Problems of a configuration, with the attributes that they are about.
#[derive(Default)]
pub(crate) struct Problems(Diagnostics);

impl Problems {
    pub(crate) fn push(&mut self, path: Path, summary: impl Into<String>, hint: &str) {
        self.0.push(Diagnostic::error(summary).hint(hint).path(path));
    }

    pub(crate) fn at(&mut self, attribute: &str, summary: impl Into<String>, hint: &str) {
        self.push(Path::attribute(attribute), summary, hint);
    }

    pub(crate) fn into_diagnostics(self) -> Diagnostics {
        self.0
    }

    /// A name: 1 to 63 lower-case letters, digits and dashes, starting with a letter.
    pub(crate) fn name(&mut self, config: &Value, attribute: &str) {
        let Some(name) = config.get_str(attribute) else { return };
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
        if !starts || name.ends_with('-') || name.len() > 63 || !name.chars().all(fits) {
            self.at(
                attribute,
                format!("`{name}` is not a valid name"),
                "use 1 to 63 lower-case letters, digits and dashes, starting with a letter and not ending with a dash",
            );
        }
    }

    /// A string out of a fixed set.
    pub(crate) fn one_of(&mut self, config: &Value, attribute: &str, allowed: &[&str]) {
        let Some(given) = config.get_str(attribute) else { return };
        self.one_of_at(Path::attribute(attribute), given, allowed);
    }

    pub(crate) fn one_of_at(&mut self, path: Path, given: &str, allowed: &[&str]) {
        if !allowed.contains(&given) {
            let list = allowed.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let attribute = path.to_string();
            self.push(path, format!("`{given}` is not a value of `{attribute}`"), &format!("use one of {list}"));
        }
    }
}

/// The path of an attribute in an element of a list of blocks.
pub(crate) fn in_block(block: &str, index: usize, attribute: &str) -> Path {
    [Step::Attribute(block.into()), Step::Index(index), Step::Attribute(attribute.into())].into_iter().collect()
}

/// A known whole number of an attribute.
pub(crate) fn whole(value: &Value, attribute: &str) -> Option<i64> {
    value.get(attribute)?.as_number()?.as_i64()
}

/// The ids that an attribute holds, alone or in a collection; those not known yet are left out.
pub(crate) fn ids(value: &Value, attribute: &str) -> Vec<Str> {
    let id = |value: &Value| value.as_str().map(Str::from);
    match value.get(attribute) {
        Some(part) => match part.elements() {
            Some(items) => items.iter().filter_map(id).collect(),
            None => id(part).into_iter().collect(),
        },
        None => Vec::new(),
    }
}
