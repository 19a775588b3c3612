//! What gates ask, and what comes of the answer.

use std::net::TcpListener;

use formwork::record::model::{ReleaseEventKind, RevisionStatus};
use formwork::workflow::{Interrupt, Progress, ProgressEvent, history};

use super::server::Server;
use super::{Told, added, applied, three_waves};
use crate::factory::Factory;

fn gate(name: &str, body: &str) -> String {
    format!("gate \"{name}\" {{\n  interval = \"20ms\"\n  {body}\n}}")
}

fn http(server: &Server, more: &str) -> String {
    gate("healthy", &format!("attempts = 3\n  http {{\n    url = \"{}\"\n    {more}\n  }}", server.url()))
}

#[test]
fn a_failing_gate_stops_the_release_before_the_next_wave() {
    let (fine, broken) = (Server::always(200), Server::always(503));
    let factory = Factory::new(&three_waves(&http(&fine, ""), &http(&broken, "")));
    let (outcome, told) = applied(&factory);
    assert_eq!((added(&outcome), outcome.not_started.len()), (8, 5), "{:?}", told.lines());
    let failed = outcome.failed.iter().map(ToString::to_string).collect::<String>();
    for words in ["`healthy`", "wave 2 (`half`)", "status 503: told 503", "formwork rollback"] {
        assert!(failed.contains(words), "{words}: {failed}");
    }
    assert_eq!((fine.asked(), broken.asked()), (1, 3));
    assert!(told.lines().iter().all(|line| !line.starts_with("wave 3")));
    let history = history(&factory.workspace).expect("a history");
    assert_eq!(history[0].status, RevisionStatus::Incomplete);
    let waves: Vec<_> = history[0].waves.iter().map(|wave| (&*wave.name, wave.status)).collect();
    assert_eq!(waves, [("canary", ReleaseEventKind::Done), ("half", ReleaseEventKind::Failed)]);
    let gate = &history[0].waves[1].gates[0];
    assert_eq!((&*gate.name, gate.status), ("healthy", ReleaseEventKind::Failed));
    assert!(gate.message.as_deref().is_some_and(|told| told.contains("status 503")));
}

#[test]
fn a_gate_is_asked_again_until_it_passes() {
    let server = Server::new(|asked| if asked < 3 { (503, String::new()) } else { (200, "all is well".into()) });
    let factory = Factory::new(&three_waves(&http(&server, "contains = \"is well\""), ""));
    let (outcome, told) = applied(&factory);
    assert!(outcome.is_complete(), "failed: {:?}", outcome.failed);
    assert_eq!(server.asked(), 3);
    assert!(told.place("ask healthy 3/3") < told.place("passed healthy"));
    assert!(told.place("passed healthy") < told.place("wave 2"));
}

#[test]
fn an_answer_without_the_wanted_words_is_none() {
    let server = Server::always(200);
    let factory = Factory::new(&three_waves(&http(&server, "contains = \"well\""), ""));
    let failed = applied(&factory).0.failed.iter().map(ToString::to_string).collect::<String>();
    assert!(failed.contains("does not contain `well`"), "{failed}");
}

#[test]
fn what_a_gate_asks_may_come_of_its_wave() {
    let server = Server::always(200);
    let url = format!("url = \"{}?from=${{sandbox_machine.node[\"n0\"].private_ip}}\"", server.url());
    let factory = Factory::new(&three_waves(&gate("healthy", &format!("http {{ {url} }}")), ""));
    let planned = factory.plan();
    assert!(planned.plan.release.waves[0].gates[0].what.contains("known after apply"));
    let outcome = factory.apply_planned(planned);
    assert!(outcome.is_complete(), "failed: {:?}", outcome.failed);
}

