//! A run that dies at any record of its journal: what it leaves is recorded whole, and every way on gets through.

use std::path::Path;

use formwork::record::model::{MetaArguments, RecordedResource};
use formwork::record::{OpenOptions, Record};
use formwork::workflow::{
    AcceptedLoss, ApplyRequest, Consent, CrashHow, CrashPoint, CrashWhen, Interrupt, PlanRequest, Silent, Word,
    history, state_settle, undo_plan,
};

use crate::crash::copy;
use crate::factory::{Factory, told};
use crate::fake::Fake;

/// More records than any of these runs writes.
const MOST_RECORDS: u64 = 60;

/// A network, a subnet in it, a machine in that: each can be deleted only when nothing stands in it.
fn chain(number: u8, tag: &str, create_first: bool) -> String {
    let lifecycle = if create_first { "lifecycle { create_before_destroy = true }" } else { "" };
    format!(
        r#"
        resource "sandbox_network" "a" {{
          name       = "net-{number}"
          cidr_block = "10.{number}.0.0/16"
          tags       = {{ tag = "{tag}" }}
          {lifecycle}
        }}
        resource "sandbox_subnet" "b" {{
          network_id = sandbox_network.a.id
          cidr_block = "10.{number}.1.0/24"
          tags       = {{ tag = "{tag}" }}
          {lifecycle}
        }}
        resource "sandbox_machine" "c" {{
          name      = "machine"
          subnet_id = sandbox_subnet.b.id
          image     = "debian-12"
          tags      = {{ tag = "{tag}" }}
          {lifecycle}
        }}
        "#
    )
}

/// A machine that is updated and depends on another object from then on; the one before goes.
fn handed_over(store: &str) -> String {
    format!(
        r#"
        resource "sandbox_log_store" "{store}" {{ name = "{store}" }}
        {}
        "#,
        chain(0, "x", false).replace("tag = \"x\"", &format!("tag = sandbox_log_store.{store}.name"))
    )
}

/// A change, by the blueprints before and after it.
struct Case {
    name: &'static str,
    /// `None` where nothing stands before.
    before: Option<String>,
    after: String,
}

fn cases() -> Vec<Case> {
    let case = |name, before, after| Case { name, before, after };
    vec![
        case("create", None, chain(0, "x", false)),
        case("update", Some(chain(0, "x", false)), chain(0, "y", false)),
        case("hand over", Some(handed_over("one")), handed_over("two")),
        case("replace, delete first", Some(chain(0, "x", false)), chain(1, "x", false)),
        case("replace, create first", Some(chain(0, "x", true)), chain(1, "x", true)),
    ]
}

/// How things stood before a run that dies.
#[derive(Default)]
struct Before {
    live: Vec<String>,
    recorded: Vec<(String, MetaArguments)>,
}

impl Before {
    fn of(factory: &Factory) -> Self {
        Self { live: factory.live(), recorded: recorded(factory) }
    }
}

fn record(factory: &Factory) -> Record {
    let own = factory.path().join(".formwork");
    let options = OpenOptions::new(own.join("default/record.db"), "default", own.join("identity"));
    Record::open(&options).expect("a record")
}

/// Addresses, with the deposed keys, and what is recorded of each beside its value.
fn recorded(factory: &Factory) -> Vec<(String, MetaArguments)> {
    let all: Vec<RecordedResource> = record(factory).resources().expect("the record can be read");
    all.into_iter().map(|one| (format!("{} {:?}", one.address, one.deposed), one.meta())).collect()
}

/// A way from where a run died: to how things stood before, or to nothing.
type Way = fn(&Factory, &Before);

fn rollback(factory: &Factory, before: &Before) {
    // Of a first run that made nothing there may be nothing to go back from, which is said.
    if factory.standing() > 0 || !before.live.is_empty() {
        factory.rollback(None);
    } else {
        assert!(factory.try_rollback().is_none_or(|outcome| outcome.is_complete()));
    }
    assert_as_before(factory, before);
}

