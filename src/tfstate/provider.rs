//! How a state names a provider configuration: `module.a.provider["registry.terraform.io/hashicorp/null"].west`.

use std::fmt;
use std::str::FromStr;

use formwork_contract::{ModulePath, Str};

/// The host of sources that name none.
const DEFAULT_HOST: &str = "registry.terraform.io";

/// OpenTofu's own: the same providers under the same names.
const OPENTOFU_HOST: &str = "registry.opentofu.org";

/// The namespace of sources that name none.
const DEFAULT_NAMESPACE: &str = "hashicorp";

/// The namespace of providers from before there were any.
const LEGACY_NAMESPACE: &str = "-";

/// A provider configuration of a state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderConfig {
    /// The module that configures it, without instance keys.
    pub module: ModulePath,
    /// Host, namespace and type.
    pub source: Str,
    pub alias: Option<Str>,
}

impl ProviderConfig {
    /// The last part of the source: the local name that most blueprints have for it.
    pub fn type_name(&self) -> &str {
        self.source.rsplit('/').next().unwrap_or_default()
    }

    /// Whether a `source` of a blueprint, as it is written there, means this provider.
    pub fn is_from(&self, source: &str) -> bool {
        canonical(source) == *self.source
            || (self.namespace() == LEGACY_NAMESPACE && canonical(source).rsplit('/').next() == Some(self.type_name()))
    }

    fn namespace(&self) -> &str {
        self.source.split('/').nth(1).unwrap_or_default()
    }
}

/// A source with its host and namespace.
pub fn canonical(source: &str) -> String {
    match source.split('/').collect::<Vec<_>>()[..] {
        [name] => format!("{DEFAULT_HOST}/{DEFAULT_NAMESPACE}/{name}"),
        [namespace, name] => format!("{DEFAULT_HOST}/{namespace}/{name}"),
        [OPENTOFU_HOST, namespace, name] => format!("{DEFAULT_HOST}/{namespace}/{name}"),
        _ => source.to_owned(),
    }
}

/// The source of a local name for which the blueprint gives none.
pub fn implied(local_name: &str) -> String {
    match local_name {
        "terraform" => "terraform.io/builtin/terraform".to_owned(),
        "sandbox" => format!("{DEFAULT_HOST}/formwork/sandbox"),
        name => canonical(name),
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
                Self::of(&text[..at], &canonical(source), alias)
            }
            // As Terraform 0.12 wrote it: `provider.aws.west`.
            None => {
                let at = text.find("provider.").ok_or(NoProviderConfig)?;
                let name = &text[at + "provider.".len()..];
                let (name, alias) = name.split_once('.').map_or((name, None), |(name, alias)| (name, Some(alias)));
                Self::of(&text[..at], &format!("{DEFAULT_HOST}/{LEGACY_NAMESPACE}/{name}"), alias)
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
        let known = source.split('/').count() == 3 && source.split('/').all(|part| !part.is_empty());
        if !known || !alias.is_none_or(is_name) {
            return Err(NoProviderConfig);
        }
        Ok(Self { module, source: source.into(), alias: alias.map(Into::into) })
    }
}

impl fmt::Display for ProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "provider[\"{}\"]", self.source)?;
        match &self.alias {
            Some(alias) => write!(f, ".{alias}"),
            None => Ok(()),
        }
    }
}
