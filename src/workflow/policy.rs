//! What judges plans: the policies of the revision that governs, and those of the blueprint.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use formwork_contract::{Diagnostic, Diagnostics, Str};
use jiff::civil::Date;
use ssh_key::public::KeyData;

use super::Workspace;
use super::approval::{key_file, own_rules};
use super::open::{self, failure};
use crate::approve::Rules;
use crate::approve::policy::{
    self, EXCEPTIONS, Exception, Exceptions, FOLDER, Judging, NAMESPACE, Policies, PolicyChange, Signing, TestReport,
    Verdict, starter,
};
use crate::approve::signature::{KeyFile, Signer};
use crate::blueprint::files::Files;
use crate::blueprint::sources::Sources;
use crate::blueprint::{Blueprint, Failure};
use crate::plan::Plan;
use crate::plan::json::to_terraform_json;
use crate::plan::model::Risk;

/// The policies that judge the plans of an environment; none where nothing is planned.
#[derive(Debug, Default)]
pub(super) struct JudgingPolicies {
    /// Of the revision that governs; `None` where nothing was applied yet.
    recorded: Option<Policies>,
    planned: Policies,
}

impl JudgingPolicies {
    /// Reads the policies of a blueprint and of the revision that governs its environment, and puts their texts among
    /// sources.
    pub(super) fn read(
        workspace: &Workspace,
        planned: &Files,
        recorded: Option<&Files>,
        sources: &mut Sources,
    ) -> Self {
        let prefix = open::display_prefix(workspace);
        let mut read = |files: &Files, note: &str| {
            let mut policies = Policies::read(files, FOLDER);
            policies.show_in(sources, |name| format!("{prefix}{name}{note}"));
            policies
        };
        Self { planned: read(planned, ""), recorded: recorded.map(|files| read(files, " (recorded)")) }
    }

    /// The grade of what a plan changes in the policies.
    pub(super) fn risk_of_changes(&self) -> Risk {
        let Some(recorded) = &self.recorded else { return Risk::None };
        policy::changes(recorded, &self.planned).iter().map(PolicyChange::risk).max().unwrap_or_default()
    }

    /// What they say of a plan; the rules say who signs exceptions.
    pub(super) fn judge(&self, plan: &Plan, rules: &Rules, now_ms: i64) -> Verdict {
        let exceptions = Exceptions::of_policies(&self.planned, &Signing { rules, plan, now_ms });
        let judging = Judging { recorded: self.recorded.as_ref(), planned: &self.planned, exceptions: &exceptions };
        policy::judge(&judging, || to_terraform_json(plan))
    }
}

/// Reads the policies, so that everything that keeps the blueprint keeps them too.
pub(super) fn take_along(blueprint: &Blueprint) {
    Policies::read(&blueprint.files, FOLDER);
}

/// What keeps the policies of a blueprint from judging.
pub(super) fn mistakes(workspace: &Workspace, blueprint: &mut Blueprint) -> Diagnostics {
    let mut policies = Policies::read(&blueprint.files, FOLDER);
    let prefix = open::display_prefix(workspace);
    policies.show_in(Arc::make_mut(&mut blueprint.sources), |name| format!("{prefix}{name}"));
    policy::check(&policies)
}

/// Runs the tests of the policies in a folder.
///
/// # Errors
/// There are none, they do not compile, or this build has no policy engine.
pub fn policy_test(folder: &Path, shown: &str, coverage: bool) -> Result<TestReport, Failure> {
    let mut sources = Sources::default();
    let mut policies = Policies::read(&Files::on_disk(folder), ".");
    if policies.is_empty() {
        return Err(failure(
            &Arc::new(sources),
            Diagnostic::error(format!("there are no policies in `{shown}`"))
                .detail("Policies are files whose names end with `.rego`, there or in folders below.")
                .hint("name their folder, or write a starter set: `formwork policy init`"),
        ));
    }
    policies.show_in(&mut sources, |name| format!("{}/{name}", shown.trim_end_matches('/')));
    policy::test(&policies, coverage).map_err(|found| failure(&Arc::new(sources), found))
}

/// Writes the starter set beside the blueprint, and gives the names of the files.
///
/// # Errors
/// One of them is there already, or cannot be written.
pub fn policy_init(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let nowhere = Arc::new(Sources::default());
    let files: Vec<(String, &str)> =
        starter::files().into_iter().map(|(name, text)| (format!("{FOLDER}/{name}"), text)).collect();
    if let Some((name, _)) = files.iter().find(|(name, _)| workspace.dir.join(name).exists()) {
        return Err(failure(
            &nowhere,
            Diagnostic::error(format!("`{name}` exists already"))
                .detail("Nothing was written.")
                .hint("remove the file, or change it where it is: the set is yours from the beginning"),
        ));
    }
    for (name, text) in &files {
        write_new(&workspace.dir.join(name), text).map_err(|found| failure(&nowhere, found))?;
    }
    Ok(files.into_iter().map(|(name, _)| name).collect())
}

