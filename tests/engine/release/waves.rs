//! Which step goes in which wave, and that none begins before its wave.

use std::collections::BTreeMap;

use formwork::plan::Plan;
use formwork::plan::json::to_terraform_json;
use formwork::workflow::{Interrupt, PlanRequest, StepDone};

use super::server::Server;
use super::{Told, added, applied, steps_of, three_waves};
use crate::factory::{Factory, told};

fn http_gate(server: &Server) -> String {
    format!("gate \"healthy\" {{\n  http {{ url = \"{}\" }}\n}}", server.url())
}

#[test]
fn a_set_comes_in_parts_and_what_they_need_comes_with_them() {
    let factory = Factory::new(&three_waves("", ""));
    let plan = factory.plan().plan;
    let names: Vec<&str> = plan.release.waves.iter().map(|wave| &*wave.name).collect();
    assert_eq!(names, ["canary", "half", "rest"]);
    let canary = ["create sandbox_machine.node[\"n0\"]", "create sandbox_network.net", "create sandbox_subnet.sub"];
    assert_eq!(steps_of(&plan, 1), canary);
    let half: Vec<String> = (1..=5).map(|number| format!("create sandbox_machine.node[\"n{number}\"]")).collect();
    assert_eq!(steps_of(&plan, 2), half);
    assert_eq!(steps_of(&plan, 3).len(), 5, "four machines, and what comes after all of them");
    let drawn: Vec<String> = plan.release.waves[0].drawn.iter().map(|drawn| drawn.address.to_string()).collect();
    assert_eq!(drawn, ["sandbox_network.net", "sandbox_subnet.sub"]);
    let json = to_terraform_json(&plan);
    assert_eq!(json["formwork"]["release"]["waves"][0]["drawn"][1]["address"], "sandbox_subnet.sub");
    let of_subnet = json["resource_changes"].as_array().expect("changes").iter();
    let wave =
        of_subnet.filter(|change| change["address"] == "sandbox_subnet.sub").map(|change| &change["formwork"]["wave"]);
    assert_eq!(wave.collect::<Vec<_>>(), [&serde_json::json!(1)]);
}

#[test]
fn a_kept_plan_has_the_same_waves() {
    let server = Server::always(200);
    let factory = Factory::new(&three_waves(&http_gate(&server), ""));
    let planned = factory.plan();
    let waves = |plan: &Plan| (1..=3).map(|wave| steps_of(plan, wave)).collect::<Vec<_>>();
    let wanted = waves(&planned.plan);
    let opened = factory.through_file(planned);
    assert_eq!(waves(&opened.plan), wanted);
    assert_eq!(opened.plan.release.waves[0].gates.len(), 1);
    assert!(factory.apply_planned(opened).is_complete());
    assert_eq!(server.asked(), 1);
}

#[test]
fn no_step_begins_before_its_wave_and_no_wave_before_the_gates() {
    let server = Server::always(200);
    let gate = http_gate(&server);
    let factory = Factory::new(&three_waves(&gate, &gate));
    let planned = factory.plan();
    let waves: Vec<usize> =
        planned.plan.steps.iter().filter(|step| step.change.is_some()).map(|step| step.wave + 1).collect();
    let outcome = factory.apply_planned(planned);
    assert!(outcome.is_complete(), "failed: {:?}", outcome.failed);
    assert_eq!(added(&outcome), 13);
    assert_eq!(server.asked(), 2);
    let journal = journal(&factory);
    let mut passed = 0;
    let mut seen = BTreeMap::new();
    for entry in journal {
        match entry {
            Entry::Gate => passed += 1,
            Entry::Step(step) => {
                let wave = waves[step];
                assert!(wave <= passed + 1, "step {step} of wave {wave} begins after {passed} gates");
                *seen.entry(wave).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), [1, 2, 3]);
    factory.assert_settled();
}

/// What the audit chain says happened, in its order.
enum Entry {
    /// A gate was passed.
    Gate,
    /// Something happened to a step.
    Step(usize),
}

fn journal(factory: &Factory) -> Vec<Entry> {
    let file = factory.path().join(".formwork/default/record.db");
    let connection = rusqlite::Connection::open(file).expect("the record");
    let mut links = connection.prepare("SELECT kind, first, last FROM audit ORDER BY seq").expect("a chain");
    let links: Vec<(String, i64, i64)> = links
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .expect("links")
        .collect::<Result<_, _>>()
        .expect("links");
    let mut entries = Vec::new();
    for (kind, first, last) in links {
        let query = match kind.as_str() {
            "journal" => "SELECT step, 'step' FROM journal WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
            "release" => "SELECT wave, event FROM release_events WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
            _ => continue,
        };
        let mut rows = connection.prepare(query).expect("rows");
        let rows = rows.query_map([first, last], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)));
        for (number, what) in rows.expect("rows").map(|row| row.expect("a row")) {
            match what.as_str() {
                "step" => entries.push(Entry::Step(usize::try_from(number).expect("a step"))),
                "passed" => entries.push(Entry::Gate),
                _ => {}
            }
        }
    }
    entries
}

