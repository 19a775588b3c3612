//! OpenPGP keys and signatures by the program `gpg`, and what is made of them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::source::remote::signature::{SignatureError, verify};

/// A key ring of its own.
pub(super) struct KeyRing(TempDir);

impl KeyRing {
    /// `None`, and a line that says so, where there is no `gpg`.
    pub(super) fn new() -> Option<Self> {
        if Command::new("gpg").arg("--version").stdout(Stdio::null()).status().is_err() {
            println!("skipped: there is no `gpg` on the path");
            return None;
        }
        let ring = Self(tempfile::tempdir().unwrap());
        #[cfg(unix)]
        fs::set_permissions(ring.0.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        Some(ring)
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new("gpg")
            .args(["--homedir", &self.0.path().display().to_string(), "--batch", "--yes", "--quiet"])
            .args(["--pinentry-mode", "loopback", "--passphrase", ""])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "gpg {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Makes a key that signs; answers its armored public part.
    pub(super) fn generate(&self, name: &str, algorithm: &str, usage: &str) -> String {
        self.run(&["--quick-generate-key", name, algorithm, usage, "never"]);
        self.export(name)
    }

    pub(super) fn export(&self, name: &str) -> String {
        String::from_utf8(self.run(&["--armor", "--export", name])).unwrap()
    }

    /// A detached, binary signature.
    pub(super) fn sign(&self, name: &str, document: &[u8]) -> Vec<u8> {
        let file = self.0.path().join("document");
        fs::write(&file, document).unwrap();
        self.run(&["--local-user", name, "--output", "-", "--detach-sign", &file.display().to_string()])
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for KeyRing {
    fn drop(&mut self) {
        let home = self.path().display().to_string();
        drop(Command::new("gpgconf").args(["--homedir", &home, "--kill", "all"]).status());
    }
}

const DOCUMENT: &[u8] = b"0000  terraform-provider-null_1.0.0_linux_amd64.zip\n";

#[test]
fn signatures_of_the_usual_algorithms_are_known() {
    let Some(ring) = KeyRing::new() else { return };
    for (name, algorithm) in [("rsa", "rsa3072"), ("edwards", "ed25519"), ("nist", "nistp256")] {
        let key = ring.generate(name, algorithm, "sign");
        let signature = ring.sign(name, DOCUMENT);
        let id = verify(DOCUMENT, &signature, std::slice::from_ref(&key)).expect(name);
        let listed = String::from_utf8(ring.run(&["--with-colons", "--list-keys", name])).unwrap();
        assert!(listed.contains(&format!(":{id}:")), "{id} is not in {listed}");
        assert_eq!(verify(b"other", &signature, &[key]), Err(SignatureError::Unknown), "{name}");
    }
}

#[test]
fn another_key_does_not_count() {
    let Some(ring) = KeyRing::new() else { return };
    let [ours, theirs] = ["ours", "theirs"].map(|name| ring.generate(name, "ed25519", "sign"));
    let signature = ring.sign("theirs", DOCUMENT);
    assert_eq!(verify(DOCUMENT, &signature, std::slice::from_ref(&ours)), Err(SignatureError::Unknown));
    assert!(verify(DOCUMENT, &signature, &[ours, theirs]).is_ok());
    assert_eq!(verify(DOCUMENT, &signature, &[]), Err(SignatureError::NoKeys));
}

#[test]
fn a_subkey_signs_where_it_is_bound_for_that() {
    let Some(ring) = KeyRing::new() else { return };
    ring.generate("main", "ed25519", "cert");
    let listed = String::from_utf8(ring.run(&["--with-colons", "--list-keys", "main"])).unwrap();
    let fingerprint = listed.lines().find_map(|line| line.strip_prefix("fpr:")).unwrap().trim_matches(':').to_owned();
    ring.run(&["--quick-add-key", &fingerprint, "ed25519", "sign", "never"]);
    let signature = ring.sign("main", DOCUMENT);
    assert!(verify(DOCUMENT, &signature, &[ring.export("main")]).is_ok());
}

#[test]
fn a_key_may_have_expired_since_but_not_been_revoked() {
    let Some(ring) = KeyRing::new() else { return };
    ring.generate("old", "ed25519", "sign");
    let signature = ring.sign("old", DOCUMENT);
    let listed = String::from_utf8(ring.run(&["--with-colons", "--list-keys", "old"])).unwrap();
    let fingerprint = listed.lines().find_map(|line| line.strip_prefix("fpr:")).unwrap().trim_matches(':').to_owned();
    ring.run(&["--quick-set-expire", &fingerprint, "seconds=1"]);
    assert!(verify(DOCUMENT, &signature, &[ring.export("old")]).is_ok());

    let revocation = ring.path().join(format!("openpgp-revocs.d/{fingerprint}.rev"));
    let text = fs::read_to_string(&revocation).unwrap().replace(":-----BEGIN", "-----BEGIN");
    fs::write(&revocation, text).unwrap();
    ring.run(&["--import", &revocation.display().to_string()]);
    assert_eq!(verify(DOCUMENT, &signature, &[ring.export("old")]), Err(SignatureError::Unknown));
}

#[test]
fn what_is_no_signature_is_told() {
    let Some(ring) = KeyRing::new() else { return };
    let key = ring.generate("ours", "ed25519", "sign");
    assert!(matches!(verify(DOCUMENT, b"", std::slice::from_ref(&key)), Err(SignatureError::Unreadable(_))));
    assert!(matches!(
        verify(DOCUMENT, b"\xff\xff\xff\xff", std::slice::from_ref(&key)),
        Err(SignatureError::Unreadable(_))
    ));
    let signature = ring.sign("ours", DOCUMENT);
    assert!(matches!(verify(DOCUMENT, &signature, &["no key".into()]), Err(SignatureError::Key(_))));
}