/// What is to be excepted.
#[derive(Clone, Debug, Default)]
pub struct NewException {
    pub rule: String,
    pub address: Option<String>,
    pub message: Option<String>,
    pub environment: Option<String>,
    pub reason: String,
    pub ticket: Option<String>,
    /// `YYYY-MM-DD`
    pub until: String,
    /// A private key in OpenSSH's form.
    pub key: Option<PathBuf>,
}

/// An exception, written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FiledException {
    /// Relative to the blueprint's folder.
    pub file: String,
    pub signature: Option<String>,
    /// Who signed, by the blueprint's `allowed_signers`.
    pub signer: Option<Str>,
}

/// Writes an exception beside the policies, and signs it where a key is given.
///
/// # Errors
/// It says too little or is over, a file of its name is there, or the key cannot sign.
pub fn policy_except(workspace: &Workspace, new: &NewException) -> Result<FiledException, Failure> {
    let (blueprint, _) = open::blueprint(workspace)?;
    let fail = |found: Diagnostics| failure(&blueprint.sources, found);
    let exception = exception(workspace, new).map_err(fail)?;
    let text = exception.text().map_err(|error| fail(Diagnostic::error(error.to_string()).into()))?;
    let rules = own_rules(&blueprint)?;
    // A key that cannot sign leaves no file behind.
    let signature = new.key.as_deref().map(|key| signature(key, &text)).transpose()?;
    write_new(&workspace.dir.join(&exception.file), &text).map_err(fail)?;
    let file = exception.file;
    let Some(Signature { armored, key, comment }) = signature else {
        return Ok(FiledException { file, signature: None, signer: None });
    };
    let signer = rules.signer(&key, NAMESPACE, workspace.now_ms).ok().and_then(|names| names.into_iter().next());
    let name = slug(signer.as_deref().unwrap_or(&comment));
    let signature = format!("{file}.{}.sig", if name.is_empty() { "signer" } else { &name });
    write_new(&workspace.dir.join(&signature), &armored).map_err(fail)?;
    Ok(FiledException { file, signature: Some(signature), signer })
}

fn exception(workspace: &Workspace, new: &NewException) -> Result<Exception, Diagnostics> {
    let until: Date = new.until.parse().map_err(|_| {
        Diagnostic::error(format!("`--until {}` is no date", new.until)).hint("write it as `--until 2030-12-31`")
    })?;
    let today = jiff::Timestamp::from_millisecond(workspace.now_ms).unwrap_or_default();
    if until < today.to_zoned(jiff::tz::TimeZone::UTC).date() {
        return Err(Diagnostic::error(format!("`--until {until}` is over"))
            .hint("give the last day on which the exception is to count")
            .into());
    }
    let about = new.address.as_ref().or(new.message.as_ref()).map_or("", String::as_str);
    let name = format!("{}-{}", slug(&new.rule), slug(about));
    let exception = Exception {
        file: format!("{FOLDER}/{EXCEPTIONS}/{}.json", name.trim_matches('-')),
        rule: new.rule.clone(),
        address: new.address.clone(),
        message: new.message.clone(),
        environment: new.environment.clone(),
        reason: new.reason.clone(),
        ticket: new.ticket.clone(),
        until,
    };
    exception.checked().map_err(|error| {
        Diagnostic::error("this exception cannot be written")
            .detail(format!("{error}."))
            .hint("say what it is about with `--address` or `--message`, and why with `--reason`")
            .into()
    })
}

/// A signature, with the key that made it and what its owner calls that.
struct Signature {
    armored: String,
    key: KeyData,
    comment: String,
}

fn signature(path: &Path, text: &str) -> Result<Signature, Failure> {
    let shown = path.display();
    let unusable = |why: String| {
        let problem = Diagnostic::error(format!("the key `{shown}` cannot sign")).detail(format!("{why}."));
        let by_hand = format!("sign it by hand: `ssh-keygen -Y sign -n {NAMESPACE} -f {shown} FILE`");
        failure(&Arc::default(), problem.hint(by_hand))
    };
    let private = match key_file(path)? {
        KeyFile::Private(private) => private,
        KeyFile::Locked(_) => return Err(unusable("It has a passphrase".into())),
        KeyFile::Public(_) => return Err(unusable("It is a public key".into())),
    };
    let comment = private.comment().as_str_lossy().to_owned();
    let signer = Signer::Key(private);
    let armored = signer.sign(NAMESPACE, text.as_bytes()).map_err(|error| unusable(error.to_string()))?;
    Ok(Signature { armored, key: signer.public_key(), comment })
}

/// Text that can be a part of a file's name.
fn slug(text: &str) -> String {
    let kept = |char: char| if char.is_ascii_alphanumeric() || "._-@".contains(char) { char } else { '-' };
    let slug: String = text.chars().take(80).map(kept).collect();
    slug.trim_matches(['-', '.']).to_owned()
}

fn write_new(path: &Path, text: &str) -> Result<(), Diagnostics> {
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error: std::io::Error| {
        Diagnostic::error(format!("`{}` cannot be written", path.display()))
            .detail(format!("{error}."))
            .hint("remove a file of that name, and check that you may write there")
            .into()
    })
}
