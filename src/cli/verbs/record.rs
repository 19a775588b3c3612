//! `history`, `output`, `state`: what is recorded, and edits of it.

use std::path::PathBuf;

use formwork_contract::suggest::nearest;
use formwork_contract::{Address, Diagnostic, Value};
use serde_json::json;

use crate::blueprint::sources::Sources;
use crate::cli::args::{Export, History, Output, Variables};
use crate::cli::render::state::{self, StateObject};
use crate::cli::render::style::count;
use crate::cli::render::{history as table, outcome};
use crate::cli::session::{DONE, FAILED, Outcome, Session, Stop};
use crate::plan::Focus;
use crate::plan::model::{Change, Reason};
use crate::workflow::{self, Planned, Word, Workspace};

/// The objects of a look at the record.
pub(super) struct Recorded;

impl Recorded {
    pub(super) fn all(changes: &[Change]) -> impl Iterator<Item = StateObject<'_>> {
        changes.iter().filter(|change| !change.before.is_null()).map(|change| StateObject {
            address: change.moved_from.as_ref().unwrap_or(&change.address),
            deposed: change.deposed.as_deref(),
            provider: change.kind.origin.source.as_str(),
            schema_version: change.kind.version,
            value: &change.before,
            depends_on: &change.recorded_dependencies,
            tainted: change.reason == Some(Reason::Tainted),
        })
    }
}

/// What the record says, without a look at reality.
pub(super) async fn recorded(session: &Session, workspace: &Workspace) -> Result<Planned, Stop> {
    let watcher = session.watcher();
    Ok(workflow::look(workspace, false, &watcher).await?)
}

pub(crate) fn history(session: &Session, arguments: &History) -> Outcome {
    let workspace = session.workspace(&Variables::default())?;
    if arguments.verify {
        return check(session, &workspace, arguments.known.as_deref());
    }
    let (mut revisions, mut stuck) = (workflow::history(&workspace)?, workflow::stuck(&workspace)?);
    if let Some(number) = arguments.revision {
        let last = revisions.first().map_or(0, |revision| revision.number);
        revisions.retain(|revision| revision.number == number);
        stuck.retain(|step| step.revision == number);
        if revisions.is_empty() {
            let known = if last == 0 { "there is none yet".into() } else { format!("the last one is {last}") };
            return Err(Diagnostic::error(format!("There is no revision {number}; {known}"))
                .hint("`formwork history` shows the revisions")
                .into());
        }
    }
    let hidden = revisions.len().saturating_sub(arguments.limit);
    revisions.truncate(arguments.limit);
    if session.global.json {
        session.print_json(&table::to_json(&revisions, &stuck))?;
        return Ok(DONE);
    }
    session.print(&table::history(&revisions, session.terminal.out))?;
    if hidden > 0 {
        session.print(&format!("{hidden} earlier: `formwork history --limit {}`\n", hidden + revisions.len()))?;
    }
    session.print(&table::stuck(&stuck, session.terminal.out))?;
    Ok(DONE)
}

/// Tells whether the record is what was written.
fn check(session: &Session, workspace: &Workspace, known: Option<&str>) -> Outcome {
    let check = workflow::check_history(workspace, known)?;
    if session.global.json {
        session.print_json(&table::check_json(&check))?;
    } else {
        match &check.broken {
            None => session.print(&table::check(&check, session.terminal.out))?,
            Some(broken) => session.warn([&table::broken(&check.environment, broken)], &Sources::default()),
        }
    }
    Ok(if check.broken.is_none() { DONE } else { FAILED })
}

