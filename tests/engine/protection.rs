//! Protected objects: they outlive their blocks, and go only with a signed override; and what `--exclude` leaves out.

use std::path::PathBuf;
use std::process::Command;

use formwork::plan::model::Risk;
use formwork::workflow::{OverrideRequest, PlanRequest, StepDone, rollback_plan, state_mv, state_rm, write_override};

use crate::factory::{Factory, actions, told};

const KEPT: &str = r#"
resource "sandbox_network" "net" {
  name       = "one"
  cidr_block = "10.0.0.0/16"
  lifecycle { protect = true }
}
"#;
const BARE: &str =
    "resource \"sandbox_network\" \"net\" {\n  name       = \"one\"\n  cidr_block = \"10.0.0.0/16\"\n}\n";
const ADDRESS: &str = "sandbox_network.net";

fn destroy() -> PlanRequest {
    PlanRequest { destroy: true, ..PlanRequest::default() }
}

fn refused(factory: &Factory, request: &PlanRequest) -> String {
    let failed = factory.try_plan(request).expect_err("it is protected");
    let text = told(&failed);
    assert!(text.contains(&format!("`{ADDRESS}`, which is protected")), "{text}");
    text
}

#[test]
fn protection_survives_the_removal_of_the_block_and_a_removed_block() {
    let factory = Factory::new(KEPT);
    factory.apply();
    assert!(refused(&factory, &destroy()).contains("would destroy"));
    factory.write("main.hcl", "");
    assert!(refused(&factory, &PlanRequest::default()).contains("would destroy"));
    factory.write("main.hcl", "removed {\n  from = sandbox_network.net\n  lifecycle { destroy = false }\n}\n");
    assert!(refused(&factory, &PlanRequest::default()).contains("would forget"));
    factory.write("main.hcl", &KEPT.replace("10.0", "10.1"));
    assert!(refused(&factory, &PlanRequest::default()).contains("would replace"));
    let failed = state_rm(&factory.workspace, &ADDRESS.parse().expect("an address")).expect_err("it is protected");
    assert!(told(&failed).contains("it is protected"), "{}", told(&failed));
    assert_eq!(factory.standing(), 1);
}

#[test]
fn protection_goes_with_a_plan_of_its_own() {
    let factory = Factory::new(KEPT);
    factory.apply();
    factory.write("main.hcl", BARE);
    // In the same plan it still holds: for what replaces and for what destroys.
    assert!(refused(&factory, &destroy()).contains("holds from the next plan on"));
    let lifted = factory.plan();
    let change = &lifted.plan.changes[0];
    assert!(change.protection.is_lifted() && change.risk == Risk::High, "{change:?}");
    assert!(!lifted.plan.is_empty(), "somebody has to consent to it");
    let lifted = factory.through_file(lifted);
    assert!(factory.apply_planned(lifted).is_complete());
    assert!(factory.plan().plan.is_empty());
    factory.write("main.hcl", "");
    assert_eq!(actions(&factory.plan().plan), ["delete sandbox_network.net"]);
}

#[test]
fn an_environment_protects_by_type_and_address_and_instances_that_count_no_longer_gives() {
    let blueprint = |count: usize, protect: &str| {
        format!(
            "environment \"dev\" {{\n  {protect}\n}}\nresource \"sandbox_network\" \"many\" {{\n  count = {count}\n  \
             name = \"n-${{count.index}}\"\n  cidr_block = \"10.${{count.index}}.0.0/16\"\n}}\n"
        )
    };
    let by_type = "protect { resources = [\"sandbox_network\"] }";
    let mut factory = Factory::new(&blueprint(2, by_type));
    factory.workspace.environment = Some("dev".into());
    factory.apply();
    for protect in [by_type, "", "protect { resources = [\"sandbox_network.many[0]\"] }"] {
        factory.write("main.hcl", &blueprint(1, protect));
        let failed = factory.try_plan(&PlanRequest::default()).expect_err("it is protected");
        assert!(
            told(&failed).contains("`sandbox_network.many[1]`, which is protected"),
            "{protect}: {}",
            told(&failed)
        );
    }
    // What is protected from now on is a change of the record alone.
    factory.write("main.hcl", &blueprint(2, "protect { resources = [\"*.many[1]\"] }"));
    let planned = factory.plan();
    let after: Vec<bool> = planned.plan.changes.iter().map(|change| change.protection.planned).collect();
    assert_eq!(after, [false, true]);
    assert!(factory.apply_planned(planned).is_complete());
    factory.write("main.hcl", &blueprint(1, ""));
    assert!(factory.try_plan(&PlanRequest::default()).is_err());
}

