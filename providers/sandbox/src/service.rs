//! The cloud's side: what all types share when objects are made, changed, deleted and found.

use std::sync::Arc;

use formwork_contract::convert::convert;
use formwork_contract::planning::differences;
use formwork_contract::{Step, Str, Value, json};
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::catalog::{Catalog, Kind};
use crate::fault::{Code, Fault};
use crate::resource::{Call, Computed, Names, ids};
use crate::settings::Settings;
use crate::store::objects::{self, Name, Object};
use crate::store::{Store, attempts};

/// The cloud, as one environment with one configuration sees it.
pub(crate) struct Service {
    pub store: Store,
    pub settings: Settings,
    pub catalog: Arc<Catalog>,
    pub environment: Str,
}

/// What is to become of one object.
pub(crate) struct Change<'a> {
    pub kind: &'a Kind,
    /// The owner's address.
    pub address: &'a str,
    pub attempt: &'a str,
    /// As the caller last saw it; null for a creation.
    pub prior: &'a Value,
    /// Where write-only attributes have their values; null for a deletion.
    pub config: &'a Value,
    /// Null for a deletion.
    pub planned: &'a Value,
    /// Stop half-way: the weather is bad.
    pub half: bool,
}

impl Service {
    /// Makes an object, or answers the one that this attempt made before.
    pub(crate) fn create(&self, change: &Change<'_>) -> Result<Value, Fault> {
        self.store.write(|connection| self.create_in(connection, change))
    }

    /// The same in a transaction that is under way.
    pub(crate) fn create_in(&self, connection: &Connection, change: &Change<'_>) -> Result<Value, Fault> {
        if let Some(made) = objects::by_attempt(connection, change.attempt)? {
            return decode(change.kind, &made);
        }
        let description = &change.kind.description;
        self.check_permission("create", description.type_name)?;
        self.check_quota(connection, description.type_name)?;
        self.check_references(connection, change.kind, change.planned, &Value::NULL)?;
        let name = self.free_name(connection, change.kind, change.planned, None)?;
        let id = new_id(description.id_prefix, change.attempt);
        let call =
            Call { connection, settings: &self.settings, id: &id, attempt: change.attempt, config: change.config };
        let mut computed = change.kind.resource.create(&call, change.planned)?;
        computed.push(("id", Value::string(&id)));
        let mut value = finished(change.planned, computed);
        if change.half {
            value = without_extras(change.kind, &value);
        }
        let object = Object {
            id: id.clone(),
            type_name: description.type_name.into(),
            name,
            environment: self.environment.to_string(),
            address: change.address.into(),
            attempt: change.attempt.into(),
            hidden_reads: self.settings.eventual_consistency,
            attributes: json::to_plain(&value),
        };
        objects::insert(connection, &object, &targets(change.kind, &value))?;
        change.kind.resource.created(&Call { id: &object.id, ..call })?;
        Ok(value)
    }

    /// Changes what differs between `prior` and `planned`; what others changed meanwhile stays.
    pub(crate) fn update(&self, change: &Change<'_>) -> Result<Value, Fault> {
        self.store.write(|connection| self.update_in(connection, change))
    }

    /// The same in a transaction that is under way.
    pub(crate) fn update_in(&self, connection: &Connection, change: &Change<'_>) -> Result<Value, Fault> {
        self.check_permission("update", change.kind.description.type_name)?;
        let mut object = existing(connection, change.kind, id_of(change.prior))?;
        let live = decode(change.kind, &object)?;
        let wanted = patched(&live, change);
        self.check_references(connection, change.kind, &wanted, &live)?;
        object.name = self.free_name(connection, change.kind, &wanted, Some(&object.id))?;
        let call = Call {
            connection,
            settings: &self.settings,
            id: &object.id,
            attempt: change.attempt,
            config: change.config,
        };
        let computed = change.kind.resource.update(&call, &live, &wanted)?;
        let value = finished(&wanted, computed);
        object.environment = self.environment.to_string();
        object.address = change.address.into();
        object.attributes = json::to_plain(&value);
        objects::update(connection, &object, &targets(change.kind, &value))?;
        Ok(value)
    }

    /// Deletes an object that nothing uses. One that is gone already stays gone.
    pub(crate) fn delete(&self, kind: &Kind, id: &str) -> Result<(), Fault> {
        self.store.write(|connection| {
            self.check_permission("delete", kind.description.type_name)?;
            let Some(object) = objects::by_id(connection, id)? else { return Ok(()) };
            if object.type_name != kind.description.type_name {
                return Ok(());
            }
            if let Some(user) = objects::a_user_of(connection, id)? {
                return Err(in_use(id, &user));
            }
            let live = decode(kind, &object)?;
            let call = Call { connection, settings: &self.settings, id, attempt: "", config: &Value::NULL };
            kind.resource.delete(&call, &live)?;
            objects::delete(connection, id)
        })
    }

