//! A plan in the JSON of `terraform show -json`, so that the tools made for that work on it.
//!
//! What differs from Terraform: sensitive values are withheld (null stands for them, and
//! `*_sensitive` says where), `configuration` lists what the plan knows and no expressions, and
//! entries named `formwork` tell what Terraform has no word for.

mod approval;
mod artifacts;
mod failure;
mod parts;
mod release;
mod reversal;
mod safety;

use std::collections::BTreeMap;

use formwork_contract::{Address, InstanceKey, Marks, Mode, Path, Step, Str, Value};
use serde_json::{Map, Value as Json, json};

pub use parts::{ModuleTree, sensitivity, withheld, withheld_type};

use super::PlanView;
use super::approval::ApprovalNeeds;
use super::bound::RowKey;
use super::model::{Action, Change, CheckResult, CheckStatus, Drift, Header, OutputChange, PlanKind, Reason, Risk};
use crate::live::ProviderBuild;
use parts::unknowns;

/// The version of Terraform whose JSON this follows; tools look for it to know what they read.
pub const TERRAFORM_VERSION: &str = "1.11.4";

/// The plan as Terraform's plan JSON, format version 1.2.
pub fn to_terraform_json<'a>(plan: impl Into<PlanView<'a>>) -> Json {
    let plan = &plan.into();
    let header = &plan.header;
    let variables: Map<String, Json> = header
        .variables
        .iter()
        .map(|(name, value)| {
            let value = withheld(value).unwrap_or(Json::Null);
            (name.to_string(), json!({"value": value}))
        })
        .collect();
    let mut document = Map::new();
    let mut set = |name: &str, value: Json| {
        document.insert(name.to_owned(), value);
    };
    set("format_version", json!("1.2"));
    set("terraform_version", json!(TERRAFORM_VERSION));
    set("formwork_version", json!(&*header.formwork_version));
    if !variables.is_empty() {
        set("variables", variables.into());
    }
    set("planned_values", planned_values(plan));
    if !plan.drift.is_empty() {
        let providers: BTreeMap<&Address, &Change> =
            plan.changes.iter().filter(|change| change.deposed.is_none()).map(|c| (&c.address, c)).collect();
        set("resource_drift", plan.drift.iter().map(|drift| drift_json(drift, &providers)).collect());
    }
    let waves = release::waves_of_changes(plan).into_iter().map(|wave| wave.filter(|_| !plan.release.is_plain()));
    let beside = reversal::by_change(plan).into_iter().zip(waves);
    let mut changes: Vec<_> = plan.changes.iter().zip(beside).filter(|(change, _)| is_told(change)).collect();
    changes.sort_by(|(a, _), (b, _)| a.address.cmp(&b.address));
    set("resource_changes", changes.into_iter().map(|(change, beside)| change_json(change, beside)).collect());
    set("output_changes", output_changes(plan.outputs));
    set("prior_state", prior_state(plan));
    set("configuration", configuration(plan));
    set("checks", plan.checks.iter().map(check_json).collect());
    set("timestamp", timestamp(header.created_ms).into());
    set("applyable", (!plan.is_empty()).into());
    set("complete", plan.deferred.is_empty().into());
    set("errored", false.into());
    set("formwork", formwork(plan));
    document.into()
}

/// What drifted, in the form in which a plan's JSON has it.
pub fn drift_report(drift: &[Drift]) -> Json {
    let drift: Vec<Json> = drift.iter().map(|drift| drift_json(drift, &BTreeMap::new())).collect();
    json!({"format_version": "1.2", "formwork_version": env!("CARGO_PKG_VERSION"), "resource_drift": drift})
}

/// Terraform leaves out data sources that were read while planning.
fn is_told(change: &Change) -> bool {
    change.address.mode == Mode::Managed || change.action != Action::NoOp
}

/// A change, with how it is undone and its wave, which counts from 0.
fn change_json(change: &Change, (reversal, wave): (Option<Json>, Option<usize>)) -> Json {
    let mut entry = identity(&change.address, change.kind.origin.source.as_str());
    if let Some(from) = &change.moved_from {
        entry.insert("previous_address".into(), from.to_string().into());
    }
    if let Some(deposed) = &change.deposed {
        entry.insert("deposed".into(), (**deposed).into());
    }
    let mut body = values_json(change.action.json_names(), &change.before, &change.after);
    if !change.replace_paths.is_empty() {
        body.insert("replace_paths".into(), change.shown_replace_paths().map(|path| path_json(&path)).collect());
    }
    if let Some(id) = &change.importing {
        body.insert("importing".into(), json!({"id": &**id}));
    }
    entry.insert("change".into(), body.into());
    if let Some(reason) = change.reason.as_ref().and_then(|reason| reason_name(reason, &change.address.key)) {
        entry.insert("action_reason".into(), reason.into());
    }
    if let Some(mut own) = safety::change(change) {
        own["reversal"] = reversal.unwrap_or_default();
        own["drifted"] = change.drifted.into();
        if let Some(lost) = change.loses() {
            own["loses"] = (**lost).into();
        }
        if let Some(wave) = wave {
            own["wave"] = (wave + 1).into();
        }
        entry.insert("formwork".into(), own);
    }
    entry.into()
}