#[test]
fn protection_moves_with_the_object() {
    let factory = Factory::new(KEPT);
    factory.apply();
    let address = |text: &str| text.parse().expect("an address");
    state_mv(&factory.workspace, &address(ADDRESS), &address("sandbox_network.other")).expect("moved");
    factory.write("main.hcl", "");
    let failed = factory.try_plan(&PlanRequest::default()).expect_err("it is protected");
    assert!(told(&failed).contains("`sandbox_network.other`, which is protected"), "{}", told(&failed));
}

#[test]
fn what_is_gone_from_reality_needs_no_override() {
    let factory = Factory::new(KEPT);
    factory.apply();
    factory.vanish(ADDRESS);
    factory.write("main.hcl", "");
    assert_eq!(actions(&factory.plan().plan), ["forget sandbox_network.net"]);
}

#[test]
fn a_protect_block_is_checked_with_the_plan_and_by_validate() {
    for (block, told_of) in [
        ("protect { resource = [\"a\"] }", "Unknown attribute `resource`"),
        ("protect { resources = 5 }", "`resources` must be"),
        ("protect { }", "protects nothing"),
    ] {
        let mut factory = Factory::new(&format!("environment \"dev\" {{\n  {block}\n}}\n"));
        factory.workspace.environment = Some("dev".into());
        let failed = factory.try_plan(&PlanRequest::default()).expect_err("a mistake");
        assert!(told(&failed).contains(told_of), "{}", told(&failed));
        let failed = factory.validated().expect_err("a mistake");
        assert!(told(&failed).contains(told_of), "{}", told(&failed));
    }
    let mut factory =
        Factory::new(&format!("environment \"dev\" {{\n  protect {{ resources = [\"sandbox_netwrk\"] }}\n}}\n{BARE}"));
    factory.workspace.environment = Some("dev".into());
    let warned = factory.plan();
    assert!(warned.plan.warnings.iter().any(|told| told.summary.contains("`sandbox_netwrk` protects nothing")));
}

/// A key of ssh-keygen and the line that allows it; `None` where there is no ssh-keygen.
fn key(factory: &Factory, name: &str) -> Option<(PathBuf, String)> {
    let file = factory.path().join(name);
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&file).status();
    if !made.is_ok_and(|status| status.success()) {
        return None;
    }
    let public = std::fs::read_to_string(file.with_extension("pub")).expect("a public key");
    Some((file, format!("{name}@example.com {public}")))
}

fn sign(key: &PathBuf, namespace: &str, file: &PathBuf) {
    let _ = std::fs::remove_file(format!("{}.sig", file.display()));
    let signed =
        Command::new("ssh-keygen").args(["-q", "-Y", "sign", "-n", namespace, "-f"]).arg(key).arg(file).output();
    assert!(signed.expect("ssh-keygen runs").status.success());
}

fn write(factory: &Factory, until: &str) -> PathBuf {
    let out = factory.path().join("override.json");
    let request = OverrideRequest {
        addresses: vec![ADDRESS.parse().expect("an address")],
        reason: "moved to eu-2".into(),
        until: until.into(),
        out: out.clone(),
    };
    write_override(&factory.workspace, &request).unwrap_or_else(|failed| panic!("not written: {failed}"));
    out
}

