//! Hosts for tests: namespaces with an sshd over a root file system that nobody else writes to.
//!
//! A host ends when its handle is dropped or the test process ends, however that comes about: its first process waits
//! on a pipe from here.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use formwork_contract::provider::Provider;
use formwork_contract::{Entries, Type, Value};
use formwork_onprem::OnPrem;
use tempfile::TempDir;

/// The first steps of a host.
const HOST: &str = include_str!("host.sh");

/// Networks of four addresses in 198.18.0.0/15, which is for benchmarks (RFC 2544) and no one's.
const NETWORKS: u32 = 32_768;

/// Keys that belong to a test.
pub(crate) struct Lab {
    folder: TempDir,
    root: PathBuf,
}

/// A running host.
pub(crate) struct Host {
    pub name: String,
    pub address: String,
    pub host_key: String,
    folder: PathBuf,
    process: Child,
    _alive: ChildStdin,
    link: String,
}

impl Lab {
    /// A lab, or `None` where this machine cannot have hosts; why is printed.
    #[expect(clippy::print_stdout, reason = "a skip is printed")]
    pub(crate) fn new() -> Option<Self> {
        let skip = |why: &str| {
            println!("skipped: tests on hosts, since {why}");
            None
        };
        let Some(root) = std::env::var_os("FORMWORK_TEST_HOSTS_ROOT").map(PathBuf::from).filter(|root| root.is_dir())
        else {
            return skip("`FORMWORK_TEST_HOSTS_ROOT` names no root file system: `eval \"$(.ci/hosts)\"`");
        };
        for tool in [["unshare", "--version"], ["nsenter", "--version"], ["ip", "-V"], ["ssh-keygen", "-?"]] {
            if Command::new(tool[0]).arg(tool[1]).stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
                return skip(&format!("there is no `{}`", tool[0]));
            }
        }
        let isolated = Command::new("unshare")
            .args(["--net", "--mount", "--pid", "--fork", "true"])
            .stderr(Stdio::null())
            .status();
        if !isolated.is_ok_and(|status| status.success()) {
            return skip("this user may not make namespaces");
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let lab = Self { folder, root };
        lab.key("key");
        Some(lab)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Makes a pair of keys without a passphrase.
    pub(crate) fn key(&self, name: &str) -> String {
        run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", &self.path(name)]));
        self.read(&format!("{name}.pub"))
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).expect("a file of the lab")
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.folder.path().join(name), text).expect("a file of the lab");
        self.path(name)
    }

    /// Starts a host into which the lab's key lets root.
    pub(crate) fn host(&self, name: &str) -> Host {
        let folder = self.folder.path().join(format!("host-{name}"));
        std::fs::create_dir(&folder).expect("a folder for the host");
        std::fs::write(folder.join("authorized_keys"), self.read("key.pub")).expect("a file of the host");
        if self.folder.path().join("user_ca.pub").exists() {
            std::fs::write(folder.join("user_ca.pub"), self.read("user_ca.pub")).expect("a file of the host");
        }
        let flags =
            ["--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child", "--propagation", "private"];
        let mut process = Command::new("unshare")
            .args(flags)
            .args(["sh", "-c", HOST, "sh"])
            .args([&folder, &self.root])
            .arg(name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare starts");
        let mut said = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut alive = process.stdin.take().expect("it is piped");
        let mut await_word = |word: &str| {
            let mut line = String::new();
            said.read_line(&mut line).expect("the host says something");
            assert_eq!(line.trim(), word, "the host `{name}` did not come up");
        };
        await_word("up");
        let (link, here, there) = connect(process.id());
        writeln!(alive, "{there}/30").expect("the host listens");
        await_word("ready");
        let host_key = std::fs::read_to_string(folder.join("host_key.pub")).expect("the host's key");
        run(Command::new("ip").args(["addr", "add", &format!("{here}/30"), "dev", &link]));
        run(Command::new("ip").args(["link", "set", &link, "up"]));
        let host = Host { name: name.into(), address: there, host_key, folder, process, _alive: alive, link };
        host.until_it_listens();
        host
    }

    pub(crate) async fn schema(&self) -> Arc<formwork_contract::ProviderSchema> {
        OnPrem::new().schema().await.expect("a schema")
    }

    /// The provider's configuration for these hosts, with what is to be different about it.
    pub(crate) async fn config(&self, hosts: &[&Host], settings: &[(&str, Value)]) -> Value {
        let schema = OnPrem::new().schema().await.expect("a schema");
        let hosts = hosts.iter().map(|host| {
            let known = Value::list(Type::String, vec![Value::string(host.host_key.trim())]);
            (
                host.name.as_str().into(),
                declared(&schema.provider, &[("address", host.address.as_str().into()), ("host_keys", known)]),
            )
        });
        let hosts: Entries = hosts.collect();
        self.with_hosts(hosts, settings).await
    }

    pub(crate) async fn with_hosts(&self, hosts: Entries, settings: &[(&str, Value)]) -> Value {
        let schema = OnPrem::new().schema().await.expect("a schema");
        let config = schema
            .provider
            .empty_value()
            .with("hosts", Value::Object(hosts))
            .with("private_key_file", self.path("key").into());
        settings.iter().fold(config, |config, (name, value)| config.with(name, value.clone()))
    }
}

