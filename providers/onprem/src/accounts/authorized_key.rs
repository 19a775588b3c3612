//! `onprem_ssh_authorized_key`: a key with which one may log in as a user (sshd(8), AUTHORIZED_KEYS FILE FORMAT).

use formwork_contract::{Attribute, Block, Type, Value};

use crate::resource::{Attributes, Description, Problems, Resource, text};
use crate::shell::Script;
use crate::shell::answer::Answer;

pub(crate) struct AuthorizedKey;

const SHELL: &str = r#"
# KEY is USER:BLOB. Sets keys_user, keys_blob and keys_file; fails where there is no such user.
keys_of() {
  keys_user=${1%%:*} keys_blob=${1#*:}
  keys_home=$(getent passwd "$keys_user" | cut -d: -f6)
  [ -n "$keys_home" ] || return 1
  keys_file=$keys_home/.ssh/authorized_keys
}
onprem_ssh_authorized_key_read() {
  keys_of "$1" && [ -f "$keys_file" ] || { gone; return; }
  keys_line=$(awk -v blob="$keys_blob" '!/^[[:space:]]*#/ { for (i = 1; i <= NF; i++) if ($i == blob) { print; exit } }' "$keys_file")
  [ -n "$keys_line" ] || { gone; return; }
  put line "$keys_line"
}
# KEY LINE: without a line the key goes. A line keeps its place among the others.
onprem_ssh_authorized_key_write() {
  keys_of "$1" || fail "the host has no user \`${1%%:*}\`"
  need awk
  if ! [ -d "$keys_home/.ssh" ]; then
    [ -d "$keys_home" ] || fail "the user \`$keys_user\` has no home folder \`$keys_home\`"
    mkdir -- "$keys_home/.ssh"
    dress "$keys_home/.ssh" 0700 "$keys_user" "$(id -g "$keys_user")"
  fi
  if ! [ -e "$keys_file" ]; then
    : > "$keys_file"
    dress "$keys_file" 0600 "$keys_user" "$(id -g "$keys_user")"
  fi
  {
    keys_blob=$keys_blob keys_line=$2 awk '
      BEGIN { blob = ENVIRON["keys_blob"]; line = ENVIRON["keys_line"] }
      { found = 0; if ($0 !~ /^[[:space:]]*#/) for (i = 1; i <= NF; i++) if ($i == blob) found = 1 }
      found { if (!done && line != "") print line; done = 1; next }
      { print }
      END { if (!done && line != "") print line }' "$keys_file"
    printf '%s\n' "$rewrite_end"
  } | rewrite "$keys_file"
}
"#;

impl Resource for AuthorizedKey {
    fn describe(&self) -> Description {
        let block = Block::new([
            (
                "user",
                Attribute::required(Type::String).forces_replacement().describe("The user as whom one may log in."),
            ),
            (
                "key",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("The public key: what a `.pub` file has. Another comment makes another resource."),
            ),
            (
                "options",
                Attribute::optional(Type::String).describe(
                    "What the key may do, such as `restrict,command=\"/usr/bin/backup\"`; everything by default.",
                ),
            ),
        ]);
        Description::new("onprem_ssh_authorized_key", "A key with which one may log in as a user of a host.", block)
    }

    fn shell(&self) -> &'static str {
        SHELL
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.account(config, "user");
        problems.line(config, "options");
        if let Some(key) = config.get_str("key")
            && (key.trim().parse::<ssh_key::PublicKey>().is_err() || key.trim().contains('\n'))
        {
            problems.at(
                "key",
                "`key` is not one public key of SSH",
                "write it as a `.pub` file has it: `ssh-ed25519 AAAA...`",
            );
        }
    }

    fn key(&self, planned: &Value) -> Option<String> {
        let blob = planned.get_str("key")?.split_whitespace().nth(1)?;
        Some(format!("{}:{blob}", planned.get_str("user")?))
    }

    fn lock(&self, key: &str) -> String {
        format!("authorized_keys {}", key.split(':').next().unwrap_or_default())
    }

    fn value(&self, key: &str, answer: &Answer, known: &Value) -> Attributes {
        let (user, blob) = key.split_once(':').unwrap_or((key, ""));
        let line = answer.text("line").unwrap_or_default();
        let (options, bare) = parted(&line, blob);
        let same = known.get_str("key").filter(|known| known.trim() == bare);
        let options = if options.is_empty() { Value::Null(Type::String) } else { Value::string(options) };
        vec![("user", Value::string(user)), ("key", Value::string(same.unwrap_or(bare))), ("options", options)]
    }

    fn create(&self, script: &mut Script, key: &str, planned: &Value) {
        let line = format!("{} {}", text(planned, "options"), text(planned, "key").trim());
        script.run(&["onprem_ssh_authorized_key_write", key, line.trim()]);
    }

    fn update(&self, script: &mut Script, key: &str, _live: &Value, planned: &Value) {
        self.create(script, key, planned);
    }

    fn delete(&self, script: &mut Script, key: &str, _live: &Value) {
        script.run(&["onprem_ssh_authorized_key_write", key, ""]);
    }
}

/// A line's options and its key. The type of the key is the word before its blob.
fn parted<'l>(line: &'l str, blob: &str) -> (&'l str, &'l str) {
    let before = line.find(blob).map(|at| line[..at].trim_end()).unwrap_or_default();
    let start = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    (line[..start].trim(), line[start..].trim())
}