#[test]
fn a_port_must_take_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let tcp = gate("port", &format!("attempts = 2\n  tcp {{ address = \"{address}\" }}"));
    let factory = Factory::new(&three_waves(&tcp, &tcp));
    assert!(applied(&factory).0.is_complete());
    drop(listener);
    let factory = Factory::new(&three_waves(&tcp, ""));
    let failed = applied(&factory).0.failed.iter().map(ToString::to_string).collect::<String>();
    assert!(failed.contains("no connection"), "{failed}");
}

#[test]
fn a_program_must_end_with_zero() {
    let command = |script: &str| gate("smoke", &format!("command {{ argv = [\"sh\", \"-c\", \"{script}\"] }}"));
    let factory = Factory::new(&three_waves(&command("test -f main.hcl"), &command("echo all broken >&2; exit 3")));
    let (outcome, _) = applied(&factory);
    let failed = outcome.failed.iter().map(ToString::to_string).collect::<String>();
    assert!(failed.contains("wave 2") && failed.contains("exit status: 3: all broken"), "{failed}");
    assert_eq!(added(&outcome), 8);
}

#[test]
fn a_program_that_does_not_end_is_ended() {
    let command = "timeout = \"200ms\"\n  command { argv = [\"sh\", \"-c\", \"sleep 1000 & sleep 1000\"] }";
    let factory = Factory::new(&three_waves(&gate("smoke", command), ""));
    let failed = applied(&factory).0.failed.iter().map(ToString::to_string).collect::<String>();
    assert!(failed.contains("no answer within 200 ms"), "{failed}");
}

#[test]
fn a_secret_in_a_gate_is_told_to_nobody() {
    let server = Server::new(|_| (500, "you sent hidden-word-17".into()));
    let body =
        format!("attempts = 1\n  http {{\n    url = \"{}\"\n    headers = {{ token = var.token }}\n  }}", server.url());
    let variable = "variable \"token\" {\n  default = \"hidden-word-17\"\n  sensitive = true\n}\n";
    let factory = Factory::new(&format!("{variable}{}", three_waves(&gate("healthy", &body), "")));
    let (outcome, told) = applied(&factory);
    let failed = format!("{:?}{:?}{:?}", outcome.failed, told.lines(), history(&factory.workspace).expect("a history"));
    assert!(failed.contains("you sent (sensitive)"), "{failed}");
    assert!(!failed.contains("hidden-word-17"), "{failed}");
}

/// Changes an object behind the engine's back when a gate was held back twice.
struct Healer<'a> {
    told: Told,
    factory: &'a Factory,
}

impl Progress for Healer<'_> {
    fn event(&self, event: &ProgressEvent) {
        self.told.event(event);
        if self.told.lines().iter().filter(|line| line.starts_with("held")).count() == 2
            && matches!(event, ProgressEvent::GateHeld { .. })
        {
            self.factory.drift("sandbox_network.net", "tags.state", "ready");
        }
    }
}

#[test]
fn a_condition_is_over_what_stands_now() {
    let condition =
        gate("ready", "condition     = local.state == \"ready\"\n  error_message = \"the network is ${local.state}\"");
    let local = "locals { state = try(sandbox_network.net.tags.state, \"not there\") }\n";
    let tagged = |blueprint: String| {
        blueprint.replace("name       = \"net\"", "name       = \"net\"\n  lifecycle { ignore_changes = [tags] }")
    };
    let factory = Factory::new(&tagged(format!("{local}{}", three_waves(&condition, ""))));
    let healer = Healer { told: Told::default(), factory: &factory };
    let outcome = factory.apply_watched(factory.plan(), &healer, &Interrupt::default());
    assert!(outcome.is_complete(), "failed: {:?}", outcome.failed);
    let lines = healer.told.lines();
    assert!(lines.iter().any(|line| line.starts_with("held ready the network is not there")), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("held")).count(), 2, "{lines:?}");
}

#[test]
fn soaking_takes_its_time() {
    let factory = Factory::new(&three_waves("gate \"soak\" { soak = \"150ms\" }", ""));
    let since = std::time::Instant::now();
    assert!(applied(&factory).0.is_complete());
    assert!(since.elapsed().as_millis() >= 150);
}
