//! Approvals: the rules that judge a plan, the signatures beside its file, and new ones.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use formwork_contract::{Diagnostic, Diagnostics, Str};
use ssh_key::public::KeyData;

use super::Workspace;
use super::open::{failure, record_failure};
use super::plan::Planned;
use super::policy::JudgingPolicies;
use crate::apply;
use crate::approve::policy;
use crate::approve::signature::{self, KeyError, KeyFile, Signer};
use crate::approve::{
    Case, Consent, Demand, Rules, SignatureFile, Verdict, agent, fingerprint, is_author, judge, required, rule_changes,
};
use crate::blueprint::files::Files;
use crate::blueprint::sources::Sources;
use crate::blueprint::{Blueprint, Failure};
use crate::plan::Plan;
use crate::plan::approval::{ApprovalNeeds, RequiredApproval, RuleChange};
use crate::record::model::{Revision, RevisionKind, RevisionStatus, RevisionSummary};
use crate::record::{Record, RecordError};

/// The longest file that is read as a signature or a key, in bytes.
const LONGEST: u64 = 64 * 1024;

/// The rules and policies that judge a plan: those of what was applied last, so that no plan weakens its own judge.
#[derive(Debug)]
pub struct Governing {
    pub(super) rules: Rules,
    /// What the spans of the rules and of the policies point into.
    pub(super) sources: Arc<Sources>,
    /// Where they come from; `None` for the plan's own.
    pub(super) revision: Option<u64>,
    pub(super) changes: Vec<RuleChange>,
    pub(super) policies: JudgingPolicies,
}

/// The file that a plan was opened from, and the signatures that were found.
#[derive(Debug)]
pub(super) struct KeptPlan {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
    pub signatures: Vec<SignatureFile>,
}

/// Somebody who may approve plans of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approver {
    /// As the allowed signers call them.
    pub name: Str,
    /// Of the key: `SHA256:...`
    pub fingerprint: Str,
}

impl Governing {
    /// For what changes nothing.
    pub(super) fn none(blueprint: &Blueprint) -> Self {
        Self {
            rules: Rules::none(&blueprint.environment),
            sources: Arc::clone(&blueprint.sources),
            revision: None,
            changes: Vec::new(),
            policies: JudgingPolicies::default(),
        }
    }

    /// Finds the rules, and reads those of the blueprint: they have to be sound, and their files belong to the plan.
    pub(super) fn of(workspace: &Workspace, record: &Record, blueprint: &Blueprint) -> Result<Self, Failure> {
        let own = own_rules(blueprint)?;
        let sources = &blueprint.sources;
        let last = last_applied(record).map_err(|error| record_failure(sources, &error))?;
        let Some(Revision { summary, files, .. }) = last else {
            let mut sources = Arc::clone(sources);
            let policies = JudgingPolicies::read(workspace, &blueprint.files, None, Arc::make_mut(&mut sources));
            return Ok(Self { rules: own, sources, revision: None, changes: Vec::new(), policies });
        };
        let (rules, mut sources, files) = recorded_rules(summary.number, files, &blueprint.environment)?;
        let changes = rule_changes(&rules, &own);
        let policies = JudgingPolicies::read(workspace, &blueprint.files, Some(&files), Arc::make_mut(&mut sources));
        Ok(Self { rules, sources, revision: Some(summary.number), changes, policies })
    }

    /// What the places point into that rules and policies tell.
    pub fn sources(&self) -> &Arc<Sources> {
        &self.sources
    }

    /// Says what a plan needs, and gives what the policies say of it.
    pub(super) fn judge(&self, plan: &mut Plan, now_ms: i64) -> (policy::Verdict, Vec<Demand>) {
        // Policies see what the rules ask for.
        plan.header.approval = self.needs(plan, &[]);
        let verdict = self.policies.judge(plan, &self.rules, now_ms);
        let demands: Vec<Demand> = verdict.demands.iter().map(Demand::from).collect();
        plan.header.approval = self.needs(plan, &demands);
        (verdict, demands)
    }

    /// What a plan needs, for people to see.
    fn needs(&self, plan: &Plan, demands: &[Demand]) -> ApprovalNeeds {
        let mut needs = ApprovalNeeds {
            rule_changes: self.changes.clone(),
            policy_risk: self.policies.risk_of_changes(),
            ..ApprovalNeeds::default()
        };
        let asked = required(&self.rules, demands, needs.grade(&plan.changes));
        needs.required = asked
            .into_iter()
            .map(|asked| RequiredApproval { group: asked.group.unwrap_or_else(|| "*".into()), count: asked.count })
            .collect();
        needs.expires_ms =
            self.rules.expires.as_ref().map(|(within, _)| plan.header.created_ms.saturating_add(*within));
        if needs != ApprovalNeeds::default() {
            needs.rules_of = self.revision;
        }
        needs
    }
}