#[test]
fn a_release_is_the_environments_before_it_is_the_roots() {
    let release = |name: &str| format!("release {{\n wave \"{name}\" {{ targets = [sandbox_network.net] }}\n}}");
    let own = release("own");
    let blueprint = format!(
        "{}\nenvironment \"prod\" {{\n target = \"sandbox\"\n {own}\n}}\nenvironment \"dev\" {{ target = \"sandbox\" }}\n{}",
        super::THREE_WAVES,
        release("everyones"),
    );
    let mut factory = Factory::new(&blueprint);
    for (environment, wave) in [("prod", "own"), ("dev", "everyones")] {
        factory.workspace.environment = Some(environment.into());
        assert_eq!(&*factory.plan().plan.release.waves[0].name, wave);
    }
}

#[test]
fn a_wave_is_no_wider_than_it_says() {
    let release = r#"release { max_parallel = 2 }"#;
    let slow = "provider \"sandbox\" { latency_ms = 20 }";
    let factory = Factory::new(&format!("{slow}\n{}\n{release}", super::THREE_WAVES));
    let (outcome, told) = applied(&factory);
    assert!(outcome.is_complete());
    assert_eq!(most_at_once(&told, "sandbox_machine"), 2);
}

#[test]
fn no_more_of_a_set_is_out_of_service_than_may_be() {
    let release = r#"release { max_unavailable = "25%" }"#;
    let slow = "provider \"sandbox\" { latency_ms = 20 }";
    let mut factory = Factory::new(&format!("{slow}\n{}\n{release}", super::THREE_WAVES));
    let (made, told) = applied(&factory);
    assert!(made.is_complete());
    assert!(most_at_once(&told, "sandbox_machine") > 2, "nothing is taken out of service by making it");
    factory.variable("size", "large");
    let (updated, told) = applied(&factory);
    assert_eq!(updated.count(StepDone::Changed), 10);
    assert_eq!(most_at_once(&told, "sandbox_machine"), 2, "a quarter of ten");
    // Another subnet: each machine is replaced, and stands still from its deletion to its successor.
    let image = "size      = var.size\n  image     = \"ubuntu-24.04\"";
    factory.write(
        "main.hcl",
        &format!("{slow}\n{}\n{release}", super::THREE_WAVES.replace("size      = var.size", image)),
    );
    let (replaced, told) = applied(&factory);
    assert_eq!((replaced.count(StepDone::Added), replaced.count(StepDone::Destroyed)), (10, 10));
    let mut gone = 0i32;
    for line in told.lines().iter().filter(|line| line.contains("sandbox_machine")) {
        gone += i32::from(line.starts_with("start delete")) - i32::from(line.starts_with("done create"));
        assert!(gone <= 2, "{gone} are gone at once");
    }
}

fn most_at_once(told: &Told, kind: &str) -> usize {
    let (mut running, mut most) = (0usize, 0);
    for line in told.lines().iter().filter(|line| line.contains(kind)) {
        match line.split(' ').next() {
            Some("start") => running += 1,
            Some("done") => running -= 1,
            _ => {}
        }
        most = most.max(running);
    }
    most
}

#[test]
fn a_bound_that_cannot_be_kept_stops_the_run() {
    // The subnet goes before its successor comes, and so all machines have to be gone at once.
    let release = "release { max_unavailable = 1 }";
    let factory = Factory::new(&format!("{}\n{release}", super::THREE_WAVES));
    assert!(applied(&factory).0.is_complete());
    let other = super::THREE_WAVES.replace("10.0.1.0/24", "10.0.2.0/24");
    factory.write("main.hcl", &format!("{other}\n{release}"));
    let (outcome, _) = applied(&factory);
    let failed = outcome.failed.iter().map(ToString::to_string).collect::<String>();
    assert!(failed.contains("no more than 1 of `sandbox_machine.node`"), "{failed}");
    factory.write("main.hcl", &other);
    factory.apply();
    assert_eq!(factory.standing(), 12);
}