pub(crate) fn output(session: &Session, arguments: &Output) -> Outcome {
    let outputs = workflow::outputs(&session.workspace(&Variables::default())?)?;
    let Some(name) = &arguments.name else {
        let each = outputs.iter().map(|(name, output)| (name, &output.value, output.sensitive));
        if session.global.json {
            session.print_json(&state::outputs(each))?;
        } else if outputs.is_empty() {
            session.print("No outputs: none is declared, or nothing was applied yet.\n")?;
        } else {
            session.print(&outcome::outputs(each, session.terminal.out))?;
        }
        return Ok(DONE);
    };
    let Some(output) = outputs.get(name.as_str()) else {
        let diagnostic = Diagnostic::error(format!("there is no output `{name}`"));
        return Err(match nearest(name, outputs.keys().map(|name| &**name)) {
            Some(near) => diagnostic.hint(format!("Did you mean `{near}`?")),
            None => diagnostic.hint("`formwork output` lists those that the last apply gave."),
        }
        .into());
    };
    if arguments.raw {
        session.print(&raw(name, &output.value)?)?;
    } else if session.global.json {
        session.print_json(&state::plain(&output.value))?;
    } else {
        // Whoever names one output wants it, a sensitive one as well.
        session.print(&outcome::lone(&output.value.deep_unmarked(), session.terminal.out))?;
    }
    Ok(DONE)
}

