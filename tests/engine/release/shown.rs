//! What people and tools see of a release: the plan, the pause, the history.

use serde_json::Value as Json;

use super::three_waves;
use crate::crash::formwork;

fn release() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let smoke = "gate \"smoke\" {\n  command { argv = [\"true\"] }\n}";
    let person = "gate \"person\" {\n  approval {}\n}";
    let blueprint = three_waves(&format!("max_parallel = 2\n{smoke}\n{person}"), "max_unavailable = \"20%\"");
    std::fs::write(folder.path().join("main.hcl"), blueprint).expect("a blueprint");
    folder
}

fn text(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_plan_shows_its_waves_and_gates() {
    let folder = release();
    let plan = text(&formwork(folder.path(), &["plan"]));
    for line in [
        "Release: 3 waves\n",
        "  1. canary  3 steps, 2 at once\n",
        "     ? smoke   command: true\n",
        "     ? person  approval: a person says yes\n",
        "     sandbox_subnet.sub comes here: sandbox_machine.node[\"n0\"] needs it\n",
        "  2. half    5 steps, at most 20% of a set out of service\n",
        "  3. rest    5 steps\n",
    ] {
        assert!(plan.contains(line), "{line:?} is not in:\n{plan}");
    }
}

#[test]
fn a_pause_says_how_it_goes_on() {
    let folder = release();
    let paused = formwork(folder.path(), &["apply", "--auto-approve"]);
    let told = text(&paused);
    assert_eq!(paused.status.code(), Some(3), "{told}");
    for line in [
        "Wave 1 of 3: canary\n",
        "gate smoke: true\n",
        "gate smoke: passed\n",
        "Paused: revision 1 of `default`, 3 added",
        "Waiting for approval of wave 2 (`half`): a person says yes.\n",
        "`formwork approve --wave 2` gives it; then `formwork resume` goes on.\n",
    ] {
        assert!(told.contains(line), "{line:?} is not in:\n{told}");
    }
    let approved = text(&formwork(folder.path(), &["approve", "--wave", "2", "--yes"]));
    assert!(approved.contains("waiting for approval of wave 2: a person says yes"), "{approved}");
    assert!(approved.contains("Approved by "), "{approved}");
    let history = text(&formwork(folder.path(), &["history"]));
    for words in
        ["paused", "wave 1 canary: under way; gate smoke passed", "wave 2 half: waiting for approval of wave 2"]
    {
        assert!(history.contains(words), "{words} is not in:\n{history}");
    }
    let json = formwork(folder.path(), &["history", "--json"]);
    let json: Json = serde_json::from_slice(&json.stdout).expect("JSON");
    let waves = &json["revisions"][0]["waves"];
    assert_eq!(json["revisions"][0]["status"], "paused");
    assert_eq!((&waves[0]["gates"][0]["name"], &waves[0]["gates"][0]["status"]), (&"smoke".into(), &"passed".into()));
    assert_eq!((&waves[1]["status"], waves[1]["approvals"].as_array().map(Vec::len)), (&"waiting".into(), Some(1)));
}

#[test]
fn a_pause_is_json_as_well() {
    let folder = release();
    let paused = formwork(folder.path(), &["apply", "--auto-approve", "--json"]);
    let json: Json = serde_json::from_slice(&paused.stdout).expect("JSON");
    assert_eq!((json["complete"].as_bool(), &json["paused"]["wave"]), (Some(false), &2.into()));
    assert_eq!((&json["paused"]["name"], &json["paused"]["waits_for"]), (&"half".into(), &"approval".into()));
}
