//! Changes that go wrong half-way, what belongs to whom, and how little goes over the line.

use formwork_contract::provider::{ApplyError, ReadOutcome, Settlement};
use formwork_contract::{Entries, Type, Value};

use crate::drive::{Driver, reading, settling};
use crate::lab::Lab;

fn file(path: &str, content: &str) -> Vec<(&'static str, Value)> {
    vec![("host", "a".into()), ("path", path.into()), ("content", content.into())]
}

fn command(run: &str) -> Vec<(&'static str, Value)> {
    vec![("host", "a".into()), ("name", "slow".into()), ("run", run.into())]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_objects_take_one_connection_and_few_round_trips() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.host("a");
    let config = lab.config(&[&host], &[]).await;
    let driver = Driver::new(config.clone(), "test").await;
    let mut made = Vec::new();
    for number in 0..25 {
        let (path, folder) = (format!("/opt/file-{number}"), format!("/opt/folder-{number}"));
        let applied = driver.create("onprem_file", &file(&path, "content\n"), &path).await.expect("a file");
        made.push(reading("onprem_file", &applied.value));
        let config = [("host", "a".into()), ("path", Value::string(&folder))];
        let applied = driver.create("onprem_directory", &config, &folder).await.expect("a folder");
        made.push(reading("onprem_directory", &applied.value));
    }
    let before = host.accepted();
    let fresh = Driver::new(config, "test").await;
    // As the engine reads: several batches at once, and a data source beside them.
    let (first, second) = made.split_at(20);
    let (facts, first, second) =
        tokio::join!(fresh.facts("a"), fresh.configured.read(first), fresh.configured.read(second));
    facts.expect("facts");
    let present = |answer: &Result<ReadOutcome, _>| matches!(answer, Ok(ReadOutcome::Present { .. }));
    assert_eq!(first.iter().chain(&second).filter(|answer| present(answer)).count(), 50);
    let trips = fresh.provider.trips()["a"];
    assert_eq!(trips.connections, 1);
    assert!(trips.round_trips <= 3, "{trips:?}");
    assert_eq!(host.accepted() - before, 1, "sshd saw one connection");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_drops_leaves_an_unknown_outcome_that_can_be_settled() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.host("a");
    let driver = Driver::new(lab.config(&[&host], &[]).await, "test").await;
    let run = "touch /opt/began; while ! [ -e /opt/go ]; do sleep 0.05; done; echo once >> /opt/done";
    let request = driver.request("onprem_command", None, &command(run), "attempt-1").await;
    let applying = driver.configured.apply(request.clone());
    let cutting = async {
        host.must(
            "i=0; while ! [ -e /opt/began ] && [ $i -lt 200 ]; do sleep 0.05; i=$((i + 1)); done; [ -e /opt/began ]",
        );
        host.cut_connections();
    };
    let (applied, ()) = tokio::join!(applying, cutting);
    let Err(ApplyError::Unknown { diagnostic }) = applied else {
        panic!("expected an unknown outcome, found {applied:?}")
    };
    assert!(diagnostic.summary.contains("was lost") && diagnostic.hint.is_some(), "{diagnostic}");
    host.must("touch /opt/go");
    let settled = driver.configured.settle(settling(&request)).await.expect("a settlement");
    assert!(matches!(settled, Settlement::Present { .. }), "{settled:?}");
    assert_eq!(host.must("cat /opt/done"), "once\n", "the look waited until the change had ended");
    assert_eq!(driver.provider.trips()["a"].connections, 2, "it was connected again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_leaves_what_was_there() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.host("a");
    let driver = Driver::new(lab.config(&[&host], &[]).await, "test").await;
    let large = "x".repeat(400_000);
    let refused = driver.create("onprem_file", &file("/srv/new", &large), "1").await;
    let Err(ApplyError::DidNotHappen { diagnostic, .. }) = refused else {
        panic!("expected a refusal, found {refused:?}")
    };
    assert!(diagnostic.hint.as_deref().is_some_and(|hint| hint.contains("make room")), "{diagnostic}");
    let small = driver.create("onprem_file", &file("/srv/old", "small"), "2").await.expect("a small file").value;
    let refused = driver.update("onprem_file", &small, &file("/srv/old", &large), "3").await;
    assert!(matches!(refused, Err(ApplyError::DidNotHappen { .. })), "{refused:?}");
    assert_eq!(host.must("cat /srv/old; ls -A /srv"), "smallold\n");
    driver.delete("onprem_file", &small).await.expect("a deletion");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_half_way_says_what_stands() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.host("a");
    let driver = Driver::new(lab.config(&[&host], &[]).await, "test").await;
    let folder =
        |owner: &str| vec![("host", "a".into()), ("path", "/opt/folder".into()), ("owner", Value::string(owner))];
    let half = driver.create("onprem_directory", &folder("nobody-at-all"), "1").await;
    let Err(ApplyError::Partly { diagnostic, value, .. }) = half else { panic!("expected a part, found {half:?}") };
    assert!(diagnostic.detail.contains("nobody-at-all"), "{diagnostic}");
    assert_eq!(value.get_str("owner"), Some("root"));
    let whole = driver.update("onprem_directory", &value, &folder("daemon"), "2").await.expect("the rest").value;
    host.must("touch /opt/folder/something");
    let kept = driver.delete("onprem_directory", &whole).await;
    assert!(matches!(kept, Err(ApplyError::DidNotHappen { .. })), "a folder with something in it stays: {kept:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_already_is_not_taken() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.host("a");
    let config = lab.config(&[&host], &[]).await;
    let (ours, theirs) = (Driver::new(config.clone(), "prod").await, Driver::new(config, "dev").await);
    let message = |refused: Result<_, ApplyError>| {
        let Err(ApplyError::DidNotHappen { diagnostic, .. }) =
            refused.map(|_: formwork_contract::provider::Applied| ())
        else {
            panic!("expected a refusal")
        };
        format!("{} {} {}", diagnostic.summary, diagnostic.detail, diagnostic.hint.unwrap_or_default())
    };
    let content = host.must("cat /etc/debian_version");
    let nobodys = message(ours.create("onprem_file", &file("/etc/debian_version", "mine"), "1").await);
    assert!(nobodys.contains("import") && nobodys.contains("a:/etc/debian_version"), "{nobodys}");
    assert_eq!(host.must("cat /etc/debian_version"), content);
    theirs.create("onprem_file", &file("/etc/theirs", "theirs"), "2").await.expect("a file");
    let taken = message(ours.create("onprem_file", &file("/etc/theirs", "ours"), "3").await);
    assert!(taken.contains("onprem_file.test") && taken.contains("environment `dev`"), "{taken}");
    host.must("ln -s /etc/passwd /etc/link");
    let link = message(ours.create("onprem_file", &file("/etc/link", "x"), "4").await);
    assert!(link.contains("stands on host"), "{link}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_on_no_command_line() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.host("a");
    let driver = Driver::new(lab.config(&[&host], &[]).await, "test").await;
    let secret = Value::map(Type::String, Entries::new(vec![("TOKEN".into(), "hunter2'\"$x".into())]));
    let run = "cat /proc/[0-9]*/cmdline > /opt/seen 2>/dev/null || :; printf '%s' \"$TOKEN\" > /opt/token";
    let config = [command(run), vec![("environment", secret)]].concat();
    driver.create("onprem_command", &config, "1").await.expect("a command");
    assert_eq!(host.must("cat /opt/token"), "hunter2'\"$x");
    assert!(host.must("cat /opt/seen").contains("sh\0-s"), "command lines were seen");
    assert!(!host.must("cat /opt/seen").contains("hunter2"), "and the secret was not among them");
    assert!(host.run("grep -r hunter2 /var/lib/formwork").is_err(), "nor is it kept");
    let secret = Value::from("hunter3").mark(formwork_contract::Marks::SENSITIVE);
    let config = [("host", "a".into()), ("path", "/etc/secret".into()), ("sensitive_content", secret)];
    let made = driver.create("onprem_file", &config, "2").await.expect("a file").value;
    assert!(made.get("sha256").is_some_and(Value::is_null), "a digest would let it be guessed");
    let found = driver.configured.discover("test").await.expect("what is ours");
    let file = found.iter().find(|found| &*found.type_name == "onprem_file").expect("the file");
    assert_eq!(file.value.get_str("sensitive_content"), Some("hunter3"), "it is found as a secret again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setting_of_the_kernel_goes_back_to_what_it_was() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.host("a");
    let driver = Driver::new(lab.config(&[&host], &[]).await, "test").await;
    let path = "/proc/sys/net/ipv4/tcp_syn_retries";
    host.must(&format!("echo 5 > {path}"));
    let config = |value: &str| {
        [("host", "a".into()), ("name", "net.ipv4.tcp_syn_retries".into()), ("value", Value::string(value))]
    };
    let made = driver.create("onprem_sysctl", &config("3"), "1").await.expect("a setting").value;
    let changed = driver.update("onprem_sysctl", &made, &config("4"), "2").await.expect("a setting").value;
    assert_eq!(host.must(&format!("cat {path}")), "4\n");
    let refused = driver.update("onprem_sysctl", &changed, &config("many"), "3").await;
    assert!(matches!(refused, Err(ApplyError::DidNotHappen { .. })), "{refused:?}");
    driver.delete("onprem_sysctl", &changed).await.expect("a deletion");
    assert_eq!(host.must(&format!("cat {path}; ls -A /etc/sysctl.d | grep formwork || :")), "5\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_runs_once_an_attempt_and_is_undone() {
    let Some(lab) = Lab::new() else { return };
    let host = lab.host("a");
    let driver = Driver::new(lab.config(&[&host], &[]).await, "test").await;
    let with = |run: &str| [command(run), vec![("undo", "echo undone >> /opt/log".into())]].concat();
    let request = driver.request("onprem_command", None, &with("echo made >> /opt/log"), "1").await;
    let made = driver.configured.apply(request.clone()).await.expect("a command").value;
    driver.configured.apply(request).await.expect("the same attempt again");
    assert_eq!(host.must("cat /opt/log"), "made\n");
    let failing = driver.request("onprem_command", Some(&made), &with("echo again >> /opt/log; false"), "2").await;
    let failed = driver.configured.apply(failing.clone()).await;
    assert!(matches!(failed, Err(ApplyError::Partly { .. })), "something may have been done: {failed:?}");
    let Settlement::Present { value, .. } = driver.configured.settle(settling(&failing)).await.expect("a settlement")
    else {
        panic!("the command stands")
    };
    assert_eq!(value, made, "what failed is planned again");
    let update = driver.request("onprem_command", Some(&made), &with("echo anew >> /opt/log"), "3").await;
    let changed = driver.configured.apply(update.clone()).await.expect("an update").value;
    driver.configured.apply(update).await.expect("the same attempt again");
    driver.delete("onprem_command", &changed).await.expect("a deletion");
    assert_eq!(host.must("cat /opt/log"), "made\nagain\nanew\nundone\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_machine_needs_no_connection() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let lab_schema =
        formwork_contract::provider::Provider::schema(&formwork_onprem::OnPrem::new()).await.expect("a schema");
    let config = lab_schema.provider.empty_value().with("ledger", path("ledger").as_str().into());
    let driver = Driver::new(config, "test").await;
    let config = [("host", "local".into()), ("path", Value::string(path("file"))), ("content", "here\n".into())];
    let made = driver.create("onprem_file", &config, "1").await.expect("a file").value;
    assert_eq!(std::fs::read_to_string(path("file")).expect("the file"), "here\n");
    let found = driver.configured.discover("test").await.expect("what is ours");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].value, made);
    driver.delete("onprem_file", &made).await.expect("a deletion");
    assert!(!folder.path().join("file").exists());
}
