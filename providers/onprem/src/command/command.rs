//! `onprem_command`: a command of one's own, where there is no type for what it does.

use formwork_contract::{Attribute, Block, Contents, Type, Value};
use serde_json::json;

use crate::resource::{Attributes, Description, Problems, Resource, text};
use crate::shell::Script;
use crate::shell::answer::Answer;

pub(crate) struct Command;

const SHELL: &str = r#"
# NAME CREATES: it stands while its mark does, and what it makes.
onprem_command_read() {
  [ -n "$entry_attempt" ] || { gone; return; }
  if [ -n "$2" ] && ! [ -e "$2" ]; then gone; return; fi
  put stands true
}
# UNLESS CREATES: a program on standard input is run unless that is so. It sees what it is to know as variables.
onprem_command_run() {
  umask 022
  if [ -n "$2" ] && [ -e "$2" ]; then return 0; fi
  if [ -n "$1" ] && sh -c "$1" >/dev/null 2>&1 </dev/null; then return 0; fi
  command_program=$(cat)
  ( eval "$command_program" ) </dev/null
}
"#;

impl Resource for Command {
    fn describe(&self) -> Description {
        let text = |description: &str| Attribute::optional(Type::String).describe(description);
        let block = Block::new([
            ("name", Attribute::required(Type::String).forces_replacement().describe("What it is called on its host.")),
            (
                "run",
                Attribute::required(Type::String)
                    .describe("A program of sh. It runs once, and again when anything of this changes."),
            ),
            ("unless", text("A program of sh: where it succeeds, `run` is left out.")),
            ("creates", text("A path: where it is there, `run` is left out; where it is gone, it is drift.")),
            (
                "undo",
                text(
                    "A program of sh that takes back what `run` did. Without it nothing is taken back when this goes.",
                ),
            ),
            (
                "triggers",
                Attribute::optional(Type::map(Type::String))
                    .describe("Free values: where one changes, `run` runs again."),
            ),
            (
                "environment",
                Attribute::optional(Type::map(Type::String))
                    .sensitive()
                    .describe("Variables for `run` and `undo`. They are not kept on the host."),
            ),
        ]);
        Description {
            opaque: true,
            contents: Contents::Data("effects of commands, which only a declared `undo` takes back".into()),
            ..Description::new(
                "onprem_command",
                "A command of one's own: the last resort, as only its author knows what it does and how to take it back.",
                block,
            )
        }
    }

    fn shell(&self) -> &'static str {
        SHELL
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.path(config, "creates");
        problems.line(config, "name");
        let Some(variables) = config.get("environment").and_then(Value::entries) else { return };
        for (name, _) in variables.iter() {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(fits) {
                let hint = "use letters, digits and `_`, and no digit at the start";
                problems.at("environment", format!("`{name}` is not the name of a variable"), hint);
            }
        }
    }

    fn key(&self, planned: &Value) -> Option<String> {
        planned.get_str("name").map(str::to_owned)
    }

    fn arguments(&self, known: &Value) -> Vec<String> {
        vec![text(known, "creates").into()]
    }

    fn value(&self, key: &str, answer: &Answer, known: &Value) -> Attributes {
        // What the host keeps is what was done; what it may not keep is what was said.
        let kept = answer.kept();
        let said = |name: &str, ty: Type| known.get(name).cloned().unwrap_or(Value::Null(ty));
        let text = |name: &str| kept[name].as_str().map_or_else(|| said(name, Type::String), Value::string);
        let triggers = kept["triggers"].as_object().map_or_else(
            || said("triggers", Type::map(Type::String)),
            |entries| {
                let entry = |(name, value): (&String, &serde_json::Value)| {
                    (name.as_str().into(), value.as_str().map_or(Value::Null(Type::String), Value::string))
                };
                Value::map(Type::String, entries.iter().map(entry).collect())
            },
        );
        vec![
            ("name", Value::string(key)),
            ("run", text("run")),
            ("unless", text("unless")),
            ("creates", text("creates")),
            ("undo", text("undo")),
            ("triggers", triggers),
            ("environment", said("environment", Type::map(Type::String))),
        ]
    }

    fn kept(&self, planned: &Value) -> serde_json::Value {
        let text = |name: &str| planned.get_str(name);
        // Where one of them is sensitive, none is kept: what is kept must be whole.
        let entries = planned.get("triggers").and_then(Value::entries);
        let triggers =
            entries.filter(|entries| entries.iter().all(|(_, value)| value.as_str().is_some())).map(|entries| {
                let entry =
                    |(name, value): (&formwork_contract::Str, &Value)| (name.to_string(), json!(value.as_str()));
                entries.iter().map(entry).collect::<serde_json::Map<_, _>>()
            });
        json!({
            "run": text("run"), "unless": text("unless"), "creates": text("creates"), "undo": text("undo"),
            "triggers": triggers,
        })
    }

    fn create(&self, script: &mut Script, _key: &str, planned: &Value) {
        run(script, planned, "run", text(planned, "unless"), text(planned, "creates"));
    }

    /// What is there already is what the command was to make before it changed: it does not keep it from running.
    fn update(&self, script: &mut Script, _key: &str, _live: &Value, planned: &Value) {
        run(script, planned, "run", text(planned, "unless"), "");
    }

    fn delete(&self, script: &mut Script, _key: &str, live: &Value) {
        if live.get_str("undo").is_some() {
            run(script, live, "undo", "", "");
        }
        // The command stands by its mark alone.
        script.lines("rm -f -- \"$entry\"");
    }
}

fn run(script: &mut Script, value: &Value, program: &str, unless: &str, creates: &str) {
    let mut text = String::new();
    for (name, variable) in
        value.get("environment").and_then(Value::entries).into_iter().flat_map(|entries| entries.iter())
    {
        text.push_str(&format!(
            "{name}={}\nexport {name}\n",
            crate::shell::quoted(variable.as_str().unwrap_or_default())
        ));
    }
    text.push_str("set -e\n");
    text.push_str(crate::resource::text(value, program));
    script.feed(&["onprem_command_run", unless, creates], text.as_bytes());
}