    /// The objects with these ids that show already, in one query.
    pub(crate) fn visible<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Result<Vec<Object>, Fault> {
        let found = self.store.read(|connection| objects::by_ids(connection, ids))?;
        self.uncover(found)
    }

    /// The object that an attempt made, if it shows already.
    pub(crate) fn made_by(&self, attempt: &str) -> Result<Option<Object>, Fault> {
        let found = self.store.read(|connection| objects::by_attempt(connection, attempt))?;
        Ok(self.uncover(found.into_iter().collect())?.pop())
    }

    /// All objects of an environment, hidden ones too: owner tags are listed by another service.
    pub(crate) fn of_environment(&self, environment: &str) -> Result<Vec<Object>, Fault> {
        self.store.read(|connection| objects::of_environment(connection, environment))
    }

    /// How often this change was tried before.
    pub(crate) fn count_attempt(&self, operation: &str, address: &str) -> Result<u64, Fault> {
        let subject = format!("{} {address}", self.environment);
        self.store.write(|connection| attempts::next(connection, operation, &subject))
    }

    /// Leaves out objects that are too new to show, and lets each come one read closer.
    fn uncover(&self, found: Vec<Object>) -> Result<Vec<Object>, Fault> {
        if self.settings.eventual_consistency == 0 {
            return Ok(found);
        }
        let (hidden, visible): (Vec<_>, Vec<_>) = found.into_iter().partition(|object| object.hidden_reads > 0);
        if !hidden.is_empty() {
            let ids = hidden.iter().map(|object| object.id.as_str());
            self.store.write(|connection| objects::note_missed(connection, ids))?;
        }
        Ok(visible)
    }

    /// `verb` is `create`, `update` or `delete`.
    pub(crate) fn check_permission(&self, verb: &str, type_name: &str) -> Result<(), Fault> {
        let operation = format!("{verb} {type_name}");
        if !self.settings.forbidden.has(&operation) {
            return Ok(());
        }
        Err(Fault::new(Code::AccessDenied, format!("The caller has no permission for `{operation}`."))
            .hint("ask for the permission, or take it out of `forbidden` in the provider's configuration"))
    }

    fn check_quota(&self, connection: &Connection, type_name: &str) -> Result<(), Fault> {
        let Some(bound) = self.settings.quota.of(type_name) else { return Ok(()) };
        if objects::reach(connection, type_name, bound)? { Err(over_quota(type_name, bound)) } else { Ok(()) }
    }

    /// Every id that is not referred to already must be that of an object of the right type.
    pub(crate) fn check_references(
        &self,
        connection: &Connection,
        kind: &Kind,
        wanted: &Value,
        live: &Value,
    ) -> Result<(), Fault> {
        for reference in kind.description.references {
            let known = ids(live, reference.attribute);
            for id in ids(wanted, reference.attribute) {
                if known.contains(&id) {
                    continue;
                }
                let found = objects::by_id(connection, &id)?;
                if found.is_none_or(|found| !reference.types.contains(&found.type_name.as_str())) {
                    let types = reference.types.join("` or `");
                    let message = format!("There is no `{types}` with the id `{id}`.");
                    return Err(Fault::new(Code::NotFound, message)
                        .attribute(reference.attribute)
                        .hint(format!("refer to the `id` of a `{types}`")));
                }
            }
        }
        Ok(())
    }

    /// The name that an object takes, if no other object of its type has it.
    fn free_name(
        &self,
        connection: &Connection,
        kind: &Kind,
        value: &Value,
        own_id: Option<&str>,
    ) -> Result<Option<Name>, Fault> {
        let Some((attribute, name)) = self.name_of(kind, value) else { return Ok(None) };
        let taken = objects::by_name(connection, kind.description.type_name, &name)?;
        match taken.filter(|taken| Some(taken.id.as_str()) != own_id) {
            Some(taken) => Err(name_taken(kind, attribute, &name, &taken)),
            None => Ok(Some(name)),
        }
    }

