//! `onprem_package`: a Debian package from a set in the store of artifacts (dpkg(1)).

use formwork_contract::{Attribute, Block, Type, Value};
use serde_json::json;

use crate::delivery::Cargo;
use crate::resource::{Attributes, Description, Problems, Resource, text};
use crate::shell::Script;
use crate::shell::answer::Answer;

pub(crate) struct Package;

const SHELL: &str = r#"
onprem_package_read() {
  command -v dpkg-query >/dev/null 2>&1 || { gone; return; }
  package_state=$(dpkg-query -W -f '${db:Status-Status} ${db:Status-Want} ${Version}' "$1" 2>/dev/null) || { gone; return; }
  case $package_state in installed\ *) ;; *) gone; return ;; esac
  [ -z "$brief" ] || return 0
  set -- $package_state
  if [ "$2" = hold ]; then put hold true; else put hold false; fi
  put version "$3"
}
# Runs dpkg so that no service is started by it: what runs is said by units, and a service that its package starts does
# so with settings of nobody's choice. One whose package goes is stopped; one whose package changes runs on, until its
# unit is restarted. A rule of somebody else's stays.
package_quietly() {
  need dpkg
  case $1 in
    --install) package_answer='exit 101' ;;
    *) package_answer='case " $* " in *" stop "*) exit 0 ;; esac; exit 101' ;;
  esac
  package_rule=/usr/sbin/policy-rc.d
  package_mark='# formwork: while a package changes'
  if [ ! -e "$package_rule" ] || grep -qxF "$package_mark" "$package_rule"; then
    trap 'rm -f -- "$package_rule"' EXIT
    printf '#!/bin/sh\n%s\n%s\n' "$package_mark" "$package_answer" > "$package_rule"
    chmod 755 "$package_rule"
  fi
  DEBIAN_FRONTEND=noninteractive
  export DEBIAN_FRONTEND
  # Modes of what packages bring are theirs.
  umask 022
  # What was interrupted before comes to its end first.
  dpkg --configure -a --force-confdef --force-confold || fail "an earlier change of packages cannot be brought to its end"
  dpkg --force-confdef --force-confold "$@"
}
# NAME HOLD: installs what was delivered.
onprem_package_install() {
  package_name=$1 package_hold=$2
  # In the order of dpkg's own choice; it must see all of them at once.
  set --
  for package_digest in $delivered; do set -- "$@" "$(delivered_at "$package_digest")"; done
  package_note_brought "$package_name" "$@"
  [ $# = 0 ] || package_quietly --install "$@" || fail "\`dpkg\` cannot install \`$package_name\`"
  onprem_package_hold "$package_name" "$package_hold"
  for package_digest in $delivered; do rm -f -- "$(delivered_at "$package_digest")"; done
}
onprem_package_hold() {
  if [ "$2" = true ]; then package_want=hold; else package_want=install; fi
  printf '%s %s\n' "$1" "$package_want" | dpkg --set-selections || fail "\`$1\` cannot be held"
}
package_installed() {
  case $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) in installed) return 0 ;; *) return 1 ;; esac
}
# Notes what comes along with a package and was not there before: NAME FILES...
package_note_brought() {
  package_brought="$ledger/packages/brought"
  mkdir -p -- "$ledger/packages" || fail "the folder \`$ledger/packages\` could not be made"
  package_of=$1
  shift
  for package_file in "$@"; do
    package_other=$(dpkg-deb --field "$package_file" Package) || fail "\`dpkg-deb\` cannot read a package that was brought"
    if [ "$package_other" != "$package_of" ] && ! package_installed "$package_other" &&
      ! grep -qsxF -- "$package_other" "$package_brought"; then
      printf '%s\n' "$package_other" >> "$package_brought" || fail "\`$package_brought\` could not be written"
    fi
  done
}
# Takes away what came along with packages that are gone, which no package that is there needs and which is nobody's:
# HOW.
package_take_brought() {
  package_brought="$ledger/packages/brought"
  [ -f "$package_brought" ] || return 0
  package_found=1
  # What one needed may be needed by none when it is gone.
  while [ -n "$package_found" ]; do
    package_found=
    while IFS= read -r package_other; do
      package_installed "$package_other" || continue
      ! grep -qsxF -- "key=$package_other" "$ledger"/owners/*/onprem_package/* || continue
      dpkg --no-act --remove "$package_other" >/dev/null 2>&1 || continue
      # What is in use all the same is for a person to take.
      if package_quietly "$1" "$package_other" </dev/null; then package_found=1; fi
    done < "$package_brought"
  done
  package_left=
  while IFS= read -r package_other; do
    ! package_installed "$package_other" || package_left="$package_left$package_other$newline"
  done < "$package_brought"
  if [ -n "$package_left" ]; then printf '%s' "$package_left" > "$package_brought"; else rm -f -- "$package_brought"; fi
}
# NAME PURGE
onprem_package_delete() {
  onprem_package_hold "$1" false
  if [ -n "$2" ]; then set -- "$1" --purge; else set -- "$1" --remove; fi
  package_quietly "$2" "$1" || fail "\`dpkg\` cannot remove \`$1\`"
  package_take_brought "$2"
}
"#;

impl Resource for Package {
    fn describe(&self) -> Description {
        let flag = |description: &str| Attribute::optional(Type::Bool).describe(description);
        let block = Block::new([
            ("name", Attribute::required(Type::String).forces_replacement().describe("The name of the package.")),
            (
                "artifact",
                Attribute::required(Type::String).describe(
                    "The id of an artifact of the kind `deb` that has the package. Of the others in it, those are \
                     installed along that the host lacks or has older.",
                ),
            ),
            ("hold", Attribute::defaulted(Type::Bool).describe("Whether upgrades pass it over; `false` by default.")),
            ("purge", flag("Whether its settings go with it. Without it they stay.")),
            ("version", Attribute::computed(Type::String).describe("Its version: that of the artifact.")),
        ]);
        Description {
            defaults: vec![("hold", Value::Bool(false))],
            recomputed: &["version"],
            ..Description::new(
                "onprem_package",
                "A package, installed from artifacts. Nothing is downloaded, and no service is started: that is for \
                 units to say. When it goes, its services are stopped, and what came along with it and nobody needs goes too.",
                block,
            )
        }
    }

    fn shell(&self) -> &'static str {
        SHELL
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        let Some(name) = config.get_str("name") else { return };
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
        if name.len() < 2 || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(fits) {
            let hint = "write it without a version and an architecture, such as `rsyslog`";
            problems.at("name", format!("`{name}` is not the name of a package"), hint);
        }
    }

    fn key(&self, planned: &Value) -> Option<String> {
        planned.get_str("name").map(str::to_owned)
    }

    /// dpkg lets one change in at a time.
    fn lock(&self, _key: &str) -> String {
        "dpkg".into()
    }

    fn cargo(&self, live: &Value, planned: &Value) -> Option<Cargo> {
        let id = planned.get_str("artifact")?.to_owned();
        let same = live.get_str("artifact") == Some(id.as_str());
        (!same).then(|| Cargo::Packages { id, name: text(planned, "name").into() })
    }

    fn value(&self, key: &str, answer: &Answer, known: &Value) -> Attributes {
        let kept = answer.kept();
        let artifact = || known.get("artifact").cloned().or_else(|| kept["artifact"].as_str().map(Value::string));
        // Another version than the one that came of the artifact did not come of it.
        let same = known.get_str("version").is_none_or(|version| answer.text("version").as_deref() == Some(version));
        let purge = kept["purge"].as_bool().map_or(Value::Null(Type::Bool), Value::Bool);
        vec![
            ("name", Value::string(key)),
            ("artifact", artifact().filter(|_| same).unwrap_or(Value::Null(Type::String))),
            ("hold", Value::Bool(answer.text("hold").as_deref() == Some("true"))),
            ("purge", known.get("purge").cloned().unwrap_or(purge)),
            ("version", answer.string("version")),
        ]
    }

    fn kept(&self, planned: &Value) -> serde_json::Value {
        json!({ "artifact": planned.get_str("artifact"), "purge": planned.get("purge").and_then(Value::as_bool) })
    }

    fn create(&self, script: &mut Script, key: &str, planned: &Value) {
        script.run(&["onprem_package_install", key, hold(planned)]);
    }

    fn update(&self, script: &mut Script, key: &str, _live: &Value, planned: &Value) {
        self.create(script, key, planned);
    }

    fn delete(&self, script: &mut Script, key: &str, live: &Value) {
        let purge = live.get("purge").and_then(Value::as_bool) == Some(true);
        script.run(&["onprem_package_delete", key, if purge { "1" } else { "" }]);
    }
}

fn hold(planned: &Value) -> &'static str {
    if planned.get("hold").and_then(Value::as_bool) == Some(true) { "true" } else { "false" }
}
