//! Which provider serves what: by source, whatever its local names are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use formwork::graph::Wanted;
use formwork::live::Registry;
use formwork::workflow::{PluginSettings, providers};
use formwork_builtin::Builtin;
use formwork_contract::provider::{ConfiguredProvider, Context, Provider};
use formwork_contract::{Diagnostic, Diagnostics, ProviderSchema, Value};

use crate::factory::{Factory, actions};

/// How often each source was asked for its schema, and with which constraints it was wanted.
#[derive(Default)]
struct Asked {
    schemas: Mutex<BTreeMap<String, usize>>,
    constraints: Mutex<BTreeMap<String, Vec<String>>>,
}

/// Everything of `acme` is a provider that has `terraform_data`.
struct Acme(Arc<Asked>);

impl Registry for Acme {
    fn natives(&self) -> &[&str] {
        &["terraform", "sandbox"]
    }

    fn provider(&self, wanted: &Wanted) -> Result<Arc<dyn Provider>, Box<Diagnostic>> {
        let source = wanted.source.to_string();
        if !source.starts_with("acme/") {
            return providers(PluginSettings::default()).provider(wanted);
        }
        let mut constraints: Vec<String> = wanted.constraints.iter().map(|one| one.text.to_string()).collect();
        constraints.sort();
        self.0.constraints.lock().expect("no panic").insert(source.clone(), constraints);
        Ok(Arc::new(Counted { source, asked: Arc::clone(&self.0), inner: Builtin::new() }))
    }
}

struct Counted {
    source: String,
    asked: Arc<Asked>,
    inner: Builtin,
}

#[async_trait]
impl Provider for Counted {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn version(&self) -> Option<&str> {
        Some("1.2.3")
    }

    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        *self.asked.schemas.lock().expect("no panic").entry(self.source.clone()).or_default() += 1;
        self.inner.schema().await
    }

    async fn configure(&self, config: Value, context: Context) -> Result<Arc<dyn ConfiguredProvider>, Diagnostics> {
        self.inner.configure(config, context).await
    }
}

fn factory(blueprint: &str) -> (Factory, Arc<Asked>) {
    let asked = Arc::new(Asked::default());
    let mut factory = Factory::new(blueprint);
    factory.workspace.registry = Arc::new(Acme(Arc::clone(&asked)));
    (factory, asked)
}

/// Each object and the provider that serves it.
fn served(factory: &Factory) -> Vec<String> {
    let planned = factory.plan();
    let changes = planned.plan.changes.iter();
    let mut served: Vec<String> =
        changes.map(|change| format!("{} by {}", change.address, change.kind.origin.source)).collect();
    served.sort();
    served
}

const NAMES: &str = r#"
terraform {
  required_providers {
    one = {
      source  = "acme/one"
      version = "~> 1.0"
    }
    same = { source = "registry.terraform.io/acme/one" }
    two  = { source = "acme/two" }
  }
}
provider "one" { alias = "west" }
resource "terraform_data" "a" { provider = one }
resource "terraform_data" "b" { provider = same }
resource "terraform_data" "c" { provider = one.west }
resource "terraform_data" "d" { provider = two }
module "other" { source = "./other" }
"#;

/// Calls `one` what the root calls `two`, and asks more of what the root calls `one`.
const OTHER: &str = r#"
terraform {
  required_providers {
    one   = { source = "acme/two" }
    first = {
      source  = "acme/one"
      version = "< 2"
    }
    third = { source = "acme/three" }
  }
}
resource "terraform_data" "e" { provider = one }
resource "terraform_data" "f" { provider = first }
resource "terraform_data" "g" { provider = third }
"#;

#[test]
fn local_names_mean_what_each_module_says_they_mean() {
    let (factory, asked) = factory(NAMES);
    factory.write("other/main.hcl", OTHER);
    factory.apply();
    let expected = [
        "module.other.terraform_data.e by acme/two",
        "module.other.terraform_data.f by acme/one",
        "module.other.terraform_data.g by acme/three",
        "terraform_data.a by acme/one",
        "terraform_data.b by acme/one",
        "terraform_data.c by acme/one",
        "terraform_data.d by acme/two",
    ];
    assert_eq!(served(&factory), expected);
    assert_eq!(asked.constraints.lock().expect("no panic")["acme/one"], ["< 2", "~> 1.0"]);
}

#[test]
fn a_schema_is_fetched_once_however_many_configurations_there_are() {
    let aliases: String = (0..50)
        .map(|number| {
            format!(
                "provider \"one\" {{ alias = \"a{number}\" }}\nresource \"terraform_data\" \"r{number}\" {{ provider = one.a{number} }}\n"
            )
        })
        .collect();
    let required = "terraform {\n  required_providers {\n    one = { source = \"acme/one\" }\n  }\n}\n";
    let (factory, asked) = factory(&format!("{required}{aliases}"));
    assert_eq!(actions(&factory.plan().plan).len(), 50);
    assert_eq!(asked.schemas.lock().expect("no panic")["acme/one"], 1);
}

#[test]
fn what_the_blueprint_forgot_is_deleted_by_the_provider_that_made_it() {
    let (factory, _) = factory(NAMES);
    factory.write("other/main.hcl", OTHER);
    factory.apply();
    // `one` means another provider now, `two` none at all.
    factory.write(
        "main.hcl",
        r#"
        terraform {
          required_providers {
            one = { source = "acme/three" }
          }
        }
        resource "terraform_data" "new" { provider = one }
        "#,
    );
    let expected = [
        "module.other.terraform_data.e by acme/two",
        "module.other.terraform_data.f by acme/one",
        "module.other.terraform_data.g by acme/three",
        "terraform_data.a by acme/one",
        "terraform_data.b by acme/one",
        "terraform_data.c by acme/one",
        "terraform_data.d by acme/two",
        "terraform_data.new by acme/three",
    ];
    assert_eq!(served(&factory), expected);
    factory.apply();
    assert_eq!(served(&factory), ["terraform_data.new by acme/three"]);
}
