//! Grades of changes with their reasons, the blast radius of a plan, and what `--exclude` and `--target` leave out.

use formwork::plan::blast::BlastRadius;
use formwork::plan::json::to_terraform_json;
use formwork::plan::model::Risk;
use formwork::workflow::{PlanRequest, StepDone};

use crate::factory::{Factory, actions, told};

const REGISTRY: &str = r#"
variable "name" { default = "images" }
resource "sandbox_registry" "main" { name = var.name }
resource "terraform_data" "user" { input = sandbox_registry.main.id }
resource "terraform_data" "users_user" { input = terraform_data.user.id }
resource "terraform_data" "apart" { input = 1 }
"#;

#[test]
fn losing_data_is_critical_and_the_radius_names_what_depends_on_it() {
    let mut factory = Factory::new(REGISTRY);
    let planned = factory.plan();
    assert!(planned.plan.changes.iter().all(|change| change.risk == Risk::Low));
    assert_eq!(BlastRadius::of(&planned.plan.changes).grade, Risk::Low);
    factory.apply_planned(planned);
    factory.variable("name", "pictures");
    let planned = factory.plan();
    let json = to_terraform_json(&planned.plan);
    let radius = &json["formwork"]["blast_radius"];
    assert_eq!(radius["grade"], "critical");
    assert_eq!(radius["stateless"], serde_json::json!(["sandbox_registry.main"]));
    assert_eq!(radius["indirect"], serde_json::json!(["terraform_data.users_user"]));
    assert_eq!(radius["because"], serde_json::json!(["1 object loses the data that it holds"]));
    let reasons = &json["resource_changes"][0]["formwork"]["reasons"];
    let names: Vec<&str> = reasons.as_array().expect("reasons").iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["replaces", "loses_data", "depended_on"]);
}

#[test]
fn taking_most_of_what_stands_down_is_critical_whatever_it_is() {
    let factory = Factory::new("resource \"terraform_data\" \"many\" {\n  count = 6\n  input = count.index\n}\n");
    factory.apply();
    factory.write("main.hcl", "resource \"terraform_data\" \"many\" {\n  count = 4\n  input = count.index\n}\n");
    assert_eq!(BlastRadius::of(&factory.plan().plan.changes).grade, Risk::High);
    factory.write("main.hcl", "resource \"terraform_data\" \"many\" {\n  count = 1\n  input = count.index\n}\n");
    let planned = factory.plan();
    let radius = BlastRadius::of(&planned.plan.changes);
    assert_eq!(radius.grade, Risk::Critical);
    assert_eq!(radius.because, ["5 objects of the 6 that stand are deleted or replaced"]);
}

fn request(excludes: &[&str], targets: &[&str], destroy: bool) -> PlanRequest {
    let focus = |names: &[&str]| names.iter().map(|name| name.parse().expect("an address")).collect();
    PlanRequest { excludes: focus(excludes), targets: focus(targets), destroy, ..PlanRequest::default() }
}

const CHAIN: &str = r#"
variable "form" { default = "1" }
resource "terraform_data" "first" { input = var.form }
resource "terraform_data" "second" {
  count = 2
  input = "${terraform_data.first.output}-${var.form}"
}
resource "terraform_data" "third" { input = "${terraform_data.second[0].output}-${var.form}" }
resource "terraform_data" "apart" { input = var.form }
output "third" { value = terraform_data.third.output }
"#;

fn left(names: &[formwork_contract::Str]) -> Vec<&str> {
    names.iter().map(|name| &**name).collect()
}

#[test]
fn what_is_excluded_stays_and_so_does_what_depends_on_it() {
    let mut factory = Factory::new(CHAIN);
    factory.apply();
    factory.variable("form", "2");
    let planned = factory.try_plan(&request(&["terraform_data.second"], &[], false)).expect("a plan");
    assert_eq!(actions(&planned.plan), ["update terraform_data.apart", "update terraform_data.first"]);
    assert_eq!(left(&planned.plan.left_out.excluded), ["terraform_data.second"]);
    assert_eq!(left(&planned.plan.left_out.dependents), ["terraform_data.third"]);
    let kept = factory.through_file(planned);
    assert_eq!(left(&kept.plan.left_out.dependents), ["terraform_data.third"]);
    let outcome = factory.apply_planned(kept);
    assert!(outcome.is_complete(), "{:?}", outcome.failed);
    assert_eq!(outcome.count(StepDone::Changed), 2);
    assert_eq!(actions(&factory.plan().plan).len(), 3, "the rest is still to be done");

    let one = factory.try_plan(&request(&["terraform_data.second[1]"], &[], false)).expect("a plan");
    assert_eq!(actions(&one.plan), ["update terraform_data.second[0]"], "the other instance is planned");
}

#[test]
fn a_destroy_keeps_what_is_excluded_and_what_that_stands_on() {
    let factory = Factory::new(CHAIN);
    factory.apply();
    let planned = factory.try_plan(&request(&["terraform_data.second"], &[], true)).expect("a plan");
    assert_eq!(actions(&planned.plan), ["delete terraform_data.apart", "delete terraform_data.third"]);
    assert_eq!(left(&planned.plan.left_out.needed), ["terraform_data.first"]);
    assert!(factory.apply_planned(planned).is_complete());
    // What the blueprint forgot, and something excluded was built on, stays too.
    factory.write("main.hcl", "");
    let planned = factory.try_plan(&request(&["terraform_data.second"], &[], false)).expect("a plan");
    assert_eq!(actions(&planned.plan), <[String; 0]>::default());
    assert_eq!(left(&planned.plan.left_out.needed), ["terraform_data.first"]);
}

#[test]
fn a_target_tells_which_dependents_are_left_behind() {
    let mut factory = Factory::new(CHAIN);
    factory.apply();
    factory.variable("form", "2");
    let planned = factory.try_plan(&request(&[], &["terraform_data.first"], false)).expect("a plan");
    assert_eq!(left(&planned.plan.left_out.dependents), ["terraform_data.second", "terraform_data.third"]);
    let both =
        factory.try_plan(&request(&["terraform_data.second"], &["terraform_data.third"], false)).expect("a plan");
    assert_eq!(actions(&both.plan), ["update terraform_data.first"], "what the target needs, without what is excluded");
}

#[test]
fn what_is_excluded_has_to_be_there() {
    let factory = Factory::new(CHAIN);
    let failed = factory.try_plan(&request(&["terraform_data.secnd"], &[], false)).expect_err("misspelt");
    assert!(told(&failed).contains("did you mean `terraform_data.second`?"), "{}", told(&failed));
}
