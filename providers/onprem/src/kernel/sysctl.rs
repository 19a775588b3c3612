//! `onprem_sysctl`: a setting of the running kernel, kept over restarts by a file in `/etc/sysctl.d` (sysctl.d(5)).

use formwork_contract::{Attribute, Block, Type, Value};

use crate::resource::{Attributes, Description, Problems, Resource, text};
use crate::shell::Script;
use crate::shell::answer::Answer;

pub(crate) struct Sysctl;

const SHELL: &str = r#"
sysctl_file() { printf '/etc/sysctl.d/90-formwork-%s.conf' "$1"; }
# In a path dots part the words, except within the name of an interface, where a slash stands for a dot.
sysctl_path() { printf '/proc/sys/'; printf '%s' "$1" | tr './' '/.'; }
onprem_sysctl_read() {
  [ -f "$(sysctl_file "$1")" ] || { gone; return; }
  sysctl_live=$(cat "$(sysctl_path "$1")" 2>/dev/null) || { problem "the kernel has no setting \`$1\`"; return; }
  put value "$(printf '%s' "$sysctl_live" | tr '\t' ' ')"
  while IFS= read -r line; do case $line in "$1 = "*) put persisted "${line#"$1 = "}" ;; esac; done < "$(sysctl_file "$1")"
}
onprem_sysctl_before() { cat "$(sysctl_path "$1")" 2>/dev/null; }
onprem_sysctl_write() {
  [ -e "$(sysctl_path "$1")" ] || fail "the kernel has no setting \`$1\`"
  mkdir -p /etc/sysctl.d
  chmod 755 /etc/sysctl.d
  # The running kernel first: what it refuses must not be kept.
  printf '%s\n' "$2" > "$(sysctl_path "$1")" || fail "the kernel refuses \`$2\` for \`$1\`"
  sysctl_line="$1 = $2"
  printf '%s\n' "$sysctl_line" | place "$(sysctl_file "$1")" 0644 '' '' $((${#sysctl_line} + 1))
}
onprem_sysctl_delete() {
  if [ -n "$entry_before" ]; then
    printf '%s' "$entry_before" | base64 -d > "$(sysctl_path "$1")" || fail "the kernel refuses the value that \`$1\` had before"
  fi
  rm -f -- "$(sysctl_file "$1")"
}
"#;

impl Resource for Sysctl {
    fn describe(&self) -> Description {
        let block = Block::new([
            (
                "name",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("Its name, such as `net.ipv4.ip_forward`."),
            ),
            (
                "value",
                Attribute::required(Type::String).describe("Its value. Several numbers are parted by one space."),
            ),
            ("persisted", Attribute::computed(Type::String).describe("The value after the next start.")),
        ]);
        Description {
            has_before: true,
            recomputed: &["persisted"],
            ..Description::new(
                "onprem_sysctl",
                "A setting of the kernel, now and after each start. When it goes, the kernel gets back the value from before.",
                block,
            )
        }
    }

    fn shell(&self) -> &'static str {
        SHELL
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.line(config, "value");
        let Some(name) = config.get_str("name") else { return };
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if !name.contains('.') || name.starts_with('.') || !name.chars().all(fits) {
            let hint = "write it with dots, such as `net.ipv4.ip_forward`";
            problems.at("name", format!("`{name}` is not the name of a kernel setting"), hint);
        }
    }

    fn key(&self, planned: &Value) -> Option<String> {
        planned.get_str("name").map(str::to_owned)
    }

    fn value(&self, key: &str, answer: &Answer, _known: &Value) -> Attributes {
        vec![("name", Value::string(key)), ("value", answer.string("value")), ("persisted", answer.string("persisted"))]
    }

    fn foresee(&self, planned: Value) -> Value {
        let value = planned.get("value").cloned().unwrap_or(Value::Null(Type::String));
        planned.with("persisted", value)
    }

    fn create(&self, script: &mut Script, key: &str, planned: &Value) {
        script.run(&["onprem_sysctl_write", key, text(planned, "value")]);
    }

    fn update(&self, script: &mut Script, key: &str, _live: &Value, planned: &Value) {
        self.create(script, key, planned);
    }

    fn delete(&self, script: &mut Script, key: &str, _live: &Value) {
        script.run(&["onprem_sysctl_delete", key]);
    }
}
