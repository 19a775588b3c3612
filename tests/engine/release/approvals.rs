//! Who lets a wave begin: a word, or signatures that are good for nothing else.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use formwork::approve::{Rules, WAVE, WaveApproval, WaveSubject, missing};
use formwork::blueprint::files::Files;
use formwork::blueprint::{LoadOptions, load};
use formwork::plan::Plan;
use formwork::plan::release::{GateCheck, Requirement};
use formwork::record::model::{ReleaseEventKind, RevisionStatus};
use formwork::workflow::{approve_wave, history, key_file, waiting_wave};

use super::{applied, three_waves};
use crate::factory::{Factory, told};

const PERSON: &str = "gate \"person\" {\n  approval {}\n}";
const OPERATOR: &str = "gate \"person\" {\n  approval {\n    require \"operators\" { count = 2 }\n  }\n}";

#[test]
fn a_word_is_kept_for_the_run_that_goes_on() {
    let factory = Factory::new(&three_waves(PERSON, ""));
    let nobody = told(&waiting_wave(&factory.workspace, 2).map(|_| ()).expect_err("nothing waits"));
    assert!(nobody.contains("no release of `default` waits"), "{nobody}");
    assert!(applied(&factory).0.paused.is_some());
    let other = told(&waiting_wave(&factory.workspace, 3).map(|_| ()).expect_err("another wave"));
    assert!(other.contains("It waits before wave 2 (`half`)"), "{other}");
    let waiting = waiting_wave(&factory.workspace, 2).expect("it waits");
    assert!(!waiting.asks_for_signatures());
    let text = waiting.subject.text();
    for part in ["environment: default\n", "revision: 1\n", "wave: 2 half\n", waiting.subject.plan_digest.as_ref()] {
        assert!(text.contains(part), "{part} is not signed: {text}");
    }
    assert_eq!(&*approve_wave(&factory.workspace, waiting, None).expect("it is kept"), "tester@host");
    let history = history(&factory.workspace).expect("a history");
    assert_eq!(history[0].status, RevisionStatus::Paused, "an approval begins nothing");
    let wave = &history[0].waves[1];
    assert_eq!((wave.wave, wave.status), (2, ReleaseEventKind::Waiting));
    assert_eq!(wave.approvals.iter().map(|who| &**who).collect::<Vec<_>>(), ["tester@host"]);
}

/// Three people with keys, two of them operators, and a release that waits for these.
struct Office {
    factory: Factory,
    keys: tempfile::TempDir,
}

const PEOPLE: [&str; 3] = ["ada@ops.example", "bob@ops.example", "eve@elsewhere.example"];

impl Office {
    fn new(test: &str) -> Option<Self> {
        if Command::new("ssh-keygen").arg("-?").stdin(Stdio::null()).output().is_err() {
            println!("skipped: {test}: `ssh-keygen` is not on PATH");
            return None;
        }
        let rules = r#"
        environment "default" {
          approval {
            allowed_signers = "signers"
            group "operators" { members = ["*@ops.example"] }
          }
        }
        "#;
        let factory = Factory::new(&format!("{rules}{}", three_waves(OPERATOR, "")));
        let keys = tempfile::tempdir().expect("a folder for the keys");
        let mut signers = String::new();
        for person in PEOPLE {
            let path = keys.path().join(person);
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&path).status();
            assert!(made.expect("ssh-keygen runs").success());
            let public = std::fs::read_to_string(keys.path().join(format!("{person}.pub"))).expect("a public key");
            signers.push_str(&format!("{person} {public}"));
        }
        factory.write("signers", &signers);
        Some(Self { factory, keys })
    }

    fn key(&self, person: &str) -> PathBuf {
        self.keys.path().join(person)
    }

    fn rules(&self) -> Rules {
        let files = Arc::new(Files::on_disk(self.factory.path()));
        let options = LoadOptions { environment: None, target: None, display_prefix: String::new() };
        let (blueprint, _) = load(files, &options).expect("a blueprint");
        Rules::read(&blueprint.environments["default"], &blueprint.files).expect("rules")
    }

    /// Signs as ssh-keygen does.
    fn by_hand(&self, person: &str, namespace: &str, text: &str) -> WaveApproval {
        let file = self.keys.path().join("text");
        std::fs::write(&file, text).expect("written");
        let signature = self.keys.path().join("text.sig");
        drop(std::fs::remove_file(&signature));
        let signed = Command::new("ssh-keygen")
            .args(["-q", "-Y", "sign", "-n", namespace, "-f"])
            .args([&self.key(person), &file])
            .stderr(Stdio::null())
            .status();
        assert!(signed.expect("ssh-keygen runs").success());
        let signature = std::fs::read_to_string(signature).expect("a signature");
        WaveApproval { approver: person.into(), signature: Some(signature.into()) }
    }
}

