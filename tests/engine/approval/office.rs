//! A factory whose plans have to be approved, and people with real SSH keys.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use formwork::approve::Verdict;
use formwork::approve::signature::{KeyFile, Signer};
use formwork::workflow::{
    ApplyOutcome, ApplyRequest, Consent, Interrupt, Planned, Silent, apply, approve_plan, key_file, save_plan, verify,
};

use crate::factory::{Factory, told};

/// The time of the tests' machine: 2023-11-14T22:13:20Z.
pub(super) const NOW_MS: i64 = 1_700_000_000_000;

pub(super) struct Office {
    pub(super) factory: Factory,
    keys: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

/// Whether a program is there; a printed skip where it is not.
pub(super) fn has(test: &str, program: &str) -> bool {
    let there = Command::new(program).arg("--version").stdin(Stdio::null()).output().is_ok();
    if !there {
        assert!(std::env::var_os("FORMWORK_REQUIRE_PEERS").is_none(), "`{program}` is not on PATH");
        println!("skipped: {test}: `{program}` is not on PATH");
    }
    there
}

/// A blueprint with these rules and one resource.
pub(super) fn blueprint(rules: &str, input: &str) -> String {
    format!(
        "environment \"default\" {{\n  approval {{\n{rules}\n  }}\n}}\n\
         resource \"terraform_data\" \"a\" {{ input = \"{input}\" }}\n"
    )
}

/// One of two operators has to approve everything.
pub(super) const ONE_OPERATOR: &str = r#"
    allowed_signers = "approvers/allowed_signers"
    group "operators" { members = ["*@ops.example"] }
    require "operators" {}
"#;

impl Office {
    /// With these people, each with a key of Ed25519 and a line in the allowed signers; `None` where there is no
    /// ssh-keygen.
    pub(super) fn new(test: &str, rules: &str, people: &[&str]) -> Option<Self> {
        if !has(test, "ssh-keygen") {
            return None;
        }
        let office = Self {
            factory: Factory::new(&blueprint(rules, "one")),
            keys: tempfile::tempdir().expect("a folder for the keys"),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"),
        };
        for person in people {
            office.key(person, &["-t", "ed25519"]);
        }
        office.allow(&people.iter().map(|person| (*person, "")).collect::<Vec<_>>());
        Some(office)
    }

    /// Makes a key without a passphrase.
    pub(super) fn key(&self, name: &str, kind: &[&str]) {
        let mut arguments = vec!["-q", "-N", "", "-C", name];
        arguments.extend(kind);
        let path = self.key_path(name);
        arguments.extend(["-f", path.to_str().expect("a path in UTF-8")]);
        self.keygen(&arguments, None);
    }

    pub(super) fn key_path(&self, name: &str) -> PathBuf {
        self.keys.path().join(name)
    }

    pub(super) fn public_key(&self, name: &str) -> String {
        let text = fs::read_to_string(self.keys.path().join(format!("{name}.pub"))).expect("a public key");
        text.split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    /// Writes the allowed signers: people with the options of each.
    pub(super) fn allow(&self, people: &[(&str, &str)]) {
        let line = |(name, options): &(&str, &str)| format!("{name} {options} {}\n", self.public_key(name));
        let lines: String = people.iter().map(line).collect();
        self.factory.write("approvers/allowed_signers", &format!("# who may sign\n\n{lines}"));
    }

    pub(super) fn signers_file(&self) -> PathBuf {
        self.factory.path().join("approvers/allowed_signers")
    }

    /// Runs ssh-keygen, which has to succeed.
    pub(super) fn keygen(&self, arguments: &[&str], input: Option<&Path>) -> String {
        let ended = self.try_keygen(arguments, input);
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "ssh-keygen {arguments:?}: {errors}");
        String::from_utf8_lossy(&ended.stdout).into_owned()
    }

    pub(super) fn try_keygen(&self, arguments: &[&str], input: Option<&Path>) -> Output {
        let input = input.map_or(Stdio::null(), |path| Stdio::from(fs::File::open(path).expect("a file")));
        // Times without a zone are UTC to us; to ssh-keygen they are local ones.
        Command::new("ssh-keygen").args(arguments).env("TZ", "UTC").stdin(input).output().expect("ssh-keygen runs")
    }

