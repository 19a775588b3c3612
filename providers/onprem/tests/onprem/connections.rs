//! Ways to a host, and what is said where there is none.

use std::process::{Command, Stdio};

use formwork_contract::{Diagnostics, Entries, Type, Value};

use crate::drive::Driver;
use crate::lab::{Host, Lab, declared};

async fn facts(lab: &Lab, host: &Host, settings: &[(&str, Value)]) -> Result<Value, Diagnostics> {
    facts_with(lab, host, &[], settings).await
}

/// The facts of a host that is declared with these settings more, or why there are none.
async fn facts_with(
    lab: &Lab,
    host: &Host,
    own: &[(&str, Value)],
    settings: &[(&str, Value)],
) -> Result<Value, Diagnostics> {
    let provider = lab.schema().await.provider.clone();
    let keys = Value::list(Type::String, vec![Value::string(host.host_key.trim())]);
    let base = [("address", host.address.as_str().into()), ("host_keys", keys)];
    let entry = declared(&provider, &[&base, own].concat());
    let hosts = Entries::new(vec![(host.name.as_str().into(), entry)]);
    Driver::new(lab.with_hosts(hosts, settings).await, "test").await.facts(&host.name).await
}

/// The whole of a refusal: what, why and what to do.
fn told(facts: Result<Value, Diagnostics>) -> String {
    let problems = facts.expect_err("a refusal");
    let whole = |problem: &formwork_contract::Diagnostic| {
        let hint = problem.hint.as_deref().expect("every message says what to do");
        format!("{} | {} | {hint}", problem.summary, problem.detail)
    };
    problems.iter().map(whole).collect()
}

