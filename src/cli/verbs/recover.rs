//! `recover`: what is found is shown, and becomes a new record.

use formwork_contract::{Address, Diagnostic, Str};

use super::record::address;
use crate::cli::args::Recover;
use crate::cli::render::{diagnostic, recover as text};
use crate::cli::session::{DONE, FAILED, Outcome, Session, Stop};
use crate::workflow::{self, Consent, RecoverRequest, Recovered};

/// What to do where nobody can be asked.
const INSTEAD: &str = "Look at it with `--dry-run`, then give `--auto-approve`.";

pub(crate) async fn recover(session: &Session, arguments: &Recover) -> Outcome {
    let workspace = session.workspace(&arguments.variables)?;
    let request = RecoverRequest {
        choose: arguments.choose.iter().map(|text| chosen(text)).collect::<Result<_, Stop>>()?,
        leave: arguments.leave.iter().map(|name| name.as_str().into()).collect(),
        set_aside: arguments.set_aside,
    };
    let watcher = session.watcher();
    let recoverable = workflow::recoverable(&workspace, &request, &watcher).await?;
    drop(watcher);
    let (summary, sources) = (recoverable.summary.clone(), recoverable.sources.clone());
    let warnings = recoverable.warnings.clone();
    let told = |recovered: Option<&Recovered>| {
        let warnings = diagnostic::to_json([(warnings.iter(), &*sources)]);
        session.print_json(&text::to_json(&summary, recovered, &warnings))
    };
    if !session.global.json {
        session.print(&text::summary(&summary, session.terminal.out))?;
        session.warn(warnings.iter(), &sources);
    }
    if arguments.dry_run {
        if session.global.json {
            told(None)?;
        }
        return Ok(DONE);
    }
    let consent = if arguments.approval.auto_approve { Consent::Automatic } else { Consent::Person };
    recoverable.consented(consent)?;
    let question = format!("Write this as the record of `{}`?", summary.environment);
    if consent == Consent::Person && !session.consent(&question, INSTEAD)? {
        session.print("Nothing was written.\n")?;
        return Ok(FAILED);
    }
    let recovered = workflow::recover(&workspace, recoverable, consent)?;
    if session.global.json {
        told(Some(&recovered))?;
    } else {
        session.print(&text::recovered(&summary, &recovered, session.terminal.out))?;
    }
    Ok(DONE)
}

/// `ADDRESS=ID`. A key of `for_each` may hold the sign as well; ids seldom do.
fn chosen(text: &str) -> Result<(Address, Str), Stop> {
    let signs = text.match_indices('=').map(|(at, _)| at);
    let split = signs.map(|at| (&text[..at], &text[at + 1..])).find(|(before, _)| before.parse::<Address>().is_ok());
    match split {
        Some((before, id)) if !id.is_empty() => Ok((address(before)?, id.into())),
        Some(_) => Err(Diagnostic::error(format!("`--choose {text}` names no object"))
            .hint("write `--choose 'ADDRESS=ID'`, with the id of the object that stands there")
            .into()),
        None => match text.split_once('=') {
            Some((before, _)) => Err(address(before).err().unwrap_or_else(|| Diagnostic::error(text).into())),
            None => Err(Diagnostic::error(format!("`--choose {text}` names no object"))
                .hint("write `--choose 'ADDRESS=ID'`, with the id of the object that stands there")
                .into()),
        },
    }
}
