//! `import --discover`: live objects that nobody owns, written as blocks that plan to no change.

mod configuration;
mod names;
mod written;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use formwork_contract::provider::{Discovery, Private, Unowned};
use formwork_contract::suggest::nearest;
use formwork_contract::{Diagnostic, Diagnostics, Mode, Str, Value};

use self::configuration::Configuration;
use super::open::{self, failure, record_diagnostic, record_failure};
use super::settle::look_around;
use super::{Progress, Workspace, variables};
use crate::blueprint::Failure;
use crate::blueprint::sources::Sources;
use crate::graph::{self, ProviderKey};
use crate::live::{Configured, Reality, ResourceKind};
use crate::record::model::RecordedResource;
use crate::record::{Record, RecordError};

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct DiscoverRequest {
    /// Objects of this type alone.
    pub type_name: Option<Str>,
    /// Through this provider alone: `sandbox`, `aws.west`.
    pub provider: Option<Str>,
}

/// A blueprint file, and what is in it.
#[derive(Debug)]
pub struct Generated {
    /// Empty where nothing was found.
    pub hcl: String,
    pub objects: Vec<GeneratedObject>,
    /// Input variables for what is sensitive: to be given before anything is planned.
    pub variables: Vec<Str>,
    pub warnings: Diagnostics,
    pub sources: Arc<Sources>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedObject {
    /// `sandbox_network.main`
    pub address: Str,
    pub id: Str,
    /// The provider plans a change even of what it told itself.
    pub differs: bool,
}

/// An object that nobody owns, and who can reach it.
struct Stray {
    provider: ProviderKey,
    configured: Configured,
    kind: Arc<ResourceKind>,
    import_id: Str,
    value: Value,
    private: Private,
}

/// An object that nobody owns, and what a block has to say of it.
struct Described {
    provider: ProviderKey,
    kind: Arc<ResourceKind>,
    import_id: Str,
    value: Value,
    configuration: Configuration,
}

/// Lists what carries no owner tag and is in no record at hand, and writes it as a blueprint.
///
/// # Errors
/// The blueprint cannot be read; there is no such provider or type, or it cannot be listed.
pub async fn discover(
    workspace: &Workspace,
    request: &DiscoverRequest,
    progress: &dyn Progress,
) -> Result<Generated, Failure> {
    let (mut blueprint, mut warnings) = open::blueprint(workspace)?;
    let inputs = variables::inputs(workspace, &mut blueprint);
    let sources = Arc::clone(&blueprint.sources);
    let fail = |diagnostics: Diagnostics| failure(&sources, diagnostics);
    let (inputs, found) = inputs.map_err(fail)?;
    warnings.append(found);
    let record = open::record(workspace, &blueprint.environment).map_err(|error| record_failure(&sources, &error))?;
    let owned = owned(workspace, &record, &mut warnings).map_err(|error| record_failure(&sources, &error))?;
    let graph = Arc::new(graph::build(blueprint, workspace.registry.natives()).map_err(fail)?);
    let taken = super::recover::blocks(&graph).into_keys().filter(|address| address.module.is_root());
    let taken: HashSet<(Str, Str)> = taken.map(|address| (address.type_name, address.name)).collect();
    let reality = open::reality(workspace, &graph.blueprint.environment);
    let ephemerals = reality.ephemerals().clone();
    let listed = async {
        let reality = look_around(reality, &graph, &inputs, &record, progress).await?;
        let strays = strays(&reality, request, &owned, &mut warnings).await?;
        let mut described = Vec::with_capacity(strays.len());
        for stray in strays {
            let configuration = configuration::of(&stray).await;
            let Stray { provider, kind, import_id, value, .. } = stray;
            described.push(Described { provider, kind, import_id, value, configuration });
        }
        Ok::<_, Diagnostics>(described)
    };
    let listed = listed.await;
    warnings.append(ephemerals.close().await);
    let described = listed.map_err(fail)?;
    let written = written::file(described, taken);
    let hcl = crate::blueprint::format(&written.text, "the generated file")?;
    warnings.append(written.warnings);
    Ok(Generated { hcl, objects: written.objects, variables: written.variables, warnings, sources })
}

/// What the records at hand have: of this environment, and of the others of this blueprint. By provider, type and id.
type Owned = HashSet<(Str, Str, Str)>;

fn owned(workspace: &Workspace, record: &Record, warnings: &mut Diagnostics) -> Result<Owned, RecordError> {
    let mut owned: Owned = record.resources()?.iter().filter_map(entry).collect();
    let folders = std::fs::read_dir(workspace.dir.join(open::OWN_FOLDER)).into_iter().flatten().flatten();
    for folder in folders {
        let environment: Str = folder.file_name().to_string_lossy().as_ref().into();
        let path = open::record_path(workspace, &environment);
        if path == record.path() || !Record::exists(&path) {
            continue;
        }
        match open::record_to_read(workspace, &environment).map_err(|error| *error).and_then(|other| other.resources())
        {
            Ok(resources) => owned.extend(resources.iter().filter_map(entry)),
            Err(error) => warnings.push(unread(&path, &error)),
        }
    }
    Ok(owned)
}

fn entry(resource: &RecordedResource) -> Option<(Str, Str, Str)> {
    let id = resource.value.get("id")?.as_str()?;
    Some((resource.source.clone(), resource.address.type_name.clone(), id.into()))
}

fn unread(path: &Path, error: &RecordError) -> Diagnostic {
    let told = record_diagnostic(error);
    Diagnostic::warning(format!("what the record `{}` has is not known", path.display()))
        .detail(format!("{}. Objects that it has may be listed as nobody's.", told.summary))
}

async fn strays(
    reality: &Reality,
    request: &DiscoverRequest,
    owned: &Owned,
    warnings: &mut Diagnostics,
) -> Result<Vec<Stray>, Diagnostics> {
    let asked = asked(reality, request)?;
    let mut unable = BTreeMap::new();
    let mut strays: Vec<Stray> = Vec::new();
    let mut problems = Diagnostics::new();
    for (key, configured) in asked {
        let type_name = request.type_name.as_deref();
        let unowned = match configured.provider.list_unowned(type_name).await {
            Ok(Some(unowned)) => unowned,
            Ok(None) => {
                unable.insert(configured.source.to_str(), key.to_string());
                continue;
            }
            Err(failed) => {
                problems.append(failed);
                continue;
            }
        };
        for object in unowned {
            match stray(key, configured, object) {
                Ok(stray) if is_news(&stray, &strays, owned) => strays.push(stray),
                Ok(_) => {}
                Err(found) => problems.append(found),
            }
        }
    }
    let kept_by_the_record: HashSet<Str> =
        reality.all().filter(|one| is_of_the_record(one)).map(|one| one.source.to_str()).collect();
    let is_wanted = request.provider.is_some() || request.type_name.is_some();
    for (source, key) in unable {
        let told = format!("provider `{source}` cannot list what nobody owns");
        let told = if is_wanted { Diagnostic::error(told) } else { Diagnostic::warning(told) };
        // What exists in the record alone is never nobody's.
        if is_wanted || !kept_by_the_record.contains(&source) {
            let told = told.detail(format!("Its configuration is `{key}`; what it reaches is left out."));
            problems.push(told.hint("import its objects one by one: `formwork import ADDRESS ID`"));
        }
    }
    let (strays, told) = problems.into_result(strays)?;
    warnings.append(told);
    Ok(strays)
}

fn is_of_the_record(configured: &Configured) -> bool {
    let mut types = configured.loaded.kinds.names(Mode::Managed);
    types.all(|name| configured.provider.discovers(name) == Discovery::RecordOnly)
}

/// The provider configurations of the root module that are meant.
fn asked<'a>(
    reality: &'a Reality,
    request: &DiscoverRequest,
) -> Result<Vec<(&'a ProviderKey, &'a Configured)>, Diagnostics> {
    let all: Vec<_> = reality.configurations().into_iter().filter(|(key, _)| key.module.is_root()).collect();
    let names: Vec<String> = all.iter().map(|(key, _)| key.to_string()).collect();
    let is_meant = |key: &ProviderKey| request.provider.as_ref().is_none_or(|wanted| key.to_string() == **wanted);
    let meant: Vec<_> = all.into_iter().filter(|(key, _)| is_meant(key)).collect();
    if let (Some(wanted), []) = (&request.provider, meant.as_slice()) {
        let told = Diagnostic::error(format!("the blueprint has no provider configuration `{wanted}`"));
        return Err(match nearest(wanted, names.iter().map(String::as_str)) {
            Some(near) => told.hint(format!("did you mean `{near}`?")),
            None => told.hint(format!("it has `{}`", names.join("`, `"))),
        }
        .into());
    }
    if meant.is_empty() {
        return Err(Diagnostic::error("the blueprint has no provider to look through")
            .hint("write a `provider` block for it, or a first resource of one of its types")
            .into());
    }
    let Some(wanted) = &request.type_name else { return Ok(meant) };
    let known = |configured: &Configured| configured.loaded.kinds.get(Mode::Managed, wanted).is_some();
    let having: Vec<_> = meant.iter().copied().filter(|(_, configured)| known(configured)).collect();
    if !having.is_empty() {
        return Ok(having);
    }
    let kinds = meant.iter().flat_map(|(_, configured)| configured.loaded.kinds.names(Mode::Managed));
    let told = Diagnostic::error(format!("no provider of the blueprint has a resource type `{wanted}`"));
    Err(match nearest(wanted, kinds) {
        Some(near) => told.hint(format!("did you mean `{near}`?")),
        None => told.hint("write a `provider` block for the provider that has it"),
    }
    .into())
}

fn stray(key: &ProviderKey, configured: &Configured, object: Unowned) -> Result<Stray, Diagnostics> {
    let Unowned { type_name, import_id, value, private } = object;
    let kind = configured.loaded.kinds.get(Mode::Managed, &type_name).cloned().ok_or_else(|| {
        Diagnostic::error(format!("provider `{}` has no resource type `{type_name}`", configured.source))
            .hint("this is a defect of the provider")
    })?;
    let value = kind.conforming(value, "a live object")?;
    Ok(Stray { provider: key.clone(), configured: configured.clone(), kind, import_id, value, private })
}

/// Whether nobody has it, and it did not come through another configuration of its provider already.
fn is_news(stray: &Stray, before: &[Stray], owned: &Owned) -> bool {
    let source = stray.configured.source.to_str();
    let id: Str = stray.value.get_str("id").unwrap_or(&stray.import_id).into();
    let same = |other: &Stray| {
        other.provider != stray.provider
            && other.import_id == stray.import_id
            && other.kind.name == stray.kind.name
            && other.value == stray.value
    };
    !owned.contains(&(source, stray.kind.name.clone(), id)) && !before.iter().any(same)
}
