//! The components and examples of this repository load, and fit the schema of the sandbox.

use std::path::Path;
use std::sync::Arc;

use formwork::blueprint::files::Files;
use formwork::blueprint::{Blueprint, LoadOptions, load};

fn loaded(example: &str, environment: Option<&str>) -> Blueprint {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example);
    let options = LoadOptions { environment: environment.map(Into::into), ..LoadOptions::default() };
    match load(Arc::new(Files::on_disk(root)), &options) {
        Ok((blueprint, warnings)) => {
            assert!(warnings.is_empty(), "{warnings}");
            blueprint
        }
        Err(failure) => panic!("{}", failure.diagnostics),
    }
}

#[test]
fn the_quickstart_holds_all_four_components() {
    for environment in ["dev", "prod"] {
        let blueprint = loaded("quickstart", Some(environment));
        let kinds: Vec<_> = blueprint.root.calls.iter().filter_map(|call| call.component.as_deref()).collect();
        assert_eq!(kinds, ["cluster", "mesh", "registry", "logging"]);
    }
}

#[test]
fn the_terraform_data_example_loads() {
    let blueprint = loaded("terraform-data", None);
    assert_eq!((blueprint.root.resources.len(), blueprint.root.calls.len()), (3, 1));
}

#[cfg(feature = "sandbox")]
#[tokio::test]
async fn every_resource_of_the_components_fits_the_sandbox() {
    use formwork_contract::provider::Provider;

    let schema = formwork_sandbox::Sandbox::new().schema().await.expect("a schema");
    let blueprint = loaded("quickstart", Some("dev"));
    let mut checked = 0;
    for call in &blueprint.root.calls {
        for resource in &call.module.resources {
            let block = &schema.resources.get(&resource.type_name).expect("a type of the sandbox").block;
            let problems = formwork::language::check_body(&resource.config, block);
            assert!(problems.is_empty(), "{}.{}: {problems}", resource.type_name, resource.name);
            checked += 1;
        }
    }
    assert_eq!(checked, 9);
}

#[cfg(feature = "aws")]
#[tokio::test]
async fn every_resource_of_the_components_fits_aws() {
    use formwork_contract::provider::Provider;

    let schema = formwork_aws::Aws::new().schema().await.expect("a schema");
    for environment in ["dev", "prod"] {
        let blueprint = loaded("aws-factory", Some(environment));
        let mut checked = 0;
        for call in &blueprint.root.calls {
            for resource in &call.module.resources {
                let of = if resource.mode == formwork_contract::Mode::Data {
                    &schema.data_sources
                } else {
                    &schema.resources
                };
                let block = &of.get(&resource.type_name).unwrap_or_else(|| panic!("no {}", resource.type_name)).block;
                let problems = formwork::language::check_body(&resource.config, block);
                assert!(problems.is_empty(), "{}.{}: {problems}", resource.type_name, resource.name);
                checked += 1;
            }
        }
        assert!(checked > 40, "{checked}");
    }
}
