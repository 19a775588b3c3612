//! A service's specification: from the configuration's attributes, and back (Docker Engine API, `ServiceSpec`).

use formwork_contract::{Entries, Type, Value};
use serde_json::{Map, Value as Json, json};

use super::inspect::{empty, json_list, json_texts, list, string, texts, unless_silent};
use crate::resource::{Attributes, text};

/// Nanoseconds in a second.
const SECOND: f64 = 1e9;

/// Labels of containers that hold triggers begin with this.
const TRIGGER: &str = "formwork.trigger.";

/// How a part of a specification is called here and there, and what it is where nobody says.
struct Field {
    name: &'static str,
    there: &'static str,
    kind: Kind,
}

enum Kind {
    Text(&'static str),
    Whole(i64),
    /// Here in seconds, there in nanoseconds.
    Seconds(i64),
    Ratio,
    Flag,
    /// A mode in octal digits.
    Mode(i64),
}

const fn field(name: &'static str, there: &'static str, kind: Kind) -> Field {
    Field { name, there, kind }
}

const UPDATE: [Field; 6] = [
    field("parallelism", "Parallelism", Kind::Whole(1)),
    field("delay", "Delay", Kind::Seconds(0)),
    field("failure_action", "FailureAction", Kind::Text("pause")),
    field("monitor", "Monitor", Kind::Seconds(5)),
    field("max_failure_ratio", "MaxFailureRatio", Kind::Ratio),
    field("order", "Order", Kind::Text("stop-first")),
];

const RESTART: [Field; 3] = [
    field("condition", "Condition", Kind::Text("any")),
    field("delay", "Delay", Kind::Seconds(5)),
    field("max_attempts", "MaxAttempts", Kind::Whole(0)),
];

const PORT: [Field; 4] = [
    field("target", "TargetPort", Kind::Whole(0)),
    field("published", "PublishedPort", Kind::Whole(0)),
    field("protocol", "Protocol", Kind::Text("tcp")),
    field("mode", "PublishMode", Kind::Text("ingress")),
];

const MOUNT: [Field; 4] = [
    field("type", "Type", Kind::Text("bind")),
    field("source", "Source", Kind::Text("")),
    field("target", "Target", Kind::Text("")),
    field("read_only", "ReadOnly", Kind::Flag),
];

const FILE: [Field; 4] = [
    field("target", "Name", Kind::Text("")),
    field("uid", "UID", Kind::Text("0")),
    field("gid", "GID", Kind::Text("0")),
    field("mode", "Mode", Kind::Mode(0o444)),
];

const HEALTH: [Field; 4] = [
    field("interval", "Interval", Kind::Seconds(30)),
    field("timeout", "Timeout", Kind::Seconds(30)),
    field("retries", "Retries", Kind::Whole(3)),
    field("start_period", "StartPeriod", Kind::Seconds(0)),
];

/// The specification, with words @formwork-KIND:NAME@ for ids; and these, as KIND:NAME.
pub(super) fn specification(name: &str, planned: &Value) -> (Json, Vec<String>) {
    let mut ids = Vec::new();
    let mut container = json!({
        "Image": text(planned, "image"),
        "Env": environment(planned),
        "Labels": triggers(planned),
    });
    let mut set = |there: &str, json: Json| container[there] = json;
    for (here, there) in [("entrypoint", "Command"), ("args", "Args")] {
        if planned.get(here).is_some_and(|value| !value.is_null()) {
            set(there, json_list(planned.get(here)));
        }
    }
    for (here, there) in [("user", "User"), ("workdir", "Dir"), ("hostname", "Hostname")] {
        if let Some(said) = planned.get_str(here) {
            set(there, said.into());
        }
    }
    if let Some(seconds) = whole(planned.get("stop_grace_period")) {
        set("StopGracePeriod", (seconds * 1_000_000_000).into());
    }
    set("Mounts", items(planned, "mounts").map(|mount| object(&MOUNT, mount)).collect());
    for (here, there, kind) in [("secrets", "Secrets", "secret"), ("configs", "Configs", "config")] {
        let given = items(planned, here).map(|item| given(kind, item, &mut ids)).collect();
        set(there, given);
    }
    if let Some(health) = planned.get("healthcheck").filter(|health| !health.is_null()) {
        let mut check = object(&HEALTH, health);
        check["Test"] = json_list(health.get("test"));
        set("Healthcheck", check);
    }
    let mut task = json!({
        "ContainerSpec": container,
        "Placement": { "Constraints": json_list(planned.get("constraints")) },
        "Networks": texts_of(planned, "networks").map(|network| json!({ "Target": network })).collect::<Json>(),
    });
    part(&mut task, "RestartPolicy", &RESTART, planned.get("restart_policy"));
    let mode = match planned.get("global").and_then(Value::as_bool) {
        Some(true) => json!({ "Global": {} }),
        _ => json!({ "Replicated": { "Replicas": whole(planned.get("replicas")).unwrap_or(1) } }),
    };
    let mut spec = json!({
        "Name": name,
        "Labels": json_texts(planned.get("labels")),
        "TaskTemplate": task,
        "Mode": mode,
        "EndpointSpec": {
            "Mode": text(planned, "endpoint_mode"),
            "Ports": items(planned, "ports").map(|port| object(&PORT, port)).collect::<Json>(),
        },
    });
    part(&mut spec, "UpdateConfig", &UPDATE, planned.get("update_config"));
    part(&mut spec, "RollbackConfig", &UPDATE, planned.get("rollback_config"));
    (spec, ids)
}

/// The attributes that a specification means, in the configuration's words. `networks` are ids and names.
pub(super) fn attributes(spec: &Json, networks: &str, known: &Value) -> Attributes {
    let (task, container) = (&spec["TaskTemplate"], &spec["TaskTemplate"]["ContainerSpec"]);
    let replicas = spec["Mode"]["Replicated"]["Replicas"].as_i64();
    let replicas = replicas.map_or(Value::Null(Type::Number), Value::from);
    let global = Value::Bool(spec["Mode"]["Global"].is_object());
    let name_of = |network: &Json| {
        let id = network["Target"].as_str().unwrap_or_default();
        let named = networks.lines().filter_map(|line| line.split_once(' ')).find(|(known, _)| *known == id);
        Value::string(named.map_or(id, |(_, name)| name))
    };
    let joined: Vec<Value> = task["Networks"].as_array().into_iter().flatten().map(name_of).collect();
    let network_list = Type::list(Type::String);
    let joined =
        if joined.is_empty() { empty(network_list, known.get("networks")) } else { Value::list(Type::String, joined) };
    let mode = spec["EndpointSpec"]["Mode"].as_str().filter(|mode| !mode.is_empty()).unwrap_or("vip");
    let health = match container["Healthcheck"].is_object() {
        true => {
            let said = known.get("healthcheck");
            let live = nested(&HEALTH, &container["Healthcheck"], said);
            live.with("test", list(&container["Healthcheck"]["Test"], said.and_then(|said| said.get("test"))))
        }
        false => Value::NULL,
    };
    vec![
        ("image", string(&container["Image"])),
        ("global", unless_silent(global, &Value::Bool(false), known.get("global"))),
        ("replicas", unless_silent(replicas, &Value::from(1), known.get("replicas"))),
        ("entrypoint", list(&container["Command"], known.get("entrypoint"))),
        ("args", list(&container["Args"], known.get("args"))),
        ("user", filled(&container["User"])),
        ("workdir", filled(&container["Dir"])),
        ("hostname", filled(&container["Hostname"])),
        ("stop_grace_period", seconds(&container["StopGracePeriod"])),
        ("environment", variables(&container["Env"], known.get("environment"))),
        ("triggers", triggered(&container["Labels"], known.get("triggers"))),
        ("labels", texts(&spec["Labels"], known.get("labels"))),
        ("mounts", nested_list(&MOUNT, &container["Mounts"], known.get("mounts"), "target", |_, value| value)),
        (
            "secrets",
            nested_list(&FILE, &container["Secrets"], known.get("secrets"), "target", |json, value| {
                file("secret", "SecretName", json, value)
            }),
        ),
        (
            "configs",
            nested_list(&FILE, &container["Configs"], known.get("configs"), "target", |json, value| {
                file("config", "ConfigName", json, value)
            }),
        ),
        ("networks", joined),
        ("constraints", list(&task["Placement"]["Constraints"], known.get("constraints"))),
        ("endpoint_mode", Value::string(mode)),
        ("ports", nested_list(&PORT, &spec["EndpointSpec"]["Ports"], known.get("ports"), "target", |_, value| value)),
        ("restart_policy", nested_or_null(&RESTART, &task["RestartPolicy"], known.get("restart_policy"))),
        ("update_config", nested_or_null(&UPDATE, &spec["UpdateConfig"], known.get("update_config"))),
        ("rollback_config", nested_or_null(&UPDATE, &spec["RollbackConfig"], known.get("rollback_config"))),
        ("healthcheck", health),
    ]
}

fn items<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::elements).unwrap_or_default().iter()
}

