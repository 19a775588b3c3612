//! `onprem_swarm`: a swarm, which begins on one host.

use std::net::IpAddr;

use formwork_contract::{Attribute, Block, Contents, Type, Value};
use serde_json::{Value as Json, json};

use super::inspect::{ascii, check_word, json_texts, object, string, texts};
use super::node::AVAILABILITIES;
use crate::resource::{Attributes, Description, Problems, Resource, text};
use crate::shell::Script;
use crate::shell::answer::Answer;

pub(crate) struct Swarm;

const SHELL: &str = concat!(include_str!("docker.sh"), include_str!("cluster.sh"));

/// There is one on a host.
const KEY: &str = "swarm";

/// Where managers listen if nothing else is said.
const LISTEN: &str = "0.0.0.0:2377";

impl Resource for Swarm {
    fn describe(&self) -> Description {
        let token = |description: &str| Attribute::computed(Type::String).sensitive().describe(description);
        let block = Block::new([
            (
                "advertise_address",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("The address by which other hosts reach this one, such as `10.0.0.5`."),
            ),
            (
                "listen",
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("Where it listens for other hosts; `0.0.0.0:2377` by default."),
            ),
            (
                "availability",
                Attribute::defaulted(Type::String).describe(
                    "Of this host: `active` (the default), `pause` for no new tasks, `drain` for no tasks at all.",
                ),
            ),
            (
                "labels",
                Attribute::optional(Type::map(Type::String))
                    .describe("Labels of this host as a node, for constraints of services."),
            ),
            ("worker_token", token("What a worker joins with.")),
            ("manager_token", token("What a manager joins with.")),
            ("cluster_id", Attribute::computed(Type::String).describe("The id of the swarm.")),
            ("node_id", Attribute::computed(Type::String).describe("The id of this host in it.")),
        ]);
        Description {
            defaults: vec![("listen", LISTEN.into()), ("availability", "active".into())],
            contents: Contents::Data("services, secrets and configs, also those that nobody declared".into()),
            ..Description::new(
                "onprem_swarm",
                "A Docker Swarm, which begins on this host as its first manager. It goes when no other host is in it.",
                block,
            )
        }
    }

    fn shell(&self) -> &'static str {
        SHELL
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        check_word(config, "availability", &AVAILABILITIES, problems);
        if let Some(address) = config.get_str("advertise_address")
            && address.parse::<IpAddr>().is_err()
        {
            let hint = "write an IP address of the host, such as `10.0.0.5`: others must reach it";
            problems.at("advertise_address", format!("`{address}` is not an IP address"), hint);
        }
    }

    fn key(&self, _planned: &Value) -> Option<String> {
        Some(KEY.into())
    }

    fn value(&self, _key: &str, answer: &Answer, known: &Value) -> Attributes {
        let (node, kept) = (object(answer), answer.kept());
        // No one can see on the host where it listens.
        let listen = known.get_str("listen").map(str::to_owned);
        let listen = listen.or_else(|| kept["listen"].as_str().map(str::to_owned)).unwrap_or_else(|| LISTEN.into());
        vec![
            ("advertise_address", answer.string("address")),
            ("listen", Value::string(listen)),
            ("availability", string(&node["Spec"]["Availability"])),
            ("labels", texts(&node["Spec"]["Labels"], known.get("labels"))),
            ("worker_token", answer.string("worker_token")),
            ("manager_token", answer.string("manager_token")),
            ("cluster_id", answer.string("cluster_id")),
            ("node_id", answer.string("node_id")),
        ]
    }

    fn kept(&self, planned: &Value) -> Json {
        json!({ "listen": planned.get_str("listen") })
    }

    fn create(&self, script: &mut Script, key: &str, planned: &Value) {
        let begin = json!({
            "ListenAddr": text(planned, "listen"), "AdvertiseAddr": text(planned, "advertise_address"),
            "ForceNewCluster": false, "Spec": {},
        });
        script.feed(&["onprem_swarm_create"], &ascii(&begin));
        self.update(script, key, &Value::NULL, planned);
    }

    fn update(&self, script: &mut Script, _key: &str, _live: &Value, planned: &Value) {
        let labels = json_texts(planned.get("labels"));
        let node = json!({ "Role": "manager", "Availability": text(planned, "availability"), "Labels": labels });
        script.feed(&["onprem_swarm_self"], &ascii(&node));
    }

    fn delete(&self, script: &mut Script, _key: &str, _live: &Value) {
        script.run(&["onprem_swarm_delete"]);
    }
}
