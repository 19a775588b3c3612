//! Our sandbox provider under real Terraform: the whole life of every resource type.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::terraform::{FORMWORK, Terraform, actions, ended};

/// All resource types, some nested blocks, some sensitive attributes, and all data sources.
const FACTORY: &str = include_str!("factory.tf");

/// How many resources that makes.
const RESOURCES: usize = 14;

/// What becomes of the factory when a variable changes: addresses and actions.
const CHANGES: [(&str, &[(&str, &str)]); 8] = [
    (
        "team=b",
        &[
            ("sandbox_machine.web[0]", "update"),
            ("sandbox_machine.web[1]", "update"),
            ("sandbox_network.main", "update"),
        ],
    ),
    ("size=large", &[("sandbox_machine.web[0]", "update"), ("sandbox_machine.web[1]", "update")]),
    ("image=debian-12", &[("sandbox_machine.web[0]", "delete,create"), ("sandbox_machine.web[1]", "delete,create")]),
    ("level=error", &[("sandbox_log_forwarder.registry", "update")]),
    (r#"callers=["web", "jobs"]"#, &[("sandbox_mesh_member.api", "update")]),
    (r#"pools=[{ name = "main", max_nodes = 5 }]"#, &[("sandbox_cluster.main", "update")]),
    ("untagged_days=30", &[("sandbox_registry.images", "update")]),
    ("rotation=2", &[("sandbox_registry_credential.nodes", "delete,create")]),
];

#[test]
fn a_factory_stands_changes_and_goes() {
    let Some(terraform) = Terraform::overriding("a factory", FACTORY) else { return };
    let planned = actions(&terraform.planned(&[]));
    assert_eq!(planned.iter().filter(|(_, actions)| actions == "create").count(), RESOURCES, "{planned:?}");
    terraform.succeeds(&["apply", "-no-color", "p.plan"]);
    assert_eq!(terraform.objects().len(), RESOURCES);
    terraform.plan_is_empty(&[], "after the first apply");

    let mut given: Vec<String> = Vec::new();
    for (change, expected) in CHANGES {
        given.push(format!("-var={change}"));
        let variables: Vec<&str> = given.iter().map(String::as_str).collect();
        let planned = actions(&terraform.planned(&variables));
        let planned: Vec<(&str, &str)> = planned.iter().map(|(address, actions)| (&**address, &**actions)).collect();
        assert_eq!(planned, expected, "{change}");
        terraform.succeeds(&["apply", "-no-color", "p.plan"]);
        terraform.plan_is_empty(&variables, &format!("after {change}"));
    }

    terraform.succeeds(&["destroy", "-auto-approve", "-no-color"]);
    assert_eq!(terraform.objects(), Vec::<String>::new());
}

#[test]
fn what_changed_behind_its_back_is_seen_and_put_right() {
    let Some(terraform) = Terraform::overriding("drift", FACTORY) else { return };
    terraform.apply(&[]);
    let id = |address: &str| terraform.values(address)["id"].as_str().expect("an id").to_owned();
    terraform.formwork(&["sandbox", "drift", &id("sandbox_machine.web[1]"), "size=xlarge"]);
    terraform.formwork(&["sandbox", "delete", &id("sandbox_policy_attachment.builder")]);
    terraform.apply(&["-refresh-only"]);
    assert_eq!(terraform.values("sandbox_machine.web[1]")["size"], "xlarge");
    assert!(!terraform.state().contains(&"sandbox_policy_attachment.builder".to_owned()));

    let planned = actions(&terraform.planned(&[]));
    let expected = [("sandbox_machine.web[1]", "update"), ("sandbox_policy_attachment.builder", "create")];
    assert_eq!(planned, expected.map(|(address, actions)| (address.to_owned(), actions.to_owned())));
    terraform.apply(&[]);
    terraform.plan_is_empty(&[], "after the drift was put right");
}

#[test]
fn what_stands_is_taken_over() {
    let Some(terraform) = Terraform::overriding("import", FACTORY) else { return };
    terraform.apply(&[]);
    let managed: Vec<String> = terraform.state().into_iter().filter(|address| !address.starts_with("data.")).collect();
    assert_eq!(managed.len(), RESOURCES);
    let imports = managed.iter().map(|address| {
        let id = terraform.values(address)["id"].as_str().expect("an id").to_owned();
        format!("import {{\n  to = {address}\n  id = \"{id}\"\n}}\n")
    });
    let imports: String = imports.collect();
    let standing = terraform.objects();
    terraform.succeeds(&[&["state", "rm"], managed.iter().map(String::as_str).collect::<Vec<_>>().as_slice()].concat());
    terraform.write(&format!("{FACTORY}{imports}"));
    let told = terraform.apply(&[]);
    assert!(told.contains("14 imported, 0 added, 0 changed, 0 destroyed"), "{told}");
    assert_eq!(terraform.objects(), standing);
    terraform.plan_is_empty(&[], "after the import");

    let told = terraform.fails(&["import", "-no-color", "-var=team=a", "sandbox_network.other", "net-0"]);
    assert!(told.contains("sandbox_network.other"), "{told}");
}

#[test]
fn data_sources_answer_and_secrets_are_kept() {
    let Some(terraform) = Terraform::overriding("data sources", FACTORY) else { return };
    let told = terraform.apply(&[]);
    let output = |name: &str| terraform.succeeds(&["output", "-no-color", "-raw", name]);
    assert_eq!(output("cidr_block"), "10.0.0.0/16");
    assert!(output("newest").starts_with("debian-"), "{}", output("newest"));
    assert_eq!(terraform.values("data.sandbox_region.here")["name"], "local-2");
    let password = output("password");
    assert!(password.len() > 8 && !told.contains(&password), "{told}");
    let shown = terraform.succeeds(&["show", "-no-color"]);
    assert!(shown.contains("(sensitive value)") && !shown.contains(&password), "{shown}");
}

#[test]
fn mistakes_are_shown_where_they_stand() {
    let Some(terraform) = Terraform::overriding("mistakes", "") else { return };
    let network = |name: &str, cidr: &str| {
        format!("resource \"sandbox_network\" \"{name}\" {{\n  name       = \"main\"\n  cidr_block = \"{cidr}\"\n}}\n")
    };
    terraform.write(&network("wrong", "10.0.0.0/99"));
    let told = terraform.fails(&["validate", "-no-color"]);
    assert!(told.contains("on main.tf line 9, in resource \"sandbox_network\" \"wrong\""), "{told}");
    assert!(told.contains("cidr_block = \"10.0.0.0/99\"") && told.contains("Hint: "), "{told}");

    terraform.write(
        "resource \"sandbox_cluster\" \"wrong\" {\n  name       = \"blue\"\n  network_id = \"net-0\"\n  \
         subnet_ids = []\n  node_pool {\n    name      = \"main\"\n    size      = \"huge\"\n    max_nodes = 1\n  }\n}\n",
    );
    let told = terraform.fails(&["validate", "-no-color"]);
    assert!(told.contains("size      = \"huge\"") && told.contains("`medium`"), "{told}");

    terraform.write(&network("one", "10.0.0.0/16"));
    terraform.apply(&[]);
    terraform.write(&format!("{}{}", network("one", "10.0.0.0/16"), network("two", "10.1.0.0/16")));
    let told = terraform.fails(&["apply", "-auto-approve", "-no-color"]);
    assert!(told.contains("NameAlreadyExists") && told.contains("with sandbox_network.two"), "{told}");
    assert!(told.contains("on main.tf line 12, in resource \"sandbox_network\" \"two\""), "{told}");
    assert_eq!(terraform.state(), ["sandbox_network.one"]);
}

#[test]
fn a_mirror_installs_it() {
    let Some(terraform) = Terraform::mirroring("a mirror", FACTORY) else { return };
    terraform.succeeds(&["init", "-no-color"]);
    let locked = std::fs::read_to_string(terraform.dir().join(".terraform.lock.hcl")).expect("a lock file");
    assert!(locked.contains("registry.terraform.io/formwork/sandbox") && locked.contains("h1:"), "{locked}");
    terraform.apply(&[]);
    terraform.plan_is_empty(&[], "after an apply");
}

/// Throttled, stopped half-way, without an answer: some applies fail, and in the end everything stands once.
#[test]
fn bad_weather_loses_and_doubles_nothing() {
    const MOST: usize = 30;
    let weather = "region              = \"local-2\"\n  latency_ms          = 1\n  throttle_percent    = 20\n  \
                   failure_percent     = 15\n  lost_answer_percent = 30\n  seed                = 3\n";
    let Some(terraform) = Terraform::overriding("bad weather", "") else { return };
    let (before, after) = FACTORY.split_once("region = \"local-2\"\n").expect("the region");
    terraform.write(&format!("{before}{weather}{after}"));
    let failed =
        (0..MOST).take_while(|_| terraform.run(&["apply", "-auto-approve", "-no-color"]).code != Some(0)).count();
    assert!((1..MOST).contains(&failed), "{failed} of {MOST} applies failed");
    terraform.plan_is_empty(&[], "after all is done");
    let managed = terraform.state().into_iter().filter(|address| !address.starts_with("data.")).count();
    assert_eq!((managed, terraform.objects().len()), (RESOURCES, RESOURCES));
}

/// Ctrl-C reaches every process in the terminal: Terraform decides, and what is under way is told to it.
#[test]
fn an_interrupted_apply_keeps_what_was_made() {
    let slow = "provider \"sandbox\" {\n  latency_ms = 1500\n}\n\
                resource \"sandbox_identity\" \"it\" {\n  count = 3\n  name  = \"it-${count.index}\"\n}\n";
    let Some(terraform) = Terraform::overriding("an interrupt", slow) else { return };
    let mut command = terraform.command(&["apply", "-auto-approve", "-no-color", "-parallelism=1"]);
    let mut child = command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("Creating...")), "nothing is being made");
    let group = Pid::from_raw(i32::try_from(child.id()).expect("a process")).expect("a process");
    kill_process_group(group, Signal::INT).expect("it is there");
    let told: Vec<String> = lines.collect();
    let output = child.wait_with_output().expect("it ends");
    assert_ne!(output.status.code(), Some(0), "{told:?}\n{}", ended(&output).told);
    let made = terraform.state();
    assert_eq!(terraform.objects().len(), made.len(), "{made:?}\n{told:?}");
    assert!((1..3).contains(&made.len()), "{made:?}\n{told:?}");
}

