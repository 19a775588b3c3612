//! Folders, modules, components and environments.

use formwork_contract::{Mode, Type};

use super::{files, load_all, loaded, problems, rendered};
use crate::blueprint::model::{IgnoreChanges, Repeat, Target};
use crate::blueprint::sources::Sources;
use crate::blueprint::{LoadOptions, load, parse_tfvars};

#[test]
fn a_resource_keeps_its_parts() {
    let blueprint = loaded(
        r#"
resource "terraform_data" "a" {
  count      = 2
  input      = "x"
  depends_on = [terraform_data.b, module.m]
  provider   = aws.west
  lifecycle {
    create_before_destroy = true
    ignore_changes        = [input, tags["a"]]
    precondition {
      condition     = true
      error_message = "no"
    }
  }
  rule {
    port = 1
  }
  dynamic "rule" {
    for_each = [2]
    content {
      port = rule.value
    }
  }
}
data "terraform_data" "b" {}
"#,
    );
    let first = &blueprint.root.resources[0];
    assert!(matches!(first.repeat, Repeat::Count(_)));
    assert_eq!(first.config.attributes.len(), 1);
    assert_eq!(first.depends_on.len(), 2);
    assert_eq!(first.provider.as_ref().and_then(|provider| provider.alias.as_deref()), Some("west"));
    assert_eq!(first.lifecycle.create_before_destroy, Some(true));
    assert_eq!(first.lifecycle.preconditions.len(), 1);
    assert!(matches!(&first.lifecycle.ignore_changes, IgnoreChanges::Attributes(attributes) if attributes.len() == 2));
    assert_eq!(blueprint.sources.text(first.span), "resource \"terraform_data\" \"a\"");
    let [plain, dynamic] = &first.config.blocks[..] else { panic!("two blocks") };
    assert!(plain.dynamic.is_none());
    assert_eq!(&*dynamic.dynamic.as_ref().expect("a dynamic block").iterator, "rule");
    assert_eq!(blueprint.root.resources[1].mode, Mode::Data);
}

#[test]
fn a_provider_may_be_called_null() {
    let blueprint = loaded(
        "provider \"null\" {\n  alias = \"west\"\n}\nresource \"null_resource\" \"a\" {\n  provider = null.west\n}\nresource \"null_resource\" \"b\" {\n  provider = null\n}\n",
    );
    let of = |number: usize| blueprint.root.resources[number].provider.as_ref().expect("a provider");
    assert_eq!((&*of(0).name, of(0).alias.as_deref()), ("null", Some("west")));
    assert_eq!((&*of(1).name, of(1).alias.as_deref()), ("null", None));
}

#[test]
fn types_are_read_with_their_defaults() {
    let blueprint = loaded(
        "variable \"x\" {\n  type = map(object({ a = string, b = optional(number, 2), c = optional(list(bool)) }))\n  sensitive = true\n  nullable = false\n}\nvariable \"old\" {\n  type = \"string\"\n}\n",
    );
    let variable = &blueprint.root.variables["x"];
    assert_eq!(variable.ty.to_string(), "map(object({ a = string, b = optional(number), c = optional(list(bool)) }))");
    assert!(variable.sensitive && !variable.nullable);
    let element = variable.optional_defaults.element.as_ref().expect("defaults of the elements");
    assert!(element.attributes.contains_key("b") && !element.attributes.contains_key("c"));
    assert_eq!(blueprint.root.variables["old"].ty, Type::String);
}

#[test]
fn what_moved_and_went_is_known() {
    let blueprint = loaded(
        r#"
moved {
  from = a.b[0]
  to   = module.m["k"].a.b
}
removed {
  from = module.old
  lifecycle {
    destroy = false
  }
}
import {
  to = a.b["x"]
  id = "i-1"
}
"#,
    );
    let Target::Resource(to) = &blueprint.root.moved[0].to else { panic!("a resource") };
    assert_eq!(to.to_string(), "module.m[\"k\"].a.b");
    assert!(!blueprint.root.removed[0].destroy);
    assert_eq!(&*blueprint.root.imports[0].to.root, "a");
}

