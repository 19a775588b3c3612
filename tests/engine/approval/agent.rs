//! A real `ssh-agent` signs for us.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use formwork::approve::signature::PLAN;
use formwork::workflow::{agent_signer, approve_plan};

use super::office::{ONE_OPERATOR, Office, has};
use crate::factory::told;

/// An agent of its own, ended when it is dropped.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Agent {
    fn start(folder: &std::path::Path) -> Self {
        let socket = folder.join("agent.sock");
        let mut child = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("ssh-agent runs");
        // It says where it listens once it does.
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        Self { child, socket }
    }

    fn add(&self, key: &std::path::Path) {
        let added =
            Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket).stdin(Stdio::null()).output();
        let added = added.expect("ssh-add runs");
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.child.kill().expect("it ends");
        self.child.wait().expect("it has ended");
    }
}

#[test]
fn an_agent_signs_with_the_key_that_may() {
    let people = ["ada@ops.example", "stranger"];
    let Some(office) = Office::new("agent", ONE_OPERATOR, &people) else { return };
    if !has("agent", "ssh-agent") {
        return;
    }
    office.key("rsa@ops.example", &["-t", "rsa", "-b", "2048"]);
    office.allow(&[("ada@ops.example", ""), ("rsa@ops.example", "")]);
    let folder = tempfile::tempdir().expect("a folder");
    let agent = Agent::start(folder.path());
    let plan = office.keep("prod.plan");
    let mut planned = office.open(&plan);
    let workspace = &office.factory.workspace;
    agent.add(&office.key_path("stranger"));
    let refused = agent_signer(workspace, planned.governing(), &agent.socket, None, PLAN).expect_err("no key may sign");
    assert!(told(&refused).contains("holds no key that may sign"), "{}", told(&refused));
    agent.add(&office.key_path("ada@ops.example"));
    let signer = agent_signer(workspace, planned.governing(), &agent.socket, None, PLAN).expect("one may");
    let ada = signer.public_key();
    approve_plan(workspace, &mut planned, &signer).expect("approved");
    agent.add(&office.key_path("rsa@ops.example"));
    let refused = agent_signer(workspace, planned.governing(), &agent.socket, None, PLAN).expect_err("two may");
    assert!(told(&refused).contains("several keys"), "{}", told(&refused));
    let signer = agent_signer(workspace, planned.governing(), &agent.socket, Some(&ada), PLAN).expect("it holds it");
    assert_eq!(signer.public_key(), ada);
    let KeyOf(rsa) = KeyOf::read(&office, "rsa@ops.example");
    let signer = agent_signer(workspace, planned.governing(), &agent.socket, Some(&rsa), PLAN).expect("it holds it");
    let path = approve_plan(workspace, &mut planned, &signer).expect("approved with RSA");
    drop(planned);
    assert!(path.ends_with("prod.plan.rsa@ops.example.sig"));
    let verdict = office.verdict(&plan);
    assert!(verdict.is_accepted(), "{}", verdict.objections);
    let (signers, path) = (office.signers_file(), path.to_str().expect("UTF-8").to_owned());
    let signers = signers.to_str().expect("UTF-8");
    office.keygen(&["-Y", "verify", "-n", PLAN, "-f", signers, "-I", "rsa@ops.example", "-s", &path], Some(&plan));
}

#[test]
fn a_certificate_counts_as_its_authority_and_the_time_say() {
    let Some(office) = Office::new("certificates", ONE_OPERATOR, &["ca@ops.example", "eve@ops.example"]) else {
        return;
    };
    if !has("certificates", "ssh-agent") {
        return;
    }
    let authority = office.public_key("ca@ops.example");
    office.factory.write("approvers/allowed_signers", &format!("*@ops.example cert-authority {authority}\n"));
    let plan = office.keep("prod.plan");
    let (ca, eve) = (office.key_path("ca@ops.example"), office.key_path("eve@ops.example"));
    let public = eve.with_file_name("eve@ops.example.pub");
    let (ca, public) = (ca.to_str().expect("UTF-8"), public.to_str().expect("UTF-8"));
    for (principal, validity, refused) in [
        ("eve@ops.example", "20230101:20240101", None),
        ("eve@ops.example", "20220101:20230101", Some("its certificate has expired")),
        ("eve@other.example", "20230101:20240101", Some("names no one person")),
    ] {
        office.keygen(&["-q", "-s", ca, "-I", "eve", "-n", principal, "-V", validity, public], None);
        let folder = tempfile::tempdir().expect("a folder");
        let agent = Agent::start(folder.path());
        // With the certificate beside it, ssh-add adds both.
        agent.add(&eve);
        let held = formwork::approve::agent::keys(&agent.socket).expect("keys");
        let certificate = held.iter().map(|(key, _)| key).find(|key| key.is_certificate()).expect("a certificate");
        let mut planned = office.open(&plan);
        let workspace = &office.factory.workspace;
        let signer =
            agent_signer(workspace, planned.governing(), &agent.socket, Some(certificate), PLAN).expect("it holds it");
        let approved = approve_plan(workspace, &mut planned, &signer);
        drop(planned);
        match (refused, approved) {
            (None, Ok(path)) => {
                assert!(office.accepts(&plan), "{}", office.verdict(&plan).objections);
                let (signers, path) = (office.signers_file(), path.to_str().expect("UTF-8").to_owned());
                let signers = signers.to_str().expect("UTF-8");
                let then = "verify-time=20231114221320Z";
                let by_hand = ["-Y", "verify", "-O", then, "-n", PLAN, "-f", signers, "-I", principal, "-s", &path];
                office.keygen(&by_hand, Some(&plan));
            }
            (Some(reason), Err(failed)) => assert!(told(&failed).contains(reason), "{}", told(&failed)),
            (_, outcome) => panic!("{principal} {validity}: {:?}", outcome.map_err(|failed| told(&failed))),
        }
    }
}

/// The public half of somebody's key.
struct KeyOf(ssh_key::public::KeyData);

impl KeyOf {
    fn read(office: &Office, name: &str) -> Self {
        Self(ssh_key::PublicKey::from_openssh(&office.public_key(name)).expect("a key").key_data().clone())
    }
}
