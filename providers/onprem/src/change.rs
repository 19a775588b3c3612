//! One change of one object: the program that carries it out, and what its outcome means.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formwork_contract::provider::{Applied, ApplyError, Private, Retry};
use formwork_contract::{Address, Diagnostic, Value};

use crate::catalog::Kind;
use crate::identity::{Id, lock_name};
use crate::machine::Question;
use crate::shell::answer::Answer;
use crate::shell::{CHANGE, DELIVER, Script, command, function, program};
use crate::transport::Broken;

/// How long a look waits for a change of the same object that is still going on, in seconds.
const SETTLE_WAIT: u32 = 300;

/// What is to become of one object. Values have no marks.
pub(crate) struct Change<'a> {
    pub kind: &'a Kind,
    pub id: Id,
    pub environment: &'a str,
    pub address: &'a Address,
    pub attempt: &'a str,
    /// Null for a creation.
    pub prior: Value,
    /// Null for a deletion.
    pub planned: Value,
    /// The same without what is sensitive.
    pub kept_of: Value,
    /// Digests of what was brought to the host for it.
    pub delivered: Vec<String>,
}

/// A value without its sensitive parts.
pub(crate) fn harmless(value: &Value) -> Value {
    if value.marks().sensitive {
        return Value::Null(value.ty());
    }
    value.map_children(&mut |_, part| harmless(part))
}

impl Change<'_> {
    fn verb(&self) -> &'static str {
        match (self.prior.is_null(), self.planned.is_null()) {
            (true, _) => "create",
            (false, true) => "delete",
            (false, false) => "update",
        }
    }

    /// The program: it looks, changes, and looks again, all in one round trip.
    pub(crate) fn program(&self, ledger: &str) -> Vec<u8> {
        let (resource, key) = (&self.kind.resource, self.id.key.as_str());
        let mut script = Script::default();
        match self.verb() {
            "create" => resource.create(&mut script, key, &self.planned),
            "update" => resource.update(&mut script, key, &self.prior, &self.planned),
            _ => resource.delete(&mut script, key, &self.prior),
        }
        let known = if self.planned.is_null() { &self.prior } else { &self.planned };
        let question = question(self.kind, &self.id, self.environment, known);
        let words: Vec<&str> = question.words.iter().map(String::as_str).collect();
        let mut look = Script::default();
        look.run(&words);
        let mut main = self.settings(&question.entry);
        main.push_str(&format!(
            "carry_out\nask after {}",
            command(&[&[question.entry.as_str()], words.as_slice()].concat())
        ));
        let parts = [DELIVER, resource.shell(), CHANGE, &function("change", &script), &function("look", &look)];
        program(ledger, &parts, &main)
    }

    /// What `change.sh` and `mark.sh` want to be set.
    pub(crate) fn settings(&self, entry: &str) -> String {
        let (resource, key) = (&self.kind.resource, self.id.key.as_str());
        let kept = if self.planned.is_null() { serde_json::Value::Null } else { resource.kept(&self.kept_of) };
        let kept = if kept.is_null() { String::new() } else { STANDARD.encode(kept.to_string()) };
        let settings = [
            ("type", self.kind.description.type_name),
            ("address", &self.address.to_string()),
            ("key", key),
            ("attempt", self.attempt),
            ("kept", &kept),
            ("entry", entry),
            ("lock_name", &lock_name(&resource.lock(key))),
            ("verb", self.verb()),
            ("has_before", if self.kind.description.has_before { "1" } else { "" }),
            ("delivered", &self.delivered.join(" ")),
        ];
        settings.map(|(name, value)| format!("{name}={}\n", crate::shell::quoted(value))).concat()
    }

    /// What came of it.
    pub(crate) fn outcome(&self, answers: &Result<BTreeMap<String, Answer>, Broken>) -> Result<Applied, ApplyError> {
        let answers = match answers {
            Ok(answers) => answers,
            Err(Broken::NotBegun(problem)) => return Err(self.did_not_happen((**problem).clone())),
            Err(Broken::Unknown(problem)) => {
                return Err(ApplyError::Unknown { diagnostic: Box::new((**problem).clone().address(self.address)) });
            }
        };
        let none = Answer::default();
        let told = answers.get("outcome").unwrap_or(&none);
        let after = answers.get("after").unwrap_or(&none);
        let value =
            match look(self.kind, &self.id, after, if self.planned.is_null() { &self.prior } else { &self.planned }) {
                Ok(value) => value,
                Err(problem) => {
                    return Err(ApplyError::Unknown { diagnostic: Box::new(problem.address(self.address)) });
                }
            };
        match told.text("outcome").as_deref() {
            Some("done") => self.done(value),
            Some("taken") => Err(self.did_not_happen(self.taken(told))),
            Some("failed") => {
                let problem = self.failed(told);
                let before = Some(&self.prior).filter(|prior| !prior.is_null());
                match value {
                    Some(value) if before != Some(&value) || self.kind.description.opaque => Err(ApplyError::Partly {
                        diagnostic: Box::new(problem.address(self.address)),
                        value: Box::new(value),
                        private: Private::default(),
                    }),
                    _ => Err(self.did_not_happen(problem)),
                }
            }
            _ => Err(self.did_not_happen(self.failed(told))),
        }
    }

    pub(crate) fn done(&self, value: Option<Value>) -> Result<Applied, ApplyError> {
        match value {
            Some(value) if !self.planned.is_null() => Ok(Applied::new(value)),
            None if self.planned.is_null() => Ok(Applied::new(Value::Null(self.kind.ty.clone()))),
            Some(value) => Err(ApplyError::Partly {
                diagnostic: Box::new(self.told("still stands after it was deleted").address(self.address)),
                value: Box::new(value),
                private: Private::default(),
            }),
            None => Err(self.did_not_happen(self.told("does not stand after it was made"))),
        }
    }

    fn told(&self, what: &str) -> Diagnostic {
        Diagnostic::error(format!("`{}` on host `{}` {what}", self.id.key, self.id.host))
            .hint("something else on the host works against it: look who owns it there")
    }

    pub(crate) fn did_not_happen(&self, problem: Diagnostic) -> ApplyError {
        ApplyError::DidNotHappen { diagnostic: Box::new(problem.address(self.address)), retry: Retry::Never }
    }

    pub(crate) fn failed(&self, told: &Answer) -> Diagnostic {
        let doing = match self.verb() {
            "create" => "made",
            "update" => "changed",
            _ => "deleted",
        };
        let problem = Diagnostic::error(format!("`{}` on host `{}` cannot be {doing}", self.id.key, self.id.host));
        let said = told.problem.clone().unwrap_or_default();
        let hint = match said.as_str() {
            said if said.contains("No space left") || said.contains("not all of") => {
                "make room on the host's disk (`df -h`, `df -i`), and apply again"
            }
            said if said.contains("Permission denied") || said.contains("ot permitted") => {
                "set `sudo = true` of the host, or log in as a user who may do this"
            }
            said if said.contains("Read-only file system") => {
                "mount the file system so that it can be written, and apply again"
            }
            _ => "put right what the host says, and apply again",
        };
        let problem = problem.hint(hint);
        if said.is_empty() { problem } else { problem.quote(said) }
    }

    pub(crate) fn taken(&self, told: &Answer) -> Diagnostic {
        let (type_name, id) = (self.kind.description.type_name, self.id.text());
        let problem = Diagnostic::error(format!("`{}` stands on host `{}` already", self.id.key, self.id.host));
        match (told.text("taken_by"), told.text("taken_in")) {
            (Some(address), Some(environment)) => problem
                .detail(format!("It belongs to `{address}` of environment `{environment}`."))
                .hint("choose another, or take it over from there: `removed` there, and an `import` block here"),
            _ => problem.detail(format!("Nobody has noted that the `{type_name}` is theirs.")).hint(format!(
                "take it over with `import {{ to = {}  id = \"{id}\" }}`, so that a rollback can bring it back as it was",
                self.address
            )),
        }
    }
}