#[test]
fn modules_are_read_once_and_shared() {
    let (blueprint, _) = load_all(&[
        (
            "main.tf",
            "module \"a\" {\n  source = \"./m\"\n  x = 1\n}\nmodule \"b\" {\n  source = \"./m/../m\"\n  x = 2\n}\n",
        ),
        ("m/main.tf", "variable \"x\" {}\n"),
    ])
    .unwrap_or_else(|failure| panic!("{failure}"));
    let [a, b] = &blueprint.root.calls[..] else { panic!("two calls") };
    assert!(std::sync::Arc::ptr_eq(&a.module, &b.module));
    assert_eq!(&*a.module.dir, "m");
}

#[test]
fn calls_are_compared_with_what_is_called() {
    assert_eq!(
        problems(&[
            ("main.tf", "module \"a\" {\n  source = \"./m\"\n  zie = 1\n}\n"),
            ("m/main.tf", "variable \"size\" {}\nvariable \"zine\" {\n  default = 1\n}\n"),
        ]),
        [
            "There is no variable `zie` in what is called @ main.tf:3:3",
            "The required variable `size` is not given @ main.tf:1:1, m/main.tf:1:1",
        ]
    );
    assert_eq!(
        problems(&[("main.tf", "module \"a\" {\n  source = \"./m\"\n}\n")]),
        ["The folder `m` does not exist @ main.tf:2:12"]
    );
}

#[test]
fn a_module_that_calls_itself_is_refused() {
    assert_eq!(
        problems(&[
            ("main.tf", "module \"a\" {\n  source = \"./a\"\n}\n"),
            ("a/main.tf", "module \"b\" {\n  source = \"../b\"\n}\n"),
            ("b/main.tf", "module \"a\" {\n  source = \"../a\"\n}\n"),
        ]),
        ["The module `a` calls itself @ b/main.tf:2:12, a/main.tf:2:12, main.tf:2:12"]
    );
}

const ENVIRONMENTS: &str = "environment \"dev\" {\n  target = \"sandbox\"\n  variables = { size = 1 }\n  approval {\n    required = 1\n  }\n}\nenvironment \"prod\" {\n  target = \"aws\"\n}\nvariable \"size\" {}\n";

fn for_environment(name: Option<&str>, texts: &[(&str, &str)]) -> Result<String, Vec<String>> {
    let options = LoadOptions { environment: name.map(Into::into), ..LoadOptions::default() };
    match load(files(texts), &options) {
        Ok((blueprint, _)) => Ok(blueprint.environment.to_string()),
        Err(failure) => Err(failure.diagnostics.iter().map(ToString::to_string).collect()),
    }
}

#[test]
fn an_environment_is_chosen() {
    let texts = [("main.hcl", ENVIRONMENTS)];
    assert_eq!(for_environment(Some("prod"), &texts), Ok("prod".into()));
    let none = for_environment(None, &texts).expect_err("two environments");
    assert!(none[0].contains("It declares `dev`, `prod`."), "{none:?}");
    let slip = for_environment(Some("prd"), &texts).expect_err("a slip");
    assert!(slip[0].contains("did you mean `prod`?"), "{slip:?}");
    assert_eq!(for_environment(None, &[("main.tf", "environment \"only\" {}\n")]), Ok("only".into()));
    assert_eq!(for_environment(None, &[("main.tf", "locals {}\n")]), Ok("default".into()));
    assert!(for_environment(Some("dev"), &[("main.tf", "locals {}\n")]).is_err());
}

#[test]
fn an_environment_sets_declared_variables_only() {
    let text = "variable \"size\" {}\nenvironment \"dev\" {\n  variables = { sise = 1 }\n}\n";
    assert_eq!(
        problems(&[("main.tf", text)]),
        ["The environment `dev` sets `sise`, which is not a variable @ main.tf:3:17"]
    );
}

const COMPONENT: &str =
    "component \"box\" \"main\" {\n  size = 3\n}\nenvironment \"dev\" {\n  target = \"sandbox\"\n}\n";
const INTERFACE: &str = "variable \"size\" {\n  type = number\n}\nvariable \"label\" {\n  type = string\n  default = \"x\"\n}\noutput \"id\" {\n  type = string\n}\n";
const IMPLEMENTATION: &str = "variable \"size\" {\n  type = number\n}\nvariable \"label\" {\n  type = string\n}\noutput \"id\" {\n  value = var.size\n}\n";

