//! `onprem_swarm_network`: a network that spans the hosts of a swarm.

use formwork_contract::{Attribute, Block, Type, Value};
use serde_json::{Value as Json, json};

use super::inspect::{ascii, check_name, empty, json_texts, object, string, texts, unless_silent};
use crate::resource::{Attributes, Description, Problems, Resource, text};
use crate::shell::Script;
use crate::shell::answer::Answer;

pub(crate) struct Network;

const SHELL: &str = concat!(
    include_str!("docker.sh"),
    r#"
onprem_swarm_network_read() { docker_show network "$1" || :; }
# NAME, and what it is to be on standard input.
onprem_swarm_network_create() {
  if docker_has network "$1"; then return 0; fi
  docker_must "the network \`$1\` cannot be made" POST /networks/create
}
# Tasks that ended let go of it a little later.
onprem_swarm_network_delete() {
  network_until=$(($(date +%s) + 60))
  while docker_has network "$1"; do
    if docker_call DELETE "/networks/$1" </dev/null; then
      # Where there are no tasks any more, it can still be seen for a moment.
      sleep 0.2
    elif [ "$(date +%s)" -ge "$network_until" ]; then
      fail "the network \`$1\` cannot be deleted: $docker_message"
    else sleep 1; fi
  done
}
"#
);

/// What the driver adds by itself.
const ASSIGNED: &str = "com.docker.network.driver.overlay.vxlanid_list";

impl Resource for Network {
    fn describe(&self) -> Description {
        let fixed = |attribute: Attribute, description: &str| attribute.forces_replacement().describe(description);
        let flag = |description: &str| fixed(Attribute::optional(Type::Bool), description);
        let block = Block::new([
            ("name", fixed(Attribute::required(Type::String), "Its name.")),
            ("driver", fixed(Attribute::defaulted(Type::String), "Its driver; `overlay` by default.")),
            (
                "subnet",
                fixed(
                    Attribute::defaulted(Type::String),
                    "Its addresses, such as `10.20.0.0/24`; some that are free by default.",
                ),
            ),
            ("attachable", flag("Whether containers that no service runs may join it; `false` by default.")),
            ("internal", flag("Whether nothing leads out of it; `false` by default.")),
            ("options", fixed(Attribute::optional(Type::map(Type::String)), "Options of the driver.")),
            ("labels", fixed(Attribute::optional(Type::map(Type::String)), "Labels.")),
            ("network_id", Attribute::computed(Type::String).describe("Its id in the swarm.")),
        ]);
        Description {
            defaults: vec![("driver", "overlay".into())],
            ..Description::new(
                "onprem_swarm_network",
                "A network of a swarm. `host` is one of the swarm's managers.",
                block,
            )
        }
    }

    fn shell(&self) -> &'static str {
        SHELL
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        check_name(config, problems);
    }

    fn key(&self, planned: &Value) -> Option<String> {
        planned.get_str("name").map(str::to_owned)
    }

    fn value(&self, key: &str, answer: &Answer, known: &Value) -> Attributes {
        let network = object(answer);
        let flag = |field: &str, name: &str| {
            let live = Value::Bool(network[field].as_bool().unwrap_or(false));
            unless_silent(live, &Value::Bool(false), known.get(name))
        };
        let mut options = network["Options"].clone();
        options.as_object_mut().map(|options| options.remove(ASSIGNED));
        let options = match texts(&options, known.get("options")) {
            // What is not asked for has no options.
            Value::Null(ty) => empty(ty, known.get("options")),
            options => options,
        };
        vec![
            ("name", Value::string(key)),
            ("driver", string(&network["Driver"])),
            ("subnet", string(&network["IPAM"]["Config"][0]["Subnet"])),
            ("attachable", flag("Attachable", "attachable")),
            ("internal", flag("Internal", "internal")),
            ("options", options),
            ("labels", texts(&network["Labels"], known.get("labels"))),
            ("network_id", string(&network["Id"])),
        ]
    }

    fn create(&self, script: &mut Script, key: &str, planned: &Value) {
        let flag = |name: &str| planned.get(name).and_then(Value::as_bool).unwrap_or(false);
        let addresses = planned.get_str("subnet").map_or(Json::Null, |subnet| json!([{ "Subnet": subnet }]));
        let network = json!({
            "Name": key, "Driver": text(planned, "driver"), "CheckDuplicate": true, "Scope": "swarm",
            "Attachable": flag("attachable"), "Internal": flag("internal"),
            "IPAM": { "Driver": "default", "Config": addresses },
            "Options": json_texts(planned.get("options")), "Labels": json_texts(planned.get("labels")),
        });
        script.feed(&["onprem_swarm_network_create", key], &ascii(&network));
    }

    /// All that can change asks for another one.
    fn update(&self, script: &mut Script, key: &str, _live: &Value, planned: &Value) {
        self.create(script, key, planned);
    }

    fn delete(&self, script: &mut Script, key: &str, _live: &Value) {
        script.run(&["onprem_swarm_network_delete", key]);
    }
}
