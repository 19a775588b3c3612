//! `onprem_host`: what a host is, as it says itself.

use formwork_contract::{Attribute, Block, Diagnostic, Type, Value};

use crate::machine::Question;
use crate::settings::Connection;
use crate::shell::answer::Answer;

pub(crate) const TYPE: &str = "onprem_host";

const SHELL: &str = r#"
onprem_host_facts() {
  put hostname "$(uname -n)"
  put architecture "$(uname -m)"
  put kernel "$(uname -r)"
  if [ -r /etc/os-release ]; then
    (
      ID= VERSION_ID= ID_LIKE=
      . /etc/os-release
      put os_id "$ID"; put os_version "$VERSION_ID"; put os_like "$ID_LIKE"
    )
  fi
  put cpus "$(nproc 2>/dev/null || grep -c '^processor' /proc/cpuinfo)"
  while read -r name value unit; do
    [ "$name" != MemTotal: ] || put memory_kib "$value"
  done < /proc/meminfo
  [ -d /run/systemd/system ] && put systemd true || put systemd false
  [ "$(id -u)" = 0 ] && put root true || put root false
  interfaces=
  for path in /sys/class/net/*; do
    [ -e "$path" ] && interfaces="$interfaces${interfaces:+ }${path##*/}"
  done
  put interfaces "$interfaces"
  if command -v ip >/dev/null 2>&1; then
    put addresses "$(ip -o addr show scope global 2>/dev/null | while read -r _ _ _ address _; do printf '%s ' "${address%/*}"; done)"
  fi
}
"#;

pub(crate) fn block() -> Block {
    let text = |description: &str| Attribute::computed(Type::String).describe(description);
    let texts = |description: &str| Attribute::computed(Type::list(Type::String)).describe(description);
    let number = |description: &str| Attribute::computed(Type::Number).describe(description);
    let flag = |description: &str| Attribute::computed(Type::Bool).describe(description);
    let block = Block::new([
        ("name", Attribute::required(Type::String).describe("A host that the provider's `hosts` name, or `local`.")),
        ("id", text("The same name, for `host` of resources that are to wait until the host answers.")),
        ("address", text("The address by which it is reached; empty for `local`.")),
        ("hostname", text("What it calls itself.")),
        ("architecture", text("Such as `x86_64`.")),
        ("kernel", text("The kernel's release.")),
        ("os_id", text("Such as `debian`: `ID` of os-release(5).")),
        ("os_version", text("Such as `12`: `VERSION_ID` of os-release(5).")),
        ("os_like", texts("The systems that it is like, nearest first: `ID_LIKE` of os-release(5).")),
        ("cpus", number("How many processors it has.")),
        ("memory_kib", number("How much memory it has, in KiB.")),
        ("interfaces", texts("Its network interfaces.")),
        ("addresses", texts("Its addresses beyond its own links.")),
        ("systemd", flag("Whether systemd runs it.")),
        ("root", flag("Whether what is done there is done as root: by who logs in, or by `sudo`.")),
    ]);
    Block { description: "What a host is, as it says itself.".into(), ..block }
}

pub(crate) fn question() -> Question {
    Question { shell: SHELL, words: vec!["onprem_host_facts".into()], entry: String::new() }
}

/// The facts as a value.
///
/// # Errors
/// The host says why it cannot tell.
pub(crate) fn value(name: &str, connection: &Connection, answer: &Answer) -> Result<Value, Box<Diagnostic>> {
    if let Some(why) = &answer.problem {
        let problem = Diagnostic::error(format!("the host `{name}` does not say what it is"));
        return Err(Box::new(problem.quote(why.clone())));
    }
    let words = |field: &str| {
        let text = answer.text(field).unwrap_or_default();
        Value::list(Type::String, text.split_whitespace().map(Value::string).collect())
    };
    let flag = |field: &str| Value::Bool(answer.text(field).as_deref() == Some("true"));
    Ok(Value::object([
        ("name", Value::string(name)),
        ("id", Value::string(name)),
        ("address", Value::string(&connection.address)),
        ("hostname", answer.string("hostname")),
        ("architecture", answer.string("architecture")),
        ("kernel", answer.string("kernel")),
        ("os_id", answer.string("os_id")),
        ("os_version", answer.string("os_version")),
        ("os_like", words("os_like")),
        ("cpus", answer.number("cpus")),
        ("memory_kib", answer.number("memory_kib")),
        ("interfaces", words("interfaces")),
        ("addresses", words("addresses")),
        ("systemd", flag("systemd")),
        ("root", flag("root")),
    ]))
}
