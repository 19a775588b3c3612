//! Objects that do not stand on their host alone: a registry behind it, another host beside it. They are looked at and
//! changed from here, and their mark of ownership is on their host like that of all others.

use std::sync::Arc;

use async_trait::async_trait;
use formwork_contract::artifact::ArtifactSource;
use formwork_contract::provider::{Applied, ApplyError, Private};
use formwork_contract::{Diagnostic, Value};

use crate::catalog::Kind;
use crate::change::Change;
use crate::fleet::Fleet;
use crate::identity::Id;
use crate::machine::Question;
use crate::resource::{Attributes, Description, Problems, Resource};
use crate::shell::answer::Answer;
use crate::shell::{CHANGE, MARK, Script, function, program};
use crate::transport::{Broken, Stream};

/// A resource type whose objects need more than programs on one host. What its methods have in common with those of
/// [`Resource`] is said there.
#[async_trait]
pub(crate) trait Beyond: Send + Sync {
    fn describe(&self) -> Description;

    fn check(&self, config: &Value, problems: &mut Problems);

    fn key(&self, planned: &Value) -> Option<String>;

    fn foresee(&self, planned: Value) -> Value;

    fn kept(&self, planned: &Value) -> serde_json::Value;

    /// What stands, with the mark of ownership and what is known of it; `None` where nothing does.
    ///
    /// # Errors
    /// It cannot be looked at.
    async fn look(&self, reach: &Reach<'_>, key: &str, mark: &Answer, known: &Value) -> Looked;

    /// Makes what is planned of what was there; null for what is not to be, or was not. It can come twice.
    ///
    /// # Errors
    /// It failed, perhaps half-way, or nobody knows.
    async fn change(&self, reach: &Reach<'_>, key: &str, prior: &Value, planned: &Value) -> Result<(), Broken>;
}

pub(crate) type Looked = Result<Option<Attributes>, Box<Diagnostic>>;

/// The way to what is beyond a host.
pub(crate) struct Reach<'a> {
    pub fleet: &'a Arc<Fleet>,
    pub artifacts: &'a Arc<dyn ArtifactSource>,
    pub host: &'a str,
    /// Whether something is to be changed: what cannot be seen for want of a right is an error then.
    pub changing: bool,
}

impl Reach<'_> {
    /// Connects to an address, from the host and as the host resolves it.
    ///
    /// # Errors
    /// There is no way to the host, or none from there.
    pub(crate) async fn connect(&self, address: &str, port: u16) -> Result<Stream, Box<Diagnostic>> {
        self.fleet.machine(self.host)?.connect(self.fleet, address, port).await
    }

    /// Asks a host one question.
    ///
    /// # Errors
    /// The host does not answer.
    pub(crate) async fn ask(&self, host: &str, question: Question) -> Result<Answer, Box<Diagnostic>> {
        let answer = self.fleet.ask(vec![(host.to_owned(), question)]).await.pop();
        answer.unwrap_or_else(|| Ok(Answer::default()))
    }

    /// Runs commands on a host; `shell` are the functions that they call.
    ///
    /// # Errors
    /// One of them failed, or there is no way to the host.
    pub(crate) async fn run(&self, host: &str, shell: &str, script: &Script) -> Result<(), Broken> {
        let machine = self.fleet.machine(host).map_err(Broken::NotBegun)?;
        // As a condition it would run on after a failure, whatever `set -e` says.
        let main =
            "( set -e; change ) </dev/null >/dev/null\nif [ $? = 0 ]; then outcome done; else outcome failed; fi";
        let answers = machine.run(self.fleet, &program("", &[shell, &function("change", script)], main)).await?;
        let outcome = answers.get("outcome").cloned().unwrap_or_default();
        if outcome.text("outcome").as_deref() == Some("done") {
            return Ok(());
        }
        let problem = Diagnostic::error(format!("a part of the change on host `{host}` failed"))
            .hint("put right what the host says, and apply again");
        let said = outcome.problem.unwrap_or_default();
        Err(Broken::NotBegun(Box::new(if said.is_empty() { problem } else { problem.quote(said) })))
    }

    /// The mark of ownership of an object on its host.
    async fn mark(&self, entry: String) -> Result<Answer, Box<Diagnostic>> {
        self.ask(self.host, Question { shell: "", words: vec!["true".into()], entry }).await
    }
}

/// A type of that kind as a [`Resource`].
pub(crate) struct Elsewhere<T>(pub T);

/// No program looks at or changes such an object: [`look`] and [`carry_out`] do.
impl<T: Beyond> Resource for Elsewhere<T> {
    fn describe(&self) -> Description {
        self.0.describe()
    }

