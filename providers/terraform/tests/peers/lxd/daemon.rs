//! An LXD daemon for a test, with an image that is nothing but a shell.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A storage pool that is a folder, and containers on it.
const PRESEED: &str = "
storage_pools:
- name: default
  driver: dir
profiles:
- name: default
  devices:
    root: {path: /, pool: default, type: disk}
";
/// The first process of a container.
const INIT: &str = "#!/bin/sh\ntrap 'exit 0' TERM PWR INT\nwhile :; do sleep 1; done\n";
/// What a shell and `sleep` are made of: one program, linked to nothing.
const BUSYBOX: &str = "/bin/busybox";
/// The name of the image.
pub(crate) const IMAGE: &str = "shell";

/// A daemon of the test's own, which ends with this.
pub(crate) struct Daemon {
    dir: TempDir,
    process: Child,
}

impl Daemon {
    /// `None`, and a line that says why, where none can run.
    #[expect(clippy::print_stdout, reason = "a test says what it leaves out")]
    pub(crate) fn start() -> Option<Self> {
        match Self::try_start() {
            Ok(daemon) => Some(daemon),
            Err(why) => {
                println!("skipped: containers through terraform-lxd/lxd, since no LXD daemon can run here: {why}");
                None
            }
        }
    }

    fn try_start() -> Result<Self, String> {
        let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut command = Command::new("lxd");
        command.args(["--group", "root"]).env("LXD_DIR", dir.path().join("lxd"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        fs::create_dir(dir.path().join("lxd")).map_err(|error| error.to_string())?;
        let process = command.spawn().map_err(|error| format!("`lxd`: {error}"))?;
        let daemon = Self { dir, process };
        daemon.run("lxd", &["waitready", "--timeout", "30"], "")?;
        daemon.run("lxd", &["init", "--preseed"], PRESEED)?;
        let image = daemon.image().map_err(|error| error.to_string())?;
        daemon.run("lxc", &["image", "import", &image.to_string_lossy(), "--alias", IMAGE], "")?;
        // A kernel may have what a daemon needs and not what a container does.
        daemon.run("lxc", &["launch", IMAGE, "trial"], "")?;
        daemon.run("lxc", &["delete", "--force", "trial"], "")?;
        Ok(daemon)
    }

    /// What a client needs to know of it.
    pub(crate) fn environment(&self) -> Vec<(OsString, OsString)> {
        let socket = self.folder().join("unix.socket");
        vec![("LXD_DIR".into(), self.folder().into()), ("LXD_SOCKET".into(), socket.into())]
    }

    /// A folder for a client's settings.
    pub(crate) fn client(&self) -> PathBuf {
        self.dir.path().join("client")
    }

    /// What LXD's own client says.
    pub(crate) fn lxc(&self, args: &[&str]) -> String {
        self.run("lxc", args, "").expect("the client is answered")
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("lxd")
    }

    fn run(&self, program: &str, args: &[&str], input: &str) -> Result<String, String> {
        let mut command = Command::new(program);
        command.args(args).env("LXD_DIR", self.folder()).env("LXD_CONF", self.client());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = |why: String| format!("`{program} {}`: {why}", args.join(" "));
        let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes()).map_err(|error| failed(error.to_string()))?;
        }
        let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        } else {
            Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
        }
    }

    fn image(&self) -> std::io::Result<PathBuf> {
        let content = self.dir.path().join("image");
        let root = content.join("rootfs");
        for folder in ["bin", "sbin", "dev", "proc", "sys", "etc", "run", "tmp"] {
            fs::create_dir_all(root.join(folder))?;
        }
        fs::copy(BUSYBOX, root.join("bin/busybox"))?;
        for name in ["sh", "sleep"] {
            symlink(BUSYBOX, root.join("bin").join(name))?;
        }
        let init = root.join("sbin/init");
        fs::write(&init, INIT)?;
        fs::set_permissions(&init, fs::Permissions::from_mode(0o755))?;
        let architecture = std::env::consts::ARCH;
        fs::write(content.join("metadata.yaml"), format!("architecture: {architecture}\ncreation_date: 1700000000\n"))?;
        let archive = self.dir.path().join("image.tar.gz");
        pack(&content, &archive)?;
        Ok(archive)
    }
}

fn pack(content: &Path, archive: &Path) -> std::io::Result<()> {
    let packed = Command::new("tar")
        .arg("-C")
        .arg(content)
        .arg("-czf")
        .arg(archive)
        .args(["metadata.yaml", "rootfs"])
        .status()?;
    if packed.success() { Ok(()) } else { Err(std::io::Error::other("tar failed")) }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.run("lxd", &["shutdown", "--timeout", "30"], "").is_err() {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}
