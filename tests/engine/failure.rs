//! What follows when a step fails: stop, go on, or take back what was done.

use formwork::plan::model::{Action, FailurePolicy};
use formwork::record::model::{RevisionKind, RevisionStatus};
use formwork::workflow::{
    AcceptedLoss, ApplyOutcome, ApplyRequest, Consent, Interrupt, PlanRequest, Planned, Silent, history, stuck,
};

use crate::factory::{Factory, actions, told};
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
resource "fake_thing" "beside" {
  name       = "beside"
  size       = var.size
  depends_on = [fake_thing.a]
}
"#;

fn chain(policy: &str) -> (Factory, Fake) {
    let (mut factory, fake) = Fake::factory(&CHAIN.replace("POLICY", policy));
    factory.workspace.parallelism = Some(1);
    (factory, fake)
}

fn failing(factory: &Factory, fake: &Fake, what: &[&str]) -> ApplyOutcome {
    fake.world().refused = what.iter().map(ToString::to_string).collect();
    let outcome = factory.apply_planned(factory.plan());
    assert!(!outcome.is_complete());
    outcome
}

/// Number, kind, status and what is undone, the oldest first.
fn revisions(factory: &Factory) -> Vec<(RevisionKind, RevisionStatus, Option<u64>)> {
    let mut all = history(&factory.workspace).expect("a history");
    all.reverse();
    all.into_iter().map(|one| (one.kind, one.status, one.undoes)).collect()
}

fn assert_audited(factory: &Factory) {
    let own = factory.path().join(".formwork");
    let options = formwork::record::OpenOptions::new(own.join("default/record.db"), "default", own.join("identity"));
    formwork::record::Record::open(&options).expect("a record").verify_audit().expect("the chain holds");
}

#[test]
fn outputs_name_the_objects_that_a_way_back_made_anew() {
    let (factory, fake) = Fake::factory(
        "resource \"fake_thing\" \"gone\" { name = \"gone\" }\noutput \"ids\" { value = [fake_thing.gone.id] }\n",
    );
    factory.apply();
    factory.write("main.hcl", "resource \"fake_thing\" \"new\" { name = \"new\" }\n");
    fake.world().refused = vec!["create new".into()];
    let request = PlanRequest { on_failure: Some(FailurePolicy::Continue), ..PlanRequest::default() };
    let broken = factory.apply_planned(factory.try_plan(&request).expect("a plan"));
    assert!(!broken.is_complete());
    assert_eq!(fake.world().standing(), 0, "`gone` is gone");
    fake.world().refused.clear();
    let back = factory.rollback(None);
    assert!(back.is_complete(), "{:?}", back.failed);
    factory.write(
        "main.hcl",
        "resource \"fake_thing\" \"gone\" { name = \"gone\" }\noutput \"ids\" { value = [fake_thing.gone.id] }\n",
    );
    assert!(factory.plan().plan.is_empty(), "the output has the new id");
}

#[test]
fn a_way_back_restores_what_objects_are_recorded_to_depend_on() {
    let before = "resource \"sandbox_registry\" \"a\" { name = \"one\" }\n\
                  resource \"sandbox_registry_credential\" \"c\" { registry_id = sandbox_registry.a.id }\n";
    let after = "resource \"sandbox_registry\" \"b\" { name = \"one\" }\n\
                 resource \"sandbox_registry_credential\" \"c\" { registry_id = sandbox_registry.b.id }\n\
                 resource \"sandbox_network\" \"n\" {\n  name = \"n\"\n  cidr_block = \"10.0.0.0/16\"\n}\n\
                 moved {\n  from = sandbox_registry.a\n  to = sandbox_registry.b\n}\n\
                 release {\n  wave \"first\" {\n    targets = [sandbox_registry_credential.c]\n    gate \"shut\" {\n\
                 condition = sandbox_registry_credential.c.id == \"\"\nerror_message = \"no\"\nattempts = 1\n\
                 }\n  }\n  wave \"rest\" {}\n}\n";
    let factory = Factory::new(before);
    factory.apply();
    factory.write("main.hcl", after);
    assert!(!factory.apply_planned(factory.plan()).is_complete());
    factory.rollback(None);
    factory.write("main.hcl", before);
    factory.assert_settled();
    // By the record alone it is known that the credential goes before its registry.
    factory.destroy();
    assert_eq!(factory.standing(), 0);
}

