//! `onprem_group`: a group of users (group(5)).

use formwork_contract::{Attribute, Block, Type, Value};

use crate::resource::{Attributes, Description, Problems, Resource};
use crate::shell::Script;
use crate::shell::answer::Answer;

pub(crate) struct Group;

const SHELL: &str = r#"
onprem_group_read() {
  group_line=$(getent group "$1") || { gone; return; }
  put gid "$(printf '%s' "$group_line" | cut -d: -f3)"
}
# NAME GID SYSTEM
onprem_group_write() {
  if getent group "$1" >/dev/null; then
    [ -z "$2" ] || groupmod -g "$2" "$1"
  else
    need groupadd
    groupadd ${2:+-g "$2"} ${3:+-r} "$1"
  fi
}
onprem_group_delete() { groupdel "$1"; }
"#;

impl Resource for Group {
    fn describe(&self) -> Description {
        let block = Block::new([
            ("name", Attribute::required(Type::String).forces_replacement().describe("Its name.")),
            ("gid", Attribute::defaulted(Type::Number).describe("Its number; the next free one by default.")),
            (
                "system",
                Attribute::optional(Type::Bool)
                    .forces_replacement()
                    .describe("Whether its number is one of those for services; `false` by default."),
            ),
        ]);
        Description::new("onprem_group", "A group of users on a host.", block)
    }

    fn shell(&self) -> &'static str {
        SHELL
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.account(config, "name");
    }

    fn key(&self, planned: &Value) -> Option<String> {
        planned.get_str("name").map(str::to_owned)
    }

    fn lock(&self, _key: &str) -> String {
        super::LOCK.into()
    }

    fn value(&self, key: &str, answer: &Answer, known: &Value) -> Attributes {
        let kept = answer.kept()["system"].as_bool().map_or(Value::Null(Type::Bool), Value::Bool);
        let system = known.get("system").cloned().unwrap_or(kept);
        vec![("name", Value::string(key)), ("gid", answer.number("gid")), ("system", system)]
    }

    fn kept(&self, planned: &Value) -> serde_json::Value {
        serde_json::json!({ "system": planned.get("system").and_then(Value::as_bool) })
    }

    fn create(&self, script: &mut Script, key: &str, planned: &Value) {
        let system = if planned.get("system").and_then(Value::as_bool) == Some(true) { "1" } else { "" };
        script.run(&["onprem_group_write", key, &super::number(planned, "gid"), system]);
    }

    fn update(&self, script: &mut Script, key: &str, _live: &Value, planned: &Value) {
        script.run(&["onprem_group_write", key, &super::number(planned, "gid"), ""]);
    }

    fn delete(&self, script: &mut Script, key: &str, _live: &Value) {
        script.run(&["onprem_group_delete", key]);
    }
}
