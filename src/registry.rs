//! The one file that names concrete providers.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use formwork_contract::Diagnostic;
use formwork_contract::provider::Provider;
use formwork_contract::suggest::nearest;

use crate::graph::Wanted;
use crate::live::Registry;

/// The native providers, which are linked into this binary, and the plugins that are found on this machine.
#[derive(Debug)]
pub(crate) struct Providers {
    #[cfg(feature = "terraform")]
    plugins: plugins::Lazy,
}

/// Where plugins are found and how they are run, as far as a person says.
#[derive(Clone, Debug, Default)]
pub struct PluginSettings {
    /// The blueprint's root folder: its lock file, and what is installed for it.
    pub root: PathBuf,
    /// Relative paths in Terraform's configuration files start here.
    pub working_dir: PathBuf,
    pub home: Option<PathBuf>,
    /// Terraform's own configuration files that exist; the word of the first stands.
    pub configurations: Vec<PathBuf>,
    /// Folders to look in before all others.
    pub search_path: Vec<PathBuf>,
    /// Data folders of the system, in which Terraform's mirrors may stand.
    pub data_folders: Vec<PathBuf>,
    /// Tokens for registries and mirrors: a host and its token. They come before those of the files.
    pub tokens: Vec<(String, String)>,
    /// Where schemas, and which packages were checked, are kept between runs; `None`: nowhere.
    pub cache_dir: Option<PathBuf>,
    /// How long any call may take, instead of a time for each kind of call.
    pub timeout: Option<Duration>,
    /// How much plugins are to log; `None`: as the environment says.
    pub log_level: Option<&'static str>,
}

/// Native providers that can be left out: their name and the cargo feature that brings them.
const FEATURES: [(&str, &str); 3] = [("aws", "aws"), ("onprem", "onprem"), ("sandbox", "sandbox")];

/// All native providers, those that this build leaves out as well.
const NATIVES: [&str; 6] = ["aws", "onprem", "random", "sandbox", "terraform", "tls"];

impl Providers {
    #[cfg(feature = "terraform")]
    pub(crate) fn new(settings: PluginSettings) -> Self {
        Self { plugins: plugins::Lazy::new(settings) }
    }

    #[cfg(not(feature = "terraform"))]
    pub(crate) fn new(_settings: PluginSettings) -> Self {
        Self {}
    }

    #[cfg(feature = "terraform")]
    fn plugin(&self, wanted: &Wanted) -> Result<Arc<dyn Provider>, Box<Diagnostic>> {
        self.plugins.find(wanted).map_err(|diagnostic| match near_native(wanted) {
            Some(near) => Box::new(diagnostic.hint(near)),
            None => diagnostic,
        })
    }

    #[cfg(not(feature = "terraform"))]
    fn plugin(&self, wanted: &Wanted) -> Result<Arc<dyn Provider>, Box<Diagnostic>> {
        let hint = near_native(wanted).unwrap_or_else(|| "build with `--features terraform`".into());
        let source = &wanted.source;
        Err(Box::new(
            Diagnostic::error(format!("provider `{source}` is a plugin, and this build cannot start plugins"))
                .hint(hint),
        ))
    }
}

impl Registry for Providers {
    fn natives(&self) -> &[&str] {
        &NATIVES
    }

    fn provider(&self, wanted: &Wanted) -> Result<Arc<dyn Provider>, Box<Diagnostic>> {
        match wanted.source.native() {
            Some("random") => Ok(Arc::new(formwork_builtin::random::provider())),
            Some("terraform") => Ok(Arc::new(formwork_builtin::Builtin::new())),
            #[cfg(feature = "onprem")]
            Some("onprem") => Ok(Arc::new(formwork_onprem::OnPrem::new())),
            Some("tls") => Ok(Arc::new(formwork_builtin::tls::provider())),
            #[cfg(feature = "aws")]
            Some("aws") => Ok(Arc::new(formwork_aws::Aws::new())),
            #[cfg(feature = "sandbox")]
            Some("sandbox") => Ok(Arc::new(formwork_sandbox::Sandbox::new())),
            Some(other) => Err(Box::new(no_native(other))),
            None => self.plugin(wanted),
        }
    }
}

fn no_native(name: &str) -> Diagnostic {
    if let Some((_, feature)) = FEATURES.iter().find(|(known, _)| *known == name) {
        return Diagnostic::error(format!("this build of Formwork has no `{name}` provider"))
            .detail("Native providers are linked in by cargo features.")
            .hint(format!("build with `--features {feature}`, or with `--features full` for all"));
    }
    let diagnostic = Diagnostic::error(format!("there is no native provider `{name}`"));
    match nearest(name, NATIVES) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic.hint(format!("this version has {}", listed(&NATIVES))),
    }
}

