//! A plugin that ends, hangs, answers nonsense or lies: nothing is lost from the record, and the next run goes on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use formwork::graph::Wanted;
use formwork::live::Registry;
use formwork::workflow::{ApplyOutcome, Failure, PlanRequest, PluginSettings, Silent, Word, providers, state_settle};
use formwork_contract::provider::Provider;
use formwork_contract::{Address, Diagnostic};
use formwork_terraform::{HostOptions, Identity, PluginProvider, Timeouts};

use crate::factory::{Factory, actions, told};
use crate::hostile_binary::binary;

/// What a call gets that is never answered.
const LIMIT: Duration = Duration::from_secs(2);
/// What all others get. None of them takes this long.
const PATIENCE: Duration = Duration::from_secs(120);

/// The calls that a change takes.
const CALLS: [&str; 7] = [
    "GetProviderSchema",
    "ValidateProviderConfig",
    "ConfigureProvider",
    "ValidateResourceConfig",
    "ReadResource",
    "PlanResourceChange",
    "ApplyResourceChange",
];

const BLUEPRINT: &str = r#"
terraform {
  required_providers {
    hostile = { source = "test/hostile" }
  }
}
variable "name" { default = "a" }
resource "hostile_thing" "one" { name = "${var.name}-one" }
resource "hostile_thing" "two" { name = "${hostile_thing.one.name}-two" }
"#;

/// One plugin, `test/hostile`, that plays a trick.
struct Plugin {
    mode: String,
    state: std::ffi::OsString,
}

impl Registry for Plugin {
    fn natives(&self) -> &[&str] {
        &["terraform", "sandbox"]
    }

    fn provider(&self, wanted: &Wanted) -> Result<Arc<dyn Provider>, Box<Diagnostic>> {
        if wanted.source.to_string() != "test/hostile" {
            return providers(PluginSettings::default()).provider(wanted);
        }
        let identity = Identity {
            name: "hostile".into(),
            source: "registry.terraform.io/test/hostile".into(),
            version: Some("6.6.6".into()),
        };
        let limit = |calls: &[&str]| {
            let hangs = self.mode.strip_prefix("hang ").is_some_and(|call| calls.contains(&call));
            if hangs { LIMIT } else { PATIENCE }
        };
        let timeouts = Timeouts {
            start: PATIENCE,
            validate: limit(&["GetProviderSchema", "ValidateProviderConfig", "ValidateResourceConfig"]),
            configure: limit(&["ConfigureProvider"]),
            read: limit(&["ReadResource", "PlanResourceChange"]),
            apply: limit(&["ApplyResourceChange"]),
            stop: LIMIT,
        };
        let environment = vec![
            ("FORMWORK_HOSTILE".into(), self.mode.as_str().into()),
            ("FORMWORK_HOSTILE_STATE".into(), self.state.clone()),
        ];
        let options = HostOptions { environment, timeouts, ..HostOptions::default() };
        Ok(Arc::new(PluginProvider::new(identity, binary(), options)))
    }
}

/// A factory of two things and the folder where they stand.
struct Stage {
    factory: Factory,
    things: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let things = tempfile::tempdir().expect("a folder for things");
        let mut stage = Self { factory: Factory::new(BLUEPRINT), things };
        stage.plays("honest");
        stage
    }

    fn applied() -> Self {
        let stage = Self::new();
        stage.factory.apply();
        stage
    }

    /// From now on the provider plays this trick.
    fn plays(&mut self, mode: &str) {
        let state = self.things.path().as_os_str().to_owned();
        self.factory.workspace.registry = Arc::new(Plugin { mode: mode.into(), state });
    }

    fn run(&self, destroy: bool) -> Result<ApplyOutcome, Failure> {
        let planned = self.factory.try_plan(&PlanRequest { destroy, ..PlanRequest::default() })?;
        Ok(self.factory.apply_planned(planned))
    }

    /// The ids of the things that stand, which are the names of their files.
    fn ids(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.things.path()).expect("the folder of things").flatten();
        files.map(|file| file.file_name().into_string().expect("an id")).collect()
    }

    /// The names of the things that stand.
    fn standing(&self) -> Vec<String> {
        let mut names: Vec<String> = self.ids().iter().map(|id| name(&self.things.path().join(id))).collect();
        names.sort();
        names
    }

    /// An honest provider again: what is left to be done is done, and nothing twice.
    fn recovers(&mut self, destroy: bool, expected: &[&str], after: &str) {
        self.plays("honest");
        let outcome = self.run(destroy).unwrap_or_else(|failed| panic!("{after}: {}", told(&failed)));
        assert!(outcome.is_complete(), "{after}: {:?}", outcome.failed);
        assert_eq!(self.standing(), expected, "{after}");
        if !destroy {
            self.factory.assert_settled();
        }
    }
}