/// The revision whose blueprint was approved and applied last. A run that broke off was approved too, but what it
/// was to bring may not be there: it counts only where nothing else does. An adoption was judged by nobody, and nor was
/// a recovery.
fn last_applied(record: &Record) -> Result<Option<Revision>, RecordError> {
    let history = record.history()?;
    let applied = |summary: &&RevisionSummary| {
        matches!(summary.kind, RevisionKind::Apply | RevisionKind::Destroy | RevisionKind::Rollback)
    };
    let taken = |summary: &&RevisionSummary| matches!(summary.kind, RevisionKind::Adopt | RevisionKind::Recover);
    let complete = |summary: &&RevisionSummary| summary.status == RevisionStatus::Complete;
    let newest = |found: Option<&RevisionSummary>| found.map(|summary| summary.number);
    let number = newest(history.iter().filter(applied).rfind(complete))
        .or_else(|| newest(history.iter().rfind(applied)))
        .or_else(|| newest(history.iter().rfind(taken)));
    number.map_or(Ok(None), |number| record.revision(number))
}

/// The rules of a blueprint itself.
pub(super) fn own_rules(blueprint: &Blueprint) -> Result<Rules, Failure> {
    match blueprint.environments.get(&blueprint.environment) {
        Some(own) => Rules::read(own, &blueprint.files).map_err(|found| failure(&blueprint.sources, found)),
        None => Ok(Rules::none(&blueprint.environment)),
    }
}

/// The rules of a revision, what their spans point into, and its files.
fn recorded_rules(
    number: u64,
    recorded: BTreeMap<String, Arc<[u8]>>,
    environment: &Str,
) -> Result<(Rules, Arc<Sources>, Arc<Files>), Failure> {
    // To parse a large blueprint takes a while, and most have no rules.
    let mentions = |body: &[u8]| body.windows(APPROVAL.len()).any(|window| window == APPROVAL);
    let has_rules = recorded.iter().any(|(name, body)| !name.contains('/') && mentions(body));
    let files = Arc::new(Files::from_snapshot(recorded));
    if !has_rules {
        return Ok((Rules::none(environment), Arc::default(), files));
    }
    let unreadable = |found: Diagnostics| -> Diagnostics {
        let told = Diagnostic::error(format!("the approval rules of revision {number} cannot be read"))
            .detail("They judge every plan, until a plan that they allow brings others.")
            .hint("use the version of Formwork that applied that revision");
        [told].into_iter().chain(found).collect()
    };
    let (environment, sources) = crate::blueprint::environment(&files, environment)
        .map_err(|failed| Failure { diagnostics: unreadable(failed.diagnostics), ..failed })?;
    let rules = Rules::read(&environment, &files).map_err(|found| failure(&sources, unreadable(found)))?;
    Ok((rules, sources, files))
}

/// Without this word, in plain text, there is no such block: HCL has no other way to write it.
const APPROVAL: &[u8] = b"approval";

impl KeptPlan {
    /// A plan file's bytes, with the signatures beside it: `PLAN.sig` and `PLAN.*.sig`.
    pub(super) fn new(path: &Path, bytes: Vec<u8>) -> Result<Self, Failure> {
        let signatures =
            signatures_beside(path).and_then(|paths| paths.iter().map(|path| read_signature(path)).collect());
        match signatures {
            Ok(signatures) => Ok(Self { path: path.to_owned(), bytes, signatures }),
            Err(error) => Err(failure(
                &Arc::default(),
                Diagnostic::error(format!("the signatures beside `{}` cannot be read", path.display()))
                    .detail(format!("{error}.")),
            )),
        }
    }
}

/// The signatures of a file by their names: `FILE.sig` and `FILE.*.sig`.
///
/// # Errors
/// The folder cannot be read.
pub(super) fn signatures_beside(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder.unwrap_or(Path::new(".")))? {
        let file = entry?.file_name();
        let is_ours = file
            .to_str()
            .and_then(|file| file.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with('.') && rest.ends_with(".sig"));
        if is_ours {
            found.push(folder.map_or_else(|| PathBuf::from(&file), |folder| folder.join(&file)));
        }
    }
    found.sort();
    Ok(found)
}

