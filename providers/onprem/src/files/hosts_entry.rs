//! `onprem_hosts_entry`: the names of an address in `/etc/hosts` (hosts(5)).

use std::net::IpAddr;

use formwork_contract::{Attribute, Block, Type, Value};

use crate::resource::{Attributes, Description, Problems, Resource};
use crate::shell::Script;
use crate::shell::answer::Answer;

pub(crate) struct HostsEntry;

const SHELL: &str = r#"
onprem_hosts_entry_read() {
  [ -r /etc/hosts ] || { gone; return; }
  hosts_names=$(awk -v address="$1" '{ sub(/#.*/, "") } $1 == address { for (i = 2; i <= NF; i++) print $i }' /etc/hosts)
  [ -n "$hosts_names" ] || { gone; return; }
  put names "$(printf '%s ' $hosts_names)"
}
# ADDRESS NAMES: without names the line goes. The entry keeps its place among the others.
onprem_hosts_entry_write() {
  need awk
  {
    { [ ! -e /etc/hosts ] || cat /etc/hosts; } | awk -v address="$1" -v names="$2" '
      { bare = $0; sub(/#.*/, "", bare); split(bare, word) }
      word[1] == address { if (!done && names != "") print address "\t" names; done = 1; next }
      { print }
      END { if (!done && names != "") print address "\t" names }'
    printf '%s\n' "$rewrite_end"
  } | rewrite /etc/hosts
}
"#;

impl Resource for HostsEntry {
    fn describe(&self) -> Description {
        let block = Block::new([
            ("address", Attribute::required(Type::String).forces_replacement().describe("An IP address.")),
            (
                "names",
                Attribute::required(Type::list(Type::String))
                    .describe("The names of the address; the first is its canonical one."),
            ),
        ]);
        Description::new("onprem_hosts_entry", "The names of an address in `/etc/hosts`.", block)
    }

    fn shell(&self) -> &'static str {
        SHELL
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        if let Some(address) = config.get_str("address")
            && address.parse::<IpAddr>().is_err()
        {
            problems.at(
                "address",
                format!("`{address}` is not an IP address"),
                "write it such as `10.0.0.5` or `fd00::5`",
            );
        }
        let Some(names) = config.get("names").filter(|names| names.is_wholly_known()).and_then(Value::elements) else {
            return;
        };
        if names.is_empty() {
            problems.at("names", "an address must have a name", "leave the resource out where there is none");
        }
        for name in names.iter().filter_map(Value::as_str) {
            if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '#') {
                problems.at("names", format!("`{name}` is not the name of a host"), "a name has no spaces and no `#`");
            }
        }
    }

    fn key(&self, planned: &Value) -> Option<String> {
        planned.get_str("address").map(str::to_owned)
    }

    fn lock(&self, _key: &str) -> String {
        "/etc/hosts".into()
    }

    fn value(&self, key: &str, answer: &Answer, _known: &Value) -> Attributes {
        let names = answer.text("names").unwrap_or_default();
        let names = names.split_whitespace().map(Value::string).collect();
        vec![("address", Value::string(key)), ("names", Value::list(Type::String, names))]
    }

    fn create(&self, script: &mut Script, key: &str, planned: &Value) {
        let names: Vec<&str> = planned
            .get("names")
            .and_then(Value::elements)
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        script.run(&["onprem_hosts_entry_write", key, &names.join(" ")]);
    }

    fn update(&self, script: &mut Script, key: &str, _live: &Value, planned: &Value) {
        self.create(script, key, planned);
    }

    fn delete(&self, script: &mut Script, key: &str, _live: &Value) {
        script.run(&["onprem_hosts_entry_write", key, ""]);
    }
}
