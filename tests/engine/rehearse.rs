//! A rehearsal says how a plan would go and come back, and touches nothing real.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use formwork::approve::approve_rehearsal;
use formwork::workflow::{
    AfterCrash, ApplyRequest, Consent, Failure, Fate, Fault, Happened, Interrupt, PlanRequest, RehearseRequest,
    Rehearsed, RunEnd, RunKind, Silent, StepTarget, Verdict, rehearse, save_plan,
};

use crate::factory::{Factory, told};
use crate::fake::Fake;

/// Three things in a row and one beside them.
const CHAIN: &str = r#"
release { on_failure = "POLICY" }
variable "size" { default = 1 }
resource "fake_thing" "a" {
  name = "a"
  size = var.size
}
resource "fake_thing" "b" {
  name   = "b"
  size   = var.size
  secret = fake_thing.a.id
}
resource "fake_thing" "c" {
  name   = "c"
  secret = fake_thing.b.id
}
"#;

fn chain(policy: &str) -> (Factory, Fake) {
    let (mut factory, fake) = Fake::factory(&CHAIN.replace("POLICY", policy));
    factory.workspace.parallelism = Some(1);
    (factory, fake)
}

/// Keeps a plan of what the blueprint says now.
fn kept(factory: &Factory) -> PathBuf {
    let file = factory.path().join("kept.plan");
    save_plan(&factory.plan(), &file).unwrap_or_else(|failed| panic!("not kept: {failed}"));
    file
}

fn try_rehearse(factory: &Factory, request: &RehearseRequest) -> Result<Rehearsed, Failure> {
    let file = kept(factory);
    factory.block_on(rehearse(&factory.workspace, &file, request, &Silent, &Interrupt::default()))
}

fn rehearsed(factory: &Factory, request: &RehearseRequest) -> Rehearsed {
    try_rehearse(factory, request).unwrap_or_else(|failed| panic!("no rehearsal: {failed}"))
}

fn failing(step: &str) -> RehearseRequest {
    RehearseRequest { failures: vec![(at(step), Fault::DidNotHappen)], ..RehearseRequest::default() }
}

fn at(address: &str) -> StepTarget {
    StepTarget::Address(address.parse().expect("an address"))
}

/// What stands in the end of each run.
fn kinds(said: &Rehearsed) -> Vec<RunKind> {
    said.runs.iter().map(|run| run.kind).collect()
}

fn fates(said: &Rehearsed) -> Vec<(String, &Fate)> {
    said.differences.iter().map(|one| (one.address.to_string(), &one.fate)).collect()
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.insert(path.clone(), std::fs::read(&path).expect("a file"));
        }
    }
    all
}

#[test]
fn nothing_real_is_touched() {
    let (mut factory, fake) = chain("rollback");
    factory.apply();
    factory.variable("size", "2");
    kept(&factory);
    let before = files(factory.path());
    fake.world().take("");
    let file = factory.path().join("kept.plan");
    for request in [RehearseRequest::default(), failing("fake_thing.b")] {
        let said = factory.block_on(rehearse(&factory.workspace, &file, &request, &Silent, &Interrupt::default()));
        assert!(said.unwrap_or_else(|failed| panic!("{failed}")).verdict.is_restored());
    }
    let calls = fake.world().take("");
    let real = |call: &&String| ["apply", "delete", "read", "import"].iter().any(|name| call.starts_with(name));
    assert_eq!(calls.iter().filter(real).count(), 0, "{calls:?}");
    let after = files(factory.path());
    let changed: Vec<_> = before.iter().filter(|(path, bytes)| after.get(*path) != Some(*bytes)).collect();
    assert!(changed.is_empty() && before.len() == after.len(), "{:?}", changed.iter().map(|(path, _)| path));
}

#[test]
fn the_sandbox_is_as_it_was_to_the_byte() {
    let factory = Factory::new(
        r#"resource "sandbox_network" "net" {
             name       = "net"
             cidr_block = "10.0.0.0/16"
           }"#,
    );
    factory.apply();
    factory.write("more.hcl", "resource \"sandbox_log_store\" \"logs\" { name = \"logs\" }");
    kept(&factory);
    let before = files(factory.path());
    let said = rehearsed_as_kept(&factory, &RehearseRequest::default());
    assert_eq!(said.verdict, Verdict::AsPlanned);
    let after = files(factory.path());
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after));
    assert!(before == after, "a file has other bytes");
}

