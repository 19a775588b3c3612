//! `moved` blocks beyond the simple case.

use crate::factory::{Factory, actions};

#[test]
fn an_object_does_not_move_to_where_another_stands() {
    let factory = Factory::new(
        r#"
        resource "terraform_data" "x" { input = "x" }
        resource "terraform_data" "y" { input = "y" }
        "#,
    );
    factory.apply();
    factory.write(
        "main.hcl",
        r#"
        resource "terraform_data" "y" { input = "y" }
        moved {
          from = terraform_data.x
          to   = terraform_data.y
        }
        "#,
    );
    let planned = factory.plan();
    assert_eq!(actions(&planned.plan), ["delete terraform_data.x"]);
    let told: Vec<&str> = planned.plan.warnings.iter().map(|warning| warning.summary.as_str()).collect();
    assert_eq!(told, ["`terraform_data.x` cannot move to `terraform_data.y`"]);
    drop(planned);
    factory.apply();
}

#[test]
fn moves_chain_through_modules_and_keys() {
    let factory = Factory::new(
        r#"
        resource "terraform_data" "a" { input = 1 }
        module "m" { source = "./m" }
        "#,
    );
    factory.write("m/main.hcl", "resource \"terraform_data\" \"i\" { input = 1 }\n");
    factory.apply();
    factory.write(
        "main.hcl",
        r#"
        resource "terraform_data" "c" {
          for_each = toset(["k"])
          input    = 1
        }
        module "n" {
          source = "./m"
          count  = 2
        }
        moved {
          from = terraform_data.a
          to   = terraform_data.b
        }
        moved {
          from = terraform_data.b
          to   = terraform_data.c["k"]
        }
        moved {
          from = module.m
          to   = module.n[1]
        }
        "#,
    );
    assert_eq!(
        actions(&factory.plan().plan),
        [
            "create module.n[0].terraform_data.i",
            "no-op module.n[1].terraform_data.i from module.m.terraform_data.i",
            "no-op terraform_data.c[\"k\"] from terraform_data.a",
        ]
    );
    factory.apply();
}
