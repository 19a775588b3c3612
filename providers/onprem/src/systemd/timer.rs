//! `onprem_timer`: a command that systemd runs at times of the calendar (systemd.timer(5), systemd.time(7)).

use std::fmt::Write as _;

use formwork_contract::{Attribute, Block, Type, Value};
use sha2::{Digest, Sha256};

use crate::resource::{Attributes, Description, Problems, Resource, text};
use crate::shell::Script;
use crate::shell::answer::Answer;

pub(crate) struct Timer;

const SHELL: &str = r#"
onprem_timer_read() {
  [ -f "$systemd_folder/$1.timer" ] || { gone; return; }
  [ -z "$brief" ] || return 0
  put_stream timer < "$systemd_folder/$1.timer"
  [ ! -f "$systemd_folder/$1.service" ] || put_stream service < "$systemd_folder/$1.service"
  if [ "$(systemd_enabled "$1.timer")" = true ] && [ "$(systemd_running "$1.timer")" = true ]; then put active true
  else put active false; fi
}
onprem_timer_settle() {
  systemctl daemon-reload
  if [ "$2" = true ]; then systemd_move "$1.timer" true true restart; else systemd_move "$1.timer" false false ''; fi
}
# What is under way when it goes comes to its end.
onprem_timer_delete() {
  systemd_end "$1.timer"
  rm -f -- "$systemd_folder/$1.timer" "$systemd_folder/$1.service"
  systemctl daemon-reload
  systemctl reset-failed "$1.service" 2>/dev/null || :
}
"#;

/// What the lines of attributes begin with.
const CALENDAR: &str = "OnCalendar=";
const COMMAND: &str = "ExecStart=";
const USER: &str = "User=";

impl Resource for Timer {
    fn describe(&self) -> Description {
        let block = Block::new([
            (
                "name",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("Its name, without a suffix: a `.timer` and a `.service` have it."),
            ),
            (
                "calendar",
                Attribute::required(Type::String)
                    .describe("When it runs, as `*-*-* 03:00:00` or `Mon *-*-1..7 04:00`."),
            ),
            (
                "command",
                Attribute::required(Type::String)
                    .describe("A program by its path, and its arguments, as `ExecStart=` takes it. It is no shell."),
            ),
            ("user", Attribute::optional(Type::String).describe("Who runs it; root by default.")),
            (
                "service",
                Attribute::optional(Type::list(Type::String))
                    .describe("More lines of the `[Service]` section, such as `Nice=10`."),
            ),
            ("active", Attribute::defaulted(Type::Bool).describe("Whether it runs at these times; `true` by default.")),
            (
                "sha256",
                Attribute::computed(Type::String).describe("The SHA-256 of its two files, one behind the other."),
            ),
        ]);
        Description {
            defaults: vec![("active", Value::Bool(true))],
            recomputed: &["sha256"],
            ..Description::new(
                "onprem_timer",
                "A command that runs at times of the calendar. What was missed while the host was off is made up for.",
                block,
            )
        }
    }

    fn shell(&self) -> &'static str {
        static WHOLE: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| format!("{}{SHELL}", super::SHELL));
        &WHOLE
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        super::unit_name(problems, config, &[]);
        for attribute in ["calendar", "command", "user"] {
            problems.line(config, attribute);
        }
        if config
            .get_str("command")
            .is_some_and(|command| !command.trim_start_matches(['-', '+', '!']).starts_with('/'))
        {
            let hint = "begin it with a path, such as `/usr/bin/find`; for a shell write `/bin/sh -c '...'`";
            problems.at("command", "the command names no program by its path", hint);
        }
        let lines = config.get("service").and_then(Value::elements).unwrap_or_default();
        for line in lines.iter().filter_map(Value::as_str) {
            if !line.contains('=') || line.starts_with(['[', '#']) || line.contains(['\n', '\r']) || is_ours(line) {
                let hint = "write lines such as `Nice=10`; the command and its user have attributes";
                problems.at("service", format!("`{line}` is not a setting for here"), hint);
            }
        }
    }

    fn key(&self, planned: &Value) -> Option<String> {
        planned.get_str("name").map(str::to_owned)
    }

    fn value(&self, key: &str, answer: &Answer, _known: &Value) -> Attributes {
        let (timer, service) = (answer.text("timer").unwrap_or_default(), answer.text("service").unwrap_or_default());
        let line = |file: &str, begin: &str| {
            file.lines().find_map(|line| line.strip_prefix(begin)).map_or(Value::Null(Type::String), Value::string)
        };
        // What the service has behind the lines of ours.
        let more: Vec<Value> = section(&service).filter(|line| !is_ours(line)).map(Value::string).collect();
        let none = Value::Null(Type::list(Type::String));
        vec![
            ("name", Value::string(key)),
            ("calendar", line(&timer, CALENDAR)),
            ("command", line(&service, COMMAND)),
            ("user", line(&service, USER)),
            ("service", if more.is_empty() { none } else { Value::list(Type::String, more) }),
            ("active", Value::Bool(answer.text("active").as_deref() == Some("true"))),
            ("sha256", Value::string(digest(&timer, &service))),
        ]
    }

    fn foresee(&self, planned: Value) -> Value {
        if ["name", "calendar", "command", "user", "service"]
            .iter()
            .any(|name| planned.get(name).is_some_and(|value| !value.is_wholly_known()))
        {
            return planned;
        }
        let sha256 = Value::string(digest(&timer_file(&planned), &service_file(&planned)));
        planned.with("sha256", sha256)
    }

    fn create(&self, script: &mut Script, key: &str, planned: &Value) {
        for (suffix, file) in [("service", service_file(planned)), ("timer", timer_file(planned))] {
            script.feed(&["systemd_write", &format!("{key}.{suffix}"), &file.len().to_string()], file.as_bytes());
        }
        let active = planned.get("active").and_then(Value::as_bool).unwrap_or(true);
        script.run(&["onprem_timer_settle", key, if active { "true" } else { "false" }]);
    }

    fn update(&self, script: &mut Script, key: &str, _live: &Value, planned: &Value) {
        self.create(script, key, planned);
    }

    fn delete(&self, script: &mut Script, key: &str, _live: &Value) {
        script.run(&["onprem_timer_delete", key]);
    }
}

fn timer_file(value: &Value) -> String {
    format!(
        "[Unit]\nDescription=Formwork: {}\n\n[Timer]\nOnCalendar={}\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n",
        text(value, "name"),
        text(value, "calendar"),
    )
}

fn service_file(value: &Value) -> String {
    let mut file = format!(
        "[Unit]\nDescription=Formwork: {}\n\n[Service]\nType=oneshot\nExecStart={}\n",
        text(value, "name"),
        text(value, "command"),
    );
    if let Some(user) = value.get_str("user") {
        let _ = writeln!(file, "User={user}");
    }
    for line in value.get("service").and_then(Value::elements).unwrap_or_default().iter().filter_map(Value::as_str) {
        let _ = writeln!(file, "{line}");
    }
    file
}

/// The lines of the section `[Service]`.
fn section(file: &str) -> impl Iterator<Item = &str> {
    let lines = file.lines().skip_while(|line| *line != "[Service]").skip(1);
    lines.take_while(|line| !line.starts_with('[')).filter(|line| !line.is_empty())
}

fn is_ours(line: &str) -> bool {
    line == "Type=oneshot" || line.starts_with(COMMAND) || line.starts_with(USER)
}

fn digest(timer: &str, service: &str) -> String {
    Sha256::new().chain_update(timer).chain_update(service).finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
