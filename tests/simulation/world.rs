//! A factory in a folder of its own, on a machine whose time and chance are the seed's; and one run of a verb on it.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use formwork::record::{Entropy, OpenOptions, Record};
use formwork::workflow::{
    self, AcceptedLoss, ApplyRequest, Consent, Failure, Machine, PlanRequest, Planned, Secrecy, VariableSource,
    Workspace,
};
use formwork_contract::ProviderSchema;
use formwork_contract::provider::Provider;
use formwork_sandbox::Sandbox;

use crate::cloud::{Cloud, Disturbance};
use crate::form::{Form, SECRETS, secret};
use crate::random::Random;
use crate::script::Faults;
use crate::trace::Trace;

/// The first moment of each simulation.
const BEGINNING_MS: i64 = 1_700_000_000_000;

/// Where files are kept in memory, if the machine has such a place.
const IN_MEMORY: &str = "/dev/shm";

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// What the blueprint says.
    Blueprint,
    /// Nothing.
    Nothing,
    /// How this revision left things; `false` where it is not named, being the one that a rollback goes to by itself.
    Revision(u64, bool),
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Complete,
    /// It began, and not everything was done.
    Broken(String),
    /// It did not begin.
    Refused(String),
    Died,
}

pub(crate) struct World {
    folder: tempfile::TempDir,
    sandbox: Sandbox,
    entropy: Entropy,
    runs: u64,
    /// Open for reading from the time on when there is one.
    record: OnceCell<Record>,
    pub schema: Arc<ProviderSchema>,
    pub trace: Trace,
    /// As the blueprint's file has it.
    pub form: Form,
    /// What each revision was made for.
    pub revisions: BTreeMap<u64, Form>,
}

