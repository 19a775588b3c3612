//! `onprem_systemd_dropin`: a file that changes settings of a unit, beside the unit's own file (systemd.unit(5)).

use std::fmt::Write as _;

use formwork_contract::{Attribute, Block, Type, Value};
use sha2::{Digest, Sha256};

use crate::resource::{Attributes, Description, Problems, Resource, text};
use crate::shell::Script;
use crate::shell::answer::Answer;

pub(crate) struct Dropin;

const SHELL: &str = r#"
# KEY: the unit and the name.
onprem_systemd_dropin_read() {
  dropin_file="$systemd_folder/${1%/*}.d/${1##*/}"
  { [ -f "$dropin_file" ] && ! [ -L "$dropin_file" ]; } || { gone; return; }
  [ -z "$brief" ] || return 0
  put_stream content < "$dropin_file"
  # A change that broke off before systemd was told of it is not seen in the file.
  case $(systemctl show --property NeedDaemonReload --value "${1%/*}" 2>/dev/null) in
    yes) put loaded false ;;
    *) put loaded true ;;
  esac
}
# KEY SIZE: from standard input.
onprem_systemd_dropin_write() {
  need systemctl
  dropin_folder="$systemd_folder/${1%/*}.d"
  mkdir -p -- "$dropin_folder" || fail "the folder \`$dropin_folder\` could not be made"
  chmod 755 "$dropin_folder"
  place "$dropin_folder/${1##*/}" 0644 '' '' "$2"
}
onprem_systemd_dropin_delete() {
  rm -f -- "$systemd_folder/${1%/*}.d/${1##*/}"
  rmdir -- "$systemd_folder/${1%/*}.d" 2>/dev/null || :
  systemctl daemon-reload
}
"#;

impl Resource for Dropin {
    fn describe(&self) -> Description {
        let named = |description: &str| Attribute::required(Type::String).forces_replacement().describe(description);
        let block = Block::new([
            ("unit", named("The unit whose settings it changes, with its suffix, such as `docker.service`.")),
            ("name", named("The name of its file, such as `limits.conf`. What sorts later counts more.")),
            (
                "content",
                Attribute::required(Type::String)
                    .describe("Its file, as `[Service]` and settings. A unit's own file has what is not named here."),
            ),
            (
                "loaded",
                Attribute::computed(Type::Bool).describe(
                    "Whether systemd knows it as it is; a unit that runs still has what it was started with.",
                ),
            ),
            (
                "sha256",
                Attribute::computed(Type::String)
                    .describe("The SHA-256 of its content: for the `restart_on` of the unit."),
            ),
        ]);
        Description {
            recomputed: &["loaded", "sha256"],
            ..Description::new(
                "onprem_systemd_dropin",
                "Settings of a unit, beside the file of the unit. Nothing is restarted for it: `restart_on` of an \
                 `onprem_systemd_unit` does that.",
                block,
            )
        }
    }

    fn shell(&self) -> &'static str {
        static WHOLE: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| format!("{}{SHELL}", super::SHELL));
        &WHOLE
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        super::name_of_unit(problems, config, "unit", &super::SUFFIXES);
        let Some(name) = config.get_str("name") else { return };
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
        if name.len() > 200 || name.starts_with('.') || !name.chars().all(fits) || !name.ends_with(".conf") {
            let hint = "use letters, digits and `-_.@`, with `.conf` at the end: systemd reads no others";
            problems.at("name", format!("`{name}` is not the name of a drop-in"), hint);
        }
    }

    fn key(&self, planned: &Value) -> Option<String> {
        Some(format!("{}/{}", planned.get_str("unit")?, planned.get_str("name")?))
    }

    /// That of the unit: while its own file changes, systemd has not loaded what stands.
    fn lock(&self, key: &str) -> String {
        format!("onprem_systemd_unit {}", parted(key).0)
    }

    fn value(&self, key: &str, answer: &Answer, _known: &Value) -> Attributes {
        let (unit, name) = parted(key);
        vec![
            ("unit", Value::string(unit)),
            ("name", Value::string(name)),
            ("content", answer.string("content")),
            ("loaded", Value::Bool(answer.text("loaded").as_deref() == Some("true"))),
            ("sha256", Value::string(digest(answer.bytes("content").unwrap_or_default()))),
        ]
    }

    fn foresee(&self, planned: Value) -> Value {
        let Some(content) = planned.get("content").filter(|content| !content.is_unknown()) else { return planned };
        let sha256 = digest(content.as_str().unwrap_or_default().as_bytes());
        let sha256 = Value::string(sha256).mark(content.marks());
        planned.with("sha256", sha256).with("loaded", Value::Bool(true))
    }

    fn create(&self, script: &mut Script, key: &str, planned: &Value) {
        let content = text(planned, "content");
        script.feed(&["onprem_systemd_dropin_write", key, &content.len().to_string()], content.as_bytes());
        script.run(&["systemctl", "daemon-reload"]);
    }

    fn update(&self, script: &mut Script, key: &str, _live: &Value, planned: &Value) {
        self.create(script, key, planned);
    }

    fn delete(&self, script: &mut Script, key: &str, _live: &Value) {
        script.run(&["onprem_systemd_dropin_delete", key]);
    }
}

/// The unit and the name.
fn parted(key: &str) -> (&str, &str) {
    key.split_once('/').unwrap_or((key, ""))
}

fn digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
