//! A blueprint in a folder of its own, and the verbs on it.

use std::path::Path;

use formwork::plan::Plan;
use formwork::plan::model::Action;
use formwork::workflow::{
    AcceptedLoss, ApplyOutcome, ApplyRequest, Consent, CrashPoint, Failure, Interrupt, Machine, PlanRequest, Planned,
    PluginSettings, Progress, Secrecy, Silent, VariableSource, Workspace, apply, open_plan, plan, providers, resumable,
    resume, rollback_plan, save_plan, undo_plan,
};

/// A blueprint under test.
pub(crate) struct Factory {
    dir: tempfile::TempDir,
    pub(crate) workspace: Workspace,
    runtime: tokio::runtime::Runtime,
}

impl Factory {
    pub(crate) fn new(blueprint: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let workspace = Workspace {
            dir: dir.path().to_owned(),
            environment: None,
            variables: Vec::new(),
            home: None,
            working_dir: dir.path().to_owned(),
            actor: "tester@host".into(),
            now_ms: 1_700_000_000_000,
            parallelism: None,
            patience: std::time::Duration::ZERO,
            registry: providers(PluginSettings::default()),
            store: None,
            machine: Machine::default(),
            secrecy: Secrecy::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let factory = Self { dir, workspace, runtime };
        factory.write("main.hcl", blueprint);
        factory
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(path, text).expect("the file is written");
    }

    pub(crate) fn variable(&mut self, name: &str, text: &str) {
        self.workspace.variables.push(VariableSource::Argument { name: name.into(), text: text.into() });
    }

    pub(crate) fn try_plan(&self, request: &PlanRequest) -> Result<Planned, Failure> {
        self.runtime.block_on(plan(&self.workspace, request, &Silent))
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(crate) fn plan(&self) -> Planned {
        self.try_plan(&PlanRequest::default()).unwrap_or_else(|failed| panic!("no plan: {failed}"))
    }

    /// Checks the blueprint without making a plan.
    pub(crate) fn validated(&self) -> Result<(), Failure> {
        self.runtime.block_on(formwork::workflow::validate(&self.workspace)).map(drop)
    }

    pub(crate) fn try_open(&self, file: &Path) -> Result<Planned, Failure> {
        self.runtime.block_on(open_plan(&self.workspace, file, &Silent))
    }

    /// Writes a plan to a file and opens it again.
    pub(crate) fn through_file(&self, planned: Planned) -> Planned {
        let file = self.path().join("kept.plan");
        save_plan(&planned, &file).unwrap_or_else(|failed| panic!("not kept: {failed}"));
        // It holds the record, and would be waited for.
        drop(planned);
        self.try_open(&file).unwrap_or_else(|failed| panic!("not opened: {failed}"))
    }

    /// Changes an object of the sandbox behind the engine's back.
    pub(crate) fn drift(&self, address: &str, attribute: &str, text: &str) {
        let state = self.path().join(".formwork/default");
        formwork_sandbox::control::drift(&state, address, &[(attribute.into(), text.into())]).expect("it drifts");
    }

    /// Deletes an object of the sandbox behind the engine's back.
    pub(crate) fn vanish(&self, address: &str) {
        formwork_sandbox::control::delete(&self.path().join(".formwork/default"), address).expect("it goes");
    }

    pub(crate) fn rollback_planned(&self, to: Option<u64>) -> Planned {
        self.runtime
            .block_on(rollback_plan(&self.workspace, to, &Silent))
            .unwrap_or_else(|failed| panic!("no plan back: {failed}"))
    }

    pub(crate) fn apply_planned(&self, planned: Planned) -> ApplyOutcome {
        self.apply_watched(planned, &Silent, &Interrupt::default())
    }

    pub(crate) fn try_apply(&self, planned: Planned) -> Result<ApplyOutcome, Failure> {
        self.try_carry_out(planned, &ApplyRequest::new(Consent::Automatic), &Silent, &Interrupt::default())
    }

    /// Applies with a drill that ends the run, and lets the process live.
    pub(crate) fn apply_drilled(&self, planned: Planned, crash: CrashPoint) -> ApplyOutcome {
        let request = ApplyRequest { crash: Some(crash), ..ApplyRequest::new(Consent::Automatic) };
        self.runtime
            .block_on(apply(&self.workspace, planned, &request, &Silent, &Interrupt::default()))
            .unwrap_or_else(|failed| panic!("not applied: {failed}"))
    }

    pub(crate) fn apply_watched(
        &self,
        planned: Planned,
        progress: &dyn Progress,
        interrupt: &Interrupt,
    ) -> ApplyOutcome {
        let request =
            ApplyRequest { accepted_losses: vec![AcceptedLoss::Everything], ..ApplyRequest::new(Consent::Automatic) };
        self.try_carry_out(planned, &request, progress, interrupt)
            .unwrap_or_else(|failed| panic!("not applied: {failed}"))
    }

    pub(crate) fn try_carry_out(
        &self,
        planned: Planned,
        request: &ApplyRequest,
        progress: &dyn Progress,
        interrupt: &Interrupt,
    ) -> Result<ApplyOutcome, Failure> {
        self.runtime.block_on(apply(&self.workspace, planned, request, progress, interrupt))
    }

    /// Goes on with the run that ended early.
    pub(crate) fn try_resume(&self) -> Result<ApplyOutcome, Failure> {
        self.runtime.block_on(async {
            let resumable = resumable(&self.workspace, &Silent).await?;
            resume(&self.workspace, resumable, None, &Silent, &Interrupt::default()).await
        })
    }

    /// Takes back what a run did, as its plan said that it would be.
    pub(crate) fn roll_back(&self, failed: &ApplyOutcome) -> ApplyOutcome {
        let undo = failed.roll_back.clone();
        assert!(undo.is_some(), "the failure asks for no rollback");
        let planned = self
            .runtime
            .block_on(undo_plan(&self.workspace, failed.revision, &Silent))
            .unwrap_or_else(|failed| panic!("no way back: {failed}"));
        let request = ApplyRequest { undo, ..ApplyRequest::new(Consent::Undo) };
        self.try_carry_out(planned, &request, &Silent, &Interrupt::default())
            .unwrap_or_else(|failed| panic!("not rolled back: {failed}"))
    }

    /// A way back, if a look at reality succeeds, and what became of it.
    pub(crate) fn try_rollback(&self) -> Option<ApplyOutcome> {
        let planned = self.runtime.block_on(rollback_plan(&self.workspace, None, &Silent)).ok()?;
        Some(self.apply_planned(planned))
    }

    /// Every object of the sandbox, without what is its alone: one line each.
    pub(crate) fn live(&self) -> Vec<String> {
        let planned = self.look();
        let stands = planned.plan.changes.iter().filter(|change| !change.before.is_null());
        let mut live: Vec<String> = stands
            .map(|change| {
                let asked = formwork_contract::planning::asking_for(&change.kind.block, &change.before);
                let references =
                    asked.transform(&formwork_contract::Path::root(), &mut |_, part| match part.as_str() {
                        // The id of an object that was made anew is another one.
                        Some(text) if text.contains('-') && text.len() > 20 => "(id)".into(),
                        _ => part,
                    });
                format!("{} {:?} {references:?}", change.address, change.deposed)
            })
            .collect();
        live.sort();
        live
    }

    fn look(&self) -> Planned {
        self.runtime
            .block_on(formwork::workflow::look(&self.workspace, true, &Silent))
            .unwrap_or_else(|failed| panic!("no look: {failed}"))
    }

    /// Plans and applies; everything must succeed, and the plan must be empty afterwards.
    pub(crate) fn apply(&self) -> ApplyOutcome {
        let outcome = self.apply_planned(self.plan());
        assert!(outcome.is_complete(), "failed: {:?}", outcome.failed);
        self.assert_settled();
        outcome
    }

    pub(crate) fn destroy(&self) -> ApplyOutcome {
        let planned =
            self.try_plan(&PlanRequest { destroy: true, ..PlanRequest::default() }).expect("a plan to destroy");
        let outcome = self.apply_planned(planned);
        assert!(outcome.is_complete(), "failed: {:?}", outcome.failed);
        outcome
    }

    pub(crate) fn rollback(&self, to: Option<u64>) -> ApplyOutcome {
        let outcome = self.apply_planned(self.rollback_planned(to));
        assert!(outcome.is_complete(), "failed: {:?}", outcome.failed);
        outcome
    }

    pub(crate) fn assert_settled(&self) {
        let planned = self.plan();
        assert!(planned.plan.is_empty(), "still to do: {:?}", actions(&planned.plan));
    }

    /// How many objects stand in the sandbox.
    pub(crate) fn standing(&self) -> usize {
        self.standing_addresses().len()
    }

    /// What the owners of the objects in the sandbox call them.
    pub(crate) fn standing_addresses(&self) -> Vec<String> {
        let all = formwork_sandbox::control::list(&self.path().join(".formwork/default")).unwrap_or_default();
        all.into_iter().map(|object| object.address).collect()
    }
}

/// What a plan would do, without what stays as it is.
pub(crate) fn actions(plan: &Plan) -> Vec<String> {
    let mut all: Vec<String> = plan
        .changes
        .iter()
        .filter(|change| change.action != Action::NoOp || change.importing.is_some() || change.moved_from.is_some())
        .map(|change| match &change.moved_from {
            Some(from) => format!("{} {} from {from}", change.action.json_names().join("/"), change.address),
            None => format!("{} {}", change.action.json_names().join("/"), change.address),
        })
        .collect();
    all.sort();
    all
}

/// The text of everything that a failure says.
pub(crate) fn told(failure: &Failure) -> String {
    failure.diagnostics.to_string()
}