    /// Plans, and keeps the plan in a file.
    pub(super) fn keep(&self, name: &str) -> PathBuf {
        let path = self.factory.path().join(name);
        save_plan(&self.factory.plan(), &path).unwrap_or_else(|failed| panic!("not kept: {failed}"));
        path
    }

    /// Approves as `ssh-keygen -Y sign` does; answers the signature's file.
    pub(super) fn sign_by_hand(&self, person: &str, namespace: &str, plan: &Path) -> PathBuf {
        self.sign_with(person, namespace, plan, &[])
    }

    /// The same with more options of `ssh-keygen`.
    pub(super) fn sign_with(&self, person: &str, namespace: &str, plan: &Path, options: &[&str]) -> PathBuf {
        let key = self.key_path(person);
        let written = plan.with_file_name(format!("{}.sig", plan.file_name().expect("a name").to_string_lossy()));
        drop(fs::remove_file(&written));
        let key = key.to_str().expect("a path in UTF-8");
        let plan_path = plan.to_str().expect("UTF-8");
        self.keygen(&[&["-q", "-Y", "sign", "-n", namespace, "-f", key], options, &[plan_path]].concat(), None);
        let named =
            plan.with_file_name(format!("{}.{person}.sig", plan.file_name().expect("a name").to_string_lossy()));
        fs::rename(&written, &named).expect("it is renamed");
        named
    }

    /// Approves with our own signer and a key file.
    pub(super) fn approve(&self, person: &str, plan: &Path) -> Result<PathBuf, String> {
        let KeyFile::Private(key) = key_file(&self.key_path(person)).expect("a key") else { panic!("it is locked") };
        let mut planned = self.open(plan);
        approve_plan(&self.factory.workspace, &mut planned, &Signer::Key(key)).map_err(|failed| told(&failed))
    }

    pub(super) fn open(&self, plan: &Path) -> Planned {
        self.factory.try_open(plan).unwrap_or_else(|failed| panic!("not opened: {failed}"))
    }

    pub(super) fn verdict(&self, plan: &Path) -> Verdict {
        verify(&self.factory.workspace, &self.open(plan)).0
    }

    pub(super) fn accepts(&self, plan: &Path) -> bool {
        self.verdict(plan).is_accepted()
    }

    /// Everything that is said against a plan, which must be refused, by `verify` and by `apply` alike.
    pub(super) fn refusal(&self, plan: &Path) -> String {
        let verdict = self.verdict(plan);
        assert!(!verdict.is_accepted(), "it is accepted");
        let refused = self.try_apply(plan).map(drop).expect_err("it is refused");
        assert_eq!(refused, verdict.objections.to_string());
        refused
    }

    pub(super) fn try_apply(&self, plan: &Path) -> Result<ApplyOutcome, String> {
        self.try_consented(self.open(plan), Consent::PlanFile)
    }

    pub(super) fn try_consented(&self, planned: Planned, consent: Consent) -> Result<ApplyOutcome, String> {
        let request = ApplyRequest::new(consent);
        let interrupt = Interrupt::default();
        let done = apply(&self.factory.workspace, planned, &request, &Silent, &interrupt);
        self.runtime.block_on(done).map_err(|failed| told(&failed))
    }

    /// Applies a plan that has to be accepted.
    pub(super) fn apply(&self, plan: &Path) {
        let outcome = self.try_apply(plan).unwrap_or_else(|refused| panic!("refused: {refused}"));
        assert!(outcome.is_complete(), "failed: {:?}", outcome.failed);
    }

    /// Keeps a plan, lets somebody approve it, and applies it.
    pub(super) fn carry_out(&self, name: &str, approver: &str) {
        let plan = self.keep(name);
        self.approve(approver, &plan).unwrap_or_else(|refused| panic!("not approved: {refused}"));
        self.apply(&plan);
    }
}