fn name(file: &Path) -> String {
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(file).expect("a thing")).expect("JSON");
    json["name"].as_str().expect("a name").to_owned()
}

fn block_on<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(what)
}

/// All that a run has to say of what went wrong.
fn said(outcome: Result<ApplyOutcome, Failure>) -> String {
    match outcome {
        Ok(outcome) => outcome.failed.iter().map(|failed| format!("{failed}\n")).collect(),
        Err(failure) => told(&failure),
    }
}

#[test]
fn an_update_survives_whatever_the_provider_does_at_any_call() {
    for call in CALLS {
        for trick in ["exit", "exit-after", "hang", "garbage", "refuse"] {
            let mode = format!("{trick} {call}");
            let mut stage = Stage::applied();
            stage.factory.variable("name", "b");
            stage.plays(&mode);
            let outcome = stage.run(false);
            if !outcome.as_ref().is_ok_and(ApplyOutcome::is_complete) {
                let said = said(outcome);
                assert!(said.contains("provider `hostile`") && said.contains(&format!("`{call}`")), "{mode}: {said}");
            }
            stage.recovers(false, &["b-one", "b-one-two"], &mode);
        }
    }
}

#[test]
fn a_deletion_survives_a_provider_that_ends_before_or_after_it() {
    for trick in ["exit", "exit-after", "hang", "garbage"] {
        let mode = format!("{trick} ApplyResourceChange");
        let mut stage = Stage::applied();
        stage.plays(&mode);
        stage.run(true).unwrap_or_else(|failed| panic!("{mode}: {}", told(&failed)));
        stage.recovers(true, &[], &mode);
    }
}

#[test]
fn a_state_of_another_type_never_reaches_the_record() {
    for trick in ["wrong-type", "lying", "huge"] {
        for call in ["ReadResource", "PlanResourceChange", "ApplyResourceChange"] {
            let mode = format!("{trick} {call}");
            let mut stage = Stage::applied();
            stage.factory.variable("name", "b");
            stage.plays(&mode);
            // A change whose answer makes no sense may be found done by a look at reality.
            let outcome = stage.run(false);
            if call != "ApplyResourceChange" {
                assert!(said(outcome).contains(&format!("`{call}`")), "{mode}");
            }
            stage.recovers(false, &["b-one", "b-one-two"], &mode);
        }
    }
}

#[test]
fn a_plan_that_contradicts_the_configuration_changes_nothing() {
    let mut stage = Stage::applied();
    stage.factory.variable("name", "b");
    stage.plays("lie-plan");
    let said = said(stage.run(false));
    assert!(said.contains("provider `hostile` (6.6.6) gave a wrong answer to `PlanResourceChange`"), "{said}");
    assert_eq!(stage.standing(), ["a-one", "a-one-two"]);
    stage.recovers(false, &["b-one", "b-one-two"], "lie-plan");
}

#[test]
fn a_result_that_contradicts_the_plan_is_told_and_recorded_as_it_stands() {
    let mut stage = Stage::new();
    stage.plays("lie-apply");
    let outcome = stage.run(false).unwrap_or_else(|failed| panic!("{}", told(&failed)));
    assert!(!outcome.is_complete());
    let said = outcome.failed.iter().map(ToString::to_string).collect::<String>();
    assert!(said.contains("name"), "{said}");
    assert_eq!(stage.standing(), ["another"]);
    stage.recovers(false, &["a-one", "a-one-two"], "lie-apply");
}

/// A plugin has no way to find an object without its id: it is not made again until a person says what became of it.
#[test]
fn a_creation_without_an_answer_is_not_made_again_and_waits_for_a_word() {
    for (mode, stands) in [("exit ApplyResourceChange", 0), ("exit-after ApplyResourceChange", 1)] {
        let mut stage = Stage::new();
        stage.plays(mode);
        let outcome = stage.run(false).unwrap_or_else(|failed| panic!("{}", told(&failed)));
        assert_eq!((outcome.open.len(), outcome.not_started.len()), (1, 1), "{mode}");
        assert_eq!(stage.ids().len(), stands, "{mode}");

        stage.plays("honest");
        for _ in 0..2 {
            let planned = stage.factory.plan();
            assert_eq!(actions(&planned.plan), Vec::<String>::new(), "{mode}");
            let warning = planned.warnings.iter().next().expect("a warning");
            assert!(warning.to_string().contains("state settle"), "{warning}");
            assert_eq!(warning.address.as_ref().map(ToString::to_string), Some("hostile_thing.one".into()));
        }
        let word = stage.ids().pop().map_or(Word::Absent, |id| Word::Id(id.as_str().into()));
        let address = Address::managed("hostile_thing", "one");
        let settled = block_on(state_settle(&stage.factory.workspace, &address, &word, &Silent));
        settled.unwrap_or_else(|failed| panic!("{mode}: {}", told(&failed)));
        stage.recovers(false, &["a-one", "a-one-two"], mode);
    }
}