#[test]
fn what_a_broken_run_moved_goes_after_what_stands_on_it() {
    let subnet = |network: &str, range: &str| {
        format!(
            "resource \"sandbox_subnet\" \"s\" {{\n  network_id = sandbox_network.{network}.id\n  cidr_block = \"{range}\"\n\
             lifecycle {{ create_before_destroy = true }}\n}}\n"
        )
    };
    let network = |label: &str, name: &str, range: &str| {
        format!("resource \"sandbox_network\" \"{label}\" {{\n  name = \"{name}\"\n  cidr_block = \"{range}\"\n}}\n")
    };
    let taken = network("taken", "two", "10.9.0.0/16");
    let factory = Factory::new(&(network("a", "one", "10.2.0.0/16") + &subnet("a", "10.2.4.0/24") + &taken));
    factory.apply();
    let moved = |name: &str| {
        network("b", name, "10.4.0.0/16")
            + &subnet("b", "10.4.4.0/24")
            + "moved {\n  from = sandbox_network.a\n  to = sandbox_network.b\n}\n"
            + &taken
    };
    factory.write("main.hcl", &moved("two"));
    assert!(!factory.apply_planned(factory.plan()).is_complete(), "the name is taken");
    factory.write("main.hcl", &moved("three"));
    factory.apply();
    factory.assert_settled();
}

#[test]
fn stop_begins_nothing_new() {
    let (factory, fake) = chain("stop");
    let outcome = failing(&factory, &fake, &["create b"]);
    assert_eq!(outcome.not_started.len(), 2 - fake.world().standing() + 1, "{:?}", outcome.not_started);
    assert!(outcome.roll_back.is_none());
    assert_eq!(revisions(&factory), [(RevisionKind::Apply, RevisionStatus::Incomplete, None)]);
}

#[test]
fn continue_goes_on_with_what_does_not_depend_on_the_failure() {
    let (factory, fake) = chain("continue");
    let outcome = failing(&factory, &fake, &["create b"]);
    assert_eq!(fake.world().standing(), 2, "`a` and `beside` stand");
    assert_eq!(outcome.not_started.len(), 1, "`c` waits for `b`: {:?}", outcome.not_started);
    assert_eq!(outcome.failed.len(), 1);
    fake.world().refused.clear();
    factory.apply();
}

#[test]
fn a_first_run_that_breaks_is_taken_back_to_nothing() {
    let (factory, fake) = chain("rollback");
    let failed = failing(&factory, &fake, &["create c"]);
    assert!(factory.roll_back(&failed).is_complete());
    assert_eq!(fake.world().standing(), 0);
    assert_eq!(
        revisions(&factory),
        [
            (RevisionKind::Apply, RevisionStatus::Incomplete, None),
            (RevisionKind::Rollback, RevisionStatus::Complete, Some(1)),
        ]
    );
    assert_audited(&factory);
    fake.world().refused.clear();
    factory.apply();
    factory.rollback(None);
    assert_eq!(fake.world().standing(), 0, "nothing stood before");
}

#[test]
fn what_was_changed_has_its_values_from_before() {
    let (mut factory, fake) = chain("rollback");
    factory.apply();
    let before = factory.live();
    factory.variable("size", "2");
    let failed = failing(&factory, &fake, &["update b"]);
    assert_ne!(factory.live(), before, "`a` was changed");
    assert!(factory.roll_back(&failed).is_complete());
    assert_eq!(factory.live(), before);
    factory.workspace.variables.clear();
    factory.assert_settled();
    assert_audited(&factory);
}