    fn shell(&self) -> &'static str {
        ""
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        self.0.check(config, problems);
    }

    fn key(&self, planned: &Value) -> Option<String> {
        self.0.key(planned)
    }

    fn value(&self, _key: &str, _answer: &Answer, _known: &Value) -> Attributes {
        Vec::new()
    }

    fn foresee(&self, planned: Value) -> Value {
        self.0.foresee(planned)
    }

    fn kept(&self, planned: &Value) -> serde_json::Value {
        self.0.kept(planned)
    }

    fn create(&self, _script: &mut Script, _key: &str, _planned: &Value) {}

    fn update(&self, _script: &mut Script, _key: &str, _live: &Value, _planned: &Value) {}

    fn delete(&self, _script: &mut Script, _key: &str, _live: &Value) {}

    fn beyond(&self) -> Option<&dyn Beyond> {
        Some(&self.0)
    }
}

/// What stands of an object, and its mark of ownership. What is known spares the look at the mark.
///
/// # Errors
/// It cannot be looked at.
pub(crate) async fn look(
    beyond: &dyn Beyond,
    reach: &Reach<'_>,
    (kind, id, environment): (&Kind, &Id, &str),
    known: &Value,
) -> Result<Option<Value>, Box<Diagnostic>> {
    let mark = match known.is_null() {
        true => reach.mark(id.entry(environment, kind.description.type_name)).await?,
        false => Answer::default(),
    };
    let found = beyond.look(reach, &id.key, &mark, known).await?;
    found.map(|attributes| kind.whole(id, attributes)).transpose()
}

/// What stands of an object that an attempt was to change, and which attempt made it.
///
/// # Errors
/// It cannot be looked at.
pub(crate) async fn look_for(
    beyond: &dyn Beyond,
    reach: &Reach<'_>,
    (kind, id, environment): (&Kind, &Id, &str),
    known: &Value,
) -> Result<(Option<Value>, Answer), Box<Diagnostic>> {
    let mark = reach.mark(id.entry(environment, kind.description.type_name)).await?;
    let found = beyond.look(reach, &id.key, &mark, known).await?;
    Ok((found.map(|attributes| kind.whole(id, attributes)).transpose()?, mark))
}

/// Carries one change out: look, mark as ours, change, look again, mark as done.
pub(crate) async fn carry_out(
    beyond: &dyn Beyond,
    reach: &Reach<'_>,
    change: &Change<'_>,
    ledger: &str,
) -> Result<Applied, ApplyError> {
    let known = if change.planned.is_null() { &change.prior } else { &change.planned };
    let about = (change.kind, &change.id, change.environment);
    let did_not_happen = |problem: Box<Diagnostic>| change.did_not_happen(*problem);
    let before = look(beyond, reach, about, known).await.map_err(did_not_happen)?;
    let told = mark(reach, change, ledger, before.is_some(), "take_mark").await;
    let told = told.map_err(|broken| change.did_not_happen(*broken.diagnostic()))?;
    match told.text("outcome").as_deref() {
        Some("held") => {}
        Some("done") => return change.done(before.filter(|_| !change.planned.is_null())),
        Some("taken") => return Err(change.did_not_happen(change.taken(&told))),
        _ => return Err(change.did_not_happen(change.failed(&told))),
    }
    let changed = beyond.change(reach, &change.id.key, &change.prior, &change.planned).await;
    if let Err(Broken::Unknown(problem)) = changed {
        return Err(ApplyError::Unknown { diagnostic: Box::new(problem.address(change.address)) });
    }
    let unknown =
        |problem: Box<Diagnostic>| ApplyError::Unknown { diagnostic: Box::new((*problem).address(change.address)) };
    let after = look(beyond, reach, about, known).await.map_err(unknown)?;
    let verb = if changed.is_ok() { "carried=1\nnote_mark" } else { "carried=\nnote_mark" };
    // What cannot be noted any more is seen all the same.
    let _ = mark(reach, change, ledger, after.is_some(), verb).await;
    match changed {
        Ok(()) => change.done(after),
        Err(broken) => {
            let problem = *broken.diagnostic();
            match after {
                Some(value) if change.prior != value => Err(ApplyError::Partly {
                    diagnostic: Box::new(problem.address(change.address)),
                    value: Box::new(value),
                    private: Private::default(),
                }),
                _ => Err(change.did_not_happen(problem)),
            }
        }
    }
}

async fn mark(
    reach: &Reach<'_>,
    change: &Change<'_>,
    ledger: &str,
    stands: bool,
    verb: &str,
) -> Result<Answer, Broken> {
    let entry = change.id.entry(change.environment, change.kind.description.type_name);
    let stands = if stands { "1" } else { "" };
    let main = format!("{}stands={stands}\n{verb}", change.settings(&entry));
    let machine = reach.fleet.machine(reach.host).map_err(Broken::NotBegun)?;
    let mut answers = machine.run(reach.fleet, &program(ledger, &[CHANGE, MARK], &main)).await?;
    Ok(answers.remove("outcome").unwrap_or_default())
}