/// A host that is killed asks for nothing: the plugin sees that it is gone.
#[test]
fn a_plugin_ends_with_its_host() {
    let folder = tempfile::tempdir().expect("a folder");
    // The shell stands for the host: it ends when its standard input does.
    let mut host = Command::new("sh")
        .args(["-c", "\"$0\" serve-provider sandbox <&- & read -r end; exit 0", FORMWORK])
        .env("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
        .env("PLUGIN_PROTOCOL_VERSIONS", "6")
        .env("PLUGIN_UNIX_SOCKET_DIR", folder.path())
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut output = BufReader::new(host.stdout.take().expect("a pipe"));
    let mut handshake = String::new();
    output.read_line(&mut handshake).expect("a line");
    assert!(handshake.starts_with("1|6|unix|"), "{handshake}");
    let socket = handshake.split('|').nth(3).expect("an address");
    let mut connection = UnixStream::connect(socket).expect("the plugin listens");
    connection.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket");

    drop(host.stdin.take());
    host.wait().expect("the shell ends");
    connection.read_to_end(&mut Vec::new()).expect("the plugin closes the connection");
    // The pipe closes with the last process that holds it.
    output.read_to_end(&mut Vec::new()).expect("the end of the plugin");
    assert!(!Path::new(socket).exists(), "the socket is left behind");
}
