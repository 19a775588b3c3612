//! `import --discover`: what nobody owns, printed or written as blocks of a blueprint.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use formwork_contract::Diagnostic;
use serde_json::json;

use crate::cli::args::Import;
use crate::cli::render::diagnostic;
use crate::cli::render::style::count;
use crate::cli::session::{DONE, Outcome, Session, Stop};
use crate::workflow::{self, DiscoverRequest, Generated};

pub(crate) async fn discover(session: &Session, arguments: &Import) -> Outcome {
    let workspace = session.workspace(&arguments.variables)?;
    let request = DiscoverRequest {
        type_name: arguments.type_name.as_deref().map(Into::into),
        provider: arguments.provider.as_deref().map(Into::into),
    };
    let watcher = session.watcher();
    let generated = workflow::discover(&workspace, &request, &watcher).await?;
    drop(watcher);
    let out = arguments.out.as_deref().filter(|_| !generated.objects.is_empty());
    if let Some(out) = out {
        write(&session.path(out), &generated.hcl)?;
    }
    if session.global.json {
        session.print_json(&to_json(&generated, out.is_some()))?;
        return Ok(DONE);
    }
    session.warn(generated.warnings.iter(), &generated.sources);
    match (generated.objects.len(), out) {
        (0, _) => session.print("Nothing was found that nobody owns.\n")?,
        (_, None) => session.print(&generated.hcl)?,
        (found, Some(out)) => session.print(&format!(
            "{} written to `{}`. {}`formwork plan` shows what would be taken over.\n",
            count(found, "object"),
            out.display(),
            given(generated.variables.len())
        ))?,
    }
    Ok(DONE)
}

/// What is sensitive is not in the file.
fn given(variables: usize) -> String {
    match variables {
        0 => String::new(),
        some => format!("{} for what is sensitive: give it first. ", count(some, "variable")),
    }
}

/// A file that is there already is somebody's work.
fn write(path: &Path, hcl: &str) -> Result<(), Stop> {
    let made = OpenOptions::new().write(true).create_new(true).open(path);
    made.and_then(|mut file| file.write_all(hcl.as_bytes())).map_err(|error| {
        Diagnostic::error(format!("`{}` cannot be written", path.display()))
            .detail(format!("{error}."))
            .hint("name a file that does not exist yet, in a folder that you may write to")
            .into()
    })
}

fn to_json(generated: &Generated, written: bool) -> serde_json::Value {
    let objects: Vec<_> = generated
        .objects
        .iter()
        .map(|object| json!({"address": &*object.address, "id": &*object.id, "differs": object.differs}))
        .collect();
    let variables: Vec<&str> = generated.variables.iter().map(|name| &**name).collect();
    let told = diagnostic::to_json([(generated.warnings.iter(), &*generated.sources)]);
    json!({
        "format_version": "1.0",
        "objects": objects,
        "variables": variables,
        "written": written,
        "hcl": generated.hcl,
        "diagnostics": told["diagnostics"],
    })
}