#[test]
fn a_signed_override_lets_a_protected_object_go_and_any_other_does_not() {
    let head = "environment \"dev\" {\n  approval { allowed_signers = \"allowed\" }\n}\n";
    let mut factory = Factory::new(&format!("{head}{KEPT}"));
    factory.workspace.environment = Some("dev".into());
    let (Some((ada, allowed)), Some((eve, eves))) = (key(&factory, "ada"), key(&factory, "eve")) else {
        return println!("skipped: there is no ssh-keygen to sign with");
    };
    factory.write("allowed", &allowed);
    factory.apply();
    // A blueprint cannot name the judges of its own plan.
    factory.write("allowed", &format!("{allowed}{eves}"));
    let file = write(&factory, "2023-12-24");
    let request = PlanRequest { destroy: true, overrides: vec![file.clone()], ..PlanRequest::default() };
    let fails = |factory: &Factory, because: &str| {
        let failed = factory.try_plan(&request).expect_err("it does not hold");
        assert!(told(&failed).contains(because), "{because}: {}", told(&failed));
    };
    fails(&factory, "No signature `override.json.sig` lies beside it");
    sign(&eve, "formwork.override", &file);
    fails(&factory, "no line of the allowed signers");
    sign(&ada, "formwork.plan", &file);
    fails(&factory, "for the namespace `formwork.plan`");
    sign(&ada, "formwork.override", &file);
    let text = std::fs::read_to_string(&file).expect("the override");
    std::fs::write(&file, text.replace("eu-2", "eu-3")).expect("altered");
    fails(&factory, "for other bytes");
    std::fs::write(&file, text.replace("\"dev\"", "\"prod\"")).expect("altered");
    sign(&ada, "formwork.override", &file);
    fails(&factory, "for the environment `prod`");
    std::fs::write(&file, &text).expect("restored");
    sign(&ada, "formwork.override", &file);
    let now_ms = factory.workspace.now_ms;
    factory.workspace.now_ms += 100 * 24 * 3_600_000;
    fails(&factory, "It held until 2023-12-24");
    factory.workspace.now_ms = now_ms;

    let planned = factory.try_plan(&request).unwrap_or_else(|failed| panic!("no plan: {failed}"));
    let change = &planned.plan.changes[0];
    assert_eq!(change.risk, Risk::Critical);
    let overridden = change.protection.overridden.clone().expect("an override");
    assert_eq!((&*overridden.signer, &*overridden.reason), ("ada@example.com", "moved to eu-2"));
    // A kept plan is judged again when it is opened.
    let kept = factory.path().join("late.plan");
    formwork::workflow::save_plan(&planned, &kept).expect("kept");
    drop(planned);
    factory.workspace.now_ms += 100 * 24 * 3_600_000;
    let late = factory.try_open(&kept).expect_err("the override is over");
    assert!(told(&late).contains("It held until"), "{}", told(&late));
    factory.workspace.now_ms = now_ms;
    let kept = factory.try_open(&kept).unwrap_or_else(|failed| panic!("not opened: {failed}"));
    let outcome = factory.apply_planned(kept);
    assert_eq!(outcome.count(StepDone::Destroyed), 1);
    assert_eq!(factory.standing(), 0);
}

#[test]
fn a_rollback_takes_no_protected_object_away() {
    let factory = Factory::new("");
    factory.write("main.hcl", "resource \"terraform_data\" \"first\" { input = 1 }\n");
    factory.apply();
    factory.write("main.hcl", &format!("resource \"terraform_data\" \"first\" {{ input = 1 }}\n{KEPT}"));
    factory.apply();
    let failed = factory
        .block_on(rollback_plan(&factory.workspace, Some(1), &formwork::workflow::Silent))
        .expect_err("it is protected");
    assert!(told(&failed).contains("which is protected"), "{}", told(&failed));
}

