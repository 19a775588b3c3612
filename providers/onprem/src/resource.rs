//! What each resource type says of itself; everything that types share is in `provider` and `change`.

use formwork_contract::{Block, Contents, Diagnostic, Diagnostics, Path, Type, Value};

use crate::beyond::Beyond;
use crate::delivery::Cargo;
use crate::shell::Script;
use crate::shell::answer::Answer;

/// A resource type on hosts.
///
/// Its `shell` holds functions of POSIX sh. Two are called by name: `TYPE_read KEY ARGUMENTS...` answers what stands,
/// with `put NAME VALUE` for each attribute, or `gone`, or `problem WHY`; and `TYPE_before KEY`, where `has_before`
/// says so, prints what is to be known when the object goes again. All of `prelude.sh` is at hand.
pub(crate) trait Resource: Send + Sync {
    /// Its schema and what follows from it alone. `id` and `host` are added.
    fn describe(&self) -> Description;

    /// Functions of sh: see above.
    fn shell(&self) -> &'static str;

    /// Checks a configuration, in which values may be unknown, without asking the host.
    fn check(&self, _config: &Value, _problems: &mut Problems) {}

    /// Where more is needed than programs on one host.
    fn beyond(&self) -> Option<&dyn Beyond> {
        None
    }

    /// What names the object among those of its type on its host; `None` while that is not known.
    fn key(&self, planned: &Value) -> Option<String>;

    /// What the reader is told beside the key: what is known of the object, null where nothing is. No secrets: others
    /// on the host can see it.
    fn arguments(&self, _known: &Value) -> Vec<String> {
        Vec::new()
    }

    /// The attributes that stand, from the host's answer and what was known before. Those that are left out are null.
    fn value(&self, key: &str, answer: &Answer, known: &Value) -> Attributes;

    /// Computed attributes that follow from the configuration.
    fn foresee(&self, planned: Value) -> Value {
        planned
    }

    /// What cannot be seen on the host and is kept in the mark of ownership. Sensitive parts of `planned` are null.
    fn kept(&self, _planned: &Value) -> serde_json::Value {
        serde_json::Value::Null
    }

    /// Changes of objects with the same lock come one after the other.
    fn lock(&self, key: &str) -> String {
        format!("{} {key}", self.describe().type_name)
    }

    /// What has to be on the host before the change. There it waits under its digests, of which `$delivered` has a
    /// list; `delivered_at DIGEST` is its path.
    fn cargo(&self, _live: &Value, _planned: &Value) -> Option<Cargo> {
        None
    }

    /// Makes the object. It may have been made by half: each command must be able to come twice.
    fn create(&self, script: &mut Script, key: &str, planned: &Value);

    /// Turns the live object into what is planned.
    fn update(&self, script: &mut Script, key: &str, live: &Value, planned: &Value);

    /// Takes the object away. `$entry_before` has what `TYPE_before` printed, in base64.
    fn delete(&self, script: &mut Script, key: &str, live: &Value);
}

/// Attributes and their values.
pub(crate) type Attributes = Vec<(&'static str, Value)>;

/// What a resource type is.
pub(crate) struct Description {
    pub type_name: &'static str,
    pub block: Block,
    /// What an attribute is when the configuration is silent.
    pub defaults: Vec<(&'static str, Value)>,
    /// Computed attributes that an update may change.
    pub recomputed: &'static [&'static str],
    /// What an object holds beside its attributes.
    pub contents: Contents,
    /// Whether the type has a function `TYPE_before`.
    pub has_before: bool,
    /// Why an object that stands cannot be taken over.
    pub not_importable: Option<&'static str>,
    /// Whether a change that fails may have done what no attribute shows.
    pub opaque: bool,
}

impl Description {
    /// A type whose objects hold nothing but their attributes.
    pub(crate) fn new(type_name: &'static str, description: &str, block: Block) -> Self {
        Self {
            type_name,
            block: Block { description: description.into(), ..block },
            defaults: Vec::new(),
            recomputed: &[],
            contents: Contents::Nothing,
            has_before: false,
            not_importable: None,
            opaque: false,
        }
    }
}

/// Problems of a configuration, with the attributes that they are about.
#[derive(Default)]
pub(crate) struct Problems(Diagnostics);

impl Problems {
    pub(crate) fn at(&mut self, attribute: &str, summary: impl Into<String>, hint: &str) {
        self.0.push(Diagnostic::error(summary).hint(hint).path(Path::attribute(attribute)));
    }

    pub(crate) fn into_diagnostics(self) -> Diagnostics {
        self.0
    }

    /// A path from the root, in one spelling: it is what the object is called.
    pub(crate) fn path(&mut self, config: &Value, attribute: &str) {
        let Some(path) = config.get_str(attribute) else { return };
        let odd = path.split('/').skip(1).any(|part| part.is_empty() || part == "." || part == "..");
        if !path.starts_with('/') || odd || path.contains(['\n', '\0']) {
            let hint = "write it from the root, such as `/etc/motd`, without `.`, `..`, `//` and a `/` at the end";
            self.at(attribute, format!("`{path}` is not a path on a host"), hint);
        }
    }

    /// A mode in octal digits.
    pub(crate) fn mode(&mut self, config: &Value, attribute: &str) {
        let Some(mode) = config.get_str(attribute) else { return };
        if mode.len() != 4 || !mode.chars().all(|c| ('0'..='7').contains(&c)) {
            self.at(attribute, format!("`{mode}` is not a mode"), "write it in four octal digits, such as `0644`");
        }
    }

    /// The name of a user or a group, as the tools of Linux take it.
    pub(crate) fn account(&mut self, config: &Value, attribute: &str) {
        let Some(name) = config.get_str(attribute) else { return };
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let starts = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        if !starts || name.len() > 32 || !name.chars().all(fits) {
            let hint = "use up to 32 lower-case letters, digits, `_` and `-`, starting with a letter or `_`";
            self.at(attribute, format!("`{name}` is not a name of an account"), hint);
        }
    }

    /// A text of one line.
    pub(crate) fn line(&mut self, config: &Value, attribute: &str) {
        let Some(text) = config.get_str(attribute) else { return };
        if text.contains(['\n', '\r', '\0']) {
            self.at(attribute, format!("`{attribute}` must be one line"), "take the line ends out: `trimspace(...)`");
        }
    }
}

/// The mode in four octal digits.
pub(crate) fn mode(answer: &Answer) -> Value {
    let number = answer.text("mode").and_then(|mode| u32::from_str_radix(&mode, 8).ok());
    number.map_or(Value::Null(Type::String), |mode| Value::string(format!("{mode:04o}")))
}

/// The text of an attribute; empty where there is none.
pub(crate) fn text<'v>(value: &'v Value, attribute: &str) -> &'v str {
    value.get_str(attribute).unwrap_or_default()
}
