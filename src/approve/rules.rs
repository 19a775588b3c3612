//! The rules of an environment: what its `approval { }` block means, with the files that it names.

use std::collections::BTreeMap;

use formwork_contract::{Diagnostic, Diagnostics, Span, Str, suggest};

use super::pattern::{Patterns, is_name};
use super::revoked::Revoked;
use super::signature;
use super::signers::{Misread, Signers};
use crate::blueprint::files::Files;
use crate::blueprint::model::{Block, Environment};
use crate::blueprint::settings::SettingsReader;
use crate::plan::model::Risk;

/// The most approvals that one group can be asked for.
const MOST_APPROVALS: usize = 20;

/// Who has to agree to a plan, and in what state it has to be.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The environment that they are for.
    pub environment: Str,
    pub auto_approve: bool,
    /// Where `auto_approve` stands.
    pub auto_approve_span: Option<Span>,
    pub signers: Signers,
    pub signers_file: Option<Str>,
    pub revoked: Revoked,
    pub revoked_file: Option<Str>,
    /// How long a plan may be applied after it was made, in milliseconds, and as it is written.
    pub expires: Option<(i64, Str)>,
    /// Who made a plan does not count as one who approves it.
    pub separation: bool,
    /// One person may fill several requirements.
    pub overlap: bool,
    /// Tracked files have to be as in the commit.
    pub clean: bool,
    /// The commit has to be on one of these branches.
    pub branches: Option<(Patterns, Span)>,
    pub groups: BTreeMap<Str, Group>,
    pub requires: Vec<Require>,
}

/// Signers by name.
#[derive(Clone, Debug)]
pub struct Group {
    pub members: Patterns,
    pub span: Span,
}

/// So many approvals by members of a group, from a risk on.
#[derive(Clone, Debug)]
pub struct Require {
    pub group: Str,
    pub count: usize,
    /// The least grade of a plan that asks for it.
    pub risk: Risk,
    pub span: Span,
}

impl Rules {
    /// No rules: anybody who can reach the record may apply.
    pub fn none(environment: &str) -> Self {
        Self {
            environment: environment.into(),
            auto_approve: true,
            auto_approve_span: None,
            signers: Signers::default(),
            signers_file: None,
            revoked: Revoked::default(),
            revoked_file: None,
            expires: None,
            separation: true,
            overlap: false,
            clean: false,
            branches: None,
            groups: BTreeMap::new(),
            requires: Vec::new(),
        }
    }

    /// Reads the rules of an environment, and the files that they name.
    ///
    /// # Errors
    /// Everything in the block that is wrong, and everything in the files.
    pub fn read(environment: &Environment, files: &Files) -> Result<Self, Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        let mut blocks = environment.settings.iter().filter(|block| &*block.type_name == "approval");
        let rules = match blocks.next() {
            None => Self::none(&environment.name),
            Some(block) => read(&environment.name, block, files, &mut diagnostics),
        };
        for again in blocks {
            diagnostics.push(
                Diagnostic::error("An environment can have one `approval` block")
                    .label(again.span, "this is another")
                    .hint("put everything into one"),
            );
        }
        diagnostics.into_result(rules).map(|(rules, _)| rules)
    }

    /// Why `--auto-approve` is not allowed, if it is not.
    pub fn forbids_automatic(&self) -> Option<Diagnostic> {
        if self.auto_approve {
            return None;
        }
        let forbidden =
            Diagnostic::error(format!("environment `{}` does not allow `--auto-approve`", self.environment))
                .hint("leave the flag out and answer the question, or write the plan with `-o` and apply that file");
        Some(match self.auto_approve_span {
            Some(span) => forbidden.label(span, "this rule forbids it"),
            None => forbidden,
        })
    }
}

fn read(environment: &str, block: &Block, files: &Files, diagnostics: &mut Diagnostics) -> Rules {
    let mut reader = SettingsReader::new(block, diagnostics);
    reader.no_labels();
    let auto_approve = reader.bool("auto_approve");
    let signers_file = reader.text("allowed_signers");
    let revoked_file = reader.text("revoked_keys");
    let branches = reader.texts("branch");
    let mut rules = Rules {
        // What cannot be read allows nothing.
        auto_approve: auto_approve.is_none_or(|(allowed, _)| allowed),
        auto_approve_span: auto_approve.map(|(_, span)| span),
        signers_file: signers_file.as_ref().map(|(name, _)| name.clone()),
        revoked_file: revoked_file.as_ref().map(|(name, _)| name.clone()),
        expires: reader.duration("expires").map(|(span, _)| span),
        separation: reader.bool("separation").is_none_or(|(set, _)| set),
        overlap: reader.bool("overlap").is_some_and(|(set, _)| set),
        clean: reader.bool("clean").is_some_and(|(set, _)| set),
        branches: branches.map(|(names, span)| (Patterns::of(names.iter().map(|name| &**name)), span)),
        ..Rules::none(environment)
    };
    let groups = reader.blocks("group");
    let requires = reader.blocks("require");
    reader.finish();
    for block in groups {
        group(block, &mut rules, diagnostics);
    }
    for block in requires {
        require(block, &mut rules, diagnostics);
    }
    if let Some((name, span)) = signers_file
        && let Some(bytes) = file(&name, span, files, diagnostics)
    {
        match std::str::from_utf8(&bytes).map_err(|_| vec![not_utf8()]).and_then(Signers::parse) {
            Ok(signers) => rules.signers = signers,
            Err(misread) => unreadable(&name, span, misread, diagnostics),
        }
    }
    if let Some((name, span)) = revoked_file
        && let Some(bytes) = file(&name, span, files, diagnostics)
    {
        match Revoked::parse(&bytes) {
            Ok(revoked) => rules.revoked = revoked,
            Err(misread) => unreadable(&name, span, misread, diagnostics),
        }
    }
    if !diagnostics.has_errors() {
        fulfillable(&rules, diagnostics);
    }
    rules
}

