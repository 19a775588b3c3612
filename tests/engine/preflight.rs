//! `--preflight`: grades of changes, and refusals before anything is done.

use formwork::plan::json::to_terraform_json;
use formwork::workflow::PlanRequest;
use formwork_contract::provider::PreflightGrade;

use crate::factory::{Factory, actions, told};

fn preflight() -> PlanRequest {
    PlanRequest { preflight: true, ..PlanRequest::default() }
}

const NETWORKS: &str = r#"
resource "sandbox_network" "net" {
  name       = "one"
  cidr_block = "10.0.0.0/16"
}
resource "sandbox_subnet" "nodes" {
  network_id = sandbox_network.net.id
  cidr_block = "10.0.1.0/24"
}
resource "terraform_data" "note" { input = "x" }
"#;

#[test]
fn each_change_has_the_grade_of_what_could_be_checked_and_a_plan_file_keeps_it() {
    let factory = Factory::new(NETWORKS);
    let planned = factory.try_plan(&preflight()).unwrap_or_else(|failed| panic!("no plan: {failed}"));
    let grades = |plan: &formwork::plan::Plan| -> Vec<(String, Option<PreflightGrade>)> {
        plan.changes.iter().map(|change| (change.address.to_string(), change.preflight)).collect()
    };
    let expected = [
        ("sandbox_network.net", PreflightGrade::Server),
        ("sandbox_subnet.nodes", PreflightGrade::Permission),
        ("terraform_data.note", PreflightGrade::Schema),
    ]
    .map(|(address, grade)| (address.to_owned(), Some(grade)));
    assert_eq!(grades(&planned.plan), expected);
    let json = to_terraform_json(&planned.plan);
    assert_eq!(json["resource_changes"][0]["formwork"]["preflight"], "server");
    let kept = factory.through_file(planned);
    assert_eq!(grades(&kept.plan), expected);
    assert_eq!(factory.standing(), 0, "nothing was done");
    assert!(factory.apply_planned(kept).is_complete());
    assert!(factory.plan().plan.changes.iter().all(|change| change.preflight.is_none()), "nobody asked");
}

#[test]
fn what_would_be_refused_is_an_error_of_the_plan_and_nothing_is_done() {
    let provider = |settings: &str| format!("provider \"sandbox\" {{\n  {settings}\n}}\n{NETWORKS}");
    for (settings, code, address) in [
        ("forbidden = [\"create sandbox_subnet\"]", "AccessDenied", "sandbox_subnet.nodes"),
        ("quota = { sandbox_subnet = 0 }", "QuotaExceeded", "sandbox_subnet.nodes"),
    ] {
        let factory = Factory::new(&provider(settings));
        let failed = factory.try_plan(&preflight()).expect_err("it would be refused");
        let text = told(&failed);
        let named =
            failed.diagnostics.iter().any(|told| told.address.as_ref().is_some_and(|at| at.to_string() == address));
        assert!(text.contains(code) && named, "{text}");
        assert_eq!(factory.standing(), 0);
        // It is true: without the check, the apply is what finds it.
        let outcome = factory.apply_planned(factory.plan());
        assert!(outcome.failed.iter().any(|told| told.to_string().contains(code)), "{:?}", outcome.failed);
    }
    let twice = NETWORKS.replace("resource \"terraform_data\"", "resource \"sandbox_network\" \"again\" {\n  name = \"one\"\n  cidr_block = \"10.1.0.0/16\"\n}\nresource \"terraform_data\"");
    let factory = Factory::new(&twice);
    let failed = factory.try_plan(&preflight()).expect_err("both have one name");
    assert!(told(&failed).contains("NameAlreadyExists"), "{}", told(&failed));
}

#[test]
fn what_makes_room_for_another_is_no_error() {
    let head = "provider \"sandbox\" {\n  quota = { sandbox_network = 1 }\n}\n";
    let network = |block: &str, cidr: &str| {
        format!("{head}resource \"sandbox_network\" \"{block}\" {{\n  name = \"one\"\n  cidr_block = \"{cidr}\"\n}}\n")
    };
    let factory = Factory::new(&network("net", "10.0.0.0/16"));
    factory.apply();
    // Its range cannot change in place: the old one goes first, and leaves its name and its place.
    factory.write("main.hcl", &network("net", "10.1.0.0/16"));
    let planned = factory.try_plan(&preflight()).unwrap_or_else(|failed| panic!("no plan: {failed}"));
    assert_eq!(actions(&planned.plan), ["delete/create sandbox_network.net"]);
    assert_eq!(planned.plan.changes[0].preflight, Some(PreflightGrade::Permission));
    assert!(factory.apply_planned(planned).is_complete());
}
