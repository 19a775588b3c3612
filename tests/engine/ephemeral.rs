//! Ephemeral values: where they go, and that nothing keeps them.

use formwork::workflow::PlanRequest;
use formwork_sandbox::control;

use crate::factory::{Factory, actions, told};
use crate::secrets::assert_hidden;

const BLUEPRINT: &str = r#"
variable "secret" {
  type      = string
  ephemeral = true
}
variable "round" { default = 1 }
resource "sandbox_registry" "images" { name = "images" }
ephemeral "sandbox_registry_token" "pull" {
  count       = 2
  registry_id = sandbox_registry.images.id
  access      = count.index == 0 ? "pull" : "push"
  lifecycle {
    postcondition {
      condition     = self.password != ""
      error_message = "A password is needed."
    }
  }
}
module "passwords" {
  source = "./passwords"
  secret = var.secret
  token  = ephemeral.sandbox_registry_token.pull[0]
}
resource "sandbox_identity" "early" {
  name                = "early"
  kind                = "person"
  password_wo         = var.secret
  password_wo_version = var.round
}
resource "sandbox_identity" "late" {
  name                = "late"
  kind                = "person"
  password_wo         = module.passwords.joined
  password_wo_version = var.round
}
"#;

const PASSWORDS: &str = r#"
variable "secret" { ephemeral = true }
variable "token" { ephemeral = true }
locals { joined = "${var.secret}-${var.token.username}" }
output "joined" {
  value     = local.joined
  ephemeral = true
}
"#;

fn factory() -> Factory {
    let mut factory = Factory::new(BLUEPRINT);
    factory.write("passwords/main.hcl", PASSWORDS);
    factory.variable("secret", "planted-one");
    factory
}

impl Factory {
    fn state(&self) -> std::path::PathBuf {
        self.path().join(".formwork/default")
    }

    fn signs_in(&self, address: &str, password: &str) -> bool {
        control::signs_in(&self.state(), address, password).expect("an identity")
    }

    /// How many tokens were given out; all of them must be taken back.
    fn closed_tokens(&self) -> usize {
        let tokens = control::tokens(&self.state()).expect("a list");
        assert!(tokens.iter().all(|token| !token.is_open), "left open: {tokens:?}");
        tokens.len()
    }
}

#[test]
fn what_is_ephemeral_reaches_write_only_attributes_and_no_file() {
    let mut factory = factory();
    let planned = factory.plan();
    assert_eq!(actions(&planned.plan).len(), 3, "ephemeral resources are no changes");
    assert_eq!(factory.closed_tokens(), 0, "the registry is not there yet");
    assert!(factory.apply_planned(planned).is_complete());
    assert!(factory.signs_in("sandbox_identity.early", "planted-one"));
    assert!(factory.signs_in("sandbox_identity.late", "planted-one-pull-token"));
    assert_eq!(factory.closed_tokens(), 2, "opened late, by the step that needs them");
    assert_hidden(&factory, "applied");

    factory.assert_settled();
    assert_eq!(factory.closed_tokens(), 4, "opened to plan");
    factory.variable("secret", "planted-two");
    factory.assert_settled();
    factory.variable("round", "2");
    let planned = factory.plan();
    assert_eq!(actions(&planned.plan), ["update sandbox_identity.early", "update sandbox_identity.late"]);
    let opened = factory.closed_tokens();
    assert!(factory.apply_planned(planned).is_complete());
    assert_eq!(factory.closed_tokens(), opened + 2, "opened anew to apply");
    assert!(factory.signs_in("sandbox_identity.late", "planted-two-pull-token"));
    assert!(!factory.signs_in("sandbox_identity.early", "planted-one"));
    assert_hidden(&factory, "changed");
    factory.destroy();
    factory.closed_tokens();
    assert_hidden(&factory, "destroyed");
}