#[test]
fn a_deletion_that_contradicts_the_waves_is_refused() {
    let parts = r#"
    resource "sandbox_network" "net" {
      name       = "net"
      cidr_block = "10.0.0.0/16"
    }
    module "upper" {
      source     = "./upper"
      network_id = sandbox_network.net.id
    }
    "#;
    let factory = Factory::new(parts);
    let subnet = "variable \"network_id\" {}\nresource \"sandbox_subnet\" \"sub\" {\n  network_id = var.network_id\n  cidr_block = \"CIDR\"\n}";
    factory.write("upper/main.hcl", &subnet.replace("CIDR", "10.0.1.0/24"));
    factory.apply();
    // Both are replaced: the subnet has to be gone before the network.
    let moved = parts.replace("10.0.0.0/16", "10.1.0.0/16");
    factory.write("upper/main.hcl", &subnet.replace("CIDR", "10.1.1.0/24"));
    let waves = |first: &str, second: &str| {
        format!(
            "{moved}\nrelease {{\n wave \"one\" {{ targets = [{first}] }}\n wave \"two\" {{ targets = [{second}] }}\n}}"
        )
    };
    factory.write("main.hcl", &waves("sandbox_network.net", "module.upper"));
    let refused = told(&factory.try_plan(&PlanRequest::default()).expect_err("a contradiction"));
    for name in ["module.upper.sandbox_subnet.sub", "sandbox_network.net", "`one`", "`two`"] {
        assert!(refused.contains(name), "{name} is not named: {refused}");
    }
    factory.write("main.hcl", &waves("module.upper", "sandbox_network.net"));
    let drawn = factory.plan().plan;
    assert_eq!(steps_of(&drawn, 1).len(), 4, "the network comes with what stands on it: {:?}", steps_of(&drawn, 1));
    factory.apply();
}

#[test]
fn taking_everything_down_asks_no_gate() {
    let server = Server::always(500);
    let factory = Factory::new(&format!("{}\nrelease {{ }}", super::THREE_WAVES));
    factory.apply();
    factory.write("main.hcl", &three_waves(&http_gate(&server), ""));
    factory.destroy();
    assert_eq!((factory.standing(), server.asked()), (0, 0));
}

#[test]
fn what_a_release_says_wrongly_is_told_with_the_plan() {
    for (release, words) in [
        ("wave \"a\" { target = [] }", "did you mean `targets`?"),
        ("wave \"a\" { targets = [sandbox_network.nett] }", "did you mean `sandbox_network.net`?"),
        ("wave \"a\" { targets = [1] }", "not the address"),
        ("wave \"a\" { percent = 0 }", "from 1 upwards"),
        ("wave \"a\" { percent = 101 }", "more than 100"),
        ("wave \"a\" { }\n wave \"b\" { }", "names nothing"),
        ("wave \"a\" { percent = 1 }\n wave \"a\" { }", "two waves"),
        ("max_unavailable = \"half\"", "a percentage"),
        ("gate \"g\" { }", "asks nothing"),
        ("dynamic \"wave\" {\n for_each = []\n labels = [\"x\"]\n content { }\n }", "no `dynamic` blocks"),
        ("gate \"g\" {\n soak = \"1m\"\n condition = true\n }", "asks one thing"),
        ("gate \"g\" { soak = \"soon\" }", "a duration"),
        ("gate \"g\" {\n http { url = \"ftp://x\" }\n }", "an HTTP address"),
        ("gate \"g\" {\n tcp { address = \"host\" }\n }", "HOST:PORT"),
        ("gate \"g\" {\n command { argv = [] }\n }", "name a program"),
        ("gate \"g\" { condition = sandbox_network.other.id != null }", "is not declared"),
        ("window {\n from = \"8\"\n to = \"16:00\"\n }", "a time of the day"),
        ("window {\n days = [\"mo\"]\n from = \"08:00\"\n to = \"16:00\"\n }", "no day of the week"),
        ("freeze {\n from = \"2026-12-20\"\n to = \"2026-12-01\"\n }", "ends before it begins"),
    ] {
        let factory = Factory::new(&format!("{}\nrelease {{\n {release}\n}}", super::THREE_WAVES));
        let refused = told(&factory.try_plan(&PlanRequest::default()).expect_err(release));
        assert!(refused.contains(words), "{release}: {refused}");
        let refused = factory.validated().expect_err(release);
        assert!(told(&refused).contains(words), "{release}: {}", told(&refused));
    }
}

#[test]
fn an_interruption_between_waves_is_one() {
    let server = Server::always(503);
    let gate = format!("gate \"healthy\" {{\n  interval = \"1h\"\n  http {{ url = \"{}\" }}\n}}", server.url());
    let factory = Factory::new(&three_waves(&gate, ""));
    let interrupt = std::sync::Arc::new(Interrupt::default());
    let pressed = Pressed { told: Told::default(), interrupt: std::sync::Arc::clone(&interrupt) };
    let outcome = factory.apply_watched(factory.plan(), &pressed, &interrupt);
    assert!(outcome.interrupted && !outcome.is_complete());
    assert_eq!((added(&outcome), outcome.not_started.len()), (3, 10));
}

/// Presses Ctrl-C when a gate is asked for the second time.
struct Pressed {
    told: Told,
    interrupt: std::sync::Arc<Interrupt>,
}

impl formwork::workflow::Progress for Pressed {
    fn event(&self, event: &formwork::workflow::ProgressEvent) {
        self.told.event(event);
        if self.told.lines().iter().any(|line| line == "ask healthy 2/10") {
            self.interrupt.signal();
        }
    }
}
