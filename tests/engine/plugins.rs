//! What only plugins bring: private data, imprecise types, deferrals, older and newer schemas, moves between types.

use std::path::Path;

use formwork::workflow::{
    Interrupt, PlanRequest, Progress, ProgressEvent, Silent, StepDone, Word, state_settle, validate,
};
use formwork_contract::{Address, Marks};

use crate::factory::{Factory, actions, told};
use crate::fake::{Fake, SECRET};

const THING: &str = "resource \"fake_thing\" \"a\" {\n  name = \"one\"\n}\n";

/// Whether some file of a factory holds the secret.
fn leaks(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(leaks(&path));
        } else {
            let bytes = std::fs::read(&path).expect("a file");
            let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
            if holds(SECRET) || (0..3).any(|skipped| holds(&base64_of(&SECRET[skipped..]))) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

/// A part of the base64 of each text that has this one at a place that three divides.
fn base64_of(text: &str) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |bits: u32| alphabet[(bits & 63) as usize] as char;
    let groups = text.as_bytes().chunks_exact(3).take(6);
    let encoded = groups.flat_map(|group| {
        let bits = u32::from(group[0]) << 16 | u32::from(group[1]) << 8 | u32::from(group[2]);
        [digit(bits >> 18), digit(bits >> 12), digit(bits >> 6), digit(bits)]
    });
    encoded.collect()
}

#[test]
fn private_data_goes_the_whole_way_and_no_file_holds_it_in_clear() {
    let (factory, fake) = Fake::factory(THING);
    let kept = factory.through_file(factory.plan());
    fake.world().calls.clear();
    assert!(factory.apply_planned(kept).is_complete());
    assert_eq!(fake.world().take("apply"), ["apply(planned *)"]);
    factory.write("main.hcl", &THING.replace("one", "two"));
    let kept = factory.through_file(factory.plan());
    assert_eq!(fake.world().take(""), ["read(applied *)", "plan(read *)"], "opening a file asks nothing");
    assert!(factory.apply_planned(kept).is_complete());
    assert_eq!(fake.world().take("apply"), ["apply(planned *)"]);
    factory.write("main.hcl", &THING.replace("name", "kind = \"other\"\n  name"));
    let kept = factory.through_file(factory.plan());
    assert_eq!(fake.world().take("plan"), ["plan(read *)", "plan()"]);
    assert!(factory.apply_planned(kept).is_complete());
    assert_eq!(fake.world().take("delete"), ["delete(read *)"], "the old object goes with what belongs to it");
    factory.write("main.hcl", "locals {}\n");
    let kept = factory.through_file(factory.plan());
    assert_eq!(leaks(factory.path()), Vec::<String>::new());
    fake.world().calls.clear();
    assert!(factory.apply_planned(kept).is_complete());
    assert_eq!(fake.world().take("delete"), ["delete(gone *)"]);
    assert_eq!(leaks(factory.path()), Vec::<String>::new());
}

#[test]
fn what_is_imported_brings_its_private_data() {
    let (factory, fake) = Fake::factory(&format!("{THING}import {{\n  to = fake_thing.a\n  id = \"found\"\n}}\n"));
    fake.world().make("found", "before");
    let outcome = factory.apply_planned(factory.plan());
    assert_eq!((outcome.count(StepDone::Imported), outcome.count(StepDone::Changed)), (1, 1));
    assert_eq!(fake.world().take("plan"), ["plan(imported *)"]);
    assert_eq!(fake.world().standing(), 1);
}

#[test]
fn a_result_other_than_planned_is_an_error_unless_the_types_are_imprecise() {
    let (factory, fake) = Fake::factory(THING);
    fake.world().contradicts = true;
    let outcome = factory.apply_planned(factory.plan());
    assert!(
        outcome.failed[0].summary.contains("made `name` of `fake_thing.a` other than planned"),
        "{:?}",
        outcome.failed
    );
    let (factory, fake) = Fake::factory(THING);
    fake.world().imprecise = true;
    assert!(factory.apply_planned(factory.plan()).is_complete());
}

const LAYERS: &str = r#"
resource "fake_thing" "early" { name = "early" }
resource "fake_thing" "late" {
  for_each = toset(["now", "later"])
  name     = each.key
}
resource "fake_thing" "after" { name = fake_thing.late["later"].id }
"#;