fn read_signature(path: &Path) -> std::io::Result<SignatureFile> {
    Ok(SignatureFile { name: path.display().to_string().into(), armored: read_short(path)? })
}

/// A short text; what is longer than any signature or key is cut off, and then is none.
fn read_short(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl Planned {
    /// The rules that judge it.
    pub fn governing(&self) -> &Governing {
        &self.governing
    }

    /// Takes signatures from files that lie elsewhere.
    ///
    /// # Errors
    /// A file cannot be read, or the plan was not opened from a file.
    pub fn take_signatures(&mut self, paths: &[PathBuf]) -> Result<(), Failure> {
        for path in paths {
            let found = read_signature(path).map_err(|error| {
                let problem = Diagnostic::error(format!("the signature `{}` cannot be read", path.display()));
                failure(&self.sources, problem.detail(format!("{error}.")))
            })?;
            if let Some(kept) = &mut self.kept
                && !kept.signatures.contains(&found)
            {
                kept.signatures.push(found);
            }
        }
        Ok(())
    }

    /// SHA-256 of the content of the file that it was opened from, in hexadecimal.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// What a plan is judged by.
    pub(super) fn case(&self, workspace: &Workspace, consent: Consent) -> Case<'_> {
        Case {
            rules: &self.governing.rules,
            policy: &self.policy,
            file: self.kept.as_ref().map(|kept| &*kept.bytes),
            signatures: self.kept.as_ref().map_or(&[], |kept| &kept.signatures),
            demands: &self.demands,
            consent,
            now_ms: workspace.now_ms,
        }
    }
}

/// Whether a plan may be applied with this consent, before anybody is asked for it.
///
/// # Errors
/// Everything that the rules and the policies have against it.
pub fn allowed(workspace: &Workspace, planned: &Planned, consent: Consent) -> Result<(), Failure> {
    let verdict = judge(&planned.plan, &planned.case(workspace, consent));
    if verdict.is_accepted() { Ok(()) } else { Err(failure(&planned.governing.sources, verdict.objections)) }
}

/// Who approved a plan that was opened from a file, and what is in the way of applying it, as far as that can be told
/// without a look at what is live. The objections' places are in the sources that come with them.
pub fn verify(workspace: &Workspace, planned: &Planned) -> (Verdict, Arc<Sources>) {
    let mut verdict = judge(&planned.plan, &planned.case(workspace, Consent::PlanFile));
    verdict.objections.append(apply::check_bound(&planned.plan.header, &planned.record).err().unwrap_or_default());
    (verdict, Arc::clone(&planned.governing.sources))
}

/// Who a key is to the rules that judge a plan, for a purpose.
///
/// # Errors
/// The rules know it not, or no longer, or not for this purpose.
pub fn approver(
    workspace: &Workspace,
    governing: &Governing,
    key: &KeyData,
    purpose: &str,
) -> Result<Approver, Failure> {
    let rules = &governing.rules;
    let fail = |problem: Diagnostic| failure(&governing.sources, problem);
    let fingerprint = fingerprint(key);
    if rules.signers.is_empty() {
        return Err(fail(
            Diagnostic::error(format!("environment `{}` names nobody who may sign", rules.environment))
                .detail("A signature would count for nothing.")
                .hint("name a file of OpenSSH in the environment: `approval { allowed_signers = \"...\" }`"),
        ));
    }
    let names = rules.signer(key, purpose, workspace.now_ms).map_err(|refusal| {
        let problem = Diagnostic::error(format!("the key {fingerprint} may not sign for `{purpose}`"));
        let from = match governing.revision {
            Some(number) => format!(" (The rules are those of revision {number}.)"),
            None => String::new(),
        };
        fail(problem.detail(format!("The rules do not take it: {refusal}.{from}")))
    })?;
    let name = names.into_iter().next().unwrap_or_default();
    Ok(Approver { name, fingerprint })
}