#[test]
fn of_two_runs_that_broke_the_second_alone_is_taken_back() {
    let (mut factory, fake) = chain("stop");
    factory.apply();
    factory.variable("size", "2");
    failing(&factory, &fake, &["update b", "update beside"]);
    let between = factory.live();
    factory.variable("size", "3");
    failing(&factory, &fake, &["update b", "update beside"]);
    fake.world().refused.clear();
    let planned = factory.rollback_planned(None);
    assert_eq!(actions(&planned.plan), ["update fake_thing.a"]);
    assert!(factory.apply_planned(factory.through_file(planned)).is_complete());
    assert_eq!(factory.live(), between);
    assert_eq!(revisions(&factory)[3], (RevisionKind::Rollback, RevisionStatus::Complete, Some(3)));
}

#[test]
fn a_way_back_that_fails_is_stuck_until_it_is_gone_on_with() {
    let (factory, fake) = chain("rollback");
    let failed = failing(&factory, &fake, &["create c", "delete b"]);
    let back = factory.roll_back(&failed);
    assert!(back.stuck && !back.is_complete());
    assert_eq!(revisions(&factory)[1], (RevisionKind::Rollback, RevisionStatus::Stuck, Some(1)));
    let waiting = stuck(&factory.workspace).expect("read");
    let named: Vec<String> = waiting.iter().map(|step| format!("{} {}", step.action, step.address)).collect();
    assert!(named.contains(&"delete fake_thing.b".to_owned()), "{named:?}");
    assert!(waiting.iter().any(|step| step.error.contains("`delete b` is refused") && step.stands), "{waiting:?}");
    assert_audited(&factory);

    fake.world().refused.clear();
    let refused = factory
        .try_carry_out(factory.try_plan(&destroying()).expect("a plan"), &automatic(), &Silent, &Interrupt::default())
        .expect_err("it waits");
    assert!(told(&refused).contains("`fake_thing.b` waits for a person since revision 2"), "{}", told(&refused));

    let resumed = factory.try_resume().unwrap_or_else(|failed| panic!("{failed}"));
    assert!(resumed.is_complete(), "{:?}", resumed.failed);
    assert_eq!(fake.world().standing(), 0);
    assert_eq!(revisions(&factory)[1].1, RevisionStatus::Complete);
    assert!(stuck(&factory.workspace).expect("read").is_empty());
    assert_audited(&factory);
}

#[test]
fn what_a_person_has_seen_to_waits_no_longer() {
    let (factory, fake) = chain("rollback");
    let failed = failing(&factory, &fake, &["create c", "delete b"]);
    assert!(factory.roll_back(&failed).stuck);
    for step in stuck(&factory.workspace).expect("read") {
        formwork::workflow::state_unstick(&factory.workspace, &step.address).expect("written");
    }
    assert_eq!(revisions(&factory)[1].1, RevisionStatus::Incomplete);
    fake.world().refused.clear();
    factory.apply();
    assert_audited(&factory);
}

#[test]
fn a_second_way_back_goes_on_where_the_first_was_stuck() {
    let (factory, fake) = chain("rollback");
    let failed = failing(&factory, &fake, &["create c", "delete a"]);
    assert!(factory.roll_back(&failed).stuck);
    fake.world().refused.clear();
    assert!(factory.rollback(None).is_complete());
    assert_eq!(fake.world().standing(), 0);
    assert!(stuck(&factory.workspace).expect("read").is_empty(), "the second one saw to it");
    assert_eq!(revisions(&factory)[2], (RevisionKind::Rollback, RevisionStatus::Complete, Some(1)));
    assert_audited(&factory);
}

