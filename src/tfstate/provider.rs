//! How a state names a provider configuration: `module.a.provider["registry.terraform.io/hashicorp/null"].west`.

use std::fmt;
use std::str::FromStr;

use formwork_contract::{ModulePath, Str};

use crate::graph::ProviderSource;

/// OpenTofu's registry has the same providers under the same names, and blueprints mean them by either.
const OPENTOFU: (&str, &str) = ("registry.opentofu.org/", "registry.terraform.io/");

/// The namespace of providers from before there were any.
const LEGACY: &str = "registry.terraform.io/-/";

/// A provider configuration of a state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderConfig {
    /// The module that configures it, without instance keys.
    pub module: ModulePath,
    pub source: ProviderSource,
    pub alias: Option<Str>,
}

impl ProviderConfig {
    /// The same with the source that a name from before there were sources means: what one of `known` is, or
    /// what `implied` says.
    #[must_use]
    pub fn resolved(&self, known: &[ProviderSource], implied: impl Fn(&str) -> ProviderSource) -> Self {
        let Some(name) = self.source.as_str().strip_prefix(LEGACY) else { return self.clone() };
        let same = known.iter().find(|source| source.type_name() == name);
        Self { source: same.cloned().unwrap_or_else(|| implied(name)), ..self.clone() }
    }
}

/// A text that names no provider configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoProviderConfig;

impl FromStr for ProviderConfig {
    type Err = NoProviderConfig;

    fn from_str(text: &str) -> Result<Self, NoProviderConfig> {
        match text.find("provider[\"") {
            Some(at) => {
                let (source, rest) = text[at + "provider[\"".len()..].split_once("\"]").ok_or(NoProviderConfig)?;
                let alias = if rest.is_empty() { None } else { Some(rest.strip_prefix('.').ok_or(NoProviderConfig)?) };
                let source = match source.strip_prefix(OPENTOFU.0) {
                    Some(rest) => format!("{}{rest}", OPENTOFU.1),
                    None => source.to_owned(),
                };
                Self::of(&text[..at], &source, alias)
            }
            // As Terraform 0.12 wrote it: `provider.aws.west`.
            None => {
                let at = text.find("provider.").ok_or(NoProviderConfig)?;
                let name = &text[at + "provider.".len()..];
                let (name, alias) = name.split_once('.').map_or((name, None), |(name, alias)| (name, Some(alias)));
                Self::of(&text[..at], &format!("{LEGACY}{name}"), alias)
            }
        }
    }
}

impl ProviderConfig {
    fn of(module: &str, source: &str, alias: Option<&str>) -> Result<Self, NoProviderConfig> {
        let module = match module.strip_suffix('.') {
            None if module.is_empty() => ModulePath::root(),
            None => return Err(NoProviderConfig),
            Some(module) => module.parse().map_err(|_| NoProviderConfig)?,
        };
        let is_name = |text: &str| !text.is_empty() && !text.contains(['.', '[', '"']);
        if !alias.is_none_or(is_name) {
            return Err(NoProviderConfig);
        }
        let source = ProviderSource::parse(source).map_err(|_| NoProviderConfig)?;
        Ok(Self { module, source, alias: alias.map(Into::into) })
    }
}

impl fmt::Display for ProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "provider[\"{}\"]", self.source.as_str())?;
        match &self.alias {
            Some(alias) => write!(f, ".{alias}"),
            None => Ok(()),
        }
    }
}
