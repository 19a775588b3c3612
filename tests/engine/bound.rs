//! What a plan is bound to: drift and changes of the record in what it touches and reads are refused by name, and
//! nothing else is in its way.

use std::path::{Path, PathBuf};

use formwork::workflow::{
    AcceptedLoss, ApplyRequest, Consent, Interrupt, PlanRequest, Silent, StepDone, save_plan, state_mv,
};
use formwork_contract::{Value, json};

use crate::factory::{Factory, actions, told};
use crate::fake::Fake;

const MACHINES: &str = r#"
resource "sandbox_network" "net" {
  name       = "one"
  cidr_block = "10.0.0.0/16"
}
resource "sandbox_subnet" "sub" {
  count      = 2
  network_id = sandbox_network.net.id
  cidr_block = "10.0.${count.index}.0/24"
}
resource "sandbox_machine" "touched" {
  name      = "touched"
  subnet_id = sandbox_subnet.sub[0].id
  user_data = "echo"
  tags      = { changed = "no" }
}
resource "sandbox_machine" "elsewhere" {
  name      = "elsewhere"
  subnet_id = sandbox_subnet.sub[0].id
  user_data = "echo"
  tags      = { other = "yes" }
}
"#;

/// Makes a plan and keeps it under a name.
fn kept(factory: &Factory, name: &str) -> PathBuf {
    let file = factory.path().join(name);
    save_plan(&factory.plan(), &file).unwrap_or_else(|failed| panic!("not kept: {failed}"));
    file
}

/// Applies a kept plan; what went wrong, if something did.
fn applied(factory: &Factory, file: &Path) -> String {
    let planned = match factory.try_open(file) {
        Ok(planned) => planned,
        Err(failed) => return told(&failed),
    };
    match factory.try_apply(planned) {
        Ok(outcome) => outcome.failed.iter().map(|failed| format!("{failed}\n")).collect(),
        Err(failed) => told(&failed),
    }
}

fn attributes(factory: &Factory, address: &str) -> Vec<(String, Value)> {
    let planned = factory.plan();
    let change = planned.plan.changes.iter().find(|change| change.address.to_string() == address).expect("it stands");
    let names = change.kind.block.attributes.keys();
    names.map(|name| (name.to_string(), change.before.get(name).expect("of its type").clone())).collect()
}

/// As `sandbox drift` takes it.
fn as_text(value: &Value) -> String {
    match value.unmarked() {
        Value::String(text) => text.to_string(),
        other => json::to_plain(other).to_string(),
    }
}

/// Another value for each attribute of a machine that can be another.
fn another(factory: &Factory, attribute: &str) -> Option<String> {
    Some(match attribute {
        "id" => return None,
        "name" => "renamed".into(),
        "subnet_id" => as_text(&attributes(factory, "sandbox_subnet.sub[1]").iter().find(|(n, _)| n == "id")?.1),
        "size" => "xlarge".into(),
        "image" => "ubuntu-24.04".into(),
        "user_data" => "rm -r".into(),
        "private_ip" => "10.0.0.77".into(),
        "path" => "sandbox:elsewhere".into(),
        "tags" => r#"{"drifted": "yes"}"#.into(),
        unknown => panic!("no other value for `{unknown}`"),
    })
}

#[test]
fn drift_in_each_attribute_of_what_a_plan_touches_is_refused_by_name() {
    let factory = Factory::new(MACHINES);
    factory.apply();
    let standing = attributes(&factory, "sandbox_machine.touched");
    let others: Vec<Option<String>> = standing.iter().map(|(name, _)| another(&factory, name)).collect();
    for (action, replacement) in [("update", "tags      = { changed = \"yes\" }"), ("delete", "")] {
        let changed = MACHINES.replace("tags      = { changed = \"no\" }", replacement);
        let changed = if action == "update" {
            changed
        } else {
            let (before, rest) = changed.split_once("resource \"sandbox_machine\" \"touched\"").expect("the block");
            let (_, after) = rest.split_once("}\n").expect("its end");
            format!("{before}{after}")
        };
        factory.write("main.hcl", &changed);
        assert_eq!(actions(&factory.plan().plan), [format!("{action} sandbox_machine.touched")]);
        let file = kept(&factory, "one.plan");
        for ((name, value), other) in standing.iter().zip(&others) {
            let Some(other) = other else { continue };
            factory.drift("sandbox_machine.touched", name, other);
            let refused = applied(&factory, &file);
            assert!(refused.contains("`sandbox_machine.touched` changed since the plan was made"), "{name}: {refused}");
            assert!(refused.contains(&format!("`{name}")), "{action} {name}: {refused}");
            factory.drift("sandbox_machine.touched", name, &as_text(value));
        }
    }
}

