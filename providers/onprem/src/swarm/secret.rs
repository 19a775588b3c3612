//! `onprem_swarm_secret`: what services are given and nobody else sees.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formwork_contract::{Attribute, Block, Type, Value};
use serde_json::json;

use super::inspect::{ascii, check_name, json_texts, object, string, texts};
use crate::resource::{Attributes, Description, Problems, Resource, text};
use crate::shell::Script;
use crate::shell::answer::Answer;

pub(crate) struct Secret;

const SHELL: &str = concat!(
    include_str!("docker.sh"),
    r#"
onprem_swarm_secret_read() { docker_show secret "$1" || :; }
onprem_swarm_secret_create() {
  if docker_has secret "$1"; then return 0; fi
  docker_must "the secret \`$1\` cannot be made" POST /secrets/create
}
onprem_swarm_secret_update() {
  secret_version=$(docker secret inspect --format '{{.Version.Index}}' -- "$1") || fail "the secret \`$1\` is gone"
  docker_must "the secret \`$1\` cannot be changed" POST "/secrets/$1/update?version=$secret_version"
}
onprem_swarm_secret_delete() {
  docker_has secret "$1" || return 0
  docker_must "the secret \`$1\` cannot be deleted" DELETE "/secrets/$1" </dev/null
}
"#
);

impl Resource for Secret {
    fn describe(&self) -> Description {
        let block = Block::new([
            ("name", Attribute::required(Type::String).forces_replacement().describe("Its name.")),
            (
                "content",
                Attribute::required(Type::String).sensitive().forces_replacement().describe(
                    "What is kept secret. A swarm cannot exchange it: with a name of its own for each, and \
                     `create_before_destroy`, services go over to the new one.",
                ),
            ),
            ("labels", Attribute::optional(Type::map(Type::String)).describe("Labels.")),
            ("secret_id", Attribute::computed(Type::String).describe("Its id in the swarm.")),
        ]);
        let what = "A secret of a swarm. `host` is one of the swarm's managers.";
        Description {
            not_importable: Some("Nobody can read back what a swarm keeps secret, so it could not be put back either."),
            ..Description::new("onprem_swarm_secret", what, block)
        }
    }

    fn shell(&self) -> &'static str {
        SHELL
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        check_name(config, problems);
        if config.get_str("content").is_some_and(str::is_empty) {
            problems.at("content", "a secret must not be empty", "leave it out where there is nothing to keep");
        }
    }

    fn key(&self, planned: &Value) -> Option<String> {
        planned.get_str("name").map(str::to_owned)
    }

    fn value(&self, key: &str, answer: &Answer, known: &Value) -> Attributes {
        let secret = object(answer);
        let id = string(&secret["ID"]);
        // Of another secret under the same name nobody knows what it is.
        let same = known.get_str("secret_id").is_none_or(|known| id.as_str() == Some(known));
        let content = known.get("content").filter(|_| same).cloned();
        vec![
            ("name", Value::string(key)),
            ("content", content.unwrap_or(Value::Null(Type::String))),
            ("labels", texts(&secret["Spec"]["Labels"], known.get("labels"))),
            ("secret_id", id),
        ]
    }

    fn create(&self, script: &mut Script, key: &str, planned: &Value) {
        let data = STANDARD.encode(text(planned, "content"));
        let secret = json!({ "Name": key, "Labels": json_texts(planned.get("labels")), "Data": data });
        script.feed(&["onprem_swarm_secret_create", key], &ascii(&secret));
    }

    fn update(&self, script: &mut Script, key: &str, _live: &Value, planned: &Value) {
        let secret = json!({ "Name": key, "Labels": json_texts(planned.get("labels")) });
        script.feed(&["onprem_swarm_secret_update", key], &ascii(&secret));
    }

    fn delete(&self, script: &mut Script, key: &str, _live: &Value) {
        script.run(&["onprem_swarm_secret_delete", key]);
    }
}
