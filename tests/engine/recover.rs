//! The record is gone: what live objects tell of it, and what nobody can bring back.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use formwork::plan::model::{Action, Reason};
use formwork::workflow::{
    AcceptedLoss, ApplyRequest, Consent, CrashHow, CrashPoint, CrashWhen, Failure, Interrupt, PlanRequest,
    RecoverRequest, RecoverSummary, Recovered, Silent, Standing, StepDone, recover, recoverable, state_rm,
};

use crate::factory::{Factory, actions, told};
use crate::fake::Fake;

/// A factory in two forms: the second replaces, updates, creates and deletes.
fn blueprint(second: bool) -> String {
    let (image, size, machines, extra) =
        if second { ("ubuntu-24.04", "medium", 3, "new") } else { ("debian-12", "small", 2, "old") };
    format!(
        r#"
        resource "sandbox_network" "net" {{
          name       = "factory"
          cidr_block = "10.0.0.0/16"
          lifecycle {{ protect = true }}
        }}
        resource "sandbox_subnet" "sub" {{
          network_id = sandbox_network.net.id
          cidr_block = "10.0.1.0/24"
        }}
        resource "sandbox_machine" "worker" {{
          count     = {machines}
          name      = "worker-${{count.index}}"
          subnet_id = sandbox_subnet.sub.id
          image     = "debian-12"
          size      = "{size}"
        }}
        resource "sandbox_machine" "spared" {{
          name      = "spared"
          subnet_id = sandbox_subnet.sub.id
          image     = "{image}"
          lifecycle {{ create_before_destroy = true }}
        }}
        module "logs" {{
          source   = "./logs"
          for_each = toset(["{extra}", "kept"])
          name     = each.key
        }}
        output "ips" {{ value = sandbox_machine.worker[*].private_ip }}
        output "stores" {{
          value     = [for module in module.logs : module.id]
          sensitive = true
        }}
        "#
    )
}

const LOGS: &str = r#"
variable "name" { type = string }
resource "sandbox_log_store" "store" { name = var.name }
output "id" { value = sandbox_log_store.store.id }
"#;

fn factory() -> Factory {
    let factory = Factory::new(&blueprint(false));
    factory.write("logs/main.hcl", LOGS);
    factory
}

impl Factory {
    fn record(&self) -> PathBuf {
        self.path().join(".formwork/default/record.db")
    }

    fn lose_the_record(&self) {
        for suffix in ["", "-wal", "-shm"] {
            let mut name = self.record().into_os_string();
            name.push(suffix);
            let _ = std::fs::remove_file(name);
        }
        assert!(!self.record().exists());
    }

    fn try_recover(&self, request: &RecoverRequest, consent: Consent) -> Result<(RecoverSummary, Recovered), Failure> {
        let recoverable = self.block_on(recoverable(&self.workspace, request, &Silent))?;
        let summary = recoverable.summary.clone();
        Ok((summary, recover(&self.workspace, recoverable, consent)?))
    }

    fn recover(&self) -> RecoverSummary {
        let done = self.try_recover(&RecoverRequest::default(), Consent::Automatic);
        done.unwrap_or_else(|failed| panic!("not recovered: {failed}")).0
    }

    fn seen(&self, request: &RecoverRequest) -> RecoverSummary {
        let seen = self.block_on(recoverable(&self.workspace, request, &Silent));
        seen.unwrap_or_else(|failed| panic!("nothing to recover: {failed}")).summary.clone()
    }

    /// Nothing of a recovery lies about that was not carried out.
    fn assert_tidy(&self) {
        let files = std::fs::read_dir(self.path().join(".formwork/default")).expect("a folder").flatten();
        let left: Vec<String> = files.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
        assert!(!left.iter().any(|name| name.contains("recovering")), "{left:?}");
    }
}

