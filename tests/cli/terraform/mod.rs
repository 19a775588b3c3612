//! Plans and states compared with Terraform's own, where `terraform` is on PATH.
//!
//! They are the same but for what is sensitive: there ours has null. And Terraform forgets after an apply
//! that a computed value (`output`) came from a sensitive one, where ours remembers: marks may be more,
//! never fewer.

mod data;
mod null;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value as Json, json};

/// Names and texts.
type Files = &'static [(&'static str, &'static str)];

/// Why nothing can be compared, if so.
fn missing_terraform() -> Option<&'static str> {
    let here = Command::new("terraform").arg("version").output().is_ok();
    (!here).then_some("`terraform` is not on PATH")
}

/// One blueprint, in a folder for each of the two.
struct Pair {
    ours: tempfile::TempDir,
    theirs: tempfile::TempDir,
    /// A filesystem mirror.
    plugins: Option<PathBuf>,
}

/// Terraform's settings, in its folder.
const SETTINGS: &str = "terraformrc";

impl Pair {
    fn new(files: Files, plugins: Option<PathBuf>) -> Self {
        let folder = || tempfile::tempdir().expect("a folder");
        let pair = Self { ours: folder(), theirs: folder(), plugins };
        for (name, text) in files {
            pair.write(name, text);
        }
        // Without `direct` nothing is looked for beyond the mirror.
        let mirror = pair.plugins.iter().map(|path| format!("filesystem_mirror {{ path = \"{}\" }}", path.display()));
        let settings = format!("provider_installation {{\n  {}\n}}\n", mirror.collect::<String>());
        pair.write(SETTINGS, &settings);
        pair.terraform(&["init"]);
        pair
    }