fn requirements(plan: &Plan) -> Vec<Requirement> {
    match &plan.release.waves[0].gates[0].check {
        GateCheck::Approval(required) => required.clone(),
        other => panic!("not an approval: {other:?}"),
    }
}

#[test]
fn signatures_by_hand_count_for_the_wave_that_they_name() {
    let Some(office) = Office::new("signatures_by_hand_count_for_the_wave_that_they_name") else { return };
    let plan = office.factory.plan().plan;
    let (required, rules) = (requirements(&plan), office.rules());
    let subject = WaveSubject {
        environment: "default".into(),
        record_id: "a-record".into(),
        revision: 7,
        plan_digest: "d1gest".into(),
        wave: 2,
        name: "half".into(),
    };
    let now = office.factory.workspace.now_ms;
    let missing = |given: &[WaveApproval]| missing(&plan, &subject, &required, given, &rules, now);
    let text = subject.text();
    let [ada, bob, eve] = PEOPLE.map(|person| office.by_hand(person, WAVE, &text));
    assert_eq!(missing(&[ada.clone(), bob.clone()]), None);
    assert_eq!(missing(&[]).as_deref(), Some("signed by 2 more of `operators`"));
    let one_more = Some("signed by 1 more of `operators`");
    assert_eq!(missing(&[ada.clone(), ada.clone()]).as_deref(), one_more, "nobody counts twice");
    assert_eq!(missing(&[ada.clone(), eve]).as_deref(), one_more, "not a member");
    let others = [
        WaveSubject { environment: "prod".into(), ..subject.clone() },
        WaveSubject { record_id: "another".into(), ..subject.clone() },
        WaveSubject { revision: 8, ..subject.clone() },
        WaveSubject { plan_digest: "other".into(), ..subject.clone() },
        WaveSubject { wave: 3, ..subject.clone() },
        WaveSubject { name: "rest".into(), ..subject.clone() },
    ];
    for other in others {
        let stray = office.by_hand(PEOPLE[1], WAVE, &other.text());
        assert!(missing(&[ada.clone(), stray]).is_some(), "a signature for {other:?} counts");
    }
    let of_a_plan = office.by_hand(PEOPLE[1], "formwork.plan", &text);
    assert!(missing(&[ada.clone(), of_a_plan]).is_some_and(|told| told.contains("formwork.plan")));
    let word = WaveApproval { approver: PEOPLE[1].into(), signature: None };
    assert!(missing(&[ada.clone(), word]).is_some_and(|told| told.contains("nothing was signed")));
    let mut own = plan;
    own.header.author.email = Some(PEOPLE[0].into());
    let told = formwork::approve::missing(&own, &subject, &required, &[ada, bob], &rules, now);
    assert!(told.is_some_and(|told| told.contains("made the plan")));
}

#[test]
fn what_formwork_signs_ssh_keygen_verifies() {
    let Some(office) = Office::new("what_formwork_signs_ssh_keygen_verifies") else { return };
    let workspace = &office.factory.workspace;
    assert!(applied(&office.factory).0.paused.is_some());
    let waiting = waiting_wave(workspace, 2).expect("it waits");
    assert!(waiting.asks_for_signatures());
    let text = waiting.subject.text();
    let signer = match key_file(&office.key(PEOPLE[0])).expect("a key") {
        formwork::approve::signature::KeyFile::Private(key) => formwork::approve::signature::Signer::Key(key),
        other => panic!("no private key: {other:?}"),
    };
    assert_eq!(&*approve_wave(workspace, waiting, Some(&signer)).expect("it is kept"), PEOPLE[0]);
    let record =
        rusqlite::Connection::open(office.factory.path().join(".formwork/default/record.db")).expect("a record");
    let kept: String = record
        .query_row("SELECT signature FROM release_events WHERE event = 'approved'", [], |row| row.get(0))
        .expect("a signature");
    assert!(verifies(&office, &text, &kept));
    assert!(!verifies(&office, &text.replace("wave: 2", "wave: 3"), &kept));
}

fn verifies(office: &Office, text: &str, signature: &str) -> bool {
    let at = |name: &str, text: &str| -> PathBuf {
        let path = office.keys.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    let (text, signature) = (at("kept", text), at("kept.sig", signature));
    let signers: &Path = &office.factory.path().join("signers");
    let verified = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-n", WAVE, "-I", PEOPLE[0], "-f"])
        .arg(signers)
        .arg("-s")
        .arg(signature)
        .stdin(std::fs::File::open(text).expect("a text"))
        .output();
    verified.expect("ssh-keygen runs").status.success()
}

#[test]
fn a_group_that_nobody_named_is_refused_with_the_plan() {
    let factory = Factory::new(&three_waves(OPERATOR, ""));
    let refused = told(&factory.try_plan(&Default::default()).expect_err("no such group"));
    assert!(refused.contains("There is no group `operators`"), "{refused}");
}