fn drift_json(drift: &Drift, changes: &BTreeMap<&Address, &Change>) -> Json {
    let source = changes.get(&drift.address).map(|change| change.kind.origin.source.as_str());
    let mut entry = identity(&drift.address, source.unwrap_or_default());
    let actions: &[&str] = if drift.live.is_null() { &["delete"] } else { &["update"] };
    entry.insert("change".into(), values_json(actions, &drift.recorded, &drift.live).into());
    entry.into()
}

/// What says which object an entry is about.
fn identity(address: &Address, provider: &str) -> Map<String, Json> {
    let mut entry = Map::new();
    entry.insert("address".into(), address.to_string().into());
    if !address.module.is_root() {
        entry.insert("module_address".into(), address.module.to_string().into());
    }
    entry.insert("mode".into(), mode_name(address.mode).into());
    entry.insert("type".into(), (*address.type_name).into());
    entry.insert("name".into(), (*address.name).into());
    if let Some(index) = index_json(&address.key) {
        entry.insert("index".into(), index);
    }
    entry.insert("provider_name".into(), provider.into());
    entry
}

fn values_json(actions: &[&str], before: &Value, after: &Value) -> Map<String, Json> {
    let mut body = Map::new();
    body.insert("actions".into(), actions.iter().copied().collect());
    body.insert("before".into(), withheld(before).unwrap_or(Json::Null));
    if let Some(after) = withheld(after) {
        body.insert("after".into(), after);
    }
    let after_unknown = if after.is_wholly_known() { json!({}) } else { unknowns(after) };
    body.insert("after_unknown".into(), after_unknown);
    body.insert("before_sensitive".into(), sensitivity(before));
    body.insert("after_sensitive".into(), sensitivity(after));
    body
}

fn output_changes(outputs: &BTreeMap<Str, OutputChange>) -> Json {
    let entries = outputs.iter().map(|(name, output)| {
        let mut body = Map::new();
        body.insert("actions".into(), output.action.json_names().iter().copied().collect());
        let shown = |value: &Value| if output.sensitive { Some(Json::Null) } else { withheld(value) };
        body.insert("before".into(), shown(&output.before).unwrap_or(Json::Null));
        if let Some(after) = shown(&output.after).filter(|_| !output.after.is_unknown()) {
            body.insert("after".into(), after);
        }
        let known = output.after.is_wholly_known();
        body.insert("after_unknown".into(), if known { false.into() } else { unknowns(&output.after) });
        body.insert("before_sensitive".into(), output.sensitive.into());
        body.insert("after_sensitive".into(), output.sensitive.into());
        (name.to_string(), body.into())
    });
    Json::Object(entries.collect())
}

fn planned_values(plan: &PlanView<'_>) -> Json {
    let mut tree = ModuleTree::default();
    for change in plan.changes {
        let stands = !matches!(change.action, Action::Delete | Action::Forget) && !change.after.is_null();
        if stands && change.deposed.is_none() && is_told(change) {
            tree.add(&change.address, resource_json(change, &change.after));
        }
    }
    let outputs: Map<String, Json> = plan
        .outputs
        .iter()
        .filter(|(_, output)| output.action != Action::Delete)
        .map(|(name, output)| (name.to_string(), output_json(&output.after, output.sensitive)))
        .collect();
    values_tree(outputs, tree)
}

fn prior_state(plan: &PlanView<'_>) -> Json {
    let mut tree = ModuleTree::default();
    for change in plan.changes {
        if change.before.is_null() {
            continue;
        }
        let mut resource = resource_json(change, &change.before);
        if let Some(deposed) = &change.deposed {
            resource.insert("deposed_key".into(), (**deposed).into());
        }
        tree.add(&change.address, resource);
    }
    for (address, read) in plan.data {
        let mut resource = identity(address, read.kind.origin.source.as_str());
        resource.remove("module_address");
        resource.insert("schema_version".into(), read.kind.version.into());
        resource.insert("values".into(), withheld(&read.value).unwrap_or(Json::Null));
        resource.insert("sensitive_values".into(), sensitivity(&read.value));
        tree.add(address, resource);
    }
    let outputs: Map<String, Json> = plan
        .outputs
        .iter()
        .filter(|(_, output)| output.action != Action::Create)
        .map(|(name, output)| (name.to_string(), output_json(&output.before, output.sensitive)))
        .collect();
    json!({
        "format_version": "1.0",
        "terraform_version": TERRAFORM_VERSION,
        "values": values_tree(outputs, tree),
    })
}