    fn write(&self, name: &str, text: &str) {
        for dir in [self.ours.path(), self.theirs.path()] {
            let path = dir.join(name);
            fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
    }

    fn apply(&self, variables: &[&str]) {
        self.formwork(&with_variables(&["apply", "--auto-approve"], "--var", variables));
        self.terraform(&with_variables(&["apply", "-auto-approve"], "-var", variables));
    }

    fn same_plan(&self, what: &str, variables: &[&str]) {
        self.terraform(&with_variables(&["plan", "-out=p.plan"], "-var", variables));
        self.formwork(&with_variables(&["plan", "--out=p.plan"], "--var", variables));
        let ours = self.formwork_json(&["show", "--json", "p.plan"]);
        let theirs = self.terraform_json(&["show", "-json", "p.plan"]);
        assert!(!ours.to_string().contains("planted-secret"), "{what}: a sensitive value is told");
        let (ours, theirs) = (essence(&ours, &theirs), essence(&theirs, &ours));
        assert_eq!(ours.0, theirs.0, "{what}");
        assert!(covers(&ours.1, &theirs.1), "{what}: marks are lost\n{}\n{}", ours.1, theirs.1);
        if what.ends_with("the first plan") {
            assert_eq!(ours.1, theirs.1, "{what}");
        }
    }

    /// What stands is the same, and both say it of the same providers.
    fn same_state(&self, what: &str) {
        let ours = self.formwork_json(&["show", "--json"]);
        let theirs = self.terraform_json(&["show", "-json"]);
        assert_eq!(standing(&ours, &theirs), standing(&theirs, &ours), "{what}");
    }

    fn terraform(&self, arguments: &[impl AsRef<str>]) -> String {
        let mut command = Command::new("terraform");
        command.args(arguments.iter().map(AsRef::as_ref));
        command.env("TF_IN_AUTOMATION", "1").env("CHECKPOINT_DISABLE", "1");
        command.env("TF_CLI_CONFIG_FILE", self.theirs.path().join(SETTINGS));
        run(command, self.theirs.path())
    }

    fn formwork(&self, arguments: &[impl AsRef<str>]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_formwork"));
        command.args(arguments.iter().map(AsRef::as_ref));
        command.env("TF_CLI_CONFIG_FILE", self.ours.path().join(SETTINGS));
        run(command, self.ours.path())
    }

    fn terraform_json(&self, arguments: &[&str]) -> Json {
        serde_json::from_str(&self.terraform(arguments)).expect("JSON")
    }

    fn formwork_json(&self, arguments: &[&str]) -> Json {
        serde_json::from_str(&self.formwork(arguments)).expect("JSON")
    }
}

fn with_variables(arguments: &[&str], option: &str, variables: &[&str]) -> Vec<String> {
    let given = variables.iter().map(|given| format!("{option}={given}"));
    arguments.iter().map(ToString::to_string).chain(given).collect()
}

fn run(mut command: Command, dir: &Path) -> String {
    let output = command.current_dir(dir).output().expect("it runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{out}{err}");
    out.into_owned()
}

/// The managed objects of a state by address: provider, schema version, and values where neither side has marks.
fn standing(state: &Json, other: &Json) -> BTreeMap<String, Json> {
    let others = objects(&other["values"]["root_module"]);
    let described = |(address, object): (String, &Json)| {
        let theirs = others.get(&address).map_or(&Json::Null, |object| &object["sensitive_values"]);
        let values = withhold(&withhold(&object["values"], &object["sensitive_values"]), theirs);
        let entry = json!({
            "provider_name": object["provider_name"],
            "schema_version": object["schema_version"],
            "index": object["index"],
            "tainted": object["tainted"],
            "deposed_key": object["deposed_key"],
            "values": stable(&values),
        });
        (address, entry)
    };
    objects(&state["values"]["root_module"]).into_iter().map(described).collect()
}

fn objects(module: &Json) -> BTreeMap<String, &Json> {
    let resources = module["resources"].as_array().into_iter().flatten();
    let own = resources.filter(|object| object["mode"] == "managed");
    let own = own.map(|object| (object["address"].as_str().expect("an address").to_owned(), object));
    let children = module["child_modules"].as_array().into_iter().flatten();
    own.chain(children.flat_map(objects)).collect()
}

/// Whether everything that `theirs` marks is marked in `ours`.
fn covers(ours: &Json, theirs: &Json) -> bool {
    match (ours, theirs) {
        (Json::Bool(true), _) | (_, Json::Bool(false) | Json::Null) => true,
        (Json::Object(ours), Json::Object(theirs)) => {
            theirs.iter().all(|(name, mark)| covers(ours.get(name).unwrap_or(&Json::Null), mark))
        }
        (Json::Array(ours), Json::Array(theirs)) => {
            theirs.iter().enumerate().all(|(at, mark)| covers(ours.get(at).unwrap_or(&Json::Null), mark))
        }
        (Json::Null | Json::Bool(false), Json::Object(marks)) => marks.values().all(|mark| covers(&Json::Null, mark)),
        (Json::Null | Json::Bool(false), Json::Array(marks)) => marks.iter().all(|mark| covers(&Json::Null, mark)),
        _ => false,
    }
}

/// What must be the same (addresses, actions, values where neither side has marks), and the marks.
fn essence(plan: &Json, other: &Json) -> (Json, Json) {
    let mut told = Map::new();
    let mut marks = Map::new();
    let others = changes(other);
    for (name, (change, body)) in changes(plan) {
        let theirs = others.get(&name).map_or(&Json::Null, |(_, body)| &body["after_sensitive"]);
        let after = withhold(&withhold(&body["after"], &body["after_sensitive"]), theirs);
        marks.insert(name.clone(), body["after_sensitive"].clone());
        let entry = json!({
            "actions": body["actions"],
            "after": stable(&after),
            "after_unknown": body["after_unknown"],
            "replace_paths": body["replace_paths"],
            "action_reason": change["action_reason"],
            "index": change["index"],
            "module_address": change["module_address"],
        });
        told.insert(name, entry);
    }
    told.insert("applyable".into(), plan["applyable"].clone());
    (told.into(), marks.into())
}

/// Changes of resources and outputs by name: the entry, and the part with the values.
fn changes(plan: &Json) -> BTreeMap<String, (&Json, &Json)> {
    let resources = plan["resource_changes"].as_array().into_iter().flatten();
    let resources = resources
        .map(|change| (change["address"].as_str().expect("an address").to_owned(), (change, &change["change"])));
    let outputs = plan["output_changes"].as_object().into_iter().flatten();
    resources.chain(outputs.map(|(name, body)| (format!("output.{name}"), (&Json::Null, body)))).collect()
}

/// The value with null where it is sensitive, as ours is.
fn withhold(value: &Json, sensitive: &Json) -> Json {
    match (value, sensitive) {
        (_, Json::Bool(true)) => Json::Null,
        (Json::Object(entries), Json::Object(marks)) => entries
            .iter()
            .map(|(name, part)| (name.clone(), withhold(part, marks.get(name).unwrap_or(&Json::Null))))
            .collect(),
        (Json::Array(items), Json::Array(marks)) => {
            items.iter().enumerate().map(|(at, part)| withhold(part, marks.get(at).unwrap_or(&Json::Null))).collect()
        }
        (other, _) => other.clone(),
    }
}

/// Ids are random: only where they stand is compared.
fn stable(value: &Json) -> Json {
    match value {
        Json::String(text) => mask(text).into(),
        Json::Array(items) => items.iter().map(stable).collect(),
        Json::Object(entries) => entries.iter().map(|(name, part)| (name.clone(), stable(part))).collect(),
        other => other.clone(),
    }
}

fn mask(text: &str) -> String {
    let is_uuid = |word: &str| {
        word.len() == 36
            && word.char_indices().all(|(at, char)| match at {
                8 | 13 | 18 | 23 => char == '-',
                _ => char.is_ascii_hexdigit(),
            })
    };
    let is_number = |word: &str| word.len() > 12 && word.chars().all(|char| char.is_ascii_digit());
    let masked = |word: &str| if is_uuid(word) || is_number(word) { "ID".to_owned() } else { word.to_owned() };
    let words = text.split(' ').map(|words| words.split(',').map(masked).collect::<Vec<_>>().join(","));
    words.collect::<Vec<_>>().join(" ")
}
