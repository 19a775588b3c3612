//! What judges plans: the policies of the revision that governs, and those of the blueprint.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use formwork_contract::{Diagnostic, Diagnostics, Str};
use jiff::civil::Date;

use super::Workspace;
use super::open::{self, failure};
use crate::approve::policy::{
    self, EXCEPTIONS, Exception, Exceptions, FOLDER, Judging, NAMESPACE, Policies, Signing, TestReport, Verdict, sign,
    starter, verify,
};
use crate::blueprint::expression::Expr;
use crate::blueprint::files::Files;
use crate::blueprint::model::Environment;
use crate::blueprint::sources::Sources;
use crate::blueprint::{Blueprint, Failure, LoadOptions, load};
use crate::plan::Plan;
use crate::plan::json::to_terraform_json;
use crate::record::model::{Revision, RevisionKind, RevisionStatus, RevisionSummary};
use crate::record::{Record, RecordError};

/// What judges the plans of an environment.
pub(super) struct JudgingPolicies {
    recorded: Option<Policies>,
    planned: Policies,
    /// Who signs exceptions, by the rules that govern.
    allowed_signers: Option<String>,
    /// Whoever made a plan may not be the only one to sign.
    separation: bool,
}

impl JudgingPolicies {
    /// Reads the policies of a blueprint and of the revision that governs its environment. Their texts are put
    /// among the blueprint's sources.
    pub(super) fn read(
        workspace: &Workspace,
        blueprint: &mut Blueprint,
        record: &Record,
    ) -> Result<Self, Box<RecordError>> {
        let mut planned = Policies::read(&blueprint.files, FOLDER);
        let prefix = open::display_prefix(workspace);
        let sources = Arc::make_mut(&mut blueprint.sources);
        planned.show_in(sources, |name| format!("{prefix}{name}"));
        let Some(revision) = governing(record)? else {
            let (allowed_signers, separation) = signing_rules(blueprint);
            return Ok(Self { recorded: None, planned, allowed_signers, separation });
        };
        let files = Arc::new(Files::from_snapshot(revision.files));
        let mut recorded = Policies::read(&files, FOLDER);
        recorded.show_in(sources, |name| format!("{prefix}{name} (recorded)"));
        let options = LoadOptions { environment: Some(blueprint.environment.clone()), ..LoadOptions::default() };
        // A revision that this version cannot read any more names nobody who may sign.
        let (allowed_signers, separation) = load(files, &options).map_or((None, true), |(old, _)| signing_rules(&old));
        Ok(Self { recorded: Some(recorded), planned, allowed_signers, separation })
    }

    pub(super) fn judge(&self, plan: &Plan, now_ms: i64) -> Verdict {
        let header = &plan.header;
        let authors: Vec<Str> = [Some(header.author.actor.clone()), header.author.email.clone()]
            .into_iter()
            .flatten()
            .filter(|_| self.separation)
            .collect();
        let signing = Signing {
            allowed_signers: self.allowed_signers.as_deref(),
            environment: &header.environment,
            authors: &authors,
            now_ms,
        };
        let exceptions = Exceptions::of_policies(&self.planned, &signing);
        let judging = Judging { recorded: self.recorded.as_ref(), planned: &self.planned, exceptions: &exceptions };
        policy::judge(&judging, || to_terraform_json(plan))
    }
}

/// Reads what judges plans, so that everything that keeps the blueprint keeps that too.
pub(super) fn take_along(blueprint: &Blueprint) {
    Policies::read(&blueprint.files, FOLDER);
    for environment in blueprint.environments.values() {
        drop(allowed_signers(&blueprint.files, environment));
    }
}

/// What keeps the policies of a blueprint from judging.
pub(super) fn mistakes(workspace: &Workspace, blueprint: &mut Blueprint) -> Diagnostics {
    let mut policies = Policies::read(&blueprint.files, FOLDER);
    let prefix = open::display_prefix(workspace);
    policies.show_in(Arc::make_mut(&mut blueprint.sources), |name| format!("{prefix}{name}"));
    policy::check(&policies)
}

/// The revision that governs: the last one whose plan was approved and wholly carried out. What was only
/// taken over governs where nothing was ever planned; edits of the record never do.
fn governing(record: &Record) -> Result<Option<Revision>, RecordError> {
    let history = record.history()?;
    let complete = || history.iter().filter(|summary| summary.status == RevisionStatus::Complete);
    let is_planned = |summary: &&RevisionSummary| {
        matches!(summary.kind, RevisionKind::Apply | RevisionKind::Destroy | RevisionKind::Rollback)
    };
    let planned = complete().filter(is_planned).max_by_key(|summary| summary.number);
    let adopted = || complete().filter(|summary| summary.kind == RevisionKind::Adopt).max_by_key(|s| s.number);
    let Some(summary) = planned.or_else(adopted) else { return Ok(None) };
    record.revision(summary.number)
}

/// The text of `allowed_signers`, and whether authors do not count.
fn signing_rules(blueprint: &Blueprint) -> (Option<String>, bool) {
    let Some(environment) = blueprint.environments.get(&blueprint.environment) else { return (None, true) };
    let separation = approval(environment, "separation").and_then(Expr::as_literal_bool).unwrap_or(true);
    (allowed_signers(&blueprint.files, environment), separation)
}

fn allowed_signers(files: &Files, environment: &Environment) -> Option<String> {
    let path = approval(environment, "allowed_signers")?.as_literal_str()?;
    String::from_utf8(files.read(path).ok()?.to_vec()).ok()
}

/// An attribute of the environment's `approval` block.
fn approval<'e>(environment: &'e Environment, name: &str) -> Option<&'e Expr> {
    let block = environment.settings.iter().find(|block| &*block.type_name == "approval")?;
    block.body.attributes.iter().find(|attribute| &*attribute.name == name).map(|attribute| &attribute.value)
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
    // A key that cannot sign leaves no file behind.
    let signature = new.key.as_deref().map(|key| signature(key, &text)).transpose().map_err(fail)?;
    write_new(&workspace.dir.join(&exception.file), &text).map_err(fail)?;
    let file = exception.file;
    let Some((armored, comment)) = signature else { return Ok(FiledException { file, signature: None, signer: None }) };
    let allowed = signing_rules(&blueprint).0.unwrap_or_default();
    let signer = verify(&allowed, NAMESPACE, text.as_bytes(), armored.as_bytes(), workspace.now_ms).ok();
    let signer = signer.map(|signer| signer.name);
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

/// The signature of a text, and the comment of the key.
fn signature(key: &Path, text: &str) -> Result<(String, String), Diagnostics> {
    let by_hand = format!("sign it by hand: `ssh-keygen -Y sign -n {NAMESPACE} -f {} FILE`", key.display());
    let unusable = |why: String| {
        let problem = Diagnostic::error(format!("the key `{}` cannot sign", key.display()));
        Diagnostics::from(problem.detail(format!("{why}.")).hint(&by_hand))
    };
    let private = ssh_key::PrivateKey::read_openssh_file(key).map_err(|error| unusable(error.to_string()))?;
    let armored = sign(&private, NAMESPACE, text.as_bytes()).map_err(|error| unusable(error.to_string()))?;
    Ok((armored, private.comment().as_str_lossy().to_owned()))
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