fn texts_of<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v str> {
    items(value, name).filter_map(Value::as_str)
}

fn whole(value: Option<&Value>) -> Option<i64> {
    value.and_then(Value::as_number).and_then(|number| number.as_i64())
}

fn environment(planned: &Value) -> Json {
    let none = Entries::new(Vec::new());
    let entries = planned.get("environment").and_then(Value::entries).unwrap_or(&none).iter();
    entries.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default())).collect::<Vec<_>>().into()
}

fn variables(live: &Json, known: Option<&Value>) -> Value {
    let variable = |text: &Json| {
        let (name, value) = text.as_str()?.split_once('=')?;
        Some((name.into(), Value::string(value)))
    };
    let entries: Entries = live.as_array().into_iter().flatten().filter_map(variable).collect();
    match entries.is_empty() {
        true => empty(Type::map(Type::String), known),
        false => Value::map(Type::String, entries),
    }
}

fn triggers(planned: &Value) -> Json {
    let Json::Object(entries) = json_texts(planned.get("triggers")) else { return Json::Null };
    Json::Object(entries.into_iter().map(|(name, value)| (format!("{TRIGGER}{name}"), value)).collect())
}

fn triggered(live: &Json, known: Option<&Value>) -> Value {
    let labels = live.as_object().into_iter().flatten();
    let own = labels.filter_map(|(name, value)| Some((name.strip_prefix(TRIGGER)?.to_owned(), value.clone())));
    texts(&Json::Object(own.collect()), known)
}