/// Approves a plan that was opened from a file: signs its bytes, and writes `PLAN.NAME.sig` beside it.
///
/// # Errors
/// The signer may not approve this plan, cannot sign, or the file cannot be written.
pub fn approve_plan(workspace: &Workspace, planned: &mut Planned, signer: &Signer) -> Result<PathBuf, Failure> {
    let approver = approver(workspace, &planned.governing, &signer.public_key(), signature::PLAN)?;
    let fail = |problem: Diagnostic| failure(&planned.governing.sources, problem);
    if planned.governing.rules.separation && is_author(&planned.plan, &approver.name) {
        return Err(fail(
            Diagnostic::error(format!("`{}` made this plan", approver.name))
                .detail("The rules want somebody else to approve it (`separation`): this approval would not count."),
        ));
    }
    let Some(kept) = &mut planned.kept else {
        return Err(fail(Diagnostic::error("only a plan that is kept in a file can be approved")));
    };
    let armored = signer
        .sign(signature::PLAN, &kept.bytes)
        .map_err(|error| fail(Diagnostic::error("the plan cannot be signed").detail(format!("{error}."))))?;
    let mut name = kept.path.as_os_str().to_owned();
    name.push(format!(".{}.sig", file_name(&approver.name)));
    let path = PathBuf::from(name);
    std::fs::write(&path, &armored).map_err(|error| {
        fail(
            Diagnostic::error(format!("`{}` cannot be written", path.display()))
                .detail(format!("{error}."))
                .hint("check that you may write beside the plan"),
        )
    })?;
    let file = SignatureFile { name: path.display().to_string().into(), armored };
    kept.signatures.retain(|other| other.name != file.name);
    kept.signatures.push(file);
    Ok(path)
}

/// A signer's name as a part of a file's name.
fn file_name(name: &str) -> String {
    let keep = |char: char| char.is_ascii_alphanumeric() || "@._+-".contains(char);
    name.chars().map(|char| if keep(char) { char } else { '_' }).collect()
}

/// Reads a file that was named as a key.
///
/// # Errors
/// It cannot be read, or is no key of OpenSSH.
pub fn key_file(path: &Path) -> Result<KeyFile, Failure> {
    let shown = path.display();
    let text = read_short(path).map_err(|error| {
        failure(
            &Arc::default(),
            Diagnostic::error(format!("the key `{shown}` cannot be read")).detail(format!("{error}.")),
        )
    })?;
    signature::read_key(&text).map_err(|error| {
        let problem = Diagnostic::error(format!("`{shown}` is not a key that can sign"))
            .detail(format!("It seems that {error}."));
        failure(
            &Arc::default(),
            match error {
                KeyError::OtherForm => {
                    problem.hint(format!("bring it to OpenSSH's own form: `ssh-keygen -p -f {shown}`"))
                }
                _ => problem.hint(
                    "name a private key such as `~/.ssh/id_ed25519`, or the public half of one that an agent holds",
                ),
            },
        )
    })
}

/// The signer in an agent: the one with this key, or the only one that may sign for a purpose.
///
/// # Errors
/// The agent cannot be asked; it has no such key, or several.
pub fn agent_signer(
    workspace: &Workspace,
    governing: &Governing,
    socket: &Path,
    wanted: Option<&KeyData>,
    purpose: &str,
) -> Result<Signer, Failure> {
    let fail = |problem: Diagnostic| failure(&governing.sources, problem);
    let held = agent::keys(socket).map_err(|error| {
        fail(
            Diagnostic::error("the SSH agent gives no keys")
                .detail(format!("{error}."))
                .hint("start one, or name a key file with `--key`"),
        )
    })?;
    let signer = |key: KeyData| Signer::Agent { socket: socket.to_owned(), key: Box::new(key) };
    if let Some(wanted) = wanted {
        return match held.into_iter().find(|(key, _)| key == wanted) {
            Some((key, _)) => Ok(signer(key)),
            None => Err(fail(
                Diagnostic::error(format!("the SSH agent does not hold the key {}", fingerprint(wanted)))
                    .hint("`ssh-add -l` lists what it holds, `ssh-add FILE` adds a key"),
            )),
        };
    }
    let count = held.len();
    let mut able: Vec<(KeyData, Approver)> = held
        .into_iter()
        .filter_map(|(key, _)| approver(workspace, governing, &key, purpose).ok().map(|who| (key, who)))
        .collect();
    match (able.len(), able.pop()) {
        (1, Some((key, _))) => Ok(signer(key)),
        (0, _) | (_, None) => Err(fail(
            Diagnostic::error("the SSH agent holds no key that may sign")
                .detail(format!("It holds {count}, and the allowed signers take none of them for `{purpose}`."))
                .hint("name another key with `--key`, or ask for a line in the allowed signers"),
        )),
        (_, Some(last)) => {
            able.push(last);
            let names: Vec<String> =
                able.iter().map(|(_, who)| format!("{} ({})", who.name, who.fingerprint)).collect();
            Err(fail(
                Diagnostic::error("the SSH agent holds several keys that may sign")
                    .detail(format!("They are {}.", names.join(", ")))
                    .hint("name the public half of one: `--key ~/.ssh/id_ed25519.pub`"),
            ))
        }
    }
}