fn rehearsed_as_kept(factory: &Factory, request: &RehearseRequest) -> Rehearsed {
    let file = factory.path().join("kept.plan");
    let said = factory.block_on(rehearse(&factory.workspace, &file, request, &Silent, &Interrupt::default()));
    said.unwrap_or_else(|failed| panic!("no rehearsal: {failed}"))
}

#[test]
fn without_a_failure_it_goes_there_and_back() {
    let (mut factory, _fake) = chain("stop");
    let said = rehearsed(&factory, &RehearseRequest::default());
    assert_eq!(said.verdict, Verdict::AsPlanned, "a first apply is taken back to nothing");
    assert_eq!(kinds(&said), [RunKind::Apply, RunKind::Back { by_itself: false }]);
    let numbers = said.runs[0].log.iter().map(|one| match one {
        Happened::Step { number, .. } => *number,
        other => panic!("{other:?}"),
    });
    assert_eq!(numbers.collect::<Vec<_>>(), [Some(1), Some(2), Some(3)]);
    factory.apply();
    factory.variable("size", "2");
    assert_eq!(rehearsed(&factory, &RehearseRequest::default()).verdict, Verdict::AsPlanned);
}

#[test]
fn what_fails_is_taken_back_by_itself_where_the_plan_says_so() {
    let (mut factory, _fake) = chain("rollback");
    factory.apply();
    factory.variable("size", "2");
    let said = rehearsed(&factory, &failing("fake_thing.b"));
    assert_eq!(said.verdict, Verdict::TakenBack);
    assert_eq!(kinds(&said), [RunKind::Apply, RunKind::Back { by_itself: true }]);
    assert!(said.told().iter().all(|(told, _)| told.is_empty()), "what was asked for is no news");
    let stop = RehearseRequest { on_failure: Some(formwork::workflow::FailurePolicy::Stop), ..failing("fake_thing.b") };
    assert_eq!(kinds(&rehearsed(&factory, &stop)), [RunKind::Apply, RunKind::Back { by_itself: false }]);
}

#[test]
fn a_way_back_that_fails_is_stuck_where_it_was_said_to_be() {
    let (factory, _fake) = chain("rollback");
    let undo = vec!["fake_thing.a".parse().expect("an address")];
    let said = rehearsed(&factory, &RehearseRequest { failing_undos: undo, ..failing("fake_thing.c") });
    assert_eq!(said.verdict, Verdict::Stuck);
    assert_eq!(said.stuck.iter().map(|step| step.address.to_string()).collect::<Vec<_>>(), ["fake_thing.a"]);
    assert_eq!(fates(&said), [("fake_thing.a".to_owned(), &Fate::Left)]);
}

#[test]
fn what_is_made_again_is_another_object() {
    let (mut factory, _fake) = Fake::factory(
        "variable \"kind\" { default = \"x\" }\nresource \"fake_thing\" \"a\" {\n  name = \"a\"\n  kind = var.kind\n}",
    );
    factory.apply();
    factory.variable("kind", "y");
    let said = rehearsed(&factory, &RehearseRequest::default());
    assert_eq!(said.verdict, Verdict::NotAsItWas);
    let [(address, Fate::Anew(paths))] = &fates(&said)[..] else { panic!("{:?}", fates(&said)) };
    assert_eq!((address.as_str(), paths[0].to_string().as_str()), ("fake_thing.a", "id"));
}

#[test]
fn a_run_that_dies_is_gone_on_with_or_taken_back() {
    let (factory, _fake) = chain("stop");
    let dying = RehearseRequest { crashes: vec![StepTarget::Number(2)], ..RehearseRequest::default() };
    let said = rehearsed(&factory, &dying);
    assert_eq!(kinds(&said), [RunKind::Apply, RunKind::Resume, RunKind::Back { by_itself: false }]);
    assert!(matches!(said.runs[0].end, RunEnd::Died));
    assert_eq!(said.verdict, Verdict::AsPlanned);
    // In its very first call as well, when nothing is written down but that it was about to be made.
    for step in 1..=3 {
        let crashes = vec![StepTarget::Number(step)];
        let dying = RehearseRequest { crashes, after_crash: AfterCrash::Rollback, ..RehearseRequest::default() };
        let said = rehearsed(&factory, &dying);
        assert_eq!(kinds(&said), [RunKind::Apply, RunKind::Back { by_itself: false }]);
        assert_eq!(said.verdict, Verdict::TakenBack, "step {step}");
    }
}

