//! `onprem_swarm_service`: what a swarm runs, and keeps running.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use formwork_contract::{Attribute, Block, Nesting, Type, Value};
use serde_json::{Value as Json, json};

use super::inspect::{ascii, check_name, check_word, is_name, object, string};
use super::service_spec::{attributes, specification};
use crate::resource::{Attributes, Description, Problems, Resource};
use crate::shell::Script;
use crate::shell::answer::Answer;

pub(crate) struct Service;

const SHELL: &str = concat!(include_str!("docker.sh"), include_str!("service.sh"));

/// How long a service may take to come up, in seconds, where the configuration does not say.
const CONVERGE: i64 = 300;

impl Resource for Service {
    fn describe(&self) -> Description {
        let block = Block::new(main().into_iter().chain(within()).chain(around()));
        Description {
            defaults: vec![("endpoint_mode", "vip".into()), ("converge_timeout", CONVERGE.into())],
            ..Description::new(
                "onprem_swarm_service",
                "A service of a swarm. It is made when all of its tasks run. `host` is one of the swarm's managers.",
                block,
            )
        }
    }

    fn shell(&self) -> &'static str {
        SHELL
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        check_name(config, problems);
        check_word(config, "endpoint_mode", &["vip", "dnsrr"], problems);
        if config.get("global").and_then(Value::as_bool) == Some(true)
            && config.get("replicas").is_some_and(|replicas| !replicas.is_null())
        {
            let hint = "a global service runs once on each node: leave `replicas` out";
            problems.at("replicas", "a global service has no number of replicas", hint);
        }
        let items = |name: &str| config.get(name).and_then(Value::elements).unwrap_or_default();
        let ingress = |port: &&Value| port.get_str("mode") != Some("host") && !port.is_unknown();
        if config.get_str("endpoint_mode") == Some("dnsrr") && items("ports").iter().any(|port| ingress(&port)) {
            let hint =
                "set `mode = \"host\"` of the port: only a service with the mode `vip` is published by all nodes";
            problems.at("ports", "a service with `endpoint_mode = \"dnsrr\"` is not published by all nodes", hint);
        }
        for (list, kind) in [("secrets", "secret"), ("configs", "config")] {
            for name in items(list).iter().filter_map(|item| item.get_str(kind)).filter(|name| !is_name(name)) {
                problems.at(list, format!("`{name}` is not the name of a {kind}"), "give the `name` of its resource");
            }
        }
        for (name, _) in config.get("environment").and_then(Value::entries).into_iter().flat_map(|all| all.iter()) {
            if name.is_empty() || name.contains(['=', '\0']) {
                problems.at("environment", format!("`{name}` is not the name of a variable"), "it has no `=`");
            }
        }
        let given = |name: &str| config.get(name).is_some_and(|value| !value.is_null());
        if given("username") != given("password") {
            let missing = if given("username") { "password" } else { "username" };
            problems.at(missing, format!("`{missing}` is missing"), "a login has `username` and `password`");
        }
    }

    fn key(&self, planned: &Value) -> Option<String> {
        planned.get_str("name").map(str::to_owned)
    }

    fn value(&self, key: &str, answer: &Answer, known: &Value) -> Attributes {
        let (service, kept) = (object(answer), answer.kept());
        let said = |name: &str| known.get(name).cloned().unwrap_or(Value::Null(Type::String));
        let timeout = match known.get("converge_timeout").filter(|value| !value.is_null() && !value.is_unknown()) {
            Some(value) => value.clone(),
            None => kept["converge_timeout"].as_i64().unwrap_or(CONVERGE).into(),
        };
        let mut all = attributes(&service["Spec"], &answer.text("networks").unwrap_or_default(), known);
        all.extend([
            ("name", Value::string(key)),
            ("username", said("username")),
            ("password", said("password")),
            ("converge_timeout", timeout),
            ("service_id", string(&service["ID"])),
        ]);
        all
    }

    fn kept(&self, planned: &Value) -> Json {
        json!({ "converge_timeout": timeout(planned) })
    }

    fn create(&self, script: &mut Script, key: &str, planned: &Value) {
        send(script, "onprem_swarm_service_create", key, planned);
    }

    fn update(&self, script: &mut Script, key: &str, _live: &Value, planned: &Value) {
        send(script, "onprem_swarm_service_update", key, planned);
    }

    fn delete(&self, script: &mut Script, key: &str, _live: &Value) {
        script.run(&["onprem_swarm_service_delete", key]);
    }
}

