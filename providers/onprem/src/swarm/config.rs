//! `onprem_swarm_config`: a file that services are given.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formwork_contract::{Attribute, Block, Type, Value};
use serde_json::json;

use super::inspect::{ascii, check_name, json_texts, object, string, texts};
use crate::resource::{Attributes, Description, Problems, Resource, text};
use crate::shell::Script;
use crate::shell::answer::Answer;

pub(crate) struct Config;

const SHELL: &str = concat!(
    include_str!("docker.sh"),
    r#"
onprem_swarm_config_read() { docker_show config "$1" || :; }
onprem_swarm_config_create() {
  if docker_has config "$1"; then return 0; fi
  docker_must "the config \`$1\` cannot be made" POST /configs/create
}
onprem_swarm_config_update() {
  config_version=$(docker config inspect --format '{{.Version.Index}}' -- "$1") || fail "the config \`$1\` is gone"
  docker_must "the config \`$1\` cannot be changed" POST "/configs/$1/update?version=$config_version"
}
onprem_swarm_config_delete() {
  docker_has config "$1" || return 0
  docker_must "the config \`$1\` cannot be deleted" DELETE "/configs/$1" </dev/null
}
"#
);

impl Resource for Config {
    fn describe(&self) -> Description {
        let block = Block::new([
            ("name", Attribute::required(Type::String).forces_replacement().describe("Its name.")),
            (
                "content",
                Attribute::required(Type::String).forces_replacement().describe(
                    "Its content, a text. A swarm cannot exchange it: with a name of its own for each, and \
                     `create_before_destroy`, services go over to the new one.",
                ),
            ),
            ("labels", Attribute::optional(Type::map(Type::String)).describe("Labels.")),
            ("config_id", Attribute::computed(Type::String).describe("Its id in the swarm.")),
        ]);
        let what = "A file that services of a swarm are given. `host` is one of the swarm's managers.";
        Description::new("onprem_swarm_config", what, block)
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
        let config = object(answer);
        let data = config["Spec"]["Data"].as_str().and_then(|data| STANDARD.decode(data).ok()).unwrap_or_default();
        vec![
            ("name", Value::string(key)),
            ("content", Value::string(String::from_utf8_lossy(&data))),
            ("labels", texts(&config["Spec"]["Labels"], known.get("labels"))),
            ("config_id", string(&config["ID"])),
        ]
    }

    fn create(&self, script: &mut Script, key: &str, planned: &Value) {
        let data = STANDARD.encode(text(planned, "content"));
        let config = json!({ "Name": key, "Labels": json_texts(planned.get("labels")), "Data": data });
        script.feed(&["onprem_swarm_config_create", key], &ascii(&config));
    }

    fn update(&self, script: &mut Script, key: &str, _live: &Value, planned: &Value) {
        let data = STANDARD.encode(text(planned, "content"));
        let config = json!({ "Name": key, "Labels": json_texts(planned.get("labels")), "Data": data });
        script.feed(&["onprem_swarm_config_update", key], &ascii(&config));
    }

    fn delete(&self, script: &mut Script, key: &str, _live: &Value) {
        script.run(&["onprem_swarm_config_delete", key]);
    }
}