fn values_tree(outputs: Map<String, Json>, tree: ModuleTree) -> Json {
    let mut values = Map::new();
    if !outputs.is_empty() {
        values.insert("outputs".into(), outputs.into());
    }
    values.insert("root_module".into(), tree.into_json());
    values.into()
}

fn resource_json(change: &Change, value: &Value) -> Map<String, Json> {
    let mut entry = identity(&change.address, change.kind.origin.source.as_str());
    entry.remove("module_address");
    entry.insert("schema_version".into(), change.kind.version.into());
    entry.insert("values".into(), withheld(value).unwrap_or(Json::Null));
    entry.insert("sensitive_values".into(), sensitivity(value));
    entry
}

/// An output's value with its type; an unknown one has neither.
pub fn output_json(value: &Value, sensitive: bool) -> Json {
    let mut entry = Map::new();
    entry.insert("sensitive".into(), sensitive.into());
    if value.is_wholly_known() {
        let hidden = if sensitive { value.clone().mark(Marks::SENSITIVE) } else { value.clone() };
        entry.insert("type".into(), withheld_type(&hidden));
        let shown = if sensitive { Json::Null } else { withheld(value).unwrap_or(Json::Null) };
        entry.insert("value".into(), shown);
    }
    entry.into()
}

/// Resources and providers by where they stand in the blueprint. Their expressions are not a part of a plan.
fn configuration(plan: &PlanView<'_>) -> Json {
    let mut providers = Map::new();
    let mut seen = BTreeMap::new();
    for change in plan.changes {
        let key = change.provider.to_string().replace('.', ":");
        providers.entry(key.clone()).or_insert_with(|| {
            let mut entry = Map::new();
            entry.insert("name".into(), (*change.provider.name).into());
            entry.insert("full_name".into(), change.kind.origin.source.as_str().into());
            if let Some(alias) = &change.provider.alias {
                entry.insert("alias".into(), (**alias).into());
            }
            entry.into()
        });
        if !matches!(change.action, Action::Delete | Action::Forget) {
            seen.entry(change.address.config()).or_insert((key, change.kind.version));
        }
    }
    let mut tree = ModuleTree::default();
    for (address, (key, schema_version)) in seen {
        let mut resource = Map::new();
        resource.insert("address".into(), address.local_name().into());
        resource.insert("mode".into(), mode_name(address.mode).into());
        resource.insert("type".into(), (*address.type_name).into());
        resource.insert("name".into(), (*address.name).into());
        resource.insert("provider_config_key".into(), key.into());
        resource.insert("schema_version".into(), schema_version.into());
        tree.add(&address, resource);
    }
    let mut root = tree.into_configuration();
    if !plan.header.variables.is_empty()
        && let Json::Object(root) = &mut root
    {
        let variables = plan.header.variables.keys().map(|name| (name.to_string(), json!({}))).collect();
        root.insert("variables".into(), Json::Object(variables));
    }
    json!({"provider_config": providers, "root_module": root})
}

fn check_json(check: &CheckResult) -> Json {
    let status = match check.status {
        CheckStatus::Pass => "pass",
        CheckStatus::Fail => "fail",
        CheckStatus::Unknown => "unknown",
    };
    let mut instance = json!({"address": {"to_display": &*check.address}, "status": status});
    if !check.problems.is_empty() {
        instance["problems"] = check.problems.iter().map(|problem| json!({"message": problem.to_string()})).collect();
    }
    json!({"address": check_address(&check.address), "status": status, "instances": [instance]})
}

fn check_address(text: &str) -> Json {
    if let Ok(address) = text.parse::<Address>()
        && !matches!(&*address.type_name, "check" | "var" | "output")
    {
        let mut entry = Map::new();
        entry.insert("kind".into(), "resource".into());
        entry.insert("mode".into(), mode_name(address.mode).into());
        entry.insert("type".into(), (*address.type_name).into());
        entry.insert("name".into(), (*address.name).into());
        if !address.module.is_root() {
            entry.insert("module".into(), address.module.to_string().into());
        }
        entry.insert("to_display".into(), text.into());
        return entry.into();
    }
    let (before, name) = text.rsplit_once('.').unwrap_or(("", text));
    let (module, word) = before.rsplit_once('.').map_or((None, before), |(module, word)| (Some(module), word));
    let kind = match word {
        "var" => "input_variable",
        "output" => "output_value",
        _ => "check",
    };
    let mut entry = Map::new();
    entry.insert("kind".into(), kind.into());
    entry.insert("name".into(), name.into());
    if let Some(module) = module {
        entry.insert("module".into(), module.into());
    }
    entry.insert("to_display".into(), text.into());
    entry.into()
}

