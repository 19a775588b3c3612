//! Types that need a running systemd, on a host of `tests/lab`.
//!
//! The lab is a network of its own that cannot be seen from outside: the test runs itself again in there.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use formwork_conformance::{Fixture, Subject, run};
use formwork_contract::provider::{Context, Provider as _};
use formwork_contract::{Entries, Type, Value};
use formwork_onprem::OnPrem;
use tempfile::TempDir;

/// Says to the process in the lab where the keys and what is known of the host are.
pub(crate) const INSIDE: &str = "FORMWORK_TEST_INSIDE_LAB";

pub(crate) const ADDRESS: &str = "198.18.0.1";

/// The types that have their fixtures here.
pub(crate) const TYPES: [&str; 3] = ["onprem_systemd_dropin", "onprem_systemd_unit", "onprem_timer"];

/// A host with systemd; it ends with this.
pub(crate) struct Booted {
    lab: String,
    folder: TempDir,
}

impl Booted {
    #[expect(clippy::print_stdout, reason = "a skip is printed")]
    pub(crate) fn start() -> Option<Self> {
        let skip = |why: &str| {
            println!("skipped: tests on a host with systemd, since {why}");
            None
        };
        if std::env::var_os("FORMWORK_TEST_HOSTS_ROOT").is_none() {
            return skip("`FORMWORK_TEST_HOSTS_ROOT` is not set: `eval \"$(.ci/hosts)\"`");
        }
        let Ok(root) = Command::new(script()).arg("root").output() else {
            return skip("the lab's script does not start");
        };
        if !root.status.success() {
            return skip("there is no root file system for a host with systemd");
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let key = folder.path().join("key");
        let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
        assert!(made.is_ok_and(|status| status.success()), "a key can be made");
        let booted = Self { lab: format!("u{}", std::process::id() % 1_000_000), folder };
        let up = Command::new(script()).args(["up", &booted.lab, "1"]).arg(key.with_extension("pub")).output();
        let up = up.expect("the lab's script starts");
        assert!(up.status.success(), "the lab does not come up: {}", String::from_utf8_lossy(&up.stderr));
        let host = Path::new("/var/tmp/formwork-lab").join(&booted.lab).join(format!("{}-1", booted.lab));
        let host_key = std::fs::read_to_string(host.join("upper/etc/ssh/ssh_host_ed25519_key.pub")).expect("its key");
        std::fs::write(booted.folder.path().join("known_hosts"), format!("{ADDRESS} {host_key}")).expect("a file");
        Some(booted)
    }

    /// Runs a test of this program once more, where the lab's network is.
    pub(crate) fn again(&self, test: &str) {
        let again = Command::new("ip")
            .args(["netns", "exec", &self.lab])
            .arg(std::env::current_exe().expect("this program"))
            .args(["--exact", test, "--nocapture"])
            .env(INSIDE, self.folder.path())
            .status();
        assert!(again.expect("ip starts").success(), "see above");
    }
}

/// The provider's configuration for the host `a` in the lab.
pub(crate) async fn config(folder: &Path) -> Value {
    let schema = OnPrem::new().schema().await.expect("a schema");
    let path = |name: &str| Value::string(folder.join(name).display().to_string());
    let host = crate::lab::declared(&schema.provider, &[("address", ADDRESS.into())]);
    schema
        .provider
        .empty_value()
        .with("hosts", Value::Object(Entries::new(vec![("a".into(), host)])))
        .with("private_key_file", path("key"))
        .with("known_hosts_file", path("known_hosts"))
}

impl Drop for Booted {
    fn drop(&mut self) {
        let _ = Command::new(script()).args(["down", &self.lab]).stderr(Stdio::null()).status();
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/lab/lab")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_of_systemd_conform() {
    if let Some(folder) = std::env::var_os(INSIDE) {
        return conform(Path::new(&folder)).await;
    }
    let Some(booted) = Booted::start() else { return };
    booted.again("systemd::types_of_systemd_conform");
}

async fn conform(folder: &Path) {
    let provider = OnPrem::new();
    let config = config(folder).await;
    let context = Context::new("conformance", std::env::temp_dir());
    let subject = Subject { config, ..Subject::new(Arc::new(provider), context) };
    let on = Ssh(folder.to_owned());
    let fixtures = [unit(&on), packaged(&on), timer(&on), dropin(&on)];
    let before = on.run("cd /etc/systemd/system; find . | sort; systemctl is-enabled e2scrub_reap").expect("ssh");
    let report = run(&subject, &fixtures).await;
    assert!(report.is_success(), "{report}");
    let after = on.run("cd /etc/systemd/system; find . | sort; systemctl is-enabled e2scrub_reap").expect("ssh");
    assert_eq!(after, before, "everything is as it was");
    assert_eq!(on.run("systemctl --failed --no-legend; find /var/lib/formwork/owners -type f").expect("ssh"), "");
    restarts_when_it_should(&subject, &on).await;
    drop_ins_are_loaded(&subject, &on).await;
}

/// Runs sh on the host.
#[derive(Clone)]
pub(crate) struct Ssh(pub PathBuf);

impl Ssh {
    pub(crate) fn run(&self, script: &str) -> Result<String, String> {
        let mut ssh = Command::new("ssh");
        ssh.args(["-F", "none", "-o", "BatchMode=yes", "-i"]).arg(self.0.join("key"));
        ssh.arg("-o").arg(format!("UserKnownHostsFile={}", self.0.join("known_hosts").display()));
        let output = ssh.args([&format!("root@{ADDRESS}"), script]).output().map_err(|error| error.to_string())?;
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            Ok(said(&output.stdout))
        } else {
            Err(format!("`{script}`: {}", said(&output.stderr)))
        }
    }

