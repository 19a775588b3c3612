//! `record { recipients = [...] }` of an environment: who is to be able to open its record.

use formwork_contract::suggest::nearest;
use formwork_contract::{Diagnostic, Diagnostics, Span, Str, Value};

use super::variables::{NoNames, context};
use super::{Workspace, open};
use crate::blueprint::Blueprint;
use crate::blueprint::model::{Attribute, Block};
use crate::language::Scope;
use crate::record::{LeaseScope, Recipient, Record, RecordError, Rekey};

/// The block that is given its meaning here, and what it can hold.
const BLOCK: &str = "record";
const ATTRIBUTE: &str = "recipients";

/// What an environment says of its record's recipients.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub recipients: Vec<Recipient>,
    pub span: Span,
}

/// Who the environment names; `None` where it names nobody.
///
/// # Errors
/// Unknown attributes and blocks, values that are no lists of public keys, a list without any: all at once.
pub(super) fn declared(workspace: &Workspace, blueprint: &Blueprint) -> Result<Option<Declared>, Diagnostics> {
    let Some(environment) = blueprint.environments.get(&blueprint.environment) else { return Ok(None) };
    let mut diagnostics = Diagnostics::new();
    let mut declared: Option<Declared> = None;
    for block in environment.settings.iter().filter(|block| &*block.type_name == BLOCK) {
        unknown(block, &mut diagnostics);
        for attribute in block.body.attributes.iter().filter(|attribute| &*attribute.name == ATTRIBUTE) {
            if let Some(earlier) = &declared {
                diagnostics.push(
                    Diagnostic::error("the recipients of the record are named twice")
                        .label(attribute.name_span, "here again")
                        .label(earlier.span, "here first")
                        .hint("put them into one list"),
                );
                continue;
            }
            let recipients = read(workspace, blueprint, attribute, &mut diagnostics);
            declared = Some(Declared { recipients, span: attribute.value.span });
        }
    }
    diagnostics.into_result(declared).map(|(declared, _)| declared)
}

fn unknown(block: &Block, diagnostics: &mut Diagnostics) {
    let surplus = |what: &str, name: &Str, span: Span| {
        let told = Diagnostic::error(format!("the {what} `{name}` is not known in a `{BLOCK}` block"))
            .label(span, "not known here");
        match nearest(name, [ATTRIBUTE]) {
            Some(near) => told.hint(format!("did you mean `{near}`?")),
            None => told.hint(format!("it can have `{ATTRIBUTE}`, a list of public keys")),
        }
    };
    for attribute in block.body.attributes.iter().filter(|attribute| &*attribute.name != ATTRIBUTE) {
        diagnostics.push(surplus("attribute", &attribute.name, attribute.name_span));
    }
    for inner in &block.body.blocks {
        diagnostics.push(surplus("block", &inner.type_name, inner.span));
    }
}

fn read(
    workspace: &Workspace,
    blueprint: &Blueprint,
    attribute: &Attribute,
    diagnostics: &mut Diagnostics,
) -> Vec<Recipient> {
    let (span, context) = (attribute.value.span, context(workspace, blueprint));
    let value = match (Scope { names: &NoNames, context: &context }).evaluate(&attribute.value) {
        Ok(value) => value.deep_unmarked(),
        Err(found) => {
            diagnostics.append(found);
            return Vec::new();
        }
    };
    let texts: Option<Vec<Str>> = value.elements().and_then(|elements| elements.iter().map(text).collect());
    let Some(texts) = texts else {
        diagnostics.push(
            Diagnostic::error(format!("`{ATTRIBUTE}` must be a list of public keys"))
                .label(span, "a list of strings is needed here")
                .hint("write `recipients = [\"age1...\", \"ssh-ed25519 AAAA... name\", file(\"team.pub\")]`"),
        );
        return Vec::new();
    };
    let mut recipients: Vec<Recipient> = Vec::new();
    // A file may hold several, a line each.
    let lines = texts.iter().flat_map(|text| text.lines()).map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.parse::<Recipient>() {
            Ok(recipient) if recipients.contains(&recipient) => {}
            Ok(recipient) => recipients.push(recipient),
            Err(error) => diagnostics.push(
                Diagnostic::error("a recipient of the record cannot be used")
                    .detail(format!("`{}`: {error}.", shortened(line)))
                    .label(span, "named here")
                    .hint("give a public key of age (`age1...`), or of SSH of the type `ssh-ed25519` or `ssh-rsa`"),
            ),
        }
    }
    if recipients.is_empty() && !diagnostics.has_errors() {
        diagnostics.push(
            Diagnostic::error("the record has no recipients")
                .detail("Nobody could open what is encrypted in it.")
                .label(span, "nobody is named here")
                .hint("name one, or remove the attribute: the project's own key opens the record then"),
        );
    }
    recipients
}