#[test]
fn a_component_takes_the_implementation_of_the_target() {
    let (blueprint, _) = load_all(&[
        ("main.hcl", COMPONENT),
        ("blueprints/box/interface.hcl", INTERFACE),
        ("blueprints/box/sandbox/main.hcl", IMPLEMENTATION),
    ])
    .unwrap_or_else(|failure| panic!("{failure}"));
    let call = &blueprint.root.calls[0];
    assert_eq!(&*call.module.dir, "blueprints/box/sandbox");
    assert_eq!(call.component.as_deref(), Some("box"));
    assert!(call.module.variables["label"].default.is_some(), "the interface's default");
}

#[test]
fn a_component_that_does_not_fit_names_both_places() {
    let with = |implementation: &str, target: &str| {
        problems(&[
            ("main.hcl", COMPONENT),
            ("blueprints/box/interface.hcl", INTERFACE),
            (&format!("blueprints/box/{target}/main.hcl"), implementation),
        ])
    };
    assert_eq!(
        with(IMPLEMENTATION, "aws"),
        ["The component `box` has no implementation for the target `sandbox` @ main.hcl:1:1, main.hcl:5:12"]
    );
    let broken = "The implementation `sandbox` of the component `box` breaks its interface";
    assert_eq!(
        with(&IMPLEMENTATION.replace("number", "bool"), "sandbox"),
        [format!("{broken} @ blueprints/box/sandbox/main.hcl:1:1, blueprints/box/interface.hcl:1:1")]
    );
    assert_eq!(
        with(&IMPLEMENTATION.replace("\"id\"", "\"di\""), "sandbox"),
        [format!("{broken} @ blueprints/box/interface.hcl:8:1, main.hcl:1:1")]
    );
    assert_eq!(
        with(&format!("{IMPLEMENTATION}variable \"extra\" {{}}\n"), "sandbox"),
        [format!("{broken} @ blueprints/box/sandbox/main.hcl:10:1, main.hcl:1:1")]
    );
    assert_eq!(problems(&[("main.hcl", COMPONENT)]), ["There is no component `box` @ main.hcl:1:11"]);
}

#[test]
fn what_was_read_loads_again_from_its_snapshot() {
    let texts = [
        ("main.hcl", COMPONENT),
        ("blueprints/box/interface.hcl", INTERFACE),
        ("blueprints/box/sandbox/main.hcl", IMPLEMENTATION),
        ("unrelated.txt", "x"),
    ];
    let (blueprint, _) = load_all(&texts).unwrap_or_else(|failure| panic!("{failure}"));
    let snapshot = blueprint.files.snapshot();
    assert!(!snapshot.contains_key("unrelated.txt"));
    let again = crate::blueprint::files::Files::from_snapshot(snapshot);
    let again = load(std::sync::Arc::new(again), &LoadOptions::default());
    assert_eq!(again.unwrap_or_else(|failure| panic!("{:?}", rendered(&failure))).0.root.calls.len(), 1);
}

#[test]
fn values_are_read_from_hcl_and_json() {
    let mut sources = Sources::default();
    let hcl = parse_tfvars(b"a = 1\nb = [\"x\"]\n", "x.tfvars", &mut sources).expect("values");
    assert_eq!(sources.text(hcl[1].value.span), "[\"x\"]");
    let json = parse_tfvars(b"{\"a\": 1}", "x.tfvars.json", &mut sources).expect("values");
    assert_eq!(&*json[0].name, "a");
    assert!(parse_tfvars(b"a {\n}\n", "x.tfvars", &mut sources).is_err());
    assert!(parse_tfvars(b"{\n\"a\": }", "x.json", &mut sources).is_err());
}

#[test]
fn twenty_thousand_resources_are_read() {
    let text: String = (0..20_000)
        .map(|at| format!("resource \"terraform_data\" \"r{at}\" {{\n  input = \"${{var.x}}-{at}\"\n}}\n"))
        .collect();
    let blueprint = loaded(&text);
    assert_eq!(blueprint.root.resources.len(), 20_000);
    let last = &blueprint.root.resources[19_999];
    assert_eq!(blueprint.sources.position(last.span), Some((59_998, 1)));
}