/// A factory in layers. In its second form something is made, changed, replaced in both orders and deleted, and
/// a machine too many stops it.
fn layers(second: bool) -> String {
    let (image, size, tag, extra) =
        if second { ("ubuntu-24.04", "medium", "two", "new") } else { ("debian-12", "small", "one", "old") };
    let beyond = if second {
        r#"resource "sandbox_machine" "beyond" {
          name      = "beyond"
          subnet_id = sandbox_subnet.sub.id
          image     = "debian-12"
          user_data = join(",", [sandbox_machine.old_first.id, sandbox_machine.new_first.id, sandbox_machine.resized.id])
          depends_on = [sandbox_log_store.logs]
        }"#
    } else {
        ""
    };
    format!(
        r#"
        release {{ on_failure = "rollback" }}
        provider "sandbox" {{ quota = {{ sandbox_machine = 3 }} }}
        resource "sandbox_network" "net" {{
          name       = "factory"
          cidr_block = "10.0.0.0/16"
          tags       = {{ form = "{tag}" }}
        }}
        resource "sandbox_subnet" "sub" {{
          network_id = sandbox_network.net.id
          cidr_block = "10.0.1.0/24"
        }}
        resource "sandbox_machine" "old_first" {{
          name      = "old-first"
          subnet_id = sandbox_subnet.sub.id
          image     = "{image}"
        }}
        resource "sandbox_machine" "new_first" {{
          name      = "new-first"
          subnet_id = sandbox_subnet.sub.id
          image     = "debian-12"
        }}
        resource "sandbox_machine" "resized" {{
          name      = "resized"
          subnet_id = sandbox_subnet.sub.id
          image     = "debian-12"
          size      = "{size}"
        }}
        resource "sandbox_log_store" "logs" {{ name = "{extra}" }}
        resource "sandbox_registry" "images" {{
          name = "images-{extra}"
          lifecycle {{ create_before_destroy = true }}
        }}
        resource "sandbox_registry_credential" "pull" {{ registry_id = sandbox_registry.images.id }}
        resource "terraform_data" "moved_{extra}" {{ input = "{tag}" }}
        {beyond}
        "#
    )
}

#[test]
fn a_factory_in_layers_comes_back_as_it_was() {
    for parallelism in [1, 8] {
        let mut factory = Factory::new(&layers(false));
        factory.workspace.parallelism = Some(parallelism);
        factory.apply();
        let before = factory.live();
        factory.write("main.hcl", &layers(true));
        let failed = factory.apply_planned(factory.plan());
        assert!(failed.failed.iter().any(|one| one.to_string().contains("QuotaExceeded")), "{:?}", failed.failed);
        assert_ne!(factory.live(), before);
        let back = factory.roll_back(&failed);
        assert!(back.is_complete(), "{:?} {:?}", back.failed, back.not_started);
        assert_eq!(factory.live(), before);
        factory.write("main.hcl", &layers(false));
        factory.assert_settled();
        assert_audited(&factory);
    }
}

#[test]
fn drift_that_the_run_found_is_a_part_of_what_was() {
    let factory = Factory::new(&layers(false));
    factory.apply();
    factory.drift("sandbox_network.net", "tags.form", "by hand");
    let before = factory.live();
    factory.write("main.hcl", &layers(true));
    let failed = factory.apply_planned(factory.plan());
    assert!(factory.roll_back(&failed).is_complete());
    assert_eq!(factory.live(), before);
}

const NETWORK: &str = "resource \"sandbox_network\" \"net\" {\n  name = \"one\"\n  cidr_block = \"10.0.0.0/16\"\n}\n";

/// Fails whatever is planned.
const BROKEN: &str = r#"
resource "terraform_data" "checked" {
  lifecycle {
    postcondition {
      condition     = self.id == "never"
      error_message = "broken"
    }
  }
}
"#;

/// A run with `change` that breaks at its end and is taken back by `formwork rollback`.
fn broken_and_back(factory: &Factory, change: &str) -> Planned {
    factory.write("main.hcl", &format!("{change}{BROKEN}"));
    assert!(!factory.apply_planned(factory.plan()).is_complete());
    factory.rollback_planned(None)
}