fn group(block: &Block, rules: &mut Rules, diagnostics: &mut Diagnostics) {
    let mut reader = SettingsReader::new(block, diagnostics);
    let name = reader.label("name");
    let members = reader.texts("members").map_or_else(|| vec!["*".into()], |(members, _)| members);
    reader.finish();
    let Some(name) = name else { return };
    let group = Group { members: Patterns::of(members.iter().map(|member| &**member)), span: block.span };
    if let Some(first) = rules.groups.insert(name.clone(), group) {
        diagnostics.push(
            Diagnostic::error(format!("There are two groups `{name}`"))
                .label(block.span, "this is the second")
                .label(first.span, "the first is here"),
        );
    }
}

fn require(block: &Block, rules: &mut Rules, diagnostics: &mut Diagnostics) {
    let mut reader = SettingsReader::new(block, diagnostics);
    let group = reader.label("group");
    let count = reader.number("count", 1..=MOST_APPROVALS).map_or(1, |(count, _)| count);
    let risk = reader.text("risk");
    reader.finish();
    let risk = match risk {
        None => Risk::None,
        Some((word, span)) => match named_risk(&word) {
            Some(risk) => risk,
            None => {
                diagnostics.push(
                    Diagnostic::error(format!("`{word}` is no risk"))
                        .label(span, "this word")
                        .hint("write `low`, `medium`, `high` or `critical`"),
                );
                return;
            }
        },
    };
    let Some(group) = group else { return };
    if !rules.groups.contains_key(&group) {
        let unknown = Diagnostic::error(format!("There is no group `{group}`")).label(block.span, "asked for here");
        let near = suggest::nearest(&group, rules.groups.keys().map(|name| &**name));
        diagnostics.push(match near {
            Some(near) => unknown.hint(format!("did you mean `{near}`?")),
            None => {
                unknown.hint(format!("say who is in it: `group \"{group}\" {{ members = [\"ada@example.com\"] }}`"))
            }
        });
        return;
    }
    rules.requires.push(Require { group, count, risk, span: block.span });
}

fn named_risk(word: &str) -> Option<Risk> {
    [Risk::Low, Risk::Medium, Risk::High, Risk::Critical]
        .into_iter()
        .find(|risk| crate::plan::json::risk_name(*risk) == word)
}

fn file(name: &str, span: Span, files: &Files, diagnostics: &mut Diagnostics) -> Option<std::sync::Arc<[u8]>> {
    match files.read(name) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            diagnostics.push(
                Diagnostic::error(format!("`{name}` cannot be read"))
                    .detail(format!("{error}."))
                    .label(span, "named here")
                    .hint("the name is relative to the blueprint's folder"),
            );
            None
        }
    }
}

fn not_utf8() -> Misread {
    Misread { line: 1, problem: "it is not UTF-8".into() }
}

fn unreadable(name: &str, span: Span, misread: Vec<Misread>, diagnostics: &mut Diagnostics) {
    for Misread { line, problem } in misread {
        diagnostics.push(
            Diagnostic::error(format!("line {line} of `{name}` cannot be read"))
                .detail(format!("{problem}."))
                .label(span, "the file is named here"),
        );
    }
}

/// Rules that nobody can fulfil would lock everybody out, for good: the next rules are judged by them.
fn fulfillable(rules: &Rules, diagnostics: &mut Diagnostics) {
    if !rules.requires.is_empty() && rules.signers_file.is_none() {
        let span = rules.requires[0].span;
        diagnostics.push(
            Diagnostic::error("Approvals are required, and nobody may give them")
                .label(span, "required here")
                .hint("name a file of OpenSSH with who may: `allowed_signers = \"approvers/allowed_signers\"`"),
        );
        return;
    }
    let (names, by_certificate) = rules.signers.known(signature::PLAN, |key| rules.revoked.has(key));
    for require in &rules.requires {
        let Some(group) = rules.groups.get(&require.group) else { continue };
        let able = names.iter().filter(|name| is_name(name) && group.members.matches(name)).count();
        if able < require.count && !by_certificate {
            let (group_name, count) = (&require.group, require.count);
            diagnostics.push(
                Diagnostic::error(format!("Nobody can fulfil this: `{group_name}` has {able} of {count} signers"))
                    .detail(format!(
                        "A signer is a name in the allowed signers whose key may sign for `{}` and is not revoked. \
                         Once applied, these rules judge every change of them.",
                        signature::PLAN
                    ))
                    .label(require.span, "required here")
                    .label(group.span, "the group")
                    .hint("add keys to the allowed signers, or ask for fewer approvals"),
            );
        }
    }
}