fn send(script: &mut Script, function: &str, key: &str, planned: &Value) {
    let (spec, ids) = specification(key, planned);
    let header = match (planned.get_str("username"), planned.get_str("password")) {
        (Some(username), Some(password)) => {
            let registry = planned.get_str("image").unwrap_or_default().split('/').next().unwrap_or_default();
            let login = json!({ "username": username, "password": password, "serveraddress": registry });
            format!("X-Registry-Auth: {}", URL_SAFE.encode(login.to_string()))
        }
        _ => String::new(),
    };
    let seconds = timeout(planned).to_string();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    script.feed(&[&[function, key, &seconds, &header], ids.as_slice()].concat(), &ascii(&spec));
}

fn timeout(planned: &Value) -> i64 {
    let number = planned.get("converge_timeout").and_then(Value::as_number).and_then(|number| number.as_i64());
    number.unwrap_or(CONVERGE)
}

/// What it is, and how often.
fn main() -> Vec<(&'static str, Attribute)> {
    let text = |description: &str| Attribute::optional(Type::String).describe(description);
    vec![
        ("name", Attribute::required(Type::String).forces_replacement().describe("Its name.")),
        (
            "image",
            Attribute::required(Type::String)
                .describe("Its image; best by its digest: `onprem_image.NAME.reference`. The nodes pull it."),
        ),
        ("username", text("The name of an account by which the nodes pull the image.")),
        ("password", Attribute::optional(Type::String).sensitive().describe("Its password.")),
        (
            "global",
            Attribute::optional(Type::Bool)
                .forces_replacement()
                .describe("Whether it runs once on each node; `false` by default."),
        ),
        ("replicas", Attribute::optional(Type::Number).describe("How often it runs; once by default.")),
        ("labels", Attribute::optional(Type::map(Type::String)).describe("Labels of the service.")),
        (
            "converge_timeout",
            Attribute::defaulted(Type::Number)
                .describe("How many seconds its tasks may take until all of them run; 300 by default."),
        ),
        ("service_id", Attribute::computed(Type::String).describe("Its id in the swarm.")),
    ]
}

