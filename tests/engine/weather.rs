//! A provider that fails half-way: apply again until done.

use std::collections::BTreeSet;

use formwork::workflow::PlanRequest;

use crate::factory::Factory;

/// More tries than any seed below takes.
const TRIES: usize = 60;

fn blueprint(weather: &str) -> String {
    format!(
        r#"
        provider "sandbox" {{
          {weather}
        }}
        variable "form" {{ default = "a" }}
        resource "sandbox_network" "net" {{
          count      = 2
          name       = "net${{count.index}}"
          cidr_block = "10.${{count.index}}.0.0/16"
          tags       = {{ form = var.form }}
        }}
        resource "sandbox_subnet" "sub" {{
          count      = 2
          network_id = sandbox_network.net[count.index].id
          cidr_block = "10.${{count.index}}.1.0/24"
        }}
        resource "sandbox_machine" "web" {{
          count     = 3
          name      = "web${{count.index}}"
          subnet_id = sandbox_subnet.sub[count.index % 2].id
          user_data = var.form
          lifecycle {{ create_before_destroy = true }}
        }}
        resource "sandbox_registry" "images" {{ name = "images-${{var.form}}" }}
        resource "sandbox_registry_credential" "pull" {{ registry_id = sandbox_registry.images.id }}
        "#
    )
}

/// Applies, or destroys, until nothing is left to do.
fn until_done(factory: &Factory, destroy: bool, weather: &str) {
    for _ in 0..TRIES {
        let request = PlanRequest { destroy, ..PlanRequest::default() };
        // A look at reality may fail as well.
        let Ok(planned) = factory.try_plan(&request) else { continue };
        if factory.apply_planned(planned).is_complete() {
            return;
        }
    }
    panic!("not done after {TRIES} runs with {weather}");
}

fn goes_through(weather: &str) {
    let mut factory = Factory::new(&blueprint(weather));
    for form in ["a", "b"] {
        factory.variable("form", form);
        until_done(&factory, false, weather);
        factory.assert_settled();
        let standing = factory.standing_addresses();
        let distinct: BTreeSet<&String> = standing.iter().collect();
        assert_eq!((standing.len(), distinct.len()), (9, 9), "with {weather}: {standing:?}");
    }
    until_done(&factory, true, weather);
    assert_eq!(factory.standing(), 0, "with {weather}");
}

#[test]
fn changes_that_stop_half_way_are_completed() {
    for seed in 1..=4 {
        goes_through(&format!("failure_percent = 40\n          seed = {seed}"));
    }
}

#[test]
fn lost_answers_make_nothing_twice() {
    for seed in 1..=4 {
        goes_through(&format!("lost_answer_percent = 40\n          seed = {seed}"));
    }
}

#[test]
fn all_weather_at_once_is_got_through() {
    for seed in 1..=4 {
        goes_through(&format!(
            "lost_answer_percent = 20\n          failure_percent = 20\n          eventual_consistency = 2\n          seed = {seed}"
        ));
    }
}