/// One host of the provider's configuration.
pub(crate) fn declared(provider: &formwork_contract::Block, settings: &[(&str, Value)]) -> Value {
    let nested = provider.attributes["hosts"].nested.as_ref().expect("hosts have attributes");
    settings.iter().fold(nested.block.empty_value(), |host, (name, value)| host.with(name, value.clone()))
}

impl Host {
    /// Runs sh on the host, as somebody does behind Formwork's back.
    pub(crate) fn run(&self, script: &str) -> Result<String, String> {
        let process = self.first_process();
        let output = Command::new("nsenter")
            .args(["--target", &process, "--mount", "--pid", "--net", "--uts", "--ipc", "--", "chroot"])
            .arg(self.folder.join("root"))
            .args(["sh", "-c", script])
            .output()
            .map_err(|error| error.to_string())?;
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            Ok(said(&output.stdout))
        } else {
            Err(format!("`{script}`: {}", said(&output.stderr)))
        }
    }

    /// The same, where it must succeed.
    pub(crate) fn must(&self, script: &str) -> String {
        self.run(script).expect("a script that succeeds")
    }

    /// Ends all connections to the host, without a word.
    pub(crate) fn cut_connections(&self) {
        // The listener is the parent of all others; its children are connections.
        self.must("for p in /proc/[0-9]*; do read -r _ n _ < $p/stat; case $n in '(sshd)') tr '\\0' ' ' < $p/cmdline | grep -q -e '-D' || kill -9 ${p#/proc/} ;; esac; done");
    }

    /// How many connections its sshd let in so far.
    pub(crate) fn accepted(&self) -> usize {
        let log = std::fs::read_to_string(self.folder.join("sshd.log")).expect("sshd's log");
        log.lines().filter(|line| line.starts_with("Accepted ")).count()
    }

    /// The process whose namespaces are the host's.
    pub(crate) fn first_process(&self) -> String {
        let parent = self.process.id();
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).expect("it runs");
        children.split_whitespace().next().expect("unshare has a child").to_owned()
    }

    fn until_it_listens(&self) {
        for _ in 0..500 {
            if std::net::TcpStream::connect((self.address.as_str(), 22)).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("sshd of `{}` does not listen: {:?}", self.name, std::fs::read_to_string(self.folder.join("sshd.log")));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // With the first process all others end, and with these the namespaces, mounts and the link.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = Command::new("ip").args(["link", "delete", &self.link]).stderr(Stdio::null()).status();
    }
}

/// A link into the namespace of a process: its name, the address here and the one there.
fn connect(process: u32) -> (String, String, String) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..NETWORKS {
        let number = (std::process::id() * 97 + NEXT.fetch_add(1, Ordering::Relaxed)) % NETWORKS;
        let link = format!("fwlab{number}");
        let made = Command::new("ip")
            .args(["link", "add", &link, "type", "veth", "peer", "name", "host0", "netns", &process.to_string()])
            .stderr(Stdio::null())
            .status();
        if made.is_ok_and(|status| status.success()) {
            let base = number * 4;
            let address =
                |host: u32| format!("198.{}.{}.{}", 18 + (base >> 16), (base >> 8) & 255, (base & 255) + host);
            return (link, address(1), address(2));
        }
    }
    panic!("no link can be made");
}

fn run(command: &mut Command) {
    let output = command.output().expect("a tool that starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A handle for fixtures.
pub(crate) type Shared = Arc<Host>;

/// Somewhere for what the provider keeps here.
pub(crate) fn state() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = Path::new(folder.path()).to_path_buf();
    (folder, path)
}
