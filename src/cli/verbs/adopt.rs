//! `adopt`: a Terraform state is shown for what it holds, and taken over.

use std::path::Path;

use formwork_contract::Diagnostic;

use crate::cli::args::Adopt;
use crate::cli::render::{adopt as text, diagnostic};
use crate::cli::session::{DONE, FAILED, Outcome, Session, Stop};
use crate::workflow::{self, Consent};

/// What to do where nobody can be asked.
const INSTEAD: &str = "Look at it with `--dry-run`, then give `--auto-approve`.";

pub(crate) async fn adopt(session: &Session, arguments: &Adopt) -> Outcome {
    let workspace = session.workspace(&arguments.variables)?;
    let (name, state) = state(session, &arguments.state)?;
    let adoptable = workflow::adoptable(&workspace, &name, &state).await?;
    let (summary, sources) = (adoptable.summary.clone(), adoptable.sources.clone());
    let warnings = adoptable.warnings.clone();
    let told = |revision: Option<u64>| {
        let warnings = diagnostic::to_json([(warnings.iter(), &*sources)]);
        session.print_json(&text::to_json(&summary, revision, &warnings))
    };
    if !session.global.json {
        session.print(&text::summary(&name, &summary, session.terminal.out))?;
        session.warn(warnings.iter(), &sources);
    }
    if arguments.dry_run || summary.is_empty() {
        if session.global.json {
            told(None)?;
        }
        return Ok(DONE);
    }
    let consent = if arguments.approval.auto_approve { Consent::Automatic } else { Consent::Person };
    let question = format!("Take this into the record of `{}`?", summary.environment);
    if consent == Consent::Person && !session.consent(&question, INSTEAD)? {
        session.print("Nothing was taken.\n")?;
        return Ok(FAILED);
    }
    let revision = workflow::adopt(&workspace, adoptable, consent)?;
    if session.global.json {
        told(Some(revision))?;
    } else {
        session.print(&text::adopted(&summary, revision, session.terminal.out))?;
    }
    Ok(DONE)
}

/// What the state is called in messages, and its text.
fn state(session: &Session, path: &Path) -> Result<(String, String), Stop> {
    let (name, read) = if path.as_os_str() == "-" {
        ("standard input".to_owned(), std::io::read_to_string(std::io::stdin()))
    } else {
        (path.display().to_string(), std::fs::read_to_string(session.path(path)))
    };
    let text = read.map_err(|error| {
        Stop::from(
            Diagnostic::error(format!("the state `{name}` cannot be read"))
                .detail(format!("{error}."))
                .hint("give the path of a `terraform.tfstate`, or `-` for what `terraform state pull` prints"),
        )
    })?;
    Ok((name, text))
}
