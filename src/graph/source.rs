//! Which provider a local name means: its source address.

use std::fmt;

use formwork_contract::{Diagnostic, Diagnostics, Span, Str};

use super::{DesiredGraph, ModuleId};
use crate::blueprint::model::Module;

/// Where providers come from that name no host, and those that name no namespace.
const HOST: &str = "registry.terraform.io";
const NAMESPACE: &str = "hashicorp";

/// The namespace of native providers on the default host.
const OWN_NAMESPACE: &str = "formwork";

/// The provider of `terraform_data`, which comes with every engine.
const BUILTIN: &str = "terraform.io/builtin/terraform";

/// A provider's source address in full: `registry.terraform.io/hashicorp/null`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderSource(Str);

/// A text that is no source address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the source address of a provider")]
pub struct NotASource(Str);

impl ProviderSource {
    /// What a local name without a `source` means: the native provider of that name, or HashiCorp's.
    pub fn of_name(name: &str, natives: &[&str]) -> Self {
        if name == "terraform" {
            return Self(BUILTIN.into());
        }
        let namespace = if natives.contains(&name) { OWN_NAMESPACE } else { NAMESPACE };
        Self(format!("{HOST}/{namespace}/{}", name.to_lowercase()).into())
    }

    /// A `source` as it is written: `NAME`, `NAMESPACE/NAME` or `HOST/NAMESPACE/NAME`.
    ///
    /// # Errors
    /// It has other parts than these, or empty ones.
    pub fn parse(text: &str) -> Result<Self, NotASource> {
        let parts: Vec<&str> = text.split('/').collect();
        let plain = |part: &&str| {
            !part.is_empty() && part.chars().all(|char| char.is_alphanumeric() || matches!(char, '-' | '_' | '.' | ':'))
        };
        if !parts.iter().all(plain) {
            return Err(NotASource(text.into()));
        }
        let (host, namespace, name) = match parts.as_slice() {
            [name] => (HOST, NAMESPACE, *name),
            [namespace, name] => (HOST, *namespace, *name),
            [host, namespace, name] => (*host, *namespace, *name),
            _ => return Err(NotASource(text.into())),
        };
        Ok(Self(format!("{host}/{namespace}/{name}").to_lowercase().into()))
    }

    /// The name of the native provider that this is, if it is one.
    pub fn native(&self) -> Option<&str> {
        if &*self.0 == BUILTIN {
            return Some("terraform");
        }
        self.0.strip_prefix(HOST)?.strip_prefix('/')?.strip_prefix(OWN_NAMESPACE)?.strip_prefix('/')
    }

    /// The last part: `null`.
    pub fn type_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// In full, as records and Terraform's tools have it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn to_str(&self) -> Str {
        Str::clone(&self.0)
    }
}

impl fmt::Display for ProviderSource {
    /// As a person writes it: without the default host.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = self.0.strip_prefix(HOST).and_then(|rest| rest.strip_prefix('/'));
        f.write_str(short.unwrap_or(&self.0))
    }
}

/// What a blueprint wants of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub source: ProviderSource,
    /// Of all modules that name the provider; unordered.
    pub constraints: Vec<VersionConstraint>,
}

/// `version = "~> 3.2"`, as it is written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionConstraint {
    pub text: Str,
    pub span: Span,
}

impl Wanted {
    /// Any version of it.
    pub fn any(source: ProviderSource) -> Self {
        Self { source, constraints: Vec::new() }
    }
}

/// What a local name means in a module.
pub(super) fn source_in(module: &Module, name: &str, natives: &[&str]) -> ProviderSource {
    let required = module.required_providers.get(name).and_then(|required| required.source.as_deref());
    // What cannot be read is told by `malformed_sources`.
    required
        .and_then(|source| ProviderSource::parse(source).ok())
        .unwrap_or_else(|| ProviderSource::of_name(name, natives))
}

impl DesiredGraph {
    /// What a local provider name means in a module.
    pub fn source_of(&self, module: ModuleId, name: &str) -> ProviderSource {
        source_in(&self.module(module).module, name, &self.native_names())
    }

    pub(super) fn native_names(&self) -> Vec<&str> {
        self.natives.iter().map(|name| &**name).collect()
    }

    /// The provider of a configuration that an object was recorded under before sources were.
    pub fn source_of_name(&self, name: &str) -> ProviderSource {
        ProviderSource::of_name(name, &self.native_names())
    }

    /// All that the modules ask of a provider.
    pub fn wanted(&self, source: &ProviderSource) -> Wanted {
        let mut wanted = Wanted::any(source.clone());
        for module in (0..self.modules.len() as u32).map(ModuleId) {
            for (name, required) in &self.module(module).module.required_providers {
                if let Some(version) = &required.version
                    && self.source_of(module, name) == *source
                {
                    let constraint = VersionConstraint { text: version.clone(), span: required.span };
                    if !wanted.constraints.contains(&constraint) {
                        wanted.constraints.push(constraint);
                    }
                }
            }
        }
        wanted
    }

    /// Every provider that some block needs or some module requires.
    pub fn all_wanted(&self) -> Vec<Wanted> {
        let mut sources: Vec<ProviderSource> = self.provider_nodes().map(|node| self.provider_source(node)).collect();
        for module in (0..self.modules.len() as u32).map(ModuleId) {
            let names = self.module(module).module.required_providers.keys();
            sources.extend(names.map(|name| self.source_of(module, name)));
        }
        sources.sort();
        sources.dedup();
        sources.iter().map(|source| self.wanted(source)).collect()
    }

    pub(super) fn malformed_sources(&self) -> Diagnostics {
        let required = self.modules.iter().flat_map(|module| module.module.required_providers.values());
        let mut seen = Vec::new();
        let mut found = Diagnostics::new();
        for required in required {
            let Some(Err(error)) = required.source.as_deref().map(ProviderSource::parse) else { continue };
            if !seen.contains(&required.span) {
                seen.push(required.span);
                let diagnostic = Diagnostic::error(error.to_string()).label(required.span, "written here");
                found.push(diagnostic.hint("write `NAMESPACE/NAME` or `HOST/NAMESPACE/NAME`"));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_sources_mean_the_same_provider() {
        let of = |text: &str| ProviderSource::parse(text).expect(text);
        let null = ProviderSource::of_name("null", &["sandbox"]);
        assert_eq!(null.as_str(), "registry.terraform.io/hashicorp/null");
        assert_eq!((&null, null.native()), (&of("hashicorp/Null"), None));
        assert_eq!(null.to_string(), "hashicorp/null");
        let sandbox = ProviderSource::of_name("sandbox", &["sandbox"]);
        assert_eq!((&sandbox, sandbox.native()), (&of("formwork/sandbox"), Some("sandbox")));
        let builtin = ProviderSource::of_name("terraform", &[]);
        assert_eq!((&builtin, builtin.native()), (&of("terraform.io/builtin/terraform"), Some("terraform")));
        assert_eq!(of("acme.io/x/y").to_string(), "acme.io/x/y");
    }

    #[test]
    fn what_is_no_source_is_refused() {
        for text in ["", "/", "a/", "a//b", "a/b/c/d", "a b", "https://x/y"] {
            assert!(ProviderSource::parse(text).is_err(), "{text}");
        }
    }
}