#[test]
fn moves_imports_and_what_was_forgotten_are_taken_back_in_the_record() {
    let factory = Factory::new(NETWORK);
    factory.apply();
    let moved = NETWORK.replace("\"net\"", "\"renamed\"")
        + "moved {\n  from = sandbox_network.net\n  to = sandbox_network.renamed\n}\n";
    let planned = broken_and_back(&factory, &moved);
    assert!(actions(&planned.plan).contains(&"no-op sandbox_network.net from sandbox_network.renamed".to_owned()));
    assert!(factory.apply_planned(planned).is_complete());

    let forgotten = "removed {\n  from = sandbox_network.net\n  lifecycle { destroy = false }\n}\n";
    let planned = broken_and_back(&factory, forgotten);
    assert!(planned.plan.changes.iter().any(|change| change.importing.is_some()), "{:?}", actions(&planned.plan));
    assert!(factory.apply_planned(planned).is_complete());
    factory.write("main.hcl", NETWORK);
    factory.assert_settled();
    assert_eq!(factory.standing(), 1);
    assert_audited(&factory);
}

#[test]
fn an_import_is_taken_back_by_forgetting() {
    let factory = Factory::new(NETWORK);
    factory.apply();
    let id = factory.plan().plan.changes[0].before.get_str("id").expect("an id").to_owned();
    formwork::workflow::state_rm(&factory.workspace, &"sandbox_network.net".parse().expect("an address"))
        .expect("removed");
    let import = format!(
        "{}import {{\n  to = sandbox_network.net\n  id = \"{id}\"\n}}\n",
        NETWORK.replace("cidr_block", "tags = { now = \"ours\" }\n  cidr_block")
    );
    let planned = broken_and_back(&factory, &import);
    assert!(factory.apply_planned(planned).is_complete());
    assert_eq!(factory.standing(), 1, "it stood before, and stands");
    factory.write("main.hcl", "");
    factory.assert_settled();
    assert_audited(&factory);
}

fn destroying() -> PlanRequest {
    PlanRequest { destroy: true, ..PlanRequest::default() }
}

fn automatic() -> ApplyRequest {
    ApplyRequest::new(Consent::Automatic)
}

#[test]
fn what_holds_data_is_not_removed_unless_that_is_accepted() {
    let factory = Factory::new(&layers(false));
    factory.apply();
    let planned = || factory.try_plan(&destroying()).expect("a plan");
    let losing: Vec<String> = planned()
        .plan
        .changes
        .iter()
        .filter_map(|change| Some(format!("{}: {}", change.address, change.loses()?)))
        .collect();
    assert_eq!(losing, ["sandbox_log_store.logs: logs", "sandbox_registry.images: container images"]);
    let accepting = |losses: &[&str]| {
        let accepted = losses.iter().map(|text| AcceptedLoss::Of(text.parse().expect("an address")));
        ApplyRequest { accepted_losses: accepted.collect(), ..automatic() }
    };
    let one = accepting(&["sandbox_log_store.logs"]);
    let refused = factory.try_carry_out(planned(), &one, &Silent, &Interrupt::default()).expect_err("not accepted");
    assert!(told(&refused).contains("`sandbox_registry.images` would lose its container images for good"));
    assert!(!told(&refused).contains("sandbox_log_store"), "{}", told(&refused));
    let both = accepting(&["sandbox_log_store.logs", "sandbox_registry.images"]);
    assert!(factory.try_carry_out(planned(), &both, &Silent, &Interrupt::default()).expect("applied").is_complete());
}

#[test]
fn the_policy_is_a_part_of_the_plan_and_is_checked() {
    let (factory, _) = chain("rollback");
    let opened = factory.through_file(factory.plan());
    assert_eq!(opened.plan.header.on_failure.whole, FailurePolicy::Rollback);
    let request = PlanRequest { on_failure: Some(FailurePolicy::Continue), ..PlanRequest::default() };
    let planned = factory.try_plan(&request).expect("a plan");
    assert_eq!(planned.plan.header.on_failure.whole, FailurePolicy::Continue);
    assert!(planned.plan.changes.iter().all(|change| change.action == Action::Create));
    let (factory, _) = chain("rolback");
    let failed = factory.try_plan(&PlanRequest::default()).expect_err("no policy");
    assert!(told(&failed).contains("did you mean `\"rollback\"`?"), "{}", told(&failed));
}

