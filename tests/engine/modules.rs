//! Modules in modules, and what passes between them.

use formwork::workflow::StepDone;

use crate::factory::Factory;

#[test]
fn a_module_is_expanded_in_each_instance_of_the_one_that_calls_it() {
    let factory = Factory::new(
        r#"
        variable "keys" { default = ["x", "y"] }
        locals { keys = toset(var.keys) }
        module "outer" {
          source   = "./outer"
          for_each = local.keys
          key      = each.key
        }
        output "all" { value = { for key, outer in module.outer : key => outer.all } }
        "#,
    );
    factory.write(
        "outer/main.hcl",
        r#"
        variable "key" {}
        module "inner" {
          source = "./inner"
          count  = 2
          key    = "${var.key}${count.index}"
        }
        output "all" { value = module.inner[*].key }
        "#,
    );
    factory.write(
        "outer/inner/main.hcl",
        r#"
        variable "key" {}
        resource "terraform_data" "one" { input = var.key }
        output "key" { value = terraform_data.one.output }
        "#,
    );
    let outcome = factory.apply();
    assert_eq!(outcome.count(StepDone::Added), 4);
    let all = formwork_contract::json::to_plain(&outcome.outputs["all"].0);
    assert_eq!(all, serde_json::json!({"x": ["x0", "x1"], "y": ["y0", "y1"]}));
    assert_eq!(factory.destroy().count(StepDone::Destroyed), 4);
}

#[test]
fn a_blueprints_folder_of_ones_own_comes_first_and_adds_kinds() {
    let mut factory = Factory::new(
        r#"
        environment "dev" { target = "sandbox" }
        component "db" "main" { name = "x" }
        component "registry" "images" { name = component.db.main.url }
        output "id" { value = component.registry.images.id }
        "#,
    );
    factory.workspace.environment = Some("dev".into());
    for (kind, output, value) in [("db", "url", "db://${terraform_data.own.output}"), ("registry", "id", "${var.name}")]
    {
        let interface = format!("variable \"name\" {{ type = string }}\noutput \"{output}\" {{}}\n");
        factory.write(&format!("blueprints/{kind}/interface.hcl"), &interface);
        let body = format!(
            "variable \"name\" {{ type = string }}\nresource \"terraform_data\" \"own\" {{ input = var.name }}\noutput \"{output}\" {{ value = \"{value}\" }}\n"
        );
        factory.write(&format!("blueprints/{kind}/sandbox/main.hcl"), &body);
    }
    let outcome = factory.apply();
    assert_eq!(outcome.count(StepDone::Added), 2);
    assert_eq!(outcome.outputs["id"].0.as_str(), Some("db://x"));
}