#[test]
fn a_plan_file_asks_for_ephemeral_variables_again() {
    let mut factory = factory();
    let file = factory.path().join("kept.plan");
    formwork::workflow::save_plan(&factory.plan(), &file).unwrap_or_else(|failed| panic!("{failed}"));
    assert_hidden(&factory, "planned");
    factory.workspace.variables.clear();
    let failed = factory.try_open(&file).expect_err("not given again");
    assert!(told(&failed).contains("`secret` must be given again"), "{}", told(&failed));
    factory.variable("secret", "planted-later");
    let planned = factory.try_open(&file).unwrap_or_else(|failed| panic!("{failed}"));
    let outcome = factory.apply_planned(planned);
    assert!(outcome.is_complete(), "{:?}", outcome.failed);
    assert!(factory.signs_in("sandbox_identity.early", "planted-later"));
    assert_hidden(&factory, "applied");
    factory.variable("round", "2");
    factory.apply();
    factory.rollback(None);
    assert!(factory.signs_in("sandbox_identity.early", "planted-later"));
    assert_hidden(&factory, "rolled back");
}

#[test]
fn a_provider_is_configured_by_what_is_ephemeral_and_open() {
    let factory = Factory::new("resource \"sandbox_registry\" \"images\" { name = \"images\" }\n");
    factory.apply();
    factory.write(
        "main.hcl",
        r#"
        resource "sandbox_registry" "images" { name = "images" }
        ephemeral "sandbox_registry_token" "key" { registry_id = sandbox_registry.images.id }
        provider "sandbox" {
          alias  = "far"
          region = ephemeral.sandbox_registry_token.key.access
        }
        resource "sandbox_network" "net" {
          provider   = sandbox.far
          name       = "far"
          cidr_block = "10.0.0.0/16"
        }
        output "path" { value = sandbox_network.net.path }
        "#,
    );
    let outcome = factory.apply();
    assert!(outcome.outputs["path"].0.as_str().is_some_and(|path| path.starts_with("sandbox:pull:network/")));
    let opened = factory.closed_tokens();
    factory.destroy();
    assert!(factory.closed_tokens() > opened, "the provider is configured to destroy, too");
    assert_eq!(factory.standing(), 0);
}

#[test]
fn what_was_opened_is_closed_when_the_run_fails() {
    let factory = Factory::new("resource \"sandbox_registry\" \"images\" { name = \"images\" }\n");
    factory.apply();
    let opened = |after: &str| {
        format!(
            "resource \"sandbox_registry\" \"images\" {{ name = \"images\" }}\n\
             ephemeral \"sandbox_registry_token\" \"key\" {{ registry_id = sandbox_registry.images.id }}\n{after}"
        )
    };
    factory.write(
        "main.hcl",
        &opened(
            r#"
            locals { checked = ephemeral.sandbox_registry_token.key.password }
            ephemeral "sandbox_registry_token" "other" {
              registry_id = sandbox_registry.images.id
              lifecycle {
                precondition {
                  condition     = local.checked == "never"
                  error_message = "Not this one."
                }
              }
            }
            "#,
        ),
    );
    let failed = factory.try_plan(&PlanRequest::default()).expect_err("the condition does not hold");
    assert!(told(&failed).contains("Not this one."), "{}", told(&failed));
    assert_eq!(factory.closed_tokens(), 1);
    factory.write("main.hcl", &opened("resource \"sandbox_identity\" \"one\" { name = \"one\" }\n"));
    let clash = "resource \"sandbox_identity\" \"two\" { name = \"one\" }\n";
    factory.apply();
    factory.write("main.hcl", &opened(&format!("resource \"sandbox_identity\" \"one\" {{ name = \"one\" }}\n{clash}")));
    let outcome = factory.apply_planned(factory.plan());
    assert_eq!(outcome.failed.len(), 1, "a name is given once: {:?}", outcome.failed);
    factory.closed_tokens();
}

#[test]
fn an_ephemeral_resource_that_cannot_be_opened_stops_the_run() {
    let factory = Factory::new(
        "ephemeral \"sandbox_registry_token\" \"key\" { registry_id = \"registry-none\" }\n\
         resource \"sandbox_identity\" \"one\" { name = \"one\" }\n",
    );
    let failed = factory.try_plan(&PlanRequest::default()).expect_err("no such registry");
    let text = told(&failed);
    assert!(text.contains("There is no `sandbox_registry` with the id `registry-none`."), "{text}");
}