/// A reference to a secret or a config.
fn given(kind: &str, item: &Value, ids: &mut Vec<String>) -> Json {
    let name = text(item, kind);
    let id = format!("{kind}:{name}");
    let mut file = object(&FILE, item);
    if item.get_str("target").is_none() {
        file["Name"] = name.into();
    }
    let word = format!("@formwork-{id}@");
    if !ids.contains(&id) {
        ids.push(id);
    }
    match kind {
        "secret" => json!({ "SecretID": word, "SecretName": name, "File": file }),
        _ => json!({ "ConfigID": word, "ConfigName": name, "File": file }),
    }
}

/// What a reference to a secret or a config is here: its name beside where it is to be found.
fn file(kind: &'static str, there: &str, live: &Json, value: Value) -> Value {
    value.with(kind, string(&live[there]))
}

/// A nested object's parts as a specification has them.
fn object(fields: &[Field], value: &Value) -> Json {
    let mut object = Map::new();
    for field in fields {
        let said = value.get(field.name).filter(|said| !said.is_null() && !said.is_unknown());
        let json = match field.kind {
            Kind::Text(default) => said.and_then(Value::as_str).unwrap_or(default).into(),
            Kind::Whole(default) => whole(said).unwrap_or(default).into(),
            Kind::Seconds(default) => (whole(said).unwrap_or(default) * 1_000_000_000).into(),
            Kind::Ratio => said.and_then(Value::as_number).map_or(0.0, |number| number.to_f64()).into(),
            Kind::Flag => said.and_then(Value::as_bool).unwrap_or(false).into(),
            Kind::Mode(default) => {
                let mode = said.and_then(Value::as_str).and_then(|mode| i64::from_str_radix(mode, 8).ok());
                mode.unwrap_or(default).into()
            }
        };
        object.insert(field.there.into(), json);
    }
    Json::Object(object)
}