/// Values that differ from this one, of its type or of another: the sandbox takes those that fit.
fn others(value: &Value) -> Vec<String> {
    let derived = match json::to_plain(value) {
        serde_json::Value::Bool(yes) => (!yes).to_string(),
        serde_json::Value::Number(number) => (number.as_i64().unwrap_or_default() + 1).to_string(),
        serde_json::Value::String(text) => text + "x",
        _ => "another".into(),
    };
    let more = ["[]", "[\"another\"]", "{\"drifted\": \"yes\"}", "[{}]", "7", "true"].map(str::to_owned);
    let known = as_text(value);
    [derived].into_iter().chain(more).filter(|other| *other != known).collect()
}

#[test]
fn drift_in_each_attribute_of_each_type_of_a_factory_is_refused_by_name() {
    let mut factory = Factory::new(include_str!("../../examples/quickstart/factory.hcl"));
    factory.workspace.environment = Some("dev".into());
    factory.apply();
    let own = factory.path().join(".formwork");
    let kept_aside = tempfile::tempdir().expect("a folder");
    copy(&own, kept_aside.path());
    let destroy = PlanRequest { destroy: true, ..PlanRequest::default() };
    let planned = factory.try_plan(&destroy).unwrap_or_else(|failed| panic!("no plan: {failed}"));
    let file = factory.path().join("destroy.plan");
    save_plan(&planned, &file).unwrap_or_else(|failed| panic!("not kept: {failed}"));
    let (mut types, mut tried, mut impossible) = (std::collections::BTreeSet::new(), 0, Vec::new());
    for change in planned.plan.changes.iter().filter(|change| change.kind.name.starts_with("sandbox_")) {
        let address = change.address.to_string();
        if !types.insert(change.kind.name.clone()) {
            continue;
        }
        for name in change.kind.block.attributes.keys() {
            let value = change.before.get(name).expect("of its type");
            copy(kept_aside.path(), &own);
            let drifts = |text: String| {
                formwork_sandbox::control::drift(&own.join("dev"), &address, &[(name.to_string(), text)]).is_ok()
            };
            if !others(value).into_iter().any(drifts) {
                impossible.push(format!("{}.{name}", change.kind.name));
                continue;
            }
            let planned = factory.try_open(&file).unwrap_or_else(|failed| panic!("not opened: {failed}"));
            let request = ApplyRequest {
                accepted_losses: vec![AcceptedLoss::Everything],
                ..ApplyRequest::new(Consent::PlanFile)
            };
            let outcome = factory.try_carry_out(planned, &request, &Silent, &Interrupt::default());
            let outcome = outcome.unwrap_or_else(|failed| panic!("not begun: {failed}"));
            let refused: String = outcome.failed.iter().map(|failed| format!("{failed}\n")).collect();
            assert!(refused.contains(&format!("`{address}` changed since the plan was made")), "{name}: {refused}");
            assert!(refused.contains(&format!("`{name}")), "{address} {name}: {refused}");
            tried += 1;
        }
    }
    // With another id it is another object.
    assert!(impossible.iter().all(|name| name.ends_with(".id")), "{impossible:?}");
    assert!(types.len() >= 9 && tried >= 50, "{tried} attributes of {types:?}");
}