/// What is asked about an object.
pub(crate) fn question(kind: &Kind, id: &Id, environment: &str, known: &Value) -> Question {
    let type_name = kind.description.type_name;
    let mut words = vec![format!("{type_name}_read"), id.key.clone()];
    words.extend(kind.resource.arguments(known));
    Question { shell: kind.resource.shell(), words, entry: id.entry(environment, type_name) }
}

/// The object as the host answers it; `None` where it does not stand.
///
/// # Errors
/// It cannot be looked at.
pub(crate) fn look(kind: &Kind, id: &Id, answer: &Answer, known: &Value) -> Result<Option<Value>, Box<Diagnostic>> {
    if let Some(why) = &answer.problem {
        let problem = Diagnostic::error(format!("`{}` on host `{}` cannot be looked at", id.key, id.host));
        let hint = "the user who logs in must be able to read it: `sudo = true` reads as root";
        return Err(Box::new(problem.quote(why.clone()).hint(hint)));
    }
    if answer.absent {
        return Ok(None);
    }
    kind.whole(id, kind.resource.value(&id.key, answer, known)).map(Some)
}

/// A look that waits until no change of the object is under way.
pub(crate) fn settling(kind: &Kind, id: &Id, question: &Question, ledger: &str) -> Vec<u8> {
    let words: Vec<&str> = question.words.iter().map(String::as_str).collect();
    let lock = lock_name(&kind.resource.lock(&id.key));
    let asked = command(&[&[question.entry.as_str()], words.as_slice()].concat());
    let main = format!("if lock {lock} {SETTLE_WAIT}; then ask after {asked}; else outcome refused; fi");
    program(ledger, &[question.shell], &main)
}
