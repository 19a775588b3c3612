//! `onprem_directory`: a folder, its owner and its mode.

use formwork_contract::{Attribute, Block, Type, Value};
use serde_json::json;

use crate::resource::{Attributes, Description, Problems, Resource, mode, text};
use crate::shell::Script;
use crate::shell::answer::Answer;

pub(crate) struct Directory;

const SHELL: &str = r#"
onprem_directory_read() {
  [ -d "$1" ] && ! [ -L "$1" ] || { gone; return; }
  set -- $(stat -c '%a %U %G' -- "$1") || { problem "stat fails"; return; }
  put mode "$1"; put owner "$2"; put group "$3"
}
onprem_directory_write() {
  if [ -n "$5" ]; then
    (umask 022; mkdir -p -- "$(dirname -- "$1")") || fail "the folders above \`$1\` could not be made"
  fi
  [ -d "$1" ] || mkdir -- "$1" || fail "the folder \`$1\` could not be made"
  dress "$1" "$2" "$3" "$4"
}
"#;

impl Resource for Directory {
    fn describe(&self) -> Description {
        let block = Block::new([
            (
                "path",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("Its path; the folder above must be there, unless `parents` is set."),
            ),
            ("mode", Attribute::defaulted(Type::String).describe("Its mode in four octal digits; `0755` by default.")),
            ("owner", Attribute::defaulted(Type::String).describe("Its owner; whoever makes it by default.")),
            ("group", Attribute::defaulted(Type::String).describe("Its group; that of whoever makes it by default.")),
            (
                "parents",
                Attribute::optional(Type::Bool)
                    .describe("Whether missing folders above it are made as well. They stay when it goes."),
            ),
        ]);
        Description {
            defaults: vec![("mode", "0755".into())],
            ..Description::new("onprem_directory", "A folder on a host. It goes only when it is empty.", block)
        }
    }

    fn shell(&self) -> &'static str {
        SHELL
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.path(config, "path");
        problems.mode(config, "mode");
    }

    fn key(&self, planned: &Value) -> Option<String> {
        planned.get_str("path").map(str::to_owned)
    }

    fn value(&self, key: &str, answer: &Answer, known: &Value) -> Attributes {
        let kept = answer.kept()["parents"].as_bool().map_or(Value::Null(Type::Bool), Value::Bool);
        vec![
            ("path", Value::string(key)),
            ("mode", mode(answer)),
            ("owner", answer.string("owner")),
            ("group", answer.string("group")),
            // It says how the folder is made, and cannot be seen.
            ("parents", known.get("parents").cloned().unwrap_or(kept)),
        ]
    }

    fn kept(&self, planned: &Value) -> serde_json::Value {
        json!({ "parents": planned.get("parents").and_then(Value::as_bool) })
    }

    fn create(&self, script: &mut Script, key: &str, planned: &Value) {
        script.run(&[
            "onprem_directory_write",
            key,
            text(planned, "mode"),
            text(planned, "owner"),
            text(planned, "group"),
            if planned.get("parents").and_then(Value::as_bool) == Some(true) { "true" } else { "" },
        ]);
    }

    fn update(&self, script: &mut Script, key: &str, _live: &Value, planned: &Value) {
        self.create(script, key, planned);
    }

    fn delete(&self, script: &mut Script, key: &str, _live: &Value) {
        script.run(&["rmdir", "--", key]);
    }
}