    pub(crate) fn disturbs(&self, fixture: Fixture, drift: &'static str, vanish: &'static str) -> Fixture {
        let (one, other) = (self.clone(), self.clone());
        let fixture = fixture.drift(move |_| {
            let host = one.clone();
            async move { host.run(drift).map(drop) }
        });
        if vanish.is_empty() {
            return fixture;
        }
        fixture.vanish(move |_| {
            let host = other.clone();
            async move { host.run(vanish).map(drop) }
        })
    }
}

fn on(entries: Vec<(&'static str, Value)>) -> Value {
    Value::object(entries.into_iter().chain([("host", "a".into())]))
}

fn map(entries: &[(&str, &str)]) -> Value {
    Value::map(Type::String, entries.iter().map(|(name, value)| ((*name).into(), Value::string(*value))).collect())
}

/// A service that notes each of its starts.
fn service(name: &'static str, word: &str, running: bool, restart: &str) -> Vec<(&'static str, Value)> {
    let content = format!(
        "[Unit]\nDescription={word}\n[Service]\nExecStartPre=/bin/sh -c 'echo {word} >> /run/{name}.starts'\n\
         ExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
    );
    vec![
        ("name", name.into()),
        ("content", content.into()),
        ("enabled", Value::Bool(running)),
        ("running", Value::Bool(running)),
        ("restart_on", map(&[("settings", restart)])),
    ]
}

fn unit(host: &Ssh) -> Fixture {
    let fixture = Fixture::new("onprem_systemd_unit", |_| on(service("web.service", "one", true, "1")))
        .update(|_| on(service("web.service", "two", true, "2")))
        .update(|_| on(service("web.service", "two", false, "2")))
        .replace(|_| on(service("api.service", "one", true, "1")));
    host.disturbs(
        fixture,
        "systemctl stop web.service",
        "systemctl disable --now web.service; rm /etc/systemd/system/web.service; systemctl daemon-reload",
    )
}

/// The unit of a package, which goes back to what it was.
fn packaged(host: &Ssh) -> Fixture {
    let with = |enabled: bool, running: bool| {
        on(vec![
            ("name", "systemd-networkd.service".into()),
            ("enabled", Value::Bool(enabled)),
            ("running", Value::Bool(running)),
        ])
    };
    let fixture = Fixture::new("onprem_systemd_unit", move |_| with(true, true)).update(move |_| with(false, false));
    host.disturbs(fixture, "systemctl stop systemd-networkd.socket systemd-networkd.service", "")
}

fn timer(host: &Ssh) -> Fixture {
    let with = |name: &'static str, calendar: &str, command: &str, active: bool| {
        on(vec![
            ("name", name.into()),
            ("calendar", calendar.into()),
            ("command", command.into()),
            ("user", "daemon".into()),
            ("service", Value::list(Type::String, vec!["Nice=5".into()])),
            ("active", Value::Bool(active)),
        ])
    };
    let fixture = Fixture::new("onprem_timer", move |_| with("sweep", "*-*-* 03:00:00", "/bin/true", true))
        .update(move |_| with("sweep", "*-*-* 04:00:00", "/bin/echo 'a b'", false))
        .replace(move |_| with("clean", "*-*-* 03:00:00", "/bin/true", true));
    host.disturbs(
        fixture,
        "echo Nice=7 >> /etc/systemd/system/sweep.service; systemctl stop sweep.timer",
        "systemctl disable --now sweep.timer; rm /etc/systemd/system/sweep.*; systemctl daemon-reload",
    )
}

fn dropin(host: &Ssh) -> Fixture {
    let with = |name: &'static str, nice: &str| {
        let content = format!("[Service]\nNice={nice}\n");
        on(vec![("unit", "systemd-logind.service".into()), ("name", name.into()), ("content", content.into())])
    };
    let fixture = Fixture::new("onprem_systemd_dropin", move |_| with("nice.conf", "1"))
        .update(move |_| with("nice.conf", "2"))
        .replace(move |_| with("kind.conf", "1"));
    let folder = "/etc/systemd/system/systemd-logind.service.d";
    let (drift, vanish) =
        (format!("echo Nice=3 >> {folder}/nice.conf"), format!("rm -r {folder}; systemctl daemon-reload"));
    host.disturbs(fixture, drift.leak(), vanish.leak())
}

