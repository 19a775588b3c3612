//! Hosts with systemd and Docker, in a network without a route out: `tests/lab/lab` makes them.
//!
//! They end when the handle is dropped or the test process ends, however that comes about.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use formwork_contract::provider::Provider;
use formwork_contract::{Entries, Type, Value};
use formwork_onprem::OnPrem;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tempfile::TempDir;

use crate::lab::declared;

/// What the hosts have beyond systemd and sshd.
const PACKAGES: [&str; 2] = ["docker.io", "busybox-static"];

/// Labs of this process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A few hosts.
pub(crate) struct Cluster {
    name: String,
    keys: TempDir,
    hosts: Vec<(String, String)>,
    guard: Child,
    alive: Option<ChildStdin>,
}

impl Cluster {
    /// Starts hosts; `None` where this machine cannot have them, and why is printed. The calling thread, and all that
    /// it starts from then on, is in the network of the hosts.
    #[expect(clippy::print_stdout, reason = "a skip is printed")]
    pub(crate) fn new(count: usize) -> Option<Self> {
        let skip = |why: &str| println!("skipped: tests on hosts with Docker, since {why}");
        if !rustix::process::geteuid().is_root() {
            skip("this is not root");
            return None;
        }
        let folder = cache().join("debs/swarm");
        if !lab(&["packages", &folder.display().to_string()], &PACKAGES) {
            skip("their packages cannot be had");
            return None;
        }
        let keys = tempfile::tempdir().expect("a temporary folder");
        let key = keys.path().join("key").display().to_string();
        must(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &key]));
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("s{}x{number}", std::process::id() % 100_000);
        // Whatever becomes of this process, the hosts end.
        let mut guard = Command::new("sh")
            .args(["-c", "while read -r _; do :; done; exec \"$0\" down \"$1\"", &program(), &name])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let alive = guard.stdin.take();
        let mut cluster = Self { name, keys, hosts: Vec::new(), guard, alive };
        let said = said(Command::new(program()).args(["up", &cluster.name, &count.to_string(), &format!("{key}.pub")]));
        cluster.hosts = said
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, address)| (name.to_owned(), address.to_owned()))
            .collect();
        assert_eq!(cluster.hosts.len(), count, "{said}");
        let network = std::fs::File::open(format!("/run/netns/{}", cluster.name)).expect("the network of the hosts");
        move_into_link_name_space(std::os::fd::AsFd::as_fd(&network), Some(LinkNameSpaceType::Network))
            .expect("root may enter it");
        cluster.install(&folder);
        Some(cluster)
    }

    /// Installs the packages on all hosts, and makes an image of busybox there.
    fn install(&self, packages: &Path) {
        let script = format!(
            "set -e; dpkg -i /var/tmp/debs/*.deb >/var/tmp/dpkg.log 2>&1; rm -r /var/tmp/debs; mkdir /var/tmp/image; \
             cp /bin/busybox /var/tmp/image/; for v in 1 2; do tar -C /var/tmp/image -c . | docker import \
             --change 'ENV VERSION='$v --change 'CMD [\"/busybox\", \"sleep\", \"100000\"]' - {IMAGE}:$v >/dev/null; done"
        );
        std::thread::scope(|scope| {
            for number in 0..self.hosts.len() {
                let script = &script;
                scope.spawn(move || {
                    let to = self.root(number).join("var/tmp/debs");
                    std::fs::create_dir(&to).expect("a folder of the host");
                    for package in std::fs::read_dir(packages).expect("packages").flatten() {
                        std::fs::copy(package.path(), to.join(package.file_name())).expect("a copy");
                    }
                    self.must(number, script);
                });
            }
        });
    }

    /// The file system of a host.
    fn root(&self, number: usize) -> PathBuf {
        let labs = std::env::var_os("FORMWORK_LAB_DIR").unwrap_or_else(|| "/var/tmp/formwork-lab".into());
        PathBuf::from(labs).join(&self.name).join(&self.hosts[number].0).join("root")
    }

    pub(crate) fn address(&self, number: usize) -> &str {
        &self.hosts[number].1
    }

    /// Runs sh on a host as root.
    pub(crate) fn run(&self, number: usize, script: &str) -> Result<String, String> {
        let output = Command::new("ssh")
            .arg("-i")
            .arg(self.keys.path().join("key"))
            .args(["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"])
            .arg(format!("root@{}", self.address(number)))
            .arg(script)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match output.status.success() {
            true => Ok(text(&output.stdout)),
            false => Err(format!("`{script}`: {}{}", text(&output.stdout), text(&output.stderr))),
        }
    }

    pub(crate) fn must(&self, number: usize, script: &str) -> String {
        self.run(number, script).expect("a script that succeeds")
    }

    /// Runs sh on a host until it succeeds.
    pub(crate) fn until(&self, number: usize, script: &str) {
        for _ in 0..300 {
            if self.run(number, script).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        panic!("{:?}", self.run(number, script));
    }

    /// The provider's configuration for these hosts, which it calls `a`, `b` and so on.
    pub(crate) async fn config(&self) -> Value {
        let schema = OnPrem::new().schema().await.expect("a schema");
        let hosts = self.hosts.iter().enumerate().map(|(number, (_, address))| {
            let key = self.root(number).join("etc/ssh/ssh_host_ed25519_key.pub");
            let key = std::fs::read_to_string(key).expect("the host's key");
            let keys = Value::list(Type::String, vec![Value::string(key.trim())]);
            let entry = declared(&schema.provider, &[("address", Value::string(address)), ("host_keys", keys)]);
            (name(number).into(), entry)
        });
        let hosts: Entries = hosts.collect();
        let key = self.keys.path().join("key").display().to_string();
        let config = schema.provider.empty_value().with("hosts", Value::Object(hosts));
        config.with("private_key_file", Value::string(key))
    }
}

/// An image of these hosts, that no registry has.
pub(crate) const IMAGE: &str = "127.0.0.1:1/web";

/// What the provider calls a host.
pub(crate) fn name(number: usize) -> &'static str {
    ["a", "b", "c", "d"][number]
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut alive) = self.alive.take() {
            let _ = alive.flush();
        }
        let _ = self.guard.wait();
    }
}

fn program() -> String {
    format!("{}/../../tests/lab/lab", env!("CARGO_MANIFEST_DIR"))
}

fn cache() -> PathBuf {
    let own = std::env::var_os("FORMWORK_LAB_CACHE").map(PathBuf::from);
    let caches = || std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/root".into())).join(".cache");
    own.unwrap_or_else(|| caches().unwrap_or_else(home).join("formwork-lab"))
}

fn lab(words: &[&str], more: &[&str]) -> bool {
    Command::new(program()).args(words).args(more).stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn must(command: &mut Command) {
    drop(said(command));
}

fn said(command: &mut Command) -> String {
    let output = command.output().expect("a program that starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