#[test]
fn a_broken_run_takes_its_own_protected_objects_back_and_leaves_the_others_protected() {
    let factory = Factory::new(KEPT);
    factory.apply();
    let before = factory.live();
    let more = r#"
        release { on_failure = "rollback" }
        provider "sandbox" { quota = { sandbox_subnet = 1 } }
        resource "sandbox_network" "more" {
          name       = "more"
          cidr_block = "10.2.0.0/16"
          tags       = { after = sandbox_network.net.id }
          lifecycle { protect = true }
        }
        resource "sandbox_subnet" "many" {
          count      = 2
          network_id = sandbox_network.more.id
          cidr_block = "10.2.${count.index}.0/24"
        }
    "#;
    let changed = KEPT.replace("name       =", "tags       = { changed = \"yes\" }\n  name       =");
    factory.write("main.hcl", &format!("{changed}{more}"));
    let failed = factory.apply_planned(factory.plan());
    assert!(!failed.is_complete(), "there is room for one subnet");
    assert_ne!(factory.live(), before);
    assert!(factory.roll_back(&failed).is_complete());
    assert_eq!(factory.live(), before);
    refused(&factory, &destroy());
}

#[test]
fn an_override_counts_only_by_a_key_that_may_sign_overrides() {
    for (options, revoked, because) in [
        ("namespaces=\"formwork.plan\" ", false, "for other namespaces"),
        ("", true, "revoked"),
        ("namespaces=\"formwork.*\" ", false, ""),
    ] {
        let rules = if revoked { "revoked_keys = \"ada.pub\"" } else { "" };
        let head = format!(
            "environment \"dev\" {{\n  approval {{\n    allowed_signers = \"allowed\"\n    {rules}\n  }}\n}}\n"
        );
        let mut factory = Factory::new(&format!("{head}{KEPT}"));
        factory.workspace.environment = Some("dev".into());
        let Some((ada, allowed)) = key(&factory, "ada") else {
            return println!("skipped: there is no ssh-keygen to sign with");
        };
        factory.write("allowed", &allowed.replacen(' ', &format!(" {options}"), 1));
        factory.apply();
        let file = write(&factory, "2023-12-24");
        sign(&ada, "formwork.override", &file);
        let request = PlanRequest { destroy: true, overrides: vec![file], ..PlanRequest::default() };
        match factory.try_plan(&request) {
            Ok(planned) => assert!(because.is_empty(), "{options}{revoked}: {:?}", planned.plan.changes),
            Err(failed) => {
                assert!(!because.is_empty() && told(&failed).contains(because), "{because}: {}", told(&failed));
            }
        }
    }
}

#[test]
fn approvals_are_asked_for_by_the_grade_of_the_whole_plan() {
    let head = |risk: &str| {
        format!(
            "environment \"dev\" {{\n  approval {{\n    allowed_signers = \"allowed\"\n    group \"owners\" {{}}\n    \
             require \"owners\" {{ risk = \"{risk}\" }}\n  }}\n}}\n"
        )
    };
    let many = |count: usize| {
        format!(
            "resource \"sandbox_network\" \"many\" {{\n  count = {count}\n  name = \"n-${{count.index}}\"\n  \
             cidr_block = \"10.${{count.index}}.0.0/16\"\n}}\n"
        )
    };
    for (risk, before, after) in
        [("high", KEPT.to_owned(), BARE.to_owned()), ("critical", many(6), many(1)), ("critical", many(6), many(5))]
    {
        let mut factory = Factory::new(&format!("{}{before}", head(risk)));
        factory.workspace.environment = Some("dev".into());
        let Some((_, allowed)) = key(&factory, "ada") else {
            return println!("skipped: there is no ssh-keygen to make a key with");
        };
        factory.write("allowed", &allowed);
        factory.apply();
        factory.write("main.hcl", &format!("{}{after}", head(risk)));
        let planned = factory.plan();
        let asked = planned.plan.header.approval.required.len();
        // One of six is a change of high risk, five of six are more than that together.
        assert_eq!(asked, usize::from(after != many(5)), "{after}: {:?}", planned.plan.header.approval);
        assert_eq!(factory.try_apply(planned).is_err(), asked == 1);
    }
}
