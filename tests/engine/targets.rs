//! `--target` and `--replace`: a plan confined to a part of the blueprint.

use formwork::workflow::{PlanRequest, StepDone, outputs};

use crate::factory::{Factory, actions, told};

const CHAIN: &str = r#"
variable "form" { default = "1" }
resource "terraform_data" "first" { input = var.form }
resource "terraform_data" "many" {
  count = 3
  input = "${terraform_data.first.output}-${count.index}"
}
resource "terraform_data" "user" { input = terraform_data.many[0].id }
resource "terraform_data" "apart" { input = var.form }
output "many" { value = terraform_data.many[1].output }
output "apart" { value = terraform_data.apart.output }
"#;

fn target(names: &[&str], destroy: bool) -> PlanRequest {
    let targets = names.iter().map(|name| name.parse().expect("an address")).collect();
    PlanRequest { targets, destroy, ..PlanRequest::default() }
}

#[test]
fn a_target_can_be_applied_before_anything_else_stands() {
    let factory = Factory::new(CHAIN);
    let planned = factory.try_plan(&target(&["terraform_data.apart"], false)).expect("a plan");
    assert_eq!(actions(&planned.plan), ["create terraform_data.apart"]);
    let outcome = factory.apply_planned(planned);
    assert!(outcome.is_complete(), "{:?}", outcome.failed);
    assert_eq!(outcome.outputs.keys().map(|name| &**name).collect::<Vec<_>>(), ["apart"]);
}

#[test]
fn a_target_with_a_key_leaves_the_other_instances_alone() {
    let mut factory = Factory::new(CHAIN);
    factory.apply();
    factory.variable("form", "2");
    let planned = factory.try_plan(&target(&["terraform_data.many[1]"], false)).expect("a plan");
    assert_eq!(actions(&planned.plan), ["update terraform_data.first", "update terraform_data.many[1]"]);
    let kept = factory.through_file(planned);
    assert!(factory.apply_planned(kept).is_complete());
    let rest = factory.plan();
    assert_eq!(
        actions(&rest.plan),
        ["update terraform_data.apart", "update terraform_data.many[0]", "update terraform_data.many[2]"]
    );
    drop(rest);
    let outcome = factory.apply();
    assert_eq!(outcome.count(StepDone::Changed), 3);
}

#[test]
fn a_target_leaves_outputs_of_others_as_they_were() {
    let lists = "resource \"terraform_data\" \"a\" {\n  count = 1\n}\nresource \"terraform_data\" \"b\" {\n  count = 1\n}\n\
                 output \"a\" { value = terraform_data.a[*].id }\noutput \"b\" { value = terraform_data.b[*].id }\n";
    let factory = Factory::new(lists);
    let planned = factory.try_plan(&target(&["terraform_data.a"], false)).expect("a plan");
    let outcome = factory.apply_planned(planned);
    assert_eq!(outcome.outputs.keys().map(|name| &**name).collect::<Vec<_>>(), ["a"], "not an empty list for `b`");
    factory.apply();
    factory.write("main.hcl", "resource \"terraform_data\" \"a\" {\n  count = 2\n}\n");
    let planned = factory.try_plan(&target(&["terraform_data.a"], false)).expect("a plan");
    assert!(factory.apply_planned(planned).is_complete());
    let kept = outputs(&factory.workspace).expect("the record can be read");
    assert!(kept.contains_key("b"), "it goes with the whole");
    factory.apply();
    assert!(outputs(&factory.workspace).expect("the record can be read").is_empty());
}

#[test]
fn what_the_blueprint_no_longer_has_can_be_a_target() {
    let factory =
        Factory::new("resource \"terraform_data\" \"a\" {}\nresource \"terraform_data\" \"b\" {\n  count = 2\n}\n");
    factory.apply();
    factory.write("main.hcl", "resource \"terraform_data\" \"c\" {}\n");
    let planned = factory.try_plan(&target(&["terraform_data.b"], false)).expect("a plan");
    assert_eq!(actions(&planned.plan), ["delete terraform_data.b[0]", "delete terraform_data.b[1]"]);
    assert!(factory.apply_planned(planned).is_complete());
    assert_eq!(actions(&factory.plan().plan), ["create terraform_data.c", "delete terraform_data.a"]);
    let error = told(&factory.try_plan(&target(&["terraform_data.b"], false)).expect_err("nothing is named so"));
    assert!(error.contains("the blueprint has no `terraform_data.b`"), "{error}");
}

#[test]
fn destroying_one_instance_leaves_the_others_standing() {
    let factory = Factory::new(CHAIN);
    factory.apply();
    let planned = factory.try_plan(&target(&["terraform_data.many[1]"], true)).expect("a plan");
    assert_eq!(actions(&planned.plan), ["delete terraform_data.many[1]", "delete terraform_data.user"]);
    assert!(factory.apply_planned(planned).is_complete());
    assert_eq!(factory.apply().count(StepDone::Added), 2);
}

#[test]
fn an_instance_of_a_module_can_be_a_target() {
    let factory = Factory::new("module \"m\" {\n  source = \"./m\"\n  count = 2\n}\n");
    factory.write("m/main.hcl", "resource \"terraform_data\" \"one\" { input = 1 }\n");
    factory.apply();
    let planned = factory.try_plan(&target(&["module.m[1]"], true)).expect("a plan");
    assert_eq!(actions(&planned.plan), ["delete module.m[1].terraform_data.one"]);
}

#[test]
fn what_is_to_be_replaced_must_be_there() {
    let factory = Factory::new(CHAIN);
    factory.apply();
    let replace = |name: &str| PlanRequest { replace: vec![name.parse().expect("an address")], ..Default::default() };
    let failed = factory.try_plan(&replace("terraform_data.many")).expect_err("it has instances");
    assert!(told(&failed).contains("there is no `terraform_data.many` to replace"), "{}", told(&failed));
    let planned = factory.try_plan(&replace("terraform_data.many[2]")).expect("a plan");
    assert_eq!(actions(&planned.plan), ["delete/create terraform_data.many[2]"]);
}

#[test]
fn an_output_that_fails_once_everything_is_known_fails_the_apply() {
    let factory = Factory::new(
        r#"
        resource "terraform_data" "text" { input = "not a number" }
        output "number" { value = tonumber(terraform_data.text.output) }
        output "text" { value = terraform_data.text.output }
        "#,
    );
    let outcome = factory.apply_planned(factory.plan());
    assert!(!outcome.is_complete());
    assert!(outcome.failed[0].to_string().contains("tonumber"), "{:?}", outcome.failed);
    assert!(outcome.outputs.contains_key("text"), "the others are kept");
}