    pub(crate) fn name_of(&self, kind: &Kind, value: &Value) -> Option<(&'static str, Name)> {
        let (attribute, scope) = match kind.description.names {
            Names::Free => return None,
            Names::Global(attribute) => (attribute, String::new()),
            Names::InRegion(attribute) => (attribute, self.settings.region.to_string()),
            Names::Within { scope, attribute } => (attribute, value.get_str(scope)?.to_owned()),
        };
        Some((attribute, Name { scope, name: value.get_str(attribute)?.to_owned() }))
    }
}

pub(crate) fn over_quota(type_name: &str, bound: usize) -> Fault {
    let message = format!("There may be {bound} objects of type `{type_name}`, and there are.");
    Fault::new(Code::QuotaExceeded, message)
        .hint("delete what is not needed, or raise `quota` in the provider's configuration")
}

pub(crate) fn name_taken(kind: &Kind, attribute: &str, name: &Name, taken: &Object) -> Fault {
    let message = format!(
        "A `{}` whose `{attribute}` is `{}` exists already: `{}`.",
        kind.description.type_name, name.name, taken.id
    );
    let hint = format!("it belongs to `{}` of environment `{}`: choose another", taken.address, taken.environment);
    Fault::new(Code::NameTaken, message).attribute(attribute).hint(hint)
}

pub(crate) fn in_use(id: &str, user: &Object) -> Fault {
    let message = format!("`{id}` is in use by `{}`, a `{}`.", user.id, user.type_name);
    let hint = format!("delete `{}` of environment `{}` first", user.address, user.environment);
    Fault::new(Code::DependencyViolation, message).hint(hint)
}

/// The object as a value of its type.
pub(crate) fn decode(kind: &Kind, object: &Object) -> Result<Value, Fault> {
    convert(&json::from_plain(&object.attributes), &kind.ty).map_err(|error| {
        Fault::new(Code::Internal, format!("The stored object `{}` is malformed: {error}.", object.id))
    })
}

/// The id of a value; empty where there is none, which no object has.
pub(crate) fn id_of(value: &Value) -> &str {
    value.get_str("id").unwrap_or_default()
}

/// What an object refers to.
pub(crate) fn targets(kind: &Kind, value: &Value) -> Vec<Str> {
    kind.description.references.iter().flat_map(|reference| ids(value, reference.attribute)).collect()
}

fn existing(connection: &Connection, kind: &Kind, id: &str) -> Result<Object, Fault> {
    let found = objects::by_id(connection, id)?;
    found.filter(|object| object.type_name == kind.description.type_name).ok_or_else(|| {
        let message = format!("There is no `{}` with the id `{id}`.", kind.description.type_name);
        Fault::new(Code::NotFound, message).hint("someone deleted it: plan again")
    })
}

/// The same attempt has the same id, so that even a lost answer can be told.
fn new_id(prefix: &str, attempt: &str) -> String {
    let digest = Sha256::digest(attempt.as_bytes());
    let hex: String = digest.iter().take(9).map(|byte| format!("{byte:02x}")).collect();
    format!("{prefix}-{}", &hex[..17])
}

/// The value with what the cloud set, and nothing unknown left in it.
fn finished(planned: &Value, computed: Computed) -> Value {
    let value = computed.into_iter().fold(planned.deep_unmarked(), |value, (name, part)| value.with(name, part));
    if value.is_wholly_known() {
        return value;
    }
    value.map_children(&mut |_, part| if part.is_wholly_known() { part.clone() } else { Value::Null(part.ty()) })
}

/// What a creation leaves out that stops half-way: everything that could have been left out at first.
fn without_extras(kind: &Kind, value: &Value) -> Value {
    let attributes = kind.description.block.attributes.iter();
    let extras = attributes.filter(|(_, extra)| extra.optional && !extra.computed && !extra.forces_replacement);
    extras.fold(value.clone(), |value, (name, extra)| value.with(name, Value::Null(extra.ty.clone())))
}

/// The live object with what the change is about; half of it where the change stops half-way.
fn patched(live: &Value, change: &Change<'_>) -> Value {
    let (prior, planned) = (change.prior.deep_unmarked(), change.planned.deep_unmarked());
    let mut changed: Vec<Str> = Vec::new();
    for path in differences(&prior, &planned) {
        if let Some(Step::Attribute(name)) = path.steps().first()
            && changed.last() != Some(name)
        {
            changed.push(name.clone());
        }
    }
    let kept = if change.half { changed.len() / 2 } else { changed.len() };
    changed[..kept].iter().fold(live.clone(), |value, name| match planned.get(name) {
        Some(part) if !part.is_unknown() => value.with(name, part.clone()),
        _ => value,
    })
}