#[test]
fn what_a_replacement_set_aside_takes_its_place_again() {
    let blueprint = |kind: &str, name: &str| {
        format!(
            r#"
            release {{ on_failure = "rollback" }}
            resource "fake_thing" "kept" {{
              name = "{name}"
              kind = "{kind}"
              lifecycle {{ create_before_destroy = true }}
            }}
            resource "fake_thing" "user" {{
              name   = "user"
              secret = fake_thing.kept.id
            }}
            "#
        )
    };
    let (factory, fake) = Fake::factory(&blueprint("one", "first"));
    factory.apply();
    let before = factory.live();
    let id = |factory: &Factory| {
        let planned = factory.plan();
        planned.plan.changes[0].before.get_str("id").map(str::to_owned)
    };
    let first = id(&factory);
    factory.write("main.hcl", &blueprint("two", "second"));
    let failed = failing(&factory, &fake, &["delete first"]);
    let back = factory.roll_back(&failed);
    assert!(back.is_complete(), "{:?}", back.failed);
    assert_eq!((factory.live(), fake.world().standing()), (before, 2));
    factory.write("main.hcl", &blueprint("one", "first"));
    assert_eq!(id(&factory), first, "it is the same object");
    factory.assert_settled();
    assert_audited(&factory);
}

/// A change with weather in which any step may stop half-way or lose its answer.
fn stormy(form: &str, weather: &str) -> String {
    format!(
        r#"
        release {{ on_failure = "rollback" }}
        provider "sandbox" {{
          {weather}
        }}
        resource "sandbox_network" "net" {{
          count      = 2
          name       = "net${{count.index}}"
          cidr_block = "10.${{count.index}}.0.0/16"
          tags       = {{ form = "{form}" }}
        }}
        resource "sandbox_subnet" "sub" {{
          count      = 2
          network_id = sandbox_network.net[count.index].id
          cidr_block = "10.${{count.index}}.1.0/24"
        }}
        resource "sandbox_machine" "web" {{
          count     = 2
          name      = "web-{form}-${{count.index}}"
          subnet_id = sandbox_subnet.sub[count.index].id
          lifecycle {{ create_before_destroy = true }}
        }}
        resource "sandbox_registry" "images" {{ name = "images-{form}" }}
        resource "sandbox_registry_credential" "pull" {{ registry_id = sandbox_registry.images.id }}
        "#
    )
}

/// So many ways back are tried: more than any seed below takes.
const TRIES: usize = 60;

#[test]
fn weather_on_the_way_there_and_on_the_way_back_is_got_through() {
    let mut taken_back = 0;
    for seed in 1..=6 {
        let factory = Factory::new(&stormy("a", ""));
        factory.apply();
        let before = factory.live();
        let weather =
            format!("failure_percent = 30\n lost_answer_percent = 15\n throttle_percent = 10\n seed = {seed}");
        factory.write("main.hcl", &stormy("b", &weather));
        // A look at reality may fail as well.
        let planned = (0..TRIES).find_map(|_| factory.try_plan(&PlanRequest::default()).ok()).expect("a plan");
        let failed = factory.apply_planned(planned);
        if failed.is_complete() {
            continue;
        }
        let went_back = (0..TRIES).any(|_| factory.try_rollback().is_some_and(|outcome| outcome.is_complete()));
        assert!(went_back, "with seed {seed}");
        factory.write("main.hcl", &stormy("a", ""));
        assert_eq!(factory.live(), before, "with seed {seed}");
        factory.assert_settled();
        assert_audited(&factory);
        taken_back += 1;
    }
    assert!(taken_back >= 3, "only {taken_back} runs failed");
}