fn part(whole: &mut Json, there: &str, fields: &[Field], value: Option<&Value>) {
    if let Some(value) = value.filter(|value| !value.is_null()) {
        whole[there] = object(fields, value);
    }
}

/// The way back: parts that are as by default and that nobody spoke of are null.
fn nested(fields: &[Field], live: &Json, known: Option<&Value>) -> Value {
    let entry = |field: &Field| {
        let json = &live[field.there];
        let (live, default) = match field.kind {
            Kind::Text(default) => (Value::string(json.as_str().unwrap_or(default)), Value::string(default)),
            Kind::Whole(default) => (Value::from(json.as_i64().unwrap_or(default)), Value::from(default)),
            Kind::Seconds(default) => {
                let seconds = json.as_f64().map_or(default, |nanos| (nanos / SECOND).round() as i64);
                (Value::from(seconds), Value::from(default))
            }
            Kind::Ratio => (ratio(json.as_f64().unwrap_or(0.0)), ratio(0.0)),
            Kind::Flag => (Value::Bool(json.as_bool().unwrap_or(false)), Value::Bool(false)),
            Kind::Mode(default) => (octal(json.as_i64().unwrap_or(default)), octal(default)),
        };
        (field.name.into(), unless_silent(live, &default, known.and_then(|known| known.get(field.name))))
    };
    Value::Object(fields.iter().map(entry).collect())
}

/// The same; null where all of it is as by default and nobody spoke of it: the engine fills defaults in.
fn nested_or_null(fields: &[Field], live: &Json, known: Option<&Value>) -> Value {
    let known = known.filter(|known| !known.is_null());
    let value = nested(fields, live, known);
    if known.is_none() && value.children().all(Value::is_null) { Value::NULL } else { value }
}

/// A list of objects; what is known of each is found by one of its parts.
fn nested_list(
    fields: &[Field],
    live: &Json,
    known: Option<&Value>,
    by: &str,
    complete: impl Fn(&Json, Value) -> Value,
) -> Value {
    let candidates = known.and_then(Value::elements).unwrap_or_default();
    let items: Vec<Value> = live
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| {
            // Secrets and configs have what is said of their file one level below.
            let parts = if item["File"].is_object() { &item["File"] } else { item };
            let plain = complete(item, nested(fields, parts, Some(&Value::NULL)));
            let same = |candidate: &&Value| {
                let same = |name: &str| candidate.get(name) == plain.get(name);
                same(by) || (candidate.get(by).is_some_and(Value::is_null) && is_named_like(candidate, &plain, by))
            };
            let known = candidates.iter().find(same).unwrap_or(&Value::NULL);
            let value = complete(item, nested(fields, parts, Some(known)));
            // Where nobody says where a file goes, it goes by its own name.
            match known.get(by).is_none_or(Value::is_null) && is_named_like(&value, &value, by) {
                true => value.with(by, Value::Null(Type::String)),
                false => value,
            }
        })
        .collect();
    match items.is_empty() {
        true => known.filter(|known| known.elements().is_some()).cloned().unwrap_or(Value::NULL),
        false => Value::Tuple(items.into()),
    }
}

/// Whether a file stands under the name of its own secret or config, which the configuration names too.
fn is_named_like(known: &Value, live: &Value, by: &str) -> bool {
    let target = live.get_str(by);
    ["secret", "config"]
        .iter()
        .any(|kind| target.is_some() && live.get_str(kind) == target && known.get_str(kind) == target)
}

fn seconds(json: &Json) -> Value {
    json.as_f64().map_or(Value::Null(Type::Number), |nanos| Value::from((nanos / SECOND).round() as i64))
}

fn filled(json: &Json) -> Value {
    json.as_str().filter(|text| !text.is_empty()).map_or(Value::Null(Type::String), Value::string)
}

fn ratio(float: f64) -> Value {
    formwork_contract::Number::from_f64(float).map_or(Value::Null(Type::Number), Value::number)
}

fn octal(mode: i64) -> Value {
    Value::string(format!("{mode:04o}"))
}
