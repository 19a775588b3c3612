//! `onprem_user`: a user of a host (passwd(5), shadow(5)).

use formwork_contract::{Attribute, Block, Type, Value};
use serde_json::json;

use crate::resource::{Attributes, Description, Problems, Resource, text};
use crate::shell::Script;
use crate::shell::answer::Answer;

pub(crate) struct User;

const SHELL: &str = r#"
onprem_user_read() {
  user_line=$(getent passwd "$1") || { gone; return; }
  [ -z "$brief" ] || return 0
  user_field() { printf '%s' "$user_line" | cut -d: -f"$1"; }
  put uid "$(user_field 3)"; put comment "$(user_field 5)"; put home "$(user_field 6)"; put shell "$(user_field 7)"
  put group "$(id -gn "$1")"
  put groups "$(id -Gn "$1")"
  put password_hash "$(getent shadow "$1" 2>/dev/null | cut -d: -f2)"
}
# NAME UID GROUP GROUPS HOME SHELL COMMENT SYSTEM HOME-IS-MADE, after a line with the password's hash on standard input
onprem_user_write() {
  need useradd
  user_name=$1 user_uid=$2 user_group=$3 user_groups=$4 user_home=$5 user_shell=$6 user_comment=$7
  IFS= read -r user_hash || :
  if getent passwd "$user_name" >/dev/null; then
    usermod ${user_uid:+-u "$user_uid"} ${user_group:+-g "$user_group"} -G "$user_groups" ${user_home:+-d "$user_home"} \
      ${user_shell:+-s "$user_shell"} -c "$user_comment" "$user_name"
  else
    user_own=-U
    [ -z "$user_group" ] || user_own="-N"
    if [ -n "$9" ]; then user_make=-m; else user_make=-M; fi
    useradd $user_own $user_make ${8:+-r} ${user_uid:+-u "$user_uid"} ${user_group:+-g "$user_group"} -G "$user_groups" \
      ${user_home:+-d "$user_home"} ${user_shell:+-s "$user_shell"} -c "$user_comment" "$user_name"
  fi
  if [ -n "$user_hash" ]; then printf '%s:%s\n' "$user_name" "$user_hash" | chpasswd -e; fi
}
onprem_user_delete() { userdel "$1"; }
"#;

impl Resource for User {
    fn describe(&self) -> Description {
        let block = Block::new([
            ("name", Attribute::required(Type::String).forces_replacement().describe("The name to log in with.")),
            ("uid", Attribute::defaulted(Type::Number).describe("Its number; the next free one by default.")),
            ("group", Attribute::defaulted(Type::String).describe("Its first group; one of its own name by default.")),
            (
                "groups",
                Attribute::optional(Type::set(Type::String))
                    .describe("The other groups that it is in: these and no more."),
            ),
            (
                "home",
                Attribute::defaulted(Type::String)
                    .describe("Its home folder, which stays where it is when this changes."),
            ),
            ("shell", Attribute::defaulted(Type::String).describe("What runs when it logs in.")),
            ("comment", Attribute::defaulted(Type::String).describe("Who it is; empty by default.")),
            (
                "password_hash",
                Attribute::defaulted(Type::String).sensitive().describe(
                    "The hash of its password as crypt(5) has it; `!` lets no password in, and is the default.",
                ),
            ),
            (
                "system",
                Attribute::optional(Type::Bool)
                    .forces_replacement()
                    .describe("Whether it is a service's; `false` by default."),
            ),
            (
                "create_home",
                Attribute::optional(Type::Bool).describe(
                    "Whether a home folder is made along with it; `true` by default. It is never taken away.",
                ),
            ),
        ]);
        Description {
            defaults: vec![("comment", "".into()), ("password_hash", "!".into())],
            recomputed: &["home"],
            ..Description::new("onprem_user", "A user of a host. Its home folder stays when it goes.", block)
        }
    }

    fn shell(&self) -> &'static str {
        SHELL
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.account(config, "name");
        problems.account(config, "group");
        problems.path(config, "home");
        problems.path(config, "shell");
        problems.line(config, "password_hash");
        problems.line(config, "comment");
        if config.get_str("comment").is_some_and(|comment| comment.contains(':')) {
            problems.at(
                "comment",
                "`comment` must not have a colon",
                "take it out: it parts the fields of `/etc/passwd`",
            );
        }
    }

    fn key(&self, planned: &Value) -> Option<String> {
        planned.get_str("name").map(str::to_owned)
    }

    fn lock(&self, _key: &str) -> String {
        super::LOCK.into()
    }

    fn value(&self, key: &str, answer: &Answer, known: &Value) -> Attributes {
        let first = answer.text("group").unwrap_or_default();
        let groups = answer.text("groups").unwrap_or_default();
        let others: Vec<Value> = groups.split_whitespace().filter(|group| *group != first).map(Value::string).collect();
        // Nothing said of groups is not the same as no groups.
        let silent = others.is_empty() && known.get("groups").is_none_or(Value::is_null);
        let groups = if silent { Value::Null(Type::set(Type::String)) } else { Value::set(Type::String, others) };
        let flag = |name: &str| {
            let kept = answer.kept()[name].as_bool().map_or(Value::Null(Type::Bool), Value::Bool);
            known.get(name).cloned().unwrap_or(kept)
        };
        vec![
            ("name", Value::string(key)),
            ("uid", answer.number("uid")),
            ("group", answer.string("group")),
            ("groups", groups),
            ("home", answer.string("home")),
            ("shell", answer.string("shell")),
            ("comment", answer.string("comment")),
            ("password_hash", answer.string("password_hash")),
            ("system", flag("system")),
            ("create_home", flag("create_home")),
        ]
    }

    fn kept(&self, planned: &Value) -> serde_json::Value {
        let flag = |name: &str| planned.get(name).and_then(Value::as_bool);
        json!({ "system": flag("system"), "create_home": flag("create_home") })
    }

    fn create(&self, script: &mut Script, key: &str, planned: &Value) {
        let groups: Vec<&str> = planned
            .get("groups")
            .and_then(Value::elements)
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let flag = |name: &str, default: bool| {
            if planned.get(name).and_then(Value::as_bool).unwrap_or(default) { "1" } else { "" }
        };
        let words = [
            "onprem_user_write",
            key,
            &super::number(planned, "uid"),
            text(planned, "group"),
            &groups.join(","),
            text(planned, "home"),
            text(planned, "shell"),
            text(planned, "comment"),
            flag("system", false),
            flag("create_home", true),
        ];
        script.feed(&words, format!("{}\n", text(planned, "password_hash")).as_bytes());
    }

    fn update(&self, script: &mut Script, key: &str, _live: &Value, planned: &Value) {
        self.create(script, key, planned);
    }

    fn delete(&self, script: &mut Script, key: &str, _live: &Value) {
        script.run(&["onprem_user_delete", key]);
    }
}
