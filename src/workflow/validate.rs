//! Checks a blueprint by itself: no record, no credentials, nothing is read from reality.

use std::sync::Arc;

use formwork_contract::{Diagnostics, Str};

use super::open::{self, failure};
use super::wave::unknown_groups;
use super::{Workspace, recipients};
use crate::approve::Rules;
use crate::blueprint::Failure;
use crate::blueprint::files::Files;
use crate::blueprint::sources::Sources;
use crate::graph;
use crate::plan::check_blueprint;

/// What a valid blueprint has to be told.
#[derive(Debug)]
pub struct Validated {
    pub sources: Arc<Sources>,
    pub warnings: Diagnostics,
    /// Those that were checked.
    pub environments: Vec<Str>,
}

/// Checks a blueprint for the environment that is given, or for each that it declares.
///
/// # Errors
/// Everything that is wrong with the first environment that has something wrong.
pub async fn validate(workspace: &Workspace) -> Result<Validated, Failure> {
    let names: Vec<Option<Str>> = match &workspace.environment {
        Some(name) => vec![Some(name.clone())],
        None => match environments(workspace) {
            names if names.is_empty() => vec![None],
            names => names.into_iter().map(Some).collect(),
        },
    };
    let mut last = None;
    for name in names {
        let files = Arc::new(Files::on_disk(&workspace.dir));
        let (mut blueprint, mut warnings) = open::load_from(workspace, files, name)?;
        let unjudging = super::policy::mistakes(workspace, &mut blueprint);
        let sources = Arc::clone(&blueprint.sources);
        if let Some(declared) = blueprint.environments.get(&blueprint.environment) {
            let rules = Rules::read(declared, &blueprint.files).map_err(|found| failure(&sources, found))?;
            let unknown = unknown_groups(&blueprint, &rules);
            if unknown.has_errors() {
                return Err(failure(&sources, unknown));
            }
        }
        let environment = blueprint.environment.clone();
        let graph = Arc::new(
            graph::build(blueprint.clone(), workspace.registry.natives()).map_err(|found| failure(&sources, found))?,
        );
        super::artifacts::check_sources(&graph).map_err(|found| failure(&sources, found))?;
        let reality = open::reality(workspace, &environment);
        let mut found = check_blueprint(graph, reality).await;
        found.append(unjudging);
        if found.has_errors() {
            return Err(failure(&sources, found));
        }
        warnings.append(found);
        recipients::declared(workspace, &blueprint).map_err(|found| failure(&sources, found))?;
        let checked = last.take().map_or_else(Vec::new, |last: Validated| last.environments);
        last = Some(Validated { sources, warnings, environments: checked.into_iter().chain([environment]).collect() });
    }
    Ok(last.unwrap_or_else(|| Validated {
        sources: Arc::default(),
        warnings: Diagnostics::new(),
        environments: Vec::new(),
    }))
}

/// The environments that the blueprint declares. An error in it shows when it is loaded for one of them.
fn environments(workspace: &Workspace) -> Vec<Str> {
    crate::blueprint::environment_names(&Arc::new(Files::on_disk(&workspace.dir)))
}