#[test]
fn what_a_provider_puts_off_waits_with_all_that_depends_on_it() {
    let (factory, fake) = Fake::factory(LAYERS);
    fake.world().deferred = vec!["later".into()];
    let kept = factory.through_file(factory.plan());
    assert_eq!(actions(&kept.plan), ["create fake_thing.early", "create fake_thing.late[\"now\"]"]);
    let deferred: Vec<String> =
        kept.plan.deferred.iter().map(|deferred| format!("{}: {}", deferred.address, deferred.reason)).collect();
    assert_eq!(
        deferred,
        [
            "fake_thing.late[\"later\"]: its provider cannot plan it before something that it needs exists",
            "fake_thing.after: it depends on `fake_thing.late[\"later\"]`, which is deferred",
        ]
    );
    assert!(factory.apply_planned(kept).is_complete());
    assert_eq!(fake.world().standing(), 2);
    fake.world().deferred.clear();
    factory.apply();
    assert_eq!(fake.world().standing(), 4);
    // What stands already is left alone while its provider puts it off.
    fake.world().deferred = vec!["later".into()];
    let planned = factory.plan();
    assert_eq!(actions(&planned.plan), Vec::<String>::new());
    drop(planned);
    assert_eq!(fake.world().standing(), 4);
}

#[test]
fn what_another_version_stored_is_upgraded_with_its_secrets() {
    let blueprint = THING.replace("name", "secret = \"hunter2\"\n  name");
    let (factory, fake) = Fake::factory(&blueprint);
    factory.apply();
    (fake.world().schema_version, fake.world().version) = (2, "2.0.0".into());
    fake.world().calls.clear();
    let planned = factory.plan();
    assert!(planned.plan.is_empty(), "{:?}", actions(&planned.plan));
    let upgraded = fake.world().take("upgrade");
    assert_eq!(upgraded.len(), 1);
    assert!(upgraded[0].starts_with("upgrade(fake_thing 0") && upgraded[0].contains("hunter2"), "{upgraded:?}");
    let secret = planned.plan.changes[0].before.get("secret").expect("a secret").marks();
    assert_eq!(secret, Marks::SENSITIVE);
}

#[test]
fn a_newer_schema_than_the_providers_is_refused() {
    let (factory, fake) = Fake::factory(THING);
    (fake.world().schema_version, fake.world().version) = (3, "3.1.0".into());
    factory.apply();
    (fake.world().schema_version, fake.world().version) = (2, "2.0.0".into());
    let failed = factory.try_plan(&PlanRequest::default()).expect_err("it cannot be read");
    let told = told(&failed);
    assert!(told.contains("`fake_thing.a` was written by a newer version of its provider"), "{told}");
    assert!(told.contains("version 3") && told.contains("knows 2") && told.contains("3.1.0"), "{told}");
}

#[test]
fn an_object_moves_to_another_type_where_the_provider_can() {
    let (factory, fake) = Fake::factory("resource \"fake_old\" \"o\" {\n  label = \"one\"\n}\n");
    factory.apply();
    let moved = format!("{THING}moved {{\n  from = fake_old.o\n  to   = fake_thing.a\n}}\n");
    // The fake keeps what it made in the old shape.
    fake.world().make("id-1", "one");
    factory.write("main.hcl", &moved);
    fake.world().calls.clear();
    let kept = factory.through_file(factory.plan());
    assert_eq!(actions(&kept.plan), ["no-op fake_thing.a from fake_old.o"]);
    assert_eq!(fake.world().take("move")[0], "move(applied *)");
    assert!(factory.apply_planned(kept).is_complete());
    factory.assert_settled();
    assert_eq!(fake.world().standing(), 1);

    factory
        .write("main.hcl", "resource \"fake_old\" \"o\" {}\nmoved {\n  from = fake_thing.a\n  to   = fake_old.o\n}\n");
    let failed = factory.try_plan(&PlanRequest::default()).expect_err("it cannot");
    assert!(told(&failed).contains("a `fake_thing` is nothing that it knows"), "{}", told(&failed));
}

#[test]
fn an_answer_that_does_not_fit_the_schema_names_the_provider() {
    let (factory, fake) = Fake::factory(THING);
    factory.apply();
    fake.world().untyped = true;
    let failed = factory.try_plan(&PlanRequest::default()).expect_err("it is no object");
    assert!(told(&failed).contains("provider `hashicorp/fake` gave a reading of `fake_thing`"), "{}", told(&failed));
}