fn none() -> Value {
    Value::list(Type::String, Vec::new())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_says_what_it_is() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.host("a");
    let facts = facts(&lab, &host, &[]).await.expect("facts");
    assert_eq!(facts.get_str("hostname"), Some("a"));
    assert_eq!(facts.get_str("os_id"), Some("debian"));
    assert_eq!(facts.get("root").and_then(Value::as_bool), Some(true));
    assert_eq!(facts.get("systemd").and_then(Value::as_bool), Some(false));
    assert_eq!(facts.get("addresses").and_then(Value::elements), Some(&[Value::string(&host.address)][..]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_host_with_its_known_key_is_talked_to() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.host("a");
    let fingerprint = host.must("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2");
    let unknown = told(facts_with(&lab, &host, &[("host_keys", none())], &[]).await);
    assert!(
        unknown.contains("is not known") && unknown.contains(fingerprint.trim()) && unknown.contains("ssh-keyscan"),
        "{unknown}"
    );
    let other = Value::list(Type::String, vec![Value::string(lab.key("other").trim())]);
    let changed = told(facts_with(&lab, &host, &[("host_keys", other)], &[]).await);
    assert!(changed.contains("shows another key") && changed.contains(fingerprint.trim()), "{changed}");
    assert_eq!(host.accepted(), 0, "nobody logged in");
    let key: Vec<&str> = host.host_key.split_whitespace().take(2).collect();
    let line = format!("{} {}\n", host.address, key.join(" "));
    let file = lab.write("known_hosts", &line);
    let by_file = [("host_keys", none()), ("known_hosts_file", Value::string(&file))];
    facts_with(&lab, &host, &by_file, &[]).await.expect("a known host");
    let hashed = Command::new("ssh-keygen").args(["-H", "-f", &file]).output().expect("ssh-keygen");
    assert!(hashed.status.success() && lab.read("known_hosts").starts_with("|1|"), "the names are hashed");
    facts_with(&lab, &host, &by_file, &[]).await.expect("a known host with a hashed name");
    lab.write("known_hosts", &format!("{line}@revoked * {}\n", key.join(" ")));
    let revoked = told(facts_with(&lab, &host, &by_file, &[]).await);
    assert!(revoked.contains("is revoked"), "{revoked}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_out_of_reach_is_told_with_where_it_was_looked_for() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.host("a");
    // A port of the host on which nobody listens.
    let refused = told(facts_with(&lab, &host, &[("port", Value::from(2222_i64))], &[]).await);
    assert!(
        refused.contains("out of reach") && refused.contains(":2222") && refused.contains("ssh -p 2222"),
        "{refused}"
    );
    let undeclared = Driver::new(lab.config(&[&host], &[]).await, "test").await.facts("b").await;
    assert!(told(undeclared).contains("there is no host `b`"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_is_refused_names_what_was_shown() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.host("a");
    lab.key("stranger");
    let refused = told(facts(&lab, &host, &[("private_key_file", lab.path("stranger").into())]).await);
    assert!(refused.contains("does not let `root` in") && refused.contains("SHA256:"), "{refused}");
    let missing = told(facts(&lab, &host, &[("private_key_file", lab.path("nothing").into())]).await);
    assert!(missing.contains("cannot be read"), "{missing}");
    let nothing = told(facts(&lab, &host, &[("private_key_file", Value::Null(Type::String))]).await);
    assert!(nothing.contains("nothing to log in with"), "{nothing}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_and_agents_open_hosts() {
    let Some(lab) = Lab::new() else { return };
    lab.key("user_ca");
    let host = lab.host("a");
    lab.key("visitor");
    let signed = Command::new("ssh-keygen")
        .args(["-q", "-s", &lab.path("user_ca"), "-I", "visitor", "-n", "root", &lab.path("visitor.pub")])
        .status();
    assert!(signed.is_ok_and(|status| status.success()), "a certificate");
    let key = ("private_key_file", Value::from(lab.path("visitor").as_str()));
    assert!(facts(&lab, &host, std::slice::from_ref(&key)).await.is_err(), "the key alone is not enough");
    let certificate = ("certificate_file", lab.path("visitor-cert.pub").as_str().into());
    facts(&lab, &host, &[key, certificate]).await.expect("a login by certificate");

    let socket = lab.path("agent");
    let mut agent =
        Command::new("ssh-agent").args(["-D", "-a", &socket]).stdout(Stdio::null()).spawn().expect("ssh-agent");
    let added = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        let add = Command::new("ssh-add")
            .args(["-q", &lab.path("key")])
            .env("SSH_AUTH_SOCK", &socket)
            .stderr(Stdio::null())
            .status();
        add.is_ok_and(|status| status.success())
    });
    let by_agent = [("private_key_file", Value::Null(Type::String)), ("agent_socket", Value::string(&socket))];
    let answer = facts(&lab, &host, &by_agent).await;
    agent.kill().expect("the agent ends");
    agent.wait().expect("the agent ends");
    assert!(added, "the agent takes the key");
    answer.expect("a login by agent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_is_reached_through_another() {
    let Some(lab) = Lab::new() else { return };
    let outer = lab.host("outer");
    // Another sshd, which listens on the loopback of the outer host alone.
    outer.must("/usr/sbin/sshd -o ListenAddress=127.0.0.1:2200 -o PidFile=none -o UsePAM=no -f /etc/ssh/lab.conf");
    let provider = lab.schema().await.provider.clone();
    let keys = Value::list(Type::String, vec![Value::string(outer.host_key.trim())]);
    let entry = |settings: &[(&str, Value)]| declared(&provider, &[&[("host_keys", keys.clone())], settings].concat());
    let inner = [("address", "127.0.0.1".into()), ("port", Value::from(2200_i64))];
    let hosts = |jump: Value| {
        Entries::new(vec![
            ("outer".into(), entry(&[("address", outer.address.as_str().into())])),
            ("inner".into(), entry(&[&inner[..], &[("jump", jump)]].concat())),
        ])
    };
    let driver = Driver::new(lab.with_hosts(hosts("outer".into()), &[]).await, "test").await;
    assert_eq!(driver.facts("inner").await.expect("facts").get_str("hostname"), Some("outer"));
    let direct = Driver::new(lab.with_hosts(hosts(Value::Null(Type::String)), &[]).await, "test").await;
    assert!(told(direct.facts("inner").await).contains("out of reach"), "nobody listens here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sudo_makes_root_of_those_whom_it_lets_in() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.host("a");
    host.must(
        "useradd -m deploy && echo 'deploy:right' | chpasswd && echo 'deploy ALL=(ALL) ALL' > /etc/sudoers.d/deploy \
         && mkdir /home/deploy/.ssh && cp /root/.ssh/authorized_keys /home/deploy/.ssh/ && chown -R deploy: /home/deploy",
    );
    let root = |facts: &Value| facts.get("root").and_then(Value::as_bool);
    let user = ("user", Value::from("deploy"));
    let sudo = ("sudo", Value::Bool(true));
    let password = |password: &str| ("sudo_password", Value::string(password));
    assert_eq!(root(&facts(&lab, &host, std::slice::from_ref(&user)).await.expect("facts")), Some(false));
    let right = [user.clone(), sudo.clone(), password("right")];
    assert_eq!(root(&facts(&lab, &host, &right).await.expect("facts")), Some(true));
    let wrong = told(facts(&lab, &host, &[user.clone(), sudo.clone(), password("wrong")]).await);
    assert!(wrong.contains("refuses the password") && wrong.contains("sudo_password"), "{wrong}");
    let missing = told(facts(&lab, &host, &[user.clone(), sudo.clone()]).await);
    assert!(missing.contains("asks for a password"), "{missing}");
    host.must("echo 'deploy ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/deploy");
    assert_eq!(root(&facts(&lab, &host, &right).await.expect("a password that nobody asks for")), Some(true));
    host.must("rm /etc/sudoers.d/deploy");
    let refused = told(facts(&lab, &host, &right).await);
    assert!(refused.contains("does not let the user in"), "{refused}");
}
