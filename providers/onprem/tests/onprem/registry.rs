//! A real registry in the network of a host, which nobody else reaches, and skopeo to look into it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use crate::lab::Host;

/// Where it listens in the host's network.
const AUTHORITY: &str = "127.0.0.1:5000";

/// Who may log in where a login is wanted.
pub(crate) const USER: &str = "builder";

/// A running docker-registry.
pub(crate) struct Registry {
    pub authority: String,
    /// The authority that its certificate is from, in PEM.
    pub ca: String,
    handle: Handle,
    folder: TempDir,
    process: Child,
}

/// What goes to the registry by another way than the provider's.
#[derive(Clone)]
pub(crate) struct Handle {
    network: String,
    folder: Arc<PathBuf>,
    login: Option<String>,
}

impl Registry {
    /// A registry beside a host, with TLS, and with a login where a password is given; `None` where there is none to
    /// be had, and why is printed.
    pub(crate) fn new(host: &Host, password: Option<&str>) -> Option<Self> {
        Self::with(host, password, true)
    }

    #[expect(clippy::print_stdout, reason = "a skip is printed")]
    pub(crate) fn with(host: &Host, password: Option<&str>, deletes: bool) -> Option<Self> {
        let program = std::env::var_os("FORMWORK_TEST_REGISTRY").map(PathBuf::from).filter(|program| program.exists());
        let Some(program) = program else {
            println!(
                "skipped: tests with a registry, since `FORMWORK_TEST_REGISTRY` names none: `eval \"$(.ci/hosts)\"`"
            );
            return None;
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let ca = certificates(folder.path(), &host.address);
        let auth = password.map_or_else(String::new, |password| {
            set_password(folder.path(), password);
            format!("auth:\n  htpasswd:\n    realm: registry\n    path: {}\n", path("htpasswd"))
        });
        let config = format!(
            "version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    enabled: {deletes}\n\
             http:\n  addr: :5000\n  tls:\n    certificate: {}\n    key: {}\n{auth}",
            path("data"),
            path("registry.pem"),
            path("registry.key")
        );
        std::fs::write(folder.path().join("config.yml"), config).expect("a file of the registry");
        let network = host.first_process();
        let log = std::fs::File::create(folder.path().join("log")).expect("a file of the registry");
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "nsenter", "--target", &network, "--net", "--"])
            .arg(program)
            .args(["serve", &path("config.yml")])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the registry starts");
        let login = password.map(|password| format!("{USER}:{password}"));
        let handle = Handle { network, folder: Arc::new(folder.path().to_owned()), login };
        let registry = Self { authority: AUTHORITY.into(), ca, handle, folder, process };
        registry.until_it_listens();
        Some(registry)
    }

    pub(crate) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Lets another password in, and no longer the one from before.
    pub(crate) fn set_password(&self, password: &str) {
        set_password(self.folder.path(), password);
    }

    /// How many requests of a method it answered, whose path has this in it.
    pub(crate) fn requests(&self, method: &str, path: &str) -> usize {
        let log = std::fs::read_to_string(self.folder.path().join("log")).expect("the registry's log");
        let wanted = |line: &&str| {
            line.contains("response completed")
                && line.contains(&format!("http.request.method={method} "))
                && line.contains(path)
        };
        log.lines().filter(wanted).count()
    }

    fn until_it_listens(&self) {
        for _ in 0..500 {
            let mut ask = Command::new("nsenter");
            ask.args([
                "--target",
                &self.handle.network,
                "--net",
                "--",
                "bash",
                "-c",
                "exec 3<>/dev/tcp/127.0.0.1/5000",
            ]);
            if ask.stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("the registry does not listen: {:?}", std::fs::read_to_string(self.folder.path().join("log")));
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Handle {
    /// Runs skopeo on an image, and gives what it says.
    pub(crate) fn skopeo(&self, words: &[&str], image: &str) -> Result<String, String> {
        let mut command = self.command(words);
        self.run(command.arg(format!("docker://{AUTHORITY}/{image}")))
    }

    /// Copies an image out of the registry into a folder.
    pub(crate) fn pull(&self, image: &str, to: &Path) -> Result<(), String> {
        let mut command = self.command(&["copy", "--all", "--preserve-digests"]);
        command.arg(format!("docker://{AUTHORITY}/{image}")).arg(format!("dir:{}", to.display()));
        self.run(&mut command).map(drop)
    }

    /// Puts another image in the place of one: the same layers under a manifest of another digest.
    pub(crate) fn exchange(&self, image: &str) -> Result<(), String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        self.pull(image, folder.path())?;
        let manifest = folder.path().join("manifest.json");
        let text = std::fs::read_to_string(&manifest).map_err(|error| error.to_string())?;
        std::fs::write(&manifest, format!("{text}\n")).map_err(|error| error.to_string())?;
        let mut command = self.pushing();
        command.arg(format!("dir:{}", folder.path().display())).arg(format!("docker://{AUTHORITY}/{image}"));
        self.run(&mut command).map(drop)
    }

    /// Lets a tag stand for what another one stands for.
    pub(crate) fn tag(&self, from: &str, to: &str) -> Result<(), String> {
        let mut command = self.pushing();
        command.arg(format!("docker://{AUTHORITY}/{from}")).arg(format!("docker://{AUTHORITY}/{to}"));
        self.run(&mut command).map(drop)
    }

    fn pushing(&self) -> Command {
        let mut command = self.command(&["copy", "--preserve-digests"]);
        command.arg("--dest-cert-dir").arg(self.folder.join("trusted"));
        if let Some(login) = &self.login {
            command.args(["--dest-creds", login]);
        }
        command
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.network, "--net", "--", "skopeo"]).args(words);
        let prefix = if words.first() == Some(&"copy") { "--src-" } else { "--" };
        command.arg(format!("{prefix}cert-dir")).arg(self.folder.join("trusted"));
        if let Some(login) = &self.login {
            command.arg(format!("{prefix}creds")).arg(login);
        }
        command
    }

    fn run(&self, command: &mut Command) -> Result<String, String> {
        let output = command.output().map_err(|error| error.to_string())?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
        }
    }
}

/// An authority, and a certificate from it; the authority's is also where skopeo looks.
fn certificates(folder: &Path, address: &str) -> String {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["127.0.0.1".into(), address.into()]).expect("addresses");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    std::fs::create_dir(folder.join("trusted")).expect("a folder");
    std::fs::write(folder.join("trusted/ca.crt"), authority.pem()).expect("a file");
    std::fs::write(folder.join("registry.pem"), certificate.pem()).expect("a file");
    std::fs::write(folder.join("registry.key"), key.serialize_pem()).expect("a file");
    authority.pem()
}

/// The least work that bcrypt takes: it is a test.
fn set_password(folder: &Path, password: &str) {
    let hash = bcrypt::hash(password, 4).expect("a hash");
    std::fs::write(folder.join("htpasswd"), format!("{USER}:{hash}\n")).expect("a file of the registry");
    // The registry looks at the file's time.
    let earlier = std::time::SystemTime::now() - std::time::Duration::from_secs(u64::from(hash.as_bytes()[20]) * 10);
    let file = std::fs::File::options().write(true).open(folder.join("htpasswd")).expect("a file of the registry");
    file.set_modified(earlier).expect("a time");
}
