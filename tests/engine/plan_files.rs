//! Plans that are kept in a file, and what stands in the way of applying them.

use formwork::workflow::{PlanRequest, Planned, StepDone};

use crate::factory::{Factory, actions};

const EVERYTHING: &str = r#"
variable "size" { default = "small" }
variable "secret" {
  default   = "hidden-word"
  sensitive = true
}
variable "names" {
  type    = set(string)
  default = ["a", "b"]
}
data "sandbox_images" "debian" { filter = "debian" }
resource "sandbox_network" "net" {
  name       = "one"
  cidr_block = "10.0.0.0/16"
  tags       = { size = var.size }
}
resource "sandbox_subnet" "sub" {
  for_each   = var.names
  network_id = sandbox_network.net.id
  cidr_block = "10.0.${each.key == "a" ? 1 : 2}.0/24"
  tags       = { id = sandbox_network.net.id }
}
data "sandbox_network" "again" {
  name       = sandbox_network.net.name
  depends_on = [sandbox_subnet.sub]
}
resource "sandbox_machine" "web" {
  for_each  = var.names
  name      = each.key
  subnet_id = sandbox_subnet.sub[each.key].id
  size      = var.size
  image     = data.sandbox_images.debian.images[0].name
  user_data = "password=${var.secret}"
}
resource "terraform_data" "old_first" {
  input            = { secret = var.secret, id = sandbox_machine.web["a"].id }
  triggers_replace = var.size
}
resource "terraform_data" "new_first" {
  input            = [for machine in sandbox_machine.web : machine.private_ip]
  triggers_replace = var.size
  lifecycle { create_before_destroy = true }
}
output "cidr" { value = data.sandbox_network.again.cidr_block }
output "secret" {
  value     = "x${var.secret}"
  sensitive = true
}
"#;

/// Writes the plan, opens the file, and applies what it says.
fn apply_kept(factory: &Factory, planned: Planned) {
    let wanted = actions(&planned.plan);
    let opened = factory.through_file(planned);
    assert_eq!(actions(&opened.plan), wanted);
    let outcome = factory.apply_planned(opened);
    assert!(outcome.is_complete(), "failed: {:?}", outcome.failed);
}

#[test]
fn a_kept_plan_is_applied_as_it_was_made() {
    let mut factory = Factory::new(EVERYTHING);
    apply_kept(&factory, factory.plan());
    factory.assert_settled();
    let moved = EVERYTHING.replace("\"old_first\"", "\"renamed\"")
        + "\nmoved {\n  from = terraform_data.old_first\n  to = terraform_data.renamed\n}\n";
    factory.write("main.hcl", &moved);
    factory.variable("size", "large");
    apply_kept(&factory, factory.plan());
    factory.assert_settled();
    for target in ["terraform_data.new_first", "sandbox_machine.web[\"a\"]"] {
        let request = PlanRequest { replace: vec![target.parse().expect("an address")], ..PlanRequest::default() };
        apply_kept(&factory, factory.try_plan(&request).expect("a plan"));
        factory.assert_settled();
    }
    apply_kept(&factory, factory.rollback_planned(Some(1)));
    factory.workspace.variables.clear();
    factory.write("main.hcl", EVERYTHING);
    factory.assert_settled();
    let destroy = PlanRequest { destroy: true, ..PlanRequest::default() };
    apply_kept(&factory, factory.try_plan(&destroy).expect("a plan"));
    assert_eq!(factory.standing(), 0);
    apply_kept(&factory, factory.rollback_planned(None));
    factory.assert_settled();
}

#[test]
fn drift_in_what_a_plan_touches_is_refused_by_name() {
    let mut factory = Factory::new(EVERYTHING);
    factory.apply();
    factory.variable("size", "large");
    let opened = factory.through_file(factory.plan());
    factory.drift("sandbox_machine.web[\"a\"]", "size", "medium");
    let outcome = factory.apply_planned(opened);
    let told: Vec<String> = outcome.failed.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(outcome.failed[0].summary.contains("`sandbox_machine.web[\"a\"]` changed since the plan was made"));
    assert!(told[0].contains("`size` was \"small\" and is \"medium\""), "{told:?}");
}

#[test]
fn drift_in_what_a_plan_leaves_alone_is_not_in_the_way() {
    let factory = Factory::new(EVERYTHING);
    factory.apply();
    factory.write("main.hcl", &EVERYTHING.replace("tags       = { size", "tags       = { more = 1, size"));
    let opened = factory.through_file(factory.plan());
    factory.drift("sandbox_machine.web[\"a\"]", "size", "medium");
    let outcome = factory.apply_planned(opened);
    assert!(outcome.is_complete(), "failed: {:?}", outcome.failed);
    assert_eq!(outcome.count(StepDone::Changed), 1);
}

#[test]
fn a_plan_that_sees_drift_opens_as_it_was_made() {
    let factory = Factory::new(EVERYTHING);
    factory.apply();
    factory.drift("sandbox_network.net", "tags.size", "odd");
    factory.vanish("sandbox_machine.web[\"b\"]");
    apply_kept(&factory, factory.plan());
    factory.assert_settled();
}