/// What Terraform's JSON has no place for.
fn formwork(plan: &PlanView<'_>) -> Json {
    let header = &plan.header;
    let kind = match header.kind {
        PlanKind::Apply => json!("apply"),
        PlanKind::Destroy => json!("destroy"),
        PlanKind::Rollback { to } => json!({"rollback_to": to}),
        PlanKind::Undo { of } => json!({"undo_of": of}),
    };
    let deferred: Vec<Json> = plan
        .deferred
        .iter()
        .map(|deferred| json!({"address": &*deferred.address, "reason": &*deferred.reason}))
        .collect();
    let git = header
        .git
        .as_ref()
        .map(|git| json!({"commit": &*git.commit, "clean": git.clean, "branches": names(&git.branches)}));
    let mut told = json!({
        "kind": kind,
        "blast_radius": safety::blast_radius(plan),
        "left_out": safety::left_out(plan.left_out),
        "author": {"actor": &*header.author.actor, "email": header.author.email.as_deref()},
        "environment": &*header.environment,
        "target": header.target.as_deref(),
        "deferred": deferred,
        "git": git,
        "on_failure": failure::policies_json(&header.on_failure),
        "risk": risk_name(header.approval.grade(plan.changes)),
        "record": bound_json(header),
        "providers": providers_json(header),
        "release": release::release(plan),
    });
    if !header.artifacts.is_empty() {
        told["artifacts"] = artifacts::artifacts(&header.artifacts);
    }
    if header.approval != ApprovalNeeds::default() {
        told["approval"] = approval::to_json(&header.approval, plan.changes);
    }
    told
}

/// What must be in the record as it was when the plan is applied.
fn bound_json(header: &Header) -> Json {
    let row = |((address, deposed), serial): (&RowKey, &u64)| {
        let mut row = json!({"address": address.to_string(), "serial": serial});
        if let Some(deposed) = deposed {
            row["deposed"] = (**deposed).into();
        }
        row
    };
    json!({
        "id": &*header.record_id,
        "serial": header.record_serial,
        "revision": header.record_revision,
        "bound": header.bound.rows.iter().map(row).collect::<Vec<_>>(),
        "bound_outputs": header.bound.outputs.keys().map(|name| &**name).collect::<Vec<_>>(),
    })
}

/// Which builds of providers the plan was made with.
fn providers_json(header: &Header) -> Json {
    let build = |(source, build): (&Str, &ProviderBuild)| {
        let (version, digest) = (build.version.as_deref(), build.digest.as_deref());
        (source.to_string(), json!({"version": version, "digest": digest}))
    };
    header.providers.iter().map(build).collect::<Map<String, Json>>().into()
}

fn names(names: &[Str]) -> Vec<&str> {
    names.iter().map(|name| &**name).collect()
}

fn reason_name(reason: &Reason, key: &InstanceKey) -> Option<&'static str> {
    match reason {
        Reason::CannotUpdate => Some("replace_because_cannot_update"),
        Reason::Tainted => Some("replace_because_tainted"),
        Reason::Triggered(_) => Some("replace_by_triggers"),
        Reason::Requested => Some("replace_by_request"),
        Reason::NotInBlueprint => Some("delete_because_no_resource_config"),
        Reason::NoSuchInstance => Some(match key {
            InstanceKey::None => "delete_because_wrong_repetition",
            InstanceKey::Index(_) => "delete_because_count_index",
            InstanceKey::Key(_) => "delete_because_each_key",
        }),
        Reason::ConfigUnknown => Some("read_because_config_unknown"),
        Reason::DependencyPending => Some("read_because_dependency_pending"),
        Reason::Vanished | Reason::Destroying | Reason::Deposed | Reason::Removed | Reason::Undone(_) => None,
    }
}

/// The word for a risk.
pub fn risk_name(risk: Risk) -> &'static str {
    match risk {
        Risk::None => "none",
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
        Risk::Critical => "critical",
    }
}

fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Managed => "managed",
        Mode::Data => "data",
        Mode::Ephemeral => "ephemeral",
    }
}

fn index_json(key: &InstanceKey) -> Option<Json> {
    match key {
        InstanceKey::None => None,
        InstanceKey::Index(index) => Some((*index).into()),
        InstanceKey::Key(key) => Some((**key).into()),
    }
}

fn path_json(path: &Path) -> Json {
    path.steps()
        .into_iter()
        .map(|step| match step {
            Step::Attribute(name) | Step::Key(name) => Json::from(&**name),
            Step::Index(index) => Json::from(*index),
        })
        .collect()
}

/// RFC 3339 in UTC, whole seconds; empty for a time that no calendar has.
pub fn timestamp(ms: i64) -> String {
    jiff::Timestamp::from_second(ms.div_euclid(1000)).map(|time| time.to_string()).unwrap_or_default()
}
