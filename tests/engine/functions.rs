//! Functions of providers, wherever an expression may stand.

use formwork::workflow::{PlanRequest, console};
use formwork_contract::Value;

use crate::factory::{Factory, actions, told};

const BLUEPRINT: &str = r#"
terraform {
  required_providers {
    cloud = { source = "formwork/sandbox" }
  }
}
variable "tag" {
  default = null
  validation {
    condition     = provider::cloud::image_reference("host", "app", var.tag) != "host/app:bad"
    error_message = "That tag is no good."
  }
}
provider "cloud" { region = provider::cloud::parse_path("sandbox:eu-1:network/net-1").region }
resource "sandbox_registry" "images" {
  provider = cloud
  name     = "images"
}
locals { parts = provider::cloud::parse_path(sandbox_registry.images.path) }
resource "terraform_data" "image" {
  input = provider::cloud::image_reference(sandbox_registry.images.url, "team/app", var.tag)
}
output "image" { value = terraform_data.image.output }
output "parts" { value = local.parts }
module "inner" { source = "./inner" }
output "inner" { value = module.inner.region }
"#;

const INNER: &str = r#"
terraform {
  required_providers {
    inner = { source = "formwork/sandbox" }
  }
}
output "region" { value = provider::inner::parse_path("sandbox:us-1:network/net-1").region }
"#;

fn factory() -> Factory {
    let factory = Factory::new(BLUEPRINT);
    factory.write("inner/main.hcl", INNER);
    factory
}

#[test]
fn a_function_of_a_provider_is_called_in_plan_and_apply() {
    let factory = factory();
    let planned = factory.plan();
    assert_eq!(actions(&planned.plan), ["create sandbox_registry.images", "create terraform_data.image"]);
    assert!(planned.plan.outputs["parts"].after.is_unknown(), "the path is known after apply");
    drop(planned);
    let outcome = factory.apply();
    assert_eq!(outcome.outputs["image"].0, Value::from("images.registry.sandbox.invalid/team/app:latest"));
    assert_eq!(outcome.outputs["parts"].0.get_str("region"), Some("eu-1"));
    assert_eq!(outcome.outputs["inner"].0, Value::from("us-1"));
}

#[test]
fn a_plan_file_is_applied_with_the_same_calls() {
    let factory = factory();
    let outcome = factory.apply_planned(factory.through_file(factory.plan()));
    assert!(outcome.is_complete(), "failed: {:?}", outcome.failed);
    factory.assert_settled();
}

#[test]
fn a_refusal_is_told_at_the_argument() {
    let mut factory = factory();
    factory.variable("tag", "no tag");
    let failed = told(&factory.try_plan(&PlanRequest::default()).expect_err("refused"));
    assert!(failed.contains("The argument `tag` of `provider::cloud::image_reference`"), "{failed}");
    factory.workspace.variables.clear();
    factory.variable("tag", "bad");
    let failed = told(&factory.try_plan(&PlanRequest::default()).expect_err("not valid"));
    assert!(failed.contains("That tag is no good."), "{failed}");
}

/// The command line runs on several threads, and so on another way to wait for a provider.
#[test]
fn a_console_calls_functions_of_providers_that_the_blueprint_declares() {
    let factory = factory();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let silent = formwork::workflow::Silent;
        let mut console = console(&factory.workspace, &silent).await.unwrap_or_else(|failed| panic!("{failed}"));
        let value = console.evaluate("provider::cloud::parse_path(\"sandbox:a:b/c\").service").await;
        assert_eq!(value.unwrap_or_else(|failed| panic!("{failed}")), Value::from("b"));
        let failed = told(&console.evaluate("provider::clod::parse_path(\"\")").await.expect_err("not declared"));
        assert!(failed.contains("did you mean `cloud`?"), "{failed}");
    });
}