fn undo(factory: &Factory, before: &Before) {
    let latest = history(&factory.workspace).expect("a history").iter().map(|one| one.number).max();
    let planned = factory.block_on(undo_plan(&factory.workspace, latest.unwrap_or_default(), &Silent));
    let outcome = factory.apply_planned(factory.through_file(planned.unwrap_or_else(|failed| panic!("{failed}"))));
    assert!(outcome.is_complete(), "failed: {:?}", outcome.failed);
    assert_as_before(factory, before);
}

fn destroy(factory: &Factory, _: &Before) {
    factory.destroy();
    assert_nothing_stands(factory);
}

/// The order of deletions comes from the record alone.
fn orphan(factory: &Factory, _: &Before) {
    factory.write("main.hcl", "");
    factory.apply();
    assert_nothing_stands(factory);
}

fn assert_as_before(factory: &Factory, before: &Before) {
    assert_eq!(recorded(factory), before.recorded);
    if before.live.is_empty() {
        return assert_nothing_stands(factory);
    }
    assert_eq!(factory.live(), before.live);
    record(factory).verify_audit().expect("the chain holds");
}

fn assert_nothing_stands(factory: &Factory) {
    assert_eq!(factory.standing_addresses(), Vec::<String>::new());
    assert_eq!(recorded(factory), []);
}

/// A factory whose run died there; `None` where the run has no such record.
fn died(case: &Case, state: &Path, crash: CrashPoint, parallelism: Option<usize>) -> Option<Factory> {
    let mut factory = Factory::new(&case.after);
    factory.workspace.parallelism = parallelism;
    if case.before.is_some() {
        copy(state, &factory.path().join(".formwork"));
    }
    let request = ApplyRequest {
        crash: Some(crash),
        accepted_losses: vec![AcceptedLoss::Everything],
        ..ApplyRequest::new(Consent::Automatic)
    };
    let outcome = factory.try_carry_out(factory.plan(), &request, &Silent, &Interrupt::default());
    let outcome = outcome.unwrap_or_else(|failed| panic!("not applied: {failed}"));
    (!outcome.is_complete()).then_some(factory)
}

/// Goes the way from every record of every case; how often it was gone.
#[expect(clippy::print_stdout, reason = "a failure tells where the run died")]
fn from_everywhere(way: Way) -> usize {
    let mut gone = 0;
    for case in cases() {
        let stood = Factory::new(case.before.as_deref().unwrap_or_default());
        let before = case.before.as_ref().map(|_| {
            stood.apply();
            Before::of(&stood)
        });
        let (before, state) = (before.unwrap_or_default(), stood.path().join(".formwork"));
        for parallelism in [Some(1), None] {
            for when in [CrashWhen::Before, CrashWhen::After] {
                for number in 1..MOST_RECORDS {
                    let crash = CrashPoint { record: number, when, how: CrashHow::Abandon };
                    let Some(factory) = died(&case, &state, crash, parallelism) else { break };
                    println!("{}: died at {number} ({when:?}) with {parallelism:?} at once", case.name);
                    way(&factory, &before);
                    gone += 1;
                }
            }
        }
    }
    gone
}

/// The records of each case with one step at a time, two for each of its steps; a run dies on both sides of each.
const AT_LEAST: usize = 2 * (6 + 6 + 10 + 12 + 12);

#[test]
fn a_rollback_leads_back_to_how_things_stood() {
    assert!(from_everywhere(rollback) >= AT_LEAST);
}

#[test]
fn an_undo_leads_back_to_how_things_stood() {
    assert!(from_everywhere(undo) >= AT_LEAST);
}

#[test]
fn a_destroy_deletes_what_stands_on_others_first() {
    assert!(from_everywhere(destroy) >= AT_LEAST);
}

#[test]
fn what_no_block_speaks_of_is_deleted_in_the_order_of_the_record() {
    assert!(from_everywhere(orphan) >= AT_LEAST);
}