#[test]
fn throttled_calls_are_made_again_and_nobody_waits() {
    let (factory, _fake) = chain("stop");
    let said = rehearsed(&factory, &RehearseRequest { throttle_percent: 50, seed: 3, ..RehearseRequest::default() });
    assert_eq!(said.verdict, Verdict::AsPlanned);
    let never = RehearseRequest { throttle_percent: 100, ..RehearseRequest::default() };
    let said = rehearsed(&factory, &never);
    assert_eq!(said.verdict, Verdict::TakenBack, "nothing gets through");
    assert_eq!(kinds(&said), [RunKind::Apply], "nothing was done");
}

#[test]
fn gates_pass_without_being_asked_unless_one_is_to_fail() {
    let factory = Factory::new(
        r#"
        release {
          on_failure = "rollback"
          wave "first" {
            targets = [sandbox_network.net]
            gate "program" {
              command { argv = ["/bin/sh", "-c", "touch asked"] }
            }
            gate "soak"    { soak = "10m" }
          }
          wave "rest" {}
        }
        resource "sandbox_network" "net" {
          name       = "net"
          cidr_block = "10.0.0.0/16"
        }
        resource "sandbox_log_store" "logs" { name = "logs" }
        "#,
    );
    assert_eq!(rehearsed(&factory, &RehearseRequest::default()).verdict, Verdict::AsPlanned);
    let gate = RehearseRequest { failing_gates: vec!["soak".into()], ..RehearseRequest::default() };
    let said = rehearsed(&factory, &gate);
    assert_eq!(said.verdict, Verdict::TakenBack);
    assert!(said.runs[0].log.contains(&Happened::GatePassed { gate: "program".into() }), "{:?}", said.runs[0].log);
    assert!(!factory.path().join("asked").exists(), "a gate was asked");
    let other = RehearseRequest { failing_gates: vec!["sok".into()], ..RehearseRequest::default() };
    let refused = try_rehearse(&factory, &other).expect_err("there is none");
    assert!(told(&refused).contains("no gate `sok`"), "{}", told(&refused));
}

#[test]
fn a_step_that_is_not_in_the_plan_is_refused_by_name() {
    let (factory, _fake) = chain("stop");
    let request = RehearseRequest {
        failures: vec![(StepTarget::Number(9), Fault::Partly), (at("fake_thing.x"), Fault::DidNotHappen)],
        ..RehearseRequest::default()
    };
    let refused = told(&try_rehearse(&factory, &request).expect_err("there is none"));
    assert!(
        refused.contains("the plan has no step 9") && refused.contains("does nothing to `fake_thing.x`"),
        "{refused}"
    );
}

#[test]
fn consent_to_a_rehearsal_is_none_to_anything_real() {
    let (factory, fake) = chain("stop");
    let planned = factory.plan();
    let refused = approve_rehearsal(planned.plan, "0".repeat(64).into()).expect_err("its providers are real");
    assert!(refused.to_string().contains("would reach what is real"), "{refused}");
    let request = ApplyRequest::new(Consent::Rehearsal);
    let planned = factory.try_plan(&PlanRequest::default()).expect("a plan");
    let refused = factory.try_carry_out(planned, &request, &Silent, &Interrupt::default()).expect_err("refused");
    assert!(told(&refused).contains("would reach what is real"), "{}", told(&refused));
    assert_eq!(fake.world().standing(), 0);
}

#[test]
fn neither_a_record_nor_its_copy_is_taken_for_the_other() {
    use formwork::record::{OpenOptions, Record};
    let (factory, _fake) = chain("stop");
    factory.apply();
    let own = factory.path().join(".formwork");
    let options = OpenOptions::new(own.join("default/record.db"), "default", own.join("identity"));
    let copy = factory.path().join("copy.db");
    Record::copy_to(&options, &copy).expect("it is copied");
    let of_copy = OpenOptions { path: copy, ..options.clone() };
    assert!(Record::open(&of_copy).is_err(), "a copy is no record");
    assert!(Record::open(&OpenOptions { is_rehearsal: true, ..options }).is_err(), "a record is no copy");
    let copy = Record::open(&OpenOptions { is_rehearsal: true, ..of_copy }).expect("it is a copy");
    assert_eq!(copy.resources().expect("read").len(), 3, "with the same key");
}