#[test]
fn a_provider_has_a_say_in_deletions() {
    let (factory, fake) = Fake::factory(THING);
    factory.apply();
    fake.world().protected = vec!["one".into()];
    let request = PlanRequest { destroy: true, ..PlanRequest::default() };
    let failed = factory.try_plan(&request).expect_err("it is refused");
    assert!(told(&failed).contains("`one` cannot be deleted"), "{}", told(&failed));
    fake.world().protected.clear();
    factory.destroy();
    assert_eq!(fake.world().standing(), 0);
}

#[test]
fn validation_asks_the_provider_about_its_settings() {
    let (factory, _) = Fake::factory(&format!("provider \"fake\" {{\n  region = \"nowhere\"\n}}\n{THING}"));
    let failed = block_on(validate(&factory.workspace)).expect_err("no such region");
    assert!(told(&failed).contains("there is no region `nowhere`"), "{}", told(&failed));
}

/// Interrupts as soon as the first step starts.
struct AtFirst<'a>(&'a Interrupt);

impl Progress for AtFirst<'_> {
    fn event(&self, event: &ProgressEvent) {
        if matches!(event, ProgressEvent::StepStarted { .. }) {
            self.0.signal();
        }
    }
}

#[test]
fn an_interrupt_asks_the_providers_to_stop() {
    let (factory, fake) = Fake::factory(THING);
    let interrupt = Interrupt::default();
    let outcome = factory.apply_watched(factory.plan(), &AtFirst(&interrupt), &interrupt);
    assert!(outcome.interrupted && outcome.is_complete(), "the running step ended");
    assert_eq!(fake.world().take("stop"), ["stop()"]);
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

const PAIR: &str = r#"
resource "fake_thing" "lost" { name = "lost" }
resource "fake_thing" "other" { name = "other" }
resource "fake_thing" "after" { name = fake_thing.lost.id }
"#;

/// A factory whose run was interrupted while it made `fake_thing.lost`, and nobody can tell whether it was made.
fn interrupted() -> (Factory, Fake) {
    let (factory, fake) = Fake::factory(PAIR.split("resource \"fake_thing\" \"other\"").next().expect("the first"));
    fake.world().lost = true;
    let outcome = factory.apply_planned(factory.plan());
    assert_eq!(outcome.open.len(), 1);
    fake.world().lost = false;
    factory.write("main.hcl", PAIR);
    (factory, fake)
}

fn lost() -> Address {
    "fake_thing.lost".parse().expect("an address")
}

#[test]
fn an_object_of_which_nobody_knows_holds_up_nothing_but_what_depends_on_it() {
    let (factory, fake) = interrupted();
    let planned = factory.plan();
    assert_eq!(actions(&planned.plan), ["create fake_thing.other"]);
    let warning = planned.warnings.iter().next().expect("a warning");
    assert!(warning.hint.as_deref().is_some_and(|hint| hint.contains("state settle 'fake_thing.lost' --absent")));
    let kept = factory.through_file(planned);
    assert!(factory.apply_planned(kept).is_complete());
    assert_eq!(fake.world().standing(), 1);
    assert_eq!(actions(&factory.plan().plan), Vec::<String>::new(), "it is still open");
    block_on(state_settle(&factory.workspace, &lost(), &Word::Absent, &Silent)).expect("nothing was made");
    factory.apply();
    assert_eq!(fake.world().standing(), 3);
}

#[test]
fn what_was_made_after_all_is_taken_over_by_its_id() {
    let (factory, fake) = interrupted();
    fake.world().make("found", "lost");
    let failed = block_on(state_settle(&factory.workspace, &lost(), &Word::Id("wrong".into()), &Silent));
    assert!(told(&failed.expect_err("no such object")).contains("there is no `wrong`"));
    block_on(state_settle(&factory.workspace, &lost(), &Word::Id("found".into()), &Silent)).expect("taken over");
    let again = block_on(state_settle(&factory.workspace, &lost(), &Word::Absent, &Silent));
    assert!(told(&again.expect_err("it is closed")).contains("nothing is open at `fake_thing.lost`"));
    assert_eq!(actions(&factory.plan().plan)[..2], ["create fake_thing.after", "create fake_thing.other"]);
    factory.apply();
    assert_eq!(fake.world().standing(), 3);
}