/// What is not changed is not restarted; what cannot stay up is told, with what it said.
async fn restarts_when_it_should(subject: &Subject, host: &Ssh) {
    let driver = crate::drive::Driver::new(subject.config.clone(), "restarts").await;
    let starts = || host.run("cat /run/web.service.starts | tr '\\n' ' '").expect("ssh");
    host.run("rm -f /run/*.starts").expect("ssh");
    let with = |word: &str, restart: &str| {
        let mut entries = service("web.service", word, true, restart);
        entries.push(("host", "a".into()));
        entries
    };
    let made = driver.create("onprem_systemd_unit", &with("one", "1"), "r1").await.expect("it is made").value;
    assert_eq!(starts(), "one ");
    let mut disabled = with("one", "1");
    disabled[2].1 = Value::Bool(false);
    let changed = driver.update("onprem_systemd_unit", &made, &disabled, "r2").await.expect("it is changed").value;
    assert_eq!(starts(), "one ", "to disable it is no reason to restart it");
    let changed =
        driver.update("onprem_systemd_unit", &changed, &with("one", "2"), "r3").await.expect("it is changed").value;
    assert_eq!(starts(), "one one ");
    let changed =
        driver.update("onprem_systemd_unit", &changed, &with("two", "2"), "r4").await.expect("it is changed").value;
    assert_eq!(starts(), "one one two ");
    let mut broken = with("two", "2");
    broken[1].1 =
        "[Service]\nExecStart=/bin/sh -c 'echo no such setting; exit 3'\n[Install]\nWantedBy=multi-user.target\n"
            .into();
    let problem = driver.update("onprem_systemd_unit", &changed, &broken, "r5").await.expect_err("it cannot run");
    let told = format!("{problem:?}");
    assert!(told.contains("does not stay up") && told.contains("no such setting"), "{told}");
}

/// systemd is told of a drop-in; where it was not, that is seen and put right. What runs is restarted by its unit.
async fn drop_ins_are_loaded(subject: &Subject, host: &Ssh) {
    let driver = crate::drive::Driver::new(subject.config.clone(), "dropins").await;
    let with = |nice: &str| {
        let content = format!("[Service]\nNice={nice}\n");
        [("host", "a".into()), ("unit", "it.service".into()), ("name", "n.conf".into()), ("content", content.into())]
    };
    let unit = |restart: Option<&str>| {
        let mut entries = service("it.service", "it", true, restart.unwrap_or_default());
        entries.push(("host", "a".into()));
        entries
    };
    let nice =
        || host.run("ps -o ni= -p $(systemctl show -p MainPID --value it.service)").expect("ssh").trim().to_owned();
    let made = driver.create("onprem_systemd_dropin", &with("3"), "d1").await.expect("it is made").value;
    let digest = made.get_str("sha256").expect("a digest").to_owned();
    let service = driver.create("onprem_systemd_unit", &unit(Some(&digest)), "d2").await.expect("it runs").value;
    assert_eq!(nice(), "3");
    let made = driver.update("onprem_systemd_dropin", &made, &with("4"), "d3").await.expect("it is changed").value;
    assert_eq!(nice(), "3", "a drop-in restarts nothing");
    let digest = made.get_str("sha256").expect("a digest").to_owned();
    let service =
        driver.update("onprem_systemd_unit", &service, &unit(Some(&digest)), "d4").await.expect("it runs").value;
    assert_eq!(nice(), "4");
    // As a change leaves it that broke off before systemd was told.
    host.run("sleep 1; touch /etc/systemd/system/it.service.d/n.conf").expect("ssh");
    let read = driver.read("onprem_systemd_dropin", &made).await.expect("it stands");
    assert_eq!(read, made.with("loaded", Value::Bool(false)));
    let made = driver.update("onprem_systemd_dropin", &read, &with("4"), "d5").await.expect("it is put right").value;
    assert_eq!(made.get("loaded"), Some(&Value::Bool(true)));
    driver.delete("onprem_systemd_dropin", &made).await.expect("it goes");
    driver.delete("onprem_systemd_unit", &service).await.expect("it goes");
    assert_eq!(host.run("ls /etc/systemd/system | grep -c '^it.' || :").expect("ssh").trim(), "0");
}