impl World {
    pub(crate) async fn new(seed: u64) -> Self {
        let folder =
            tempfile::Builder::new().prefix("simulation-").tempdir_in(IN_MEMORY).or_else(|_| tempfile::tempdir());
        let random = Mutex::new(Random::new(seed ^ 0x5eed));
        let entropy: Entropy = Arc::new(move |bytes| {
            let mut random = random.lock().unwrap_or_else(PoisonError::into_inner);
            bytes.iter_mut().for_each(|byte| *byte = random.small(u8::MAX));
        });
        let sandbox = Sandbox::new();
        let schema = sandbox.schema().await.expect("the sandbox knows its schema");
        Self {
            folder: folder.expect("a folder for the simulation"),
            sandbox,
            entropy,
            runs: 0,
            record: OnceCell::new(),
            schema,
            trace: Trace::new(),
            form: Form::default(),
            revisions: BTreeMap::new(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where the record and the sandbox are.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.path().join(".formwork/default")
    }

    pub(crate) fn write(&mut self, form: &Form) {
        self.form = form.clone();
        std::fs::write(self.path().join("main.hcl"), form.text()).expect("the folder is writable");
    }

    /// The record as it is now; `None` where there is none yet.
    pub(crate) fn record(&self) -> Option<&Record> {
        if self.record.get().is_none() {
            let opened = self.open_record()?;
            self.record.set(opened).ok()?;
        }
        self.record.get()
    }

    fn open_record(&self) -> Option<Record> {
        let path = self.state_dir().join("record.db");
        let options = OpenOptions {
            read_only: true,
            ..OpenOptions::new(path, "default", self.path().join(".formwork/identity"))
        };
        Record::open(&options).ok()
    }

    /// A plan in fair weather.
    pub(crate) async fn plan(&self) -> Result<Planned, String> {
        let (workspace, _) = self.workspace(&Faults::default(), "look");
        workflow::plan(&workspace, &PlanRequest::default(), &self.trace.of("look"))
            .await
            .map_err(|failure| self.told(&failure))
    }

    /// One run, and perhaps a rival's beside it.
    pub(crate) async fn attempt(&mut self, goal: Goal, faults: &Faults) -> Ended {
        self.runs += 1;
        let text = format!("== run {} for {goal:?} with {faults:?}", self.runs);
        self.trace.line(text);
        let own = self.run(goal, faults, "run");
        let rival = async {
            let delay = faults.rival?;
            tokio::time::sleep(Duration::from_millis(delay)).await;
            let goal = match goal {
                Goal::Revision(number, _) => Goal::Revision(number, true),
                other => other,
            };
            Some(self.run(goal, &Faults { weather: faults.weather.clone(), ..Faults::default() }, "rival").await)
        };
        let (ended, rivals) = tokio::join!(own, rival);
        self.trace.line(format!("== {ended:?}"));
        if let Some(rivals) = rivals {
            self.trace.line(format!("== the rival: {rivals:?}"));
        }
        self.note_revisions(goal);
        ended
    }

    fn note_revisions(&mut self, goal: Goal) {
        let history = self.record().and_then(|record| record.history().ok()).unwrap_or_default();
        for summary in history {
            let form = match goal {
                Goal::Blueprint => self.form.clone(),
                Goal::Nothing => Form::default(),
                Goal::Revision(number, _) => self.revisions.get(&number).cloned().unwrap_or_default(),
            };
            self.revisions.entry(summary.number).or_insert(form);
        }
    }

    async fn run(&self, goal: Goal, faults: &Faults, who: &'static str) -> Ended {
        let (workspace, disturbance) = self.workspace(faults, who);
        let trace = self.trace.of(who);
        let work = async {
            let planned = match goal {
                Goal::Blueprint => workflow::plan(&workspace, &PlanRequest::default(), &trace).await,
                Goal::Nothing => {
                    workflow::plan(&workspace, &PlanRequest { destroy: true, ..PlanRequest::default() }, &trace).await
                }
                Goal::Revision(number, named) => {
                    workflow::rollback_plan(&workspace, named.then_some(number), &trace).await
                }
            };
            let planned = match planned {
                Ok(planned) if faults.through_file => self.through_file(&workspace, planned, &trace).await,
                other => other,
            };
            let planned = planned.map_err(|failure| self.told(&failure))?;
            let request = ApplyRequest {
                accepted_losses: vec![AcceptedLoss::Everything],
                ..ApplyRequest::new(Consent::Automatic)
            };
            let applied = workflow::apply(&workspace, planned, &request, &trace, &disturbance.interrupt).await;
            applied.map_err(|failure| self.told(&failure))
        };
        tokio::select! {
            biased;
            () = disturbance.death() => Ended::Died,
            applied = work => match applied {
                Ok(outcome) if outcome.is_complete() => Ended::Complete,
                Ok(outcome) => Ended::Broken(outcome.failed.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
                Err(told) => Ended::Refused(told),
            },
        }
    }

    async fn through_file(&self, workspace: &Workspace, planned: Planned, trace: &Trace) -> Result<Planned, Failure> {
        let file = self.path().join(format!("{}.plan", self.runs));
        workflow::save_plan(&planned, &file)?;
        drop(planned);
        workflow::open_plan(workspace, &file, trace).await
    }

    pub(crate) fn workspace(&self, faults: &Faults, who: &'static str) -> (Workspace, Arc<Disturbance>) {
        let disturbance = Disturbance::new(faults.clone(), self.state_dir(), self.trace.of(who));
        let trace = self.trace.clone();
        let now = move || BEGINNING_MS + i64::try_from(trace.elapsed_ms()).unwrap_or(i64::MAX / 2);
        let secrets: Vec<String> =
            (0..SECRETS).map(|number| format!("\"s{number}\": {}", serde_json::json!(secret(number)))).collect();
        let workspace = Workspace {
            dir: self.path().to_owned(),
            environment: None,
            variables: vec![VariableSource::Argument {
                name: "secrets".into(),
                text: format!("{{{}}}", secrets.join(", ")).into(),
            }],
            home: None,
            working_dir: self.path().to_owned(),
            actor: "simulation".into(),
            now_ms: now(),
            parallelism: faults.parallelism,
            patience: Duration::ZERO,
            registry: Arc::new(Cloud::new(self.sandbox.clone(), Arc::clone(&disturbance))),
            store: None,
            machine: Machine {
                clock: Arc::new(now),
                entropy: Arc::clone(&self.entropy),
                durable: false,
                drill: Some(disturbance.drill()),
                asks_git: false,
                stage: None,
            },
            secrecy: Secrecy::default(),
        };
        (workspace, disturbance)
    }

    /// What a failure says, without the name of the folder.
    fn told(&self, failure: &Failure) -> String {
        failure.diagnostics.to_string().replace(&*self.path().to_string_lossy(), "DIR")
    }
}