fn text(value: &Value) -> Option<Str> {
    match value {
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// Enough of a line to know it by, and not all of what may be a private key.
fn shortened(line: &str) -> String {
    let start: String = line.chars().take(16).collect();
    if start.len() < line.len() { format!("{start}...") } else { start }
}

/// A new record is wrapped for those whom the environment names. Of an older one it is told when it is not.
///
/// # Errors
/// As for [`declared`]; a new record cannot be wrapped so that it can be opened here.
pub(super) fn follow(
    workspace: &Workspace,
    blueprint: &Blueprint,
    record: &mut Record,
) -> Result<Diagnostics, Diagnostics> {
    let Some(declared) = declared(workspace, blueprint)? else { return Ok(Diagnostics::new()) };
    let told =
        |error: &RecordError| Diagnostics::from(open::record_diagnostic(error).label(declared.span, "named here"));
    let wrapped = record.recipients().map_err(|error| told(&error))?;
    let missing: Vec<&Recipient> = declared.recipients.iter().filter(|one| !wrapped.contains(one)).collect();
    let surplus: Vec<&Recipient> = wrapped.iter().filter(|one| !declared.recipients.contains(one)).collect();
    if missing.is_empty() && surplus.is_empty() {
        return Ok(Diagnostics::new());
    }
    if is_new(record).map_err(|error| told(&error))? {
        let rekey = Rekey { recipients: declared.recipients.clone(), rotate: false, actor: workspace.actor.clone() };
        wrap(workspace, record, &rekey).map_err(|error| told(&error))?;
        return Ok(Diagnostics::new());
    }
    let mut detail = Vec::new();
    if !missing.is_empty() {
        detail.push(format!("{} cannot open it yet.", names(&missing)));
    }
    if !surplus.is_empty() {
        detail.push(format!("{} can still open it.", names(&surplus)));
    }
    let hint = match surplus.is_empty() {
        true => "`formwork secrets rekey` wraps its key for those who are named",
        false => "`formwork secrets rekey --rotate` makes a new key for those who are named: the others know this one",
    };
    Ok(Diagnostic::warning("the record is not encrypted for those whom the environment names")
        .detail(detail.join(" "))
        .label(declared.span, "named here")
        .hint(hint)
        .into())
}

fn names(recipients: &[&Recipient]) -> String {
    let name = |recipient: &&Recipient| match recipient.name() {
        "" => format!("`{}`", recipient.key()),
        name => format!("`{name}`"),
    };
    recipients.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Whether nothing was ever written to a record.
fn is_new(record: &Record) -> Result<bool, RecordError> {
    Ok(record.history()?.is_empty() && record.rekeys()?.is_empty())
}

fn wrap(workspace: &Workspace, record: &mut Record, rekey: &Rekey) -> Result<(), RecordError> {
    open::acquire(workspace, record, LeaseScope::Whole)?;
    let wrapped = record.rekey(rekey, &mut |_| {});
    record.release()?;
    wrapped.map(drop)
}