/// Names in a sentence.
fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// A slip of the pen, where a native provider has nearly the name.
fn near_native(wanted: &Wanted) -> Option<String> {
    nearest(wanted.source.type_name(), NATIVES).map(|near| format!("did you mean the native provider `{near}`?"))
}

#[cfg(feature = "terraform")]
pub(crate) use plugins::{address, constraints, sources};

#[cfg(feature = "terraform")]
mod plugins {
    //! Plugins, looked for when the first one is wanted: most runs need none.

    use std::path::PathBuf;
    use std::sync::{Arc, OnceLock};

    use formwork_contract::Diagnostic;
    use formwork_contract::provider::Provider;
    use formwork_terraform::source::{
        Constraints, LockFile, Platform, Settings, SourceAddress, SourceOptions, Sources, Token,
    };
    use formwork_terraform::{HostOptions, Plugins, Timeouts};

    use super::PluginSettings;
    use crate::graph::Wanted;

    #[derive(Debug)]
    pub(super) struct Lazy {
        settings: PluginSettings,
        plugins: OnceLock<Result<Plugins, Box<Diagnostic>>>,
    }

    impl Lazy {
        pub(super) fn new(settings: PluginSettings) -> Self {
            Self { settings, plugins: OnceLock::new() }
        }

        pub(super) fn find(&self, wanted: &Wanted) -> Result<Arc<dyn Provider>, Box<Diagnostic>> {
            let address = address(wanted)?;
            let plugins = self.plugins.get_or_init(|| open(&self.settings)).as_ref().map_err(Clone::clone)?;
            let found =
                plugins.plugin(&address, &constraints(wanted)?).map_err(|diagnostic| about(*diagnostic, wanted))?;
            Ok(found.provider)
        }
    }

    pub(crate) fn address(wanted: &Wanted) -> Result<SourceAddress, Box<Diagnostic>> {
        let source = &wanted.source;
        source.as_str().parse().map_err(|error| {
            let diagnostic = Diagnostic::error(format!("`{source}` is not the source address of a provider: {error}"));
            Box::new(diagnostic.hint("write `NAMESPACE/NAME` or `HOST/NAMESPACE/NAME`"))
        })
    }

    /// What all modules ask of its version, together.
    pub(crate) fn constraints(wanted: &Wanted) -> Result<Constraints, Box<Diagnostic>> {
        wanted.constraints.iter().try_fold(Constraints::default(), |all, constraint| {
            let read: Constraints = constraint.text.parse().map_err(|error| {
                Diagnostic::error(format!("{error}"))
                    .label(constraint.span, "no version constraint")
                    .hint("write it as `~> 1.2`, `>= 1.2, < 2.0` or `1.2.3`")
            })?;
            Ok(all.and(&read))
        })
    }

    fn about(diagnostic: Diagnostic, wanted: &Wanted) -> Box<Diagnostic> {
        let label = |diagnostic: Diagnostic, constraint: &crate::graph::VersionConstraint| {
            diagnostic.label(constraint.span, "this version is asked for")
        };
        Box::new(wanted.constraints.iter().fold(diagnostic, label))
    }

    /// The places where packages are looked for.
    pub(crate) fn sources(settings: &PluginSettings) -> Result<Sources, Box<Diagnostic>> {
        let home = settings.home.as_deref();
        let tokens = settings.tokens.iter().map(|(host, token)| (host.as_str().into(), Token::new(token.as_str())));
        let mut terraforms = Settings { credentials: tokens.collect(), ..Settings::default() };
        for file in &settings.configurations {
            terraforms = terraforms.or(Settings::read(file, &settings.working_dir, home)?);
        }
        Ok(Sources::new(SourceOptions {
            root: settings.root.clone(),
            search_path: settings.search_path.clone(),
            usual_mirrors: SourceOptions::usual_mirrors(&settings.root, home, &settings.data_folders),
            settings: terraforms,
            platform: Platform::current(),
            cache_dir: settings.cache_dir.clone(),
        }))
    }

    fn open(settings: &PluginSettings) -> Result<Plugins, Box<Diagnostic>> {
        let host = HostOptions {
            cache_dir: settings.cache_dir.as_ref().map(|folder: &PathBuf| folder.join("schemas")),
            timeouts: settings.timeout.map_or_else(Timeouts::default, Timeouts::all),
            environment: settings.log_level.map(|level| ("TF_LOG".into(), level.into())).into_iter().collect(),
            ..HostOptions::default()
        };
        Ok(Plugins::new(sources(settings)?, LockFile::read(&settings.root)?, host))
    }
}