/// What a run leaves that dies between a call and its outcome is recorded as if it had lived.
#[test]
fn what_is_found_is_recorded_whole() {
    let guarded = chain(0, "x", true)
        .replace("{ create_before_destroy = true }", "{\nprotect = true\ncreate_before_destroy = true\n}");
    let undisturbed = Factory::new(&guarded);
    undisturbed.apply();
    let whole = recorded(&undisturbed);
    assert!(whole.iter().all(|(_, meta)| meta.protected && meta.create_before_destroy));
    let case = Case { name: "create", before: None, after: guarded };
    for (made, number) in [(1, 2), (2, 4), (3, 6)] {
        let crash = CrashPoint { record: number, when: CrashWhen::Before, how: CrashHow::Abandon };
        let factory = died(&case, Path::new("."), crash, Some(1)).expect("it dies");
        // A plan looks first at what the run left.
        drop(factory.plan());
        let found = recorded(&factory);
        assert!(found.len() == made && found.iter().all(|one| whole.contains(one)), "{found:?}");
        // The block goes, and the protection stays.
        factory.write("main.hcl", "");
        let refused = factory.try_plan(&PlanRequest::default()).expect_err("it is protected");
        assert!(told(&refused).contains("which is protected"));
    }
}

/// An update that did not happen leaves what was recorded; one that did is recorded as intended.
#[test]
fn what_was_to_be_updated_stands_on_what_it_stood_on() {
    let stood = Factory::new(&handed_over("one"));
    stood.apply();
    let state = stood.path().join(".formwork");
    let case = Case { name: "hand over", before: Some(handed_over("one")), after: handed_over("two") };
    let mut seen = [false; 2];
    for number in 1..MOST_RECORDS {
        for (when, happened) in [(CrashWhen::After, false), (CrashWhen::Before, true)] {
            let crash = CrashPoint { record: number, when, how: CrashHow::Abandon };
            let Some(factory) = died(&case, &state, crash, Some(1)) else { continue };
            let open = record(&factory).open_intents().expect("the record can be read");
            let Some(intent) = open.first().filter(|intent| &*intent.action == "update") else { continue };
            let expected = if happened {
                intent.meta.clone().expect("an intent to update has it")
            } else {
                intent.recorded.as_ref().expect("it stands").meta()
            };
            let address = format!("{} None", intent.address);
            drop(factory.plan());
            let found = recorded(&factory).into_iter().find(|(name, _)| *name == address).expect("it stands");
            assert_eq!(found.1, expected, "{address} at {number} ({when:?})");
            seen[usize::from(happened)] = true;
        }
    }
    assert_eq!(seen, [true; 2]);
}

/// What a person says to stand is recorded whole as well.
#[test]
fn what_is_taken_over_by_word_is_recorded_whole() {
    let one = "resource \"fake_thing\" \"a\" { name = \"a\" }\n";
    let other = "resource \"fake_thing\" \"b\" {\n  name = \"b\"\n  depends_on = [fake_thing.a]\n  \
                 lifecycle { protect = true }\n}\n";
    let (factory, fake) = Fake::factory(one);
    factory.apply();
    factory.write("main.hcl", &format!("{one}{other}"));
    fake.world().lost = true;
    assert_eq!(factory.apply_planned(factory.plan()).open.len(), 1);
    fake.world().lost = false;
    fake.world().make("id-9", "b");
    let (address, word) = ("fake_thing.b".parse().expect("an address"), Word::Id("id-9".into()));
    let settled = factory.block_on(state_settle(&factory.workspace, &address, &word, &Silent));
    settled.unwrap_or_else(|failed| panic!("{}", told(&failed)));
    let meta =
        MetaArguments { dependencies: vec!["fake_thing.a".into()], create_before_destroy: false, protected: true };
    assert_eq!(recorded(&factory)[1], ("fake_thing.b None".into(), meta));
}
