//! `console`: expressions against the blueprint and the record, typed or piped in.

use crate::cli::args::Variables;
use crate::cli::console::Pending;
use crate::cli::render::outcome;
use crate::cli::session::{DONE, FAILED, Outcome, Session, Stop};
use crate::workflow::{self, Console};

pub(crate) async fn console(session: &Session, variables: &Variables) -> Outcome {
    let workspace = session.workspace(variables)?;
    let watcher = session.watcher();
    let mut console = workflow::console(&workspace, &watcher).await?;
    drop(watcher);
    let mut pending = Pending::default();
    let mut code = DONE;
    loop {
        let prompt = if pending.is_empty() { "> " } else { ". " };
        let line =
            if session.terminal.interactive { session.terminal.ask(prompt)? } else { session.terminal.read_line()? };
        let expression = match &line {
            Some(line) if pending.is_empty() && matches!(line.trim(), "exit" | "quit") => break,
            Some(line) => pending.add(line),
            None => pending.finish(),
        };
        if let Some(expression) = expression
            && !answer(session, &mut console, &expression).await?
        {
            code = FAILED;
        }
        if line.is_none() {
            break;
        }
    }
    // Somebody who types sees each mistake at once; a script has to learn of it at the end.
    Ok(if session.terminal.interactive { DONE } else { code })
}

/// Evaluates one expression and prints it; false when it is wrong.
async fn answer(session: &Session, console: &mut Console, expression: &str) -> Result<bool, Stop> {
    match console.evaluate(expression).await {
        Ok(value) => {
            session.print(&outcome::lone(&value, session.terminal.out))?;
            Ok(true)
        }
        Err(failure) => {
            session.terminal.tell(&session.told(failure.diagnostics.iter(), &failure.sources));
            Ok(false)
        }
    }
}