/// What is in its containers.
fn within() -> Vec<(&'static str, Attribute)> {
    let text = |description: &str| Attribute::optional(Type::String).describe(description);
    let texts = |description: &str| Attribute::optional(Type::list(Type::String)).describe(description);
    let map = |description: &str| Attribute::optional(Type::map(Type::String)).describe(description);
    let number = |description: &str| Attribute::optional(Type::Number).describe(description);
    let list = |block: Block, description: &str| {
        Attribute::optional(Type::Any).nesting(Nesting::List, block).describe(description)
    };
    let mount = Block::new([
        ("type", text("`bind` (the default), `volume` or `tmpfs`.")),
        ("source", text("A path of the node, or the name of a volume.")),
        ("target", Attribute::required(Type::String).describe("Where it is in the container.")),
        ("read_only", Attribute::optional(Type::Bool).describe("`false` by default.")),
    ]);
    let file = |kind: &'static str, folder: &str| {
        Block::new([
            (kind, Attribute::required(Type::String).describe("The `name` of its resource.")),
            ("target", text(&format!("Its name below {folder}, or its path; its own name by default."))),
            ("uid", text("The number of its owner; `0` by default.")),
            ("gid", text("The number of its group; `0` by default.")),
            ("mode", text("Its mode in four octal digits; `0444` by default.")),
        ])
    };
    let health = Block::new([
        ("test", Attribute::required(Type::list(Type::String)).describe("Such as `[\"CMD\", \"/healthy\"]`.")),
        ("interval", number("Seconds from one to the next; 30 by default.")),
        ("timeout", number("How many seconds it may take; 30 by default.")),
        ("retries", number("How often it may fail in a row; 3 by default.")),
        ("start_period", number("For how many seconds failures do not count at first; 0 by default.")),
    ]);
    vec![
        ("entrypoint", texts("What is run, where it is not what the image says.")),
        ("args", texts("Its arguments, where they are not what the image says.")),
        ("user", text("Who runs it, where it is not who the image says.")),
        ("workdir", text("The folder that it begins in, where it is not what the image says.")),
        ("hostname", text("What a container calls itself.")),
        (
            "stop_grace_period",
            number("How many seconds it has to end when it is told to; what Docker gives it by default: 10."),
        ),
        ("environment", map("Its variables. Who may inspect the service sees them: secrets go into `secrets`.")),
        ("triggers", map("Free values: where one changes, the tasks are replaced.")),
        ("mounts", list(mount, "What of the node is in the containers.")),
        ("secrets", list(file("secret", "`/run/secrets`"), "Secrets of the swarm, as files.")),
        ("configs", list(file("config", "`/`"), "Configs of the swarm, as files.")),
        (
            "healthcheck",
            Attribute::optional(Type::Any)
                .nesting(Nesting::Single, health)
                .describe("How it is told whether a container works."),
        ),
    ]
}

/// What is around its containers.
fn around() -> Vec<(&'static str, Attribute)> {
    let text = |description: &str| Attribute::optional(Type::String).describe(description);
    let texts = |description: &str| Attribute::optional(Type::list(Type::String)).describe(description);
    let number = |description: &str| Attribute::optional(Type::Number).describe(description);
    let single = |block: Block, description: &str| {
        Attribute::optional(Type::Any).nesting(Nesting::Single, block).describe(description)
    };
    let port = Block::new([
        ("target", Attribute::required(Type::Number).describe("The container's port.")),
        ("published", number("The port of the nodes; one that is free by default.")),
        ("protocol", text("`tcp` (the default), `udp` or `sctp`.")),
        ("mode", text("`ingress` (the default): each node leads there; `host`: those on which it runs.")),
    ]);
    let update = || {
        Block::new([
            ("parallelism", number("How many tasks at once; 1 by default, 0 is all.")),
            ("delay", number("Seconds from one to the next; 0 by default.")),
            ("failure_action", text("`pause` (the default), `continue`, or `rollback` of an update.")),
            ("monitor", number("For how many seconds a task must run; 5 by default.")),
            ("max_failure_ratio", number("Which part of the tasks may fail; 0 by default.")),
            ("order", text("`stop-first` (the default) or `start-first`.")),
        ])
    };
    let restart = Block::new([
        ("condition", text("When a task is begun anew: `any` (the default), `on-failure` or `none`.")),
        ("delay", number("Seconds before it; 5 by default.")),
        ("max_attempts", number("How often; 0, the default, is without end.")),
    ]);
    vec![
        ("networks", texts("The names of the networks that it is in.")),
        ("constraints", texts("Which nodes may run it, such as `node.labels.zone == a`.")),
        (
            "endpoint_mode",
            Attribute::defaulted(Type::String)
                .describe("`vip` (the default): one address; `dnsrr`: those of all tasks, by DNS."),
        ),
        (
            "ports",
            Attribute::optional(Type::Any).nesting(Nesting::List, port).describe("What can be reached from outside."),
        ),
        ("update_config", single(update(), "How tasks are replaced.")),
        ("rollback_config", single(update(), "How tasks are replaced when the swarm goes back by itself.")),
        ("restart_policy", single(restart, "When tasks that end are begun anew.")),
    ]
}