/// The files of a folder, with those in folders below, in place of what is there.
fn copy(from: &Path, to: &Path) {
    drop(std::fs::remove_dir_all(to));
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

#[test]
fn drift_in_any_attribute_elsewhere_is_not_in_the_way() {
    let factory = Factory::new(MACHINES);
    factory.apply();
    factory.write("main.hcl", &MACHINES.replace("changed = \"no\"", "changed = \"yes\""));
    let file = kept(&factory, "one.plan");
    for (name, _) in attributes(&factory, "sandbox_machine.elsewhere") {
        if let Some(other) = another(&factory, &name) {
            factory.drift("sandbox_machine.elsewhere", &name, &other);
        }
    }
    let planned = factory.try_open(&file).expect("a plan");
    assert_eq!(factory.apply_planned(planned).count(StepDone::Changed), 1);
}

#[test]
fn a_sensitive_difference_is_told_without_its_value() {
    const SECRET: &str = "variable \"word\" {\n  default   = \"first-secret\"\n  sensitive = true\n}\n";
    let blueprint = |tag: &str| {
        format!(
            "{SECRET}{}",
            MACHINES.replace("user_data = \"echo\"", "user_data = var.word").replace("changed = \"no\"", tag)
        )
    };
    let factory = Factory::new(&blueprint("changed = \"no\""));
    factory.apply();
    factory.write("main.hcl", &blueprint("changed = \"yes\""));
    let file = kept(&factory, "one.plan");
    factory.drift("sandbox_machine.touched", "user_data", "second-secret");
    let refused = applied(&factory, &file);
    assert!(refused.contains("`user_data` is another (sensitive)"), "{refused}");
    assert!(!refused.contains("second-secret") && !refused.contains("first-secret"), "{refused}");
}

#[test]
fn what_is_imported_or_replaced_must_stand_as_the_plan_saw_it() {
    let factory = Factory::new(&MACHINES.replace(
        "user_data = \"echo\"\n  tags      = { changed",
        "lifecycle { create_before_destroy = true }\n  tags      = { changed",
    ));
    factory.apply();
    let standing = factory.standing();
    let request =
        PlanRequest { replace: vec!["sandbox_machine.touched".parse().expect("an address")], ..PlanRequest::default() };
    let planned = factory.through_file(factory.try_plan(&request).expect("a plan"));
    factory.drift("sandbox_machine.touched", "size", "large");
    let outcome = factory.apply_planned(planned);
    assert!(outcome.failed[0].to_string().contains("`size` was \"small\" and is \"large\""), "{:?}", outcome.failed);
    assert_eq!(factory.standing(), standing, "its successor is not made");

    let (factory, fake) = Fake::factory("resource \"fake_thing\" \"a\" { name = \"x\" }\n");
    fake.world().make("id-x", "x");
    let request = PlanRequest {
        imports: vec![("fake_thing.a".parse().expect("an address"), "id-x".into())],
        ..PlanRequest::default()
    };
    let planned = factory.through_file(factory.try_plan(&request).expect("a plan"));
    fake.world().make("id-x", "y");
    let outcome = factory.apply_planned(planned);
    assert_eq!(outcome.count(StepDone::Imported), 0);
    assert!(outcome.failed[0].to_string().contains("`name` was \"x\" and is \"y\""), "{:?}", outcome.failed);
    let planned = factory.through_file(factory.try_plan(&request).expect("a plan"));
    assert_eq!(factory.apply_planned(planned).count(StepDone::Imported), 1);
}

fn networks(first: &str, second: &str, more: &str) -> String {
    let network = |name: &str, tag: &str| {
        format!(
            "resource \"sandbox_network\" \"{name}\" {{\n  name = \"{name}\"\n  cidr_block = \"10.0.0.0/16\"\n  \
             tags = {{ tag = \"{tag}\" }}\n}}\n\
             output \"{name}\" {{ value = sandbox_network.{name}.tags }}\n"
        )
    };
    format!("{}{}{more}", network("a", first), network("b", second))
}

const THIRD: &str = "resource \"sandbox_network\" \"c\" {\n  name = \"c\"\n  cidr_block = \"10.0.0.0/16\"\n}\n";
const FOURTH: &str = "resource \"sandbox_network\" \"d\" {\n  name = \"d\"\n  cidr_block = \"10.0.0.0/16\"\n}\n";

#[test]
fn plans_that_have_nothing_in_common_are_both_applied() {
    let factory = Factory::new(&networks("1", "1", FOURTH));
    factory.apply();
    factory.write("main.hcl", &networks("2", "1", FOURTH));
    let first = kept(&factory, "first.plan");
    factory.write("main.hcl", &networks("1", "2", THIRD));
    let second = kept(&factory, "second.plan");
    for file in [&second, &first] {
        assert_eq!(applied(&factory, file), "");
    }
    // What each left alone is as the other made it.
    factory.write("main.hcl", &networks("2", "2", THIRD));
    factory.assert_settled();
    assert_eq!(
        factory.standing_addresses(),
        ["sandbox_network.a", "sandbox_network.b", "sandbox_network.c"].map(str::to_owned)
    );
    for file in [first, second] {
        assert!(applied(&factory, &file).contains("since the plan was made"), "it is applied once");
    }
}

#[test]
fn a_change_of_what_a_plan_touches_is_told_with_the_revision_that_made_it() {
    let factory = Factory::new(&networks("1", "1", ""));
    factory.apply();
    factory.write("main.hcl", &networks("2", "1", ""));
    let first = kept(&factory, "first.plan");
    factory.write("main.hcl", &networks("3", "1", ""));
    assert_eq!(applied(&factory, &kept(&factory, "second.plan")), "");
    let refused = applied(&factory, &first);
    for part in [
        "the record of `sandbox_network.a` changed since the plan was made",
        "The plan changes it. Revision 2 changed it: an apply by `tester@host`, begun 20",
        "the output `a` changed since the plan was made",
    ] {
        assert!(refused.contains(part), "{refused}");
    }
    assert!(!refused.contains("sandbox_network.b"), "{refused}");
    // Moved away, it has left.
    let moved = |name: &str| format!("sandbox_network.{name}").parse().expect("an address");
    factory.write("main.hcl", &networks("4", "1", ""));
    let third = kept(&factory, "third.plan");
    state_mv(&factory.workspace, &moved("a"), &moved("z")).expect("moved");
    let refused = applied(&factory, &third);
    assert!(
        refused.contains("`sandbox_network.a` left the record") && refused.contains("Revision 3 took it out"),
        "{refused}"
    );
}

#[test]
fn what_a_plan_reads_and_what_builds_on_what_it_deletes_is_bound_as_well() {
    let subnet =
        "resource \"sandbox_subnet\" \"s\" {\n  network_id = sandbox_network.a.id\n  cidr_block = \"10.0.1.0/24\"\n}\n";
    let factory = Factory::new(&networks("1", "1", ""));
    factory.apply();
    factory.write("main.hcl", &networks("1", "1", subnet));
    let makes_subnet = kept(&factory, "subnet.plan");
    factory.write("main.hcl", &networks("2", "1", ""));
    assert_eq!(applied(&factory, &kept(&factory, "change.plan")), "");
    let refused = applied(&factory, &makes_subnet);
    assert!(
        refused.contains("record of `sandbox_network.a` changed") && refused.contains("made from what it was"),
        "{refused}"
    );

    factory.write("main.hcl", &only_b_of(&networks("2", "1", "")));
    let deletes_again = kept(&factory, "again.plan");
    factory.write("main.hcl", &networks("2", "1", subnet));
    assert_eq!(applied(&factory, &kept(&factory, "subnet.plan")), "");
    let refused = applied(&factory, &deletes_again);
    assert!(refused.contains("`sandbox_subnet.s` came into the record"), "{refused}");
    assert!(refused.contains("It depends on what the plan takes away. Revision 3 wrote it"), "{refused}");
}

fn only_b_of(blueprint: &str) -> String {
    let (_, rest) = blueprint.split_once("resource \"sandbox_network\" \"b\"").expect("the second network");
    format!("resource \"sandbox_network\" \"b\"{rest}")
}

#[test]
fn another_build_of_a_provider_is_refused() {
    let (factory, fake) = Fake::factory("resource \"fake_thing\" \"a\" { name = \"x\" }\n");
    fake.world().version = "1.0.0".into();
    fake.world().digest = Some("sha256:aa".into());
    let file = kept(&factory, "one.plan");
    fake.world().digest = Some("sha256:bb".into());
    let refused = applied(&factory, &file);
    assert!(refused.contains("fake` is not the one that the plan was made with"), "{refused}");
    assert!(
        refused.contains("version 1.0.0 (sha256:aa)") && refused.contains("version 1.0.0 (sha256:bb)"),
        "{refused}"
    );
    fake.world().version = "1.1.0".into();
    assert!(applied(&factory, &file).contains("this machine has version 1.1.0"));
    assert_eq!(fake.world().standing(), 0);
    fake.world().version = "1.0.0".into();
    fake.world().digest = Some("sha256:aa".into());
    assert_eq!(applied(&factory, &file), "");
}

#[test]
fn what_an_interrupted_run_was_working_on_is_looked_at_first() {
    let (factory, fake) = Fake::factory("resource \"fake_thing\" \"a\" { name = \"x\" }\n");
    let file = kept(&factory, "one.plan");
    fake.world().lost = true;
    let outcome = factory.apply_planned(factory.plan());
    assert_eq!(outcome.open.len(), 1);
    fake.world().lost = false;
    let refused = applied(&factory, &file);
    assert!(refused.contains("nobody knows what became of `fake_thing.a`"), "{refused}");
    assert!(refused.contains("Revision 1 was interrupted"), "{refused}");
}