#[test]
fn a_lost_record_is_rebuilt_and_the_plan_is_empty() {
    let factory = factory();
    factory.apply();
    factory.write("main.hcl", &blueprint(true));
    factory.apply();
    let (stood, live) = (factory.standing(), factory.live());
    factory.lose_the_record();
    let seen = factory.seen(&RecoverRequest::default());
    assert!(!factory.record().exists(), "a look writes nothing");
    factory.assert_tidy();
    assert_eq!(seen.standing, Standing::Missing);
    assert_eq!((seen.found.len(), seen.absent.len(), seen.outputs), (stood, 0, 2));
    assert!(seen.found.iter().all(|object| object.action == Action::NoOp && !object.undeclared), "{:?}", seen.found);
    assert_eq!(factory.recover(), seen, "what was shown is what is written");
    factory.assert_settled();
    factory.assert_tidy();
    assert_eq!((factory.standing(), factory.live()), (stood, live));
    // The record knows again what depends on what, and what is protected.
    let destroy = PlanRequest { destroy: true, ..PlanRequest::default() };
    let failed = factory.try_plan(&destroy).expect_err("the network is protected");
    assert!(told(&failed).contains("`sandbox_network.net`, which is protected"), "{}", told(&failed));
    factory.write("main.hcl", &blueprint(true).replace("lifecycle { protect = true }", ""));
    factory.apply();
    factory.destroy();
    assert_eq!(factory.standing(), 0);
}

#[test]
fn the_way_back_to_a_recovery_is_open() {
    let factory = factory();
    factory.apply();
    factory.lose_the_record();
    factory.recover();
    let live = factory.live();
    factory.write("main.hcl", &blueprint(true));
    factory.apply();
    assert_ne!(factory.live(), live);
    factory.rollback(Some(1));
    assert_eq!(factory.live(), live);
}

#[test]
fn what_a_died_run_made_is_found_wherever_it_died() {
    let (mut died, mut disputes) = (0, 0);
    for record in 1..60 {
        let factory = factory();
        factory.apply();
        factory.write("main.hcl", &blueprint(true));
        let crash = CrashPoint { record, when: CrashWhen::After, how: CrashHow::Abandon };
        let request = ApplyRequest {
            crash: Some(crash),
            accepted_losses: vec![AcceptedLoss::Everything],
            ..ApplyRequest::new(Consent::Automatic)
        };
        let outcome = factory
            .try_carry_out(factory.plan(), &request, &Silent, &Interrupt::default())
            .unwrap_or_else(|failed| panic!("not applied: {failed}"));
        if outcome.is_complete() {
            break;
        }
        died += 1;
        factory.lose_the_record();
        let seen = factory.seen(&RecoverRequest::default());
        let choose: Vec<_> = seen
            .disputed
            .iter()
            .map(|disputed| (disputed.address.clone(), disputed.candidates[0].id.clone()))
            .collect();
        disputes += choose.len();
        let request = RecoverRequest { choose, ..RecoverRequest::default() };
        factory
            .try_recover(&request, Consent::Automatic)
            .unwrap_or_else(|failed| panic!("died at {record}, not recovered: {failed}"));
        factory.apply();
        let standing = factory.standing_addresses();
        let distinct: BTreeSet<&String> = standing.iter().collect();
        assert_eq!((standing.len(), distinct.len()), (8, 8), "died at {record}: {standing:?}");
    }
    assert!(died > 5 && disputes > 0, "{died} runs died, {disputes} left two objects at one address");
}

