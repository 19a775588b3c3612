//! What must hold, whatever happened before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use formwork::plan::model::Action;
use formwork::record::Record;
use formwork::record::model::RecordedResource;
use formwork_contract::Type;
use formwork_contract::json::{decode, to_plain};
use formwork_sandbox::control;
use serde_json::Value as Json;

use crate::form::{Expected, Form, Kind, MARK};
use crate::play::Violation;
use crate::world::World;

/// Live is desired, the record is live, nothing is left over, and nothing was told that is secret.
pub(crate) async fn all(world: &World, form: &Form) -> Result<(), Violation> {
    let Some(record) = world.record() else {
        let empty = form.blocks.is_empty();
        return if empty { Ok(()) } else { Err(Violation::new("there is a record", "there is none")) };
    };
    let resources = read("the record can be read", record.resources())?;
    let live = live(world)?;
    recorded_is_live(world, record, &resources, &live)?;
    live_is_desired(world, record, &resources, form)?;
    nothing_is_left_open(record, world)?;
    if !read("the record can be read", record.stuck())?.is_empty() {
        return Err(Violation::new("nothing is left open", "something is stuck"));
    }
    let planned = world.plan().await.map_err(|told| Violation::new("a plan can be made", told))?;
    if planned.plan.is_empty() && planned.plan.drift.is_empty() {
        return Ok(());
    }
    let changes: Vec<String> = planned
        .plan
        .changes
        .iter()
        .filter(|change| change.action != Action::NoOp || change.moved_from.is_some())
        .map(|change| format!("{:?} {} for {:?}", change.action, change.address, change.reason))
        .collect();
    let drift: Vec<String> = planned.plan.drift.iter().map(|drift| drift.address.to_string()).collect();
    let outputs: Vec<String> = planned
        .plan
        .outputs
        .iter()
        .filter(|one| one.1.action != Action::NoOp)
        .map(|(name, _)| name.to_string())
        .collect();
    Err(Violation::new(
        "a plan afterwards is empty",
        format!("changes {changes:?}, drift {drift:?}, outputs {outputs:?}"),
    ))
}

/// The chain only grows: one look at the end sees all of it.
pub(crate) fn audit_verifies(world: &World) -> Result<(), Violation> {
    let verified = world.record().map(Record::verify_audit).transpose();
    verified.map(drop).map_err(|error| Violation::new("the audit chain verifies", error.to_string()))
}

/// At any time, everything that stands is in the record, or is about to be found by its intent.
pub(crate) fn no_strays(world: &World) -> Result<(), Violation> {
    let live = live(world)?;
    let Some(record) = world.record() else {
        return match live.keys().next() {
            None => Ok(()),
            Some(id) => Err(Violation::new("nothing is orphaned", format!("`{id}` stands without a record"))),
        };
    };
    let known: BTreeSet<String> =
        read("the record can be read", record.resources())?.iter().filter_map(id_of).collect();
    let intents = read("the record can be read", record.open_intents())?;
    let expected: BTreeSet<String> = intents.iter().map(|intent| intent.address.to_string()).collect();
    for (id, object) in &live {
        if !known.contains(id) && !expected.contains(&object.address) {
            let address = &object.address;
            return Err(Violation::new("nothing is orphaned", format!("`{id}` of `{address}` is in no record")));
        }
    }
    Ok(())
}

/// Whether a replacement was interrupted that makes the new object first, where a name or a range of addresses can be
/// had once.
pub(crate) fn what_is_deposed_has_a_name(world: &World) -> bool {
    let named = [Kind::Network, Kind::Subnet, Kind::LogStore, Kind::Registry].map(Kind::type_name);
    let resources = world.record().and_then(|record| record.resources().ok()).unwrap_or_default();
    resources.iter().any(|resource| resource.deposed.is_some() && named.contains(&&*resource.address.type_name))
}

/// Whether a replacement left what it set aside: whichever run comes next takes it away.
pub(crate) fn something_is_deposed(world: &World) -> bool {
    let resources = world.record().and_then(|record| record.resources().ok()).unwrap_or_default();
    resources.iter().any(|resource| resource.deposed.is_some())
}

/// The addresses under which the record knows objects.
pub(crate) fn addresses_of(world: &World, ids: &BTreeSet<String>) -> Result<BTreeSet<String>, Violation> {
    let Some(record) = world.record() else { return Ok(BTreeSet::new()) };
    let resources = read("the record can be read", record.resources())?;
    let known = resources.iter().filter(|one| id_of(one).is_some_and(|id| ids.contains(&id)));
    Ok(known.map(|resource| resource.address.to_string()).collect())
}

pub(crate) struct LiveObject {
    pub address: String,
    pub attributes: Json,
}

impl LiveObject {
    pub(crate) fn type_name(&self) -> &str {
        self.address.split('.').next().unwrap_or_default()
    }
}

/// What stands in the sandbox, by id.
pub(crate) fn live(world: &World) -> Result<BTreeMap<String, LiveObject>, Violation> {
    if !world.state_dir().exists() {
        return Ok(BTreeMap::new());
    }
    let contents = control::contents(&world.state_dir())
        .map_err(|told| Violation::new("the sandbox can be read", told.to_string()))?;
    let by_id = |(object, attributes): (control::ObjectSummary, Json)| {
        (object.id, LiveObject { address: object.address, attributes })
    };
    Ok(contents.into_iter().map(by_id).collect())
}

