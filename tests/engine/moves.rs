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

const NAMED: &str = r#"
resource "sandbox_log_store" "a" { name = "logs" }
"#;

const RENAMED: &str = r#"
resource "sandbox_log_store" "b" { name = "logs" }
moved {
  from = sandbox_log_store.a
  to   = sandbox_log_store.b
}
"#;

#[test]
fn a_rollback_takes_moves_back() {
    let factory = Factory::new(NAMED);
    factory.apply();
    factory.write("main.hcl", RENAMED);
    factory.apply();
    let back = factory.rollback_planned(None);
    assert_eq!(actions(&back.plan), ["no-op sandbox_log_store.a from sandbox_log_store.b"]);
    assert!(factory.apply_planned(factory.through_file(back)).is_complete());
    factory.write("main.hcl", NAMED);
    factory.assert_settled();
}

#[test]
fn what_was_moved_outlives_what_stands_on_it_under_its_old_name() {
    let blueprint = |label: &str, name: &str, moved: &str| {
        format!(
            r#"
            resource "sandbox_registry" "{label}" {{
              name = "{name}"
              lifecycle {{ create_before_destroy = true }}
            }}
            resource "sandbox_registry_credential" "pull" {{
              registry_id = sandbox_registry.{label}.id
              lifecycle {{ create_before_destroy = true }}
            }}
            {moved}
            "#
        )
    };
    let factory = Factory::new(&blueprint("a", "one", ""));
    factory.apply();
    let moved = "moved {\n  from = sandbox_registry.a\n  to = sandbox_registry.b\n}";
    factory.write("main.hcl", &blueprint("b", "two", moved));
    factory.apply();
    assert_eq!(factory.standing(), 2);
}
