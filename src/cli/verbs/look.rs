//! `validate`, `show`, `graph`: looks that change nothing.

use serde_json::json;

use super::record::{Recorded, recorded};
use crate::cli::args::{Graph, GraphFormat, Show, Variables};
use crate::cli::render::graph::{self, GraphText};
use crate::cli::render::{diagnostic, outcome, state};
use crate::cli::session::{DONE, Outcome, Session};
use crate::workflow;

pub(crate) async fn validate(session: &Session, variables: &Variables) -> Outcome {
    let validated = workflow::validate(&session.workspace(variables)?).await?;
    if session.global.json {
        session.print_json(&diagnostic::to_json([(validated.warnings.iter(), &*validated.sources)]))?;
        return Ok(DONE);
    }
    session.warn(validated.warnings.iter(), &validated.sources);
    let environments: Vec<String> = validated.environments.iter().map(|name| format!("`{name}`")).collect();
    session.print(&format!("The blueprint is valid, for {}.\n", environments.join(", ")))?;
    Ok(DONE)
}

pub(crate) async fn show(session: &Session, arguments: &Show) -> Outcome {
    let workspace = session.workspace(&arguments.variables)?;
    if let Some(file) = &arguments.plan {
        let watcher = session.watcher();
        let planned = workflow::open_plan(&workspace, &session.path(file), &watcher).await?;
        drop(watcher);
        super::change::show(session, &planned)?;
        return Ok(DONE);
    }
    let planned = recorded(session, &workspace).await?;
    let outputs = workflow::outputs(&workspace)?;
    let outputs = outputs.iter().map(|(name, output)| (name, &output.value, output.sensitive));
    if session.global.json {
        session.print_json(&state::to_json(Recorded::all(&planned.plan.changes), outputs))?;
        return Ok(DONE);
    }
    let text = state::text(Recorded::all(&planned.plan.changes), session.terminal.out);
    let outputs = outcome::outputs(outputs, session.terminal.out);
    session.print(if text.is_empty() { "Nothing is recorded.\n" } else { &text })?;
    if !outputs.is_empty() {
        session.print(&format!("\nOutputs:\n{outputs}"))?;
    }
    Ok(DONE)
}

pub(crate) fn graph(session: &Session, arguments: &Graph) -> Outcome {
    let view = workflow::graph(&session.workspace(&arguments.variables)?)?;
    let nodes: Vec<String> = view.nodes.iter().map(|node| node.name.to_string()).collect();
    if session.global.json {
        session.print_json(&json!({"format_version": "1.0", "nodes": nodes, "edges": view.edges}))?;
        return Ok(DONE);
    }
    let text = GraphText { nodes: &nodes, edges: &view.edges };
    session.print(&match arguments.format {
        GraphFormat::Dot => graph::dot(text),
        GraphFormat::Svg => graph::svg(text),
    })?;
    Ok(DONE)
}
