//! `onprem_systemd_unit`: a unit of systemd, with a file of its own or that of a package (systemd.unit(5)).

use formwork_contract::{Attribute, Block, Type, Value};
use serde_json::json;

use crate::resource::{Attributes, Description, Problems, Resource, text};
use crate::shell::Script;
use crate::shell::answer::Answer;

pub(crate) struct Unit;

/// Whose file the unit has, as far as that is known beforehand.
const OWN: &str = "own";
const PACKAGED: &str = "packaged";
const ANY: &str = "any";

const SHELL: &str = r#"
# NAME WHOSE: one with a file of its own stands while the file does; one of a package, while we have it marked.
onprem_systemd_unit_read() {
  command -v systemctl >/dev/null 2>&1 || { gone; return; }
  unit_file="$systemd_folder/$1"
  unit_own=
  if [ -f "$unit_file" ] && ! [ -L "$unit_file" ]; then unit_own=1; fi
  case $2 in
    own) [ -n "$unit_own" ] || { gone; return; } ;;
    packaged) [ -n "$entry_attempt" ] || { gone; return; } ;;
  esac
  [ "$(systemctl show --property LoadState --value "$1" 2>/dev/null)" != not-found ] || { gone; return; }
  [ -z "$brief" ] || return 0
  if [ "$2" != packaged ] && [ -n "$unit_own" ]; then put_stream content < "$unit_file"; fi
  put enabled "$(systemd_enabled "$1")"; put running "$(systemd_running "$1")"
}
# What a unit of a package was before we came.
onprem_systemd_unit_before() { printf '%s %s' "$(systemd_enabled "$1")" "$(systemd_running "$1")"; }
# NAME ENABLED RUNNING HOW
onprem_systemd_unit_settle() {
  [ "$(systemctl show --property LoadState --value "$1" 2>/dev/null)" != not-found ] ||
    fail "systemd knows no unit \`$1\`"
  systemd_move "$@"
}
# NAME WHOSE
onprem_systemd_unit_delete() {
  if [ "$2" = own ]; then
    systemd_end "$1"
    rm -f -- "$systemd_folder/$1"
    systemctl daemon-reload
    systemctl reset-failed "$1" 2>/dev/null || :
  elif [ -n "$entry_before" ]; then
    set -- "$1" $(printf '%s' "$entry_before" | base64 -d)
    systemd_move "$1" "$2" "$3" ''
    # It stands as long as it is marked as ours.
    rm -f -- "$entry"
  fi
}
"#;

impl Resource for Unit {
    fn describe(&self) -> Description {
        let changes = |what: &str| {
            Attribute::optional(Type::map(Type::String))
                .describe(&format!("Free values: where one changes, the unit is {what}, if it runs."))
        };
        let block = Block::new([
            (
                "name",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("Its name with its suffix, such as `web.service`."),
            ),
            (
                "content",
                Attribute::optional(Type::String)
                    .describe("Its file, in `/etc/systemd/system`. Without it the unit is one that a package brought."),
            ),
            (
                "enabled",
                Attribute::defaulted(Type::Bool).describe("Whether it starts with the host; as it is by default."),
            ),
            ("running", Attribute::defaulted(Type::Bool).describe("Whether it runs; as it is by default.")),
            ("restart_on", changes("restarted")),
            ("reload_on", changes("reloaded, or restarted where it cannot be")),
        ]);
        Description {
            has_before: true,
            ..Description::new(
                "onprem_systemd_unit",
                "A unit of systemd. It is restarted where its file or something that it depends on changes, and at no \
                 other time. One of a package is left as it was before when this goes.",
                block,
            )
        }
    }

    fn shell(&self) -> &'static str {
        // One text, so that it stands once in a program that asks about many objects.
        static WHOLE: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| format!("{}{SHELL}", super::SHELL));
        &WHOLE
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        super::unit_name(problems, config, &super::SUFFIXES);
    }

    fn key(&self, planned: &Value) -> Option<String> {
        planned.get_str("name").map(str::to_owned)
    }

    fn arguments(&self, known: &Value) -> Vec<String> {
        vec![whose(known).into()]
    }

    fn value(&self, key: &str, answer: &Answer, known: &Value) -> Attributes {
        let flag = |name: &str| answer.text(name).map_or(Value::Null(Type::Bool), |text| Value::Bool(text == "true"));
        let kept = answer.kept();
        vec![
            ("name", Value::string(key)),
            ("content", answer.string("content")),
            ("enabled", flag("enabled")),
            ("running", flag("running")),
            ("restart_on", super::free_values(&kept, known, "restart_on")),
            ("reload_on", super::free_values(&kept, known, "reload_on")),
        ]
    }

    fn kept(&self, planned: &Value) -> serde_json::Value {
        let kept = |name: &str| super::kept_values(planned, name);
        json!({ "restart_on": kept("restart_on"), "reload_on": kept("reload_on") })
    }

    fn create(&self, script: &mut Script, key: &str, planned: &Value) {
        if planned.get_str("content").is_some() {
            write(script, key, planned);
        }
        // What runs already runs with what was there before.
        let how = if planned.get_str("content").is_some() { "restart" } else { "" };
        settle(script, key, planned, how);
    }

    fn update(&self, script: &mut Script, key: &str, live: &Value, planned: &Value) {
        let differs = |name: &str| live.get(name) != planned.get(name);
        // What was free of values before was not restarted for them.
        let moved = |name: &str| differs(name) && live.get(name).is_some_and(|value| !value.is_null());
        if differs("content") {
            write(script, key, planned);
        }
        let how = match () {
            () if differs("content") || moved("restart_on") => "restart",
            () if moved("reload_on") => "reload",
            () => "",
        };
        settle(script, key, planned, how);
    }

    fn delete(&self, script: &mut Script, key: &str, live: &Value) {
        script.run(&["onprem_systemd_unit_delete", key, whose(live)]);
    }
}

fn whose(known: &Value) -> &'static str {
    match known.get("content") {
        _ if known.is_null() => ANY,
        Some(content) if !content.is_null() => OWN,
        _ => PACKAGED,
    }
}

/// The file, and what systemd knows of it.
fn write(script: &mut Script, key: &str, planned: &Value) {
    let content = text(planned, "content");
    if planned.get_str("content").is_some() {
        script.feed(&["systemd_write", key, &content.len().to_string()], content.as_bytes());
    } else {
        script.run(&["rm", "-f", "--", &format!("/etc/systemd/system/{key}")]);
    }
    script.run(&["systemctl", "daemon-reload"]);
}

fn settle(script: &mut Script, key: &str, planned: &Value, how: &str) {
    let flag = |name: &str| match planned.get(name).and_then(Value::as_bool) {
        Some(true) => "true",
        Some(false) => "false",
        None => "",
    };
    script.run(&["onprem_systemd_unit_settle", key, flag("enabled"), flag("running"), how]);
}