/// The record is what is live, and nobody is still at work.
pub(crate) fn record_is_live(world: &World) -> Result<(), Violation> {
    let live = live(world)?;
    let Some(record) = world.record() else {
        let stray = live.keys().next().map(|id| format!("`{id}` stands without a record"));
        return stray.map_or(Ok(()), |found| Err(Violation::new("nothing is orphaned", found)));
    };
    let resources = read("the record can be read", record.resources())?;
    recorded_is_live(world, record, &resources, &live)?;
    nothing_is_left_open(record, world)
}

/// Each object stands once in the record, exactly as it is, and the record holds nothing else.
fn recorded_is_live(
    world: &World,
    record: &Record,
    resources: &[RecordedResource],
    live: &BTreeMap<String, LiveObject>,
) -> Result<(), Violation> {
    let mut known = BTreeSet::new();
    for resource in resources {
        let address = &resource.address;
        let fail = |found: String| Err(Violation::new("the record is what is live", found));
        if resource.deposed.is_some() || resource.tainted {
            return fail(format!("`{address}` is deposed or tainted"));
        }
        if &*address.type_name == Kind::Data.type_name() {
            continue;
        }
        let id = id_of(resource).unwrap_or_default();
        let Some(object) = live.get(&id) else {
            return fail(format!("`{address}` is recorded as `{id}`, which is gone"));
        };
        let plain = plain(world, record, resource)?;
        if plain != object.attributes {
            return fail(format!("`{address}` is recorded as {plain} and is {}", object.attributes));
        }
        if !known.insert(id.clone()) {
            return fail(format!("`{id}` is recorded twice"));
        }
    }
    match live.iter().find(|(id, _)| !known.contains(*id)) {
        None => Ok(()),
        Some((id, object)) => {
            Err(Violation::new("nothing is orphaned", format!("`{id}` of `{}` is in no record", object.address)))
        }
    }
}

/// What is recorded, which is what is live, is what the form asks for.
fn live_is_desired(
    world: &World,
    record: &Record,
    resources: &[RecordedResource],
    form: &Form,
) -> Result<(), Violation> {
    let mut desired = form.objects();
    let ids: BTreeMap<String, String> =
        resources.iter().filter_map(|one| Some((one.address.to_string(), id_of(one)?))).collect();
    let fail = |found: String| Err(Violation::new("what is live is what is desired", found));
    for resource in resources {
        let address = resource.address.to_string();
        let Some(object) = desired.remove(&address) else {
            return fail(format!("`{address}` stands and is not desired"));
        };
        let plain = plain(world, record, resource)?;
        for (name, expected) in &object.attributes {
            let wanted = match expected {
                Expected::Exactly(json) => json.clone(),
                Expected::IdOf(other) => ids.get(other).cloned().into(),
            };
            if plain[*name] != wanted {
                return fail(format!("`{name}` of `{address}` is {}, not {wanted}", plain[*name]));
            }
        }
    }
    match desired.keys().next() {
        None => Ok(()),
        Some(address) => fail(format!("`{address}` is desired and does not stand")),
    }
}

fn nothing_is_left_open(record: &Record, world: &World) -> Result<(), Violation> {
    let fail = |found: String| Err(Violation::new("nothing is left open", found));
    if let Some(intent) = read("the record can be read", record.open_intents())?.first() {
        return fail(format!("an intent for `{}`", intent.address));
    }
    let leases = std::fs::read_dir(world.state_dir()).map(|entries| {
        entries.flatten().filter(|entry| entry.file_name().to_string_lossy().contains("-lease-")).count()
    });
    if leases.is_ok_and(|count| count > 0) {
        return fail("somebody is still present".into());
    }
    Ok(())
}

/// The record's value without marks, as plain JSON.
fn plain(world: &World, record: &Record, resource: &RecordedResource) -> Result<Json, Violation> {
    let unreadable = |why: String| Violation::new("the record can be read", why);
    let ty = match &*resource.address.type_name {
        "terraform_data" => data_type(),
        name => {
            let found = world.schema.resources.get(name).map(|one| one.block.ty());
            found.ok_or_else(|| unreadable(format!("there is no type `{name}`")))?
        }
    };
    let value = decode(&resource.value, &ty, &**record.vault()).map_err(|error| unreadable(error.to_string()))?;
    Ok(to_plain(&value.deep_unmarked()))
}

fn data_type() -> Type {
    Type::object([("id", Type::String), ("input", Type::Any), ("output", Type::Any), ("triggers_replace", Type::Any)])
}

/// The provider's id of what is recorded.
fn id_of(resource: &RecordedResource) -> Option<String> {
    Some(resource.value.get("id")?.as_str()?.to_owned())
}

/// The sandbox is the cloud, and not the record: its own file may hold what it was given.
pub(crate) fn no_secret_is_told(folder: &Path) -> Result<(), Violation> {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            no_secret_is_told(&path)?;
        } else if !name.starts_with(formwork_sandbox::FILE_NAME) {
            let bytes = std::fs::read(&path).unwrap_or_default();
            if mark().is_match(&bytes) {
                return Err(Violation::new("no file holds a secret", format!("`{name}` does")));
            }
        }
    }
    Ok(())
}

fn mark() -> &'static AhoCorasick {
    static MARK_FINDER: LazyLock<AhoCorasick> = LazyLock::new(|| AhoCorasick::new([MARK]).expect("it is short"));
    &MARK_FINDER
}

fn read<T>(promise: &'static str, result: Result<T, formwork::record::RecordError>) -> Result<T, Violation> {
    result.map_err(|error| Violation::new(promise, error.to_string()))
}