/// The bare text of a string, number or bool.
fn raw(name: &str, value: &Value) -> Result<String, Stop> {
    match value.unmarked() {
        Value::String(text) => Ok(text.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(bool) => Ok(bool.to_string()),
        other => Err(Diagnostic::error(format!("the output `{name}` has no bare text"))
            .detail(format!("It is of type {}; `--raw` is for strings, numbers and bools.", other.ty()))
            .hint(format!("Use `formwork output --json {name}`."))
            .into()),
    }
}

pub(crate) async fn list(session: &Session, within: &[String]) -> Outcome {
    let within = within.iter().map(|text| focus(text)).collect::<Result<Vec<_>, Stop>>()?;
    let workspace = session.workspace(&Variables::default())?;
    let planned = recorded(session, &workspace).await?;
    let found = Recorded::all(&planned.plan.changes)
        .filter(|object| within.is_empty() || within.iter().any(|focus| covers(focus, object.address)));
    if session.global.json {
        let addresses: Vec<String> = found.map(|object| object.address.to_string()).collect();
        session.print_json(&json!({"format_version": "1.0", "addresses": addresses}))?;
        return Ok(DONE);
    }
    let lines: String = found
        .map(|object| match object.deposed {
            Some(deposed) => format!("{} (deposed object {deposed})\n", object.address),
            None => format!("{}\n", object.address),
        })
        .collect();
    session.print(&lines)?;
    Ok(DONE)
}

fn covers(focus: &Focus, address: &Address) -> bool {
    match focus {
        Focus::Resource(named) => address == named || address.config() == *named,
        Focus::Module(module) => address.module.is_within(module) || address.config().module.is_within(module),
    }
}

pub(crate) async fn show(session: &Session, text: &str) -> Outcome {
    let wanted = address(text)?;
    let workspace = session.workspace(&Variables::default())?;
    let planned = recorded(session, &workspace).await?;
    let Some(object) = Recorded::all(&planned.plan.changes).find(|object| *object.address == wanted) else {
        let known: Vec<String> =
            Recorded::all(&planned.plan.changes).map(|object| object.address.to_string()).collect();
        let diagnostic = Diagnostic::error(format!("the record has no `{wanted}`"));
        return Err(match nearest(text, known.iter().map(String::as_str)) {
            Some(near) => diagnostic.hint(format!("Did you mean `{near}`?")),
            None => diagnostic.hint("`formwork state list` shows what there is."),
        }
        .into());
    };
    if session.global.json {
        session.print_json(&state::object_json(object).into())?;
    } else {
        session.print(&state::text([object], session.terminal.out))?;
    }
    Ok(DONE)
}

pub(crate) fn mv(session: &Session, from: &str, to: &str) -> Outcome {
    let (from, to) = (address(from)?, address(to)?);
    let revision = workflow::state_mv(&session.workspace(&Variables::default())?, &from, &to)?;
    edited(session, revision, &format!("`{from}` is now `{to}`."))
}

pub(crate) fn rm(session: &Session, addresses: &[String], overrides: &[PathBuf]) -> Outcome {
    let addresses = addresses.iter().map(|text| address(text)).collect::<Result<Vec<_>, Stop>>()?;
    let workspace = session.workspace(&Variables::default())?;
    let overrides: Vec<PathBuf> = overrides.iter().map(|file| session.path(file)).collect();
    for address in addresses {
        let revision = workflow::state_rm_overridden(&workspace, &address, &overrides)?;
        edited(session, revision, &format!("`{address}` is forgotten; what it stood for stays."))?;
    }
    Ok(DONE)
}

pub(crate) async fn export(session: &Session, arguments: &Export) -> Outcome {
    let workspace = session.workspace(&Variables::default())?;
    let watcher = session.watcher();
    let export = workflow::state_export(&workspace, &watcher).await?;
    drop(watcher);
    let held = count(export.sensitive, "sensitive value");
    if export.sensitive > 0 && !arguments.with_secrets {
        return Err(Diagnostic::error(format!("the state would hold {held} in clear"))
            .detail("Terraform's states are not encrypted.")
            .hint("give `--with-secrets` if that is meant; keep the file from others, and out of the repository")
            .into());
    }
    session.warn(export.warnings.iter(), &export.sources);
    let Some(out) = &arguments.out else {
        if export.sensitive > 0 && session.terminal.shown {
            return Err(Diagnostic::error("sensitive values are not written to a terminal")
                .hint("write them to a file with `-o FILE`")
                .into());
        }
        session.print(&export.text)?;
        return Ok(DONE);
    };
    workflow::write_state(&session.path(out), &export.text)?;
    let (objects, outputs) = (count(export.objects, "object"), count(export.outputs, "output"));
    if session.global.json {
        session.print_json(&json!({"format_version": "1.0", "objects": export.objects, "outputs": export.outputs,
            "sensitive": export.sensitive, "diagnostics": []}))?;
    } else {
        let clear = if export.sensitive > 0 { format!(" It holds {held} in clear.") } else { String::new() };
        session.print(&format!("Written to `{}`: {objects} and {outputs}.{clear}\n", out.display()))?;
    }
    Ok(DONE)
}

pub(crate) async fn settle(session: &Session, text: &str, id: Option<&str>) -> Outcome {
    let workspace = session.workspace(&Variables::default())?;
    let (wanted, word) = (address(text)?, id.map_or(Word::Absent, |id| Word::Id(id.into())));
    let watcher = session.watcher();
    workflow::state_settle(&workspace, &wanted, &word, &watcher).await?;
    drop(watcher);
    let what = match id {
        Some(id) => format!("`{wanted}` is recorded as `{id}`."),
        None => format!("`{wanted}` was not made."),
    };
    if session.global.json {
        session.print_json(&json!({"format_version": "1.0", "diagnostics": []}))?;
    } else {
        session.print(&format!("{what}\n"))?;
    }
    Ok(DONE)
}

fn edited(session: &Session, revision: u64, what: &str) -> Outcome {
    if session.global.json {
        session.print_json(&json!({"format_version": "1.0", "revision": revision, "diagnostics": []}))?;
    } else {
        session.print(&format!("{what} (revision {revision})\n"))?;
    }
    Ok(DONE)
}

/// An address from the command line.
pub(super) fn address(text: &str) -> Result<Address, Stop> {
    text.parse().map_err(|error| malformed(text, &error))
}

/// A resource, a module or a component from the command line.
pub(super) fn focus(text: &str) -> Result<Focus, Stop> {
    text.parse().map_err(|error| malformed(text, &error))
}

fn malformed(text: &str, error: &dyn std::fmt::Display) -> Stop {
    Diagnostic::error(format!("`{text}` is not an address"))
        .detail(format!("Reading it from the left: {error}."))
        .hint("Write `TYPE.NAME`, `TYPE.NAME[0]` or `module.NAME[\"key\"].TYPE.NAME`, in single quotes for the shell.")
        .into()
}