#[test]
fn what_the_blueprint_does_not_have_is_kept_and_shown() {
    let factory = factory();
    factory.apply();
    factory.lose_the_record();
    let kept = r#"resource "sandbox_log_store" "other" { name = "other" }"#;
    factory.write("main.hcl", kept);
    let summary = factory.recover();
    assert_eq!(summary.undeclared().count(), 7);
    assert_eq!(summary.absent.len(), 1);
    let planned = factory.plan();
    let orphans = planned.plan.changes.iter().filter(|change| change.reason == Some(Reason::NotInBlueprint));
    assert!(orphans.clone().all(|change| change.action == Action::Delete));
    assert_eq!(orphans.count(), 7);
    // Their dependencies were told by the ids that they hold: the subnet goes after its machines.
    let outcome = factory.apply_planned(planned);
    assert!(outcome.is_complete(), "failed: {:?}", outcome.failed);
    assert_eq!(factory.standing_addresses(), ["sandbox_log_store.other"]);
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let factory = Factory::new(r#"resource "sandbox_log_store" "theirs" { name = "theirs" }"#);
    factory.apply();
    factory.write("main.hcl", r#"resource "sandbox_log_store" "ours" { name = "ours" }"#);
    factory.lose_the_record();
    let leave = |name: &str| RecoverRequest { leave: vec![name.into()], ..RecoverRequest::default() };
    let failed = factory.try_recover(&leave("sandbox_log_store.none"), Consent::Automatic).expect_err("there is none");
    assert!(told(&failed).contains("nothing that was found has the address or the id"), "{}", told(&failed));
    let request = leave("sandbox_log_store.theirs");
    let (summary, _) = factory.try_recover(&request, Consent::Automatic).expect("recovered");
    assert!(summary.found.is_empty());
    factory.apply();
    assert_eq!(factory.standing(), 2);
}

#[test]
fn of_two_objects_at_one_address_a_person_chooses() {
    let factory = Factory::new(
        r#"
        resource "sandbox_log_store" "logs" { name = "logs" }
        resource "sandbox_network" "net" {
          name       = "net"
          cidr_block = "10.0.0.0/16"
        }
        resource "sandbox_subnet" "sub" {
          network_id = sandbox_network.net.id
          cidr_block = "10.0.1.0/24"
        }
        resource "sandbox_machine" "web" {
          name      = "web"
          subnet_id = sandbox_subnet.sub.id
        }
        "#,
    );
    factory.apply();
    let all = std::fs::read_to_string(factory.path().join("main.hcl")).expect("a file");
    // Somebody lost the record and did not recover it: the machine was made twice.
    factory.lose_the_record();
    let standing = formwork_sandbox::control::list(&factory.path().join(".formwork/default")).expect("a list");
    let subnet = standing.iter().find(|object| object.type_name == "sandbox_subnet").expect("a subnet").id.clone();
    factory.write(
        "main.hcl",
        &format!("resource \"sandbox_machine\" \"web\" {{\n  name = \"web\"\n  subnet_id = \"{subnet}\"\n}}\n"),
    );
    factory.apply();
    factory.lose_the_record();
    factory.write("main.hcl", &all);
    let seen = factory.seen(&RecoverRequest::default());
    assert_eq!(seen.disputed.len(), 1);
    let disputed = &seen.disputed[0];
    assert!(!disputed.suggested && disputed.candidates.iter().all(|candidate| candidate.fits), "{disputed:?}");
    let failed = factory.try_recover(&RecoverRequest::default(), Consent::Automatic).expect_err("nobody chose");
    assert!(told(&failed).contains("2 live objects carry the owner tag of `sandbox_machine.web`"), "{}", told(&failed));
    assert!(!factory.record().exists());
    factory.assert_tidy();
    let (kept, old) = (disputed.candidates[1].id.clone(), disputed.candidates[0].id.clone());
    let request =
        RecoverRequest { choose: vec![(disputed.address.clone(), kept.clone())], ..RecoverRequest::default() };
    let (summary, _) = factory.try_recover(&request, Consent::Automatic).expect("recovered");
    let old_ones: Vec<_> = summary.found.iter().filter(|object| object.deposed).map(|object| &object.id).collect();
    assert_eq!(old_ones, [&old]);
    let planned = factory.plan();
    assert_eq!(actions(&planned.plan), ["delete sandbox_machine.web"]);
    let outcome = factory.apply_planned(planned);
    assert_eq!(outcome.count(StepDone::Destroyed), 1);
    let left = formwork_sandbox::control::list(&factory.path().join(".formwork/default")).expect("a list");
    let machines: Vec<_> = left.iter().filter(|object| object.type_name == "sandbox_machine").collect();
    assert_eq!((machines.len(), &*machines[0].id), (1, &*kept));
}

#[test]
fn an_object_without_its_tag_is_chosen_by_its_id() {
    let factory = Factory::new(r#"resource "sandbox_log_store" "logs" { name = "logs" }"#);
    let state = factory.path().join(".formwork/default");
    let made = formwork_sandbox::control::create(&state, "sandbox_log_store", &[("name".into(), "logs".into())]);
    let id = made.unwrap_or_else(|failed| panic!("{failed}")).id;
    assert_eq!(factory.seen(&RecoverRequest::default()).absent.len(), 1);
    let choose = |id: &str| RecoverRequest {
        choose: vec![("sandbox_log_store.logs".parse().expect("an address"), id.into())],
        ..RecoverRequest::default()
    };
    let failed = factory.try_recover(&choose("logs-0123"), Consent::Automatic).expect_err("there is none");
    assert!(told(&failed).contains("there is no `sandbox_log_store` with the id"), "{}", told(&failed));
    factory.try_recover(&choose(&id), Consent::Automatic).expect("recovered");
    factory.assert_settled();
    assert_eq!(factory.standing(), 1);
}

#[test]
fn what_only_the_record_held_is_named() {
    let factory = Factory::new(
        r#"
        resource "terraform_data" "once" { input = "x" }
        resource "sandbox_identity" "robot" {
          name                = "robot"
          password_wo         = "never told"
          password_wo_version = 1
        }
        output "id" { value = terraform_data.once.id }
        "#,
    );
    factory.apply();
    factory.lose_the_record();
    let recoverable = factory.block_on(recoverable(&factory.workspace, &RecoverRequest::default(), &Silent));
    let recoverable = recoverable.unwrap_or_else(|failed| panic!("{failed}"));
    let summary = recoverable.summary.clone();
    assert_eq!(summary.record_only.iter().map(ToString::to_string).collect::<Vec<_>>(), ["terraform_data.once"]);
    let secrets: Vec<_> = summary.secrets.iter().map(|secret| format!("{}.{}", secret.address, secret.path)).collect();
    assert_eq!(secrets, ["sandbox_identity.robot.password_wo"]);
    assert_eq!((summary.outputs, summary.unknown_outputs), (0, 1));
    assert!(recoverable.warnings.to_string().contains("makes anew what cannot be found again"));
    drop(recoverable);
    factory.recover();
    assert_eq!(actions(&factory.plan().plan), ["create terraform_data.once"]);
    factory.apply();
}

#[test]
fn a_sensitive_value_is_sealed_in_the_new_record() {
    let mut factory = Factory::new(
        r#"
        variable "note" {
          type      = string
          sensitive = true
        }
        resource "sandbox_log_store" "logs" {
          name = "logs"
          tags = { note = var.note }
        }
        "#,
    );
    factory.variable("note", "planted-secret-of-a-tag");
    factory.apply();
    factory.lose_the_record();
    factory.recover();
    factory.assert_settled();
    let bytes = std::fs::read(factory.record()).expect("a record");
    let holds = bytes.windows(14).any(|window| window == b"planted-secret");
    assert!(!holds, "the record tells it in clear");
}

#[test]
fn a_sound_record_is_not_written_over_and_a_damaged_one_is_set_aside() {
    let factory = factory();
    factory.apply();
    let failed = factory.try_recover(&RecoverRequest::default(), Consent::Automatic).expect_err("it is not lost");
    assert!(
        told(&failed).contains("is not lost") && told(&failed).contains("1 revision and 7 objects"),
        "{}",
        told(&failed)
    );
    // An empty one, as a plan makes it, is nobody's loss.
    factory.lose_the_record();
    let planned = factory.plan();
    assert!(planned.warnings.to_string().contains("would make 7 objects anew"), "{}", planned.warnings);
    drop(planned);
    assert!(factory.record().exists());
    assert_eq!(factory.recover().standing, Standing::Empty);
    factory.assert_settled();
    // Given up on purpose.
    let give_up = RecoverRequest { set_aside: true, ..RecoverRequest::default() };
    let (summary, recovered) = factory.try_recover(&give_up, Consent::Automatic).expect("recovered");
    assert_eq!(summary.standing, Standing::GivenUp { revisions: Some(1) });
    let aside = recovered.set_aside.expect("kept").0;
    assert!(aside.exists());
    factory.assert_settled();
    std::fs::remove_file(aside).expect("it goes");
    // Damaged.
    factory.lose_the_record();
    std::fs::write(factory.record(), b"this is not a database, and it is long enough to be read as one")
        .expect("written");
    let (summary, recovered) = factory.try_recover(&RecoverRequest::default(), Consent::Automatic).expect("recovered");
    assert!(matches!(summary.standing, Standing::Damaged(_)), "{:?}", summary.standing);
    let aside = recovered.set_aside.expect("kept").0;
    assert!(std::fs::read(aside).expect("the old file").starts_with(b"this is not"));
    factory.assert_settled();
    factory.assert_tidy();
}

#[test]
fn a_record_that_was_made_meanwhile_is_not_replaced() {
    let factory = factory();
    factory.apply();
    factory.lose_the_record();
    let recoverable = factory.block_on(recoverable(&factory.workspace, &RecoverRequest::default(), &Silent));
    let recoverable = recoverable.unwrap_or_else(|failed| panic!("{failed}"));
    drop(factory.plan());
    let failed = recover(&factory.workspace, recoverable, Consent::Automatic).expect_err("there is one now");
    assert!(told(&failed).contains("changed meanwhile"), "{}", told(&failed));
    factory.assert_tidy();
    factory.recover();
}

#[test]
fn nobody_recovers_alone_what_a_person_has_to_see() {
    let rules = "environment \"default\" {\n  approval { auto_approve = false }\n}\n";
    let factory = Factory::new(&format!("{rules}resource \"sandbox_log_store\" \"logs\" {{ name = \"logs\" }}\n"));
    let failed = factory.try_recover(&RecoverRequest::default(), Consent::Automatic).expect_err("the rules forbid it");
    assert!(told(&failed).contains("does not allow `--auto-approve`"), "{}", told(&failed));
    factory.try_recover(&RecoverRequest::default(), Consent::Person).expect("a person may");
    // From now on the rules are those of the recovered blueprint, whatever the next one says.
    factory.write("main.hcl", "resource \"sandbox_log_store\" \"logs\" { name = \"logs\" }\n");
    let failed = factory.try_apply(factory.plan()).expect_err("the rules of the recovery judge");
    assert!(told(&failed).contains("does not allow `--auto-approve`"), "{}", told(&failed));
}

#[test]
fn a_blueprint_that_nobody_committed_is_not_taken_unseen() {
    let git = |factory: &Factory, arguments: &[&str]| {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-C"];
        let ran = Command::new("git").args(identity).arg(factory.path()).args(arguments).output();
        ran.is_ok_and(|ran| ran.status.success())
    };
    let factory = factory();
    factory.apply();
    factory.write(".gitignore", ".formwork\n");
    if !(git(&factory, &["init", "-q"]) && git(&factory, &["add", "."]) && git(&factory, &["commit", "-qm", "a"])) {
        println!("skipped: there is no `git`");
        return;
    }
    factory.lose_the_record();
    factory.write("main.hcl", &format!("{}\n# nobody saw this\n", blueprint(false)));
    let failed = factory.try_recover(&RecoverRequest::default(), Consent::Automatic).expect_err("nobody committed it");
    assert!(told(&failed).contains("differs from its commit"), "{}", told(&failed));
    factory.write("main.hcl", &blueprint(false));
    factory.recover();
    factory.assert_settled();
}

#[test]
fn what_was_forgotten_on_purpose_is_found_again() {
    // The tag is the object's own: only reality tells, and a person leaves it out.
    let factory = Factory::new(r#"resource "sandbox_log_store" "logs" { name = "logs" }"#);
    factory.apply();
    state_rm(&factory.workspace, &"sandbox_log_store.logs".parse().expect("an address")).expect("forgotten");
    let give_up = RecoverRequest { set_aside: true, ..RecoverRequest::default() };
    let (summary, _) = factory.try_recover(&give_up, Consent::Automatic).expect("recovered");
    assert_eq!(summary.found.len(), 1);
    factory.assert_settled();
}

#[test]
fn a_provider_that_stands_on_a_resource_is_asked_once_that_is_found() {
    let factory = Factory::new(
        r#"
        resource "sandbox_log_store" "first" { name = "first" }
        provider "sandbox" {
          alias  = "later"
          region = sandbox_log_store.first.name == "first" ? "sandbox-2" : "sandbox-1"
        }
        resource "sandbox_log_store" "second" {
          provider = sandbox.later
          name     = "second"
        }
        "#,
    );
    factory.apply();
    factory.lose_the_record();
    let summary = factory.recover();
    let providers: Vec<_> = summary.found.iter().map(|object| object.provider.to_string()).collect();
    assert_eq!(providers, ["sandbox", "sandbox.later"]);
    factory.assert_settled();
}

#[test]
fn what_a_provider_cannot_look_for_is_named_and_taken_by_its_id() {
    let (factory, fake) = Fake::factory("resource \"fake_thing\" \"a\" {\n  name = \"one\"\n}\n");
    factory.apply();
    factory.lose_the_record();
    let seen = factory.seen(&RecoverRequest::default());
    assert_eq!(seen.untraceable.iter().map(ToString::to_string).collect::<Vec<_>>(), ["fake_thing.a"]);
    assert!(seen.found.is_empty() && seen.absent.is_empty());
    let request =
        RecoverRequest { choose: vec![(seen.untraceable[0].clone(), "id-1".into())], ..RecoverRequest::default() };
    let (summary, _) = factory.try_recover(&request, Consent::Automatic).expect("recovered");
    assert_eq!((summary.found.len(), summary.untraceable.len()), (1, 0));
    factory.assert_settled();
    assert_eq!(fake.world().standing(), 1, "nothing was made twice");
}
