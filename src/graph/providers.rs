//! Which provider configuration serves which resource.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use formwork_contract::{Diagnostic, Diagnostics, ModulePath, Str};

use super::{DesiredGraph, ModuleId, NameIndex, NodeId, NodeKind};
use crate::blueprint::model::{Module, ProviderReference, Resource};

/// A provider configuration: `sandbox`, `aws.west`, `module.a.aws`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderKey {
    /// Without instance keys.
    pub module: ModulePath,
    /// The local name, such as `aws`.
    pub name: Str,
    pub alias: Option<Str>,
}

impl fmt::Display for ProviderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        f.write_str(&self.name)?;
        match &self.alias {
            Some(alias) => write!(f, ".{alias}"),
            None => Ok(()),
        }
    }
}

impl ProviderKey {
    /// Reads what `Display` writes; `None` where it is no provider configuration.
    pub fn parse(text: &str) -> Option<Self> {
        // A module path may hold dots within quotes, but configurations are kept without instance keys.
        let mut steps = Vec::new();
        let mut parts = text.split('.').peekable();
        loop {
            let component = match parts.peek().copied() {
                Some("module") => None,
                Some("component") => Some(()),
                _ => break,
            };
            parts.next();
            let component = match component {
                Some(()) => Some(parts.next()?.into()),
                None => None,
            };
            let name = parts.next()?.into();
            steps.push(formwork_contract::address::ModuleStep {
                component,
                name,
                key: formwork_contract::InstanceKey::None,
            });
        }
        let name = parts.next()?.into();
        let alias = parts.next().map(Str::from);
        parts.next().is_none().then(|| Self { module: steps.into_iter().collect(), name, alias })
    }
}

/// The provider that a resource type's name names: `aws` for `aws_vpc`.
pub fn implied_provider(type_name: &str) -> &str {
    type_name.split_once('_').map_or(type_name, |(provider, _)| provider)
}

impl DesiredGraph {
    /// The key of a provider node.
    pub fn provider_key(&self, node: NodeId) -> ProviderKey {
        let module = self.module(self.node(node).module);
        let (name, alias) = match &self.node(node).kind {
            NodeKind::Provider(position) => {
                let provider = &module.module.providers[*position];
                (provider.name.clone(), provider.alias.clone())
            }
            NodeKind::ImplicitProvider(name) => (name.clone(), None),
            other => (format!("{other:?}").into(), None),
        };
        ProviderKey { module: module.path.clone(), name, alias }
    }

    /// The name under which the registry knows a provider: the last part of its `source`, or the local name.
    pub fn provider_type(&self, node: NodeId) -> Str {
        self.provider_type_in(self.node(node).module, &self.provider_key(node).name)
    }

    /// The same for a local name in a module.
    pub fn provider_type_in(&self, module: ModuleId, local: &Str) -> Str {
        let module = &self.module(module).module;
        let source = module.required_providers.get(local).and_then(|required| required.source.as_deref());
        source.and_then(|source| source.rsplit('/').next()).map_or_else(|| local.clone(), Str::from)
    }

    /// All provider nodes.
    pub fn provider_nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.nodes.len() as u32)
            .map(NodeId)
            .filter(|node| matches!(self.node(*node).kind, NodeKind::Provider(_) | NodeKind::ImplicitProvider(_)))
    }

    /// Providers that some module uses by default and that the root does not configure.
    pub(super) fn add_implicit_providers(&mut self, root: ModuleId, module: &Arc<Module>, index: &mut NameIndex) {
        let mut used = BTreeSet::new();
        collect_used(module, &mut used);
        for name in used {
            let key = (name.clone(), None);
            index.providers.entry(key).or_insert_with(|| self.add_node(root, NodeKind::ImplicitProvider(name)));
        }
    }

    pub(super) fn connect_providers(&mut self) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        for node in (0..self.nodes.len() as u32).map(NodeId) {
            let NodeKind::Resource(position) = self.node(node).kind else { continue };
            let module = self.node(node).module;
            let resource = &self.module(module).module.resources[position];
            let (name, alias) = wanted(resource);
            match self.find_provider(module, &name, alias.as_ref()) {
                Some(provider) => {
                    self.provider_of.insert(node, provider);
                    self.dependencies[node.0 as usize].push(provider);
                }
                None => diagnostics.push(self.unconfigured(module, resource)),
            }
        }
        diagnostics
    }

    /// From the module outwards: its own block, what its call passes, what the caller has by default.
    fn find_provider(&self, module: ModuleId, name: &Str, alias: Option<&Str>) -> Option<NodeId> {
        let here = self.module(module);
        if let Some(node) = here.index.providers.get(&(name.clone(), alias.cloned())) {
            return Some(*node);
        }
        let (caller, _) = here.caller?;
        let passed = self.call(module)?.providers.iter().find(|(inner, _)| names(inner, name, alias));
        match passed {
            Some((_, outer)) => self.find_provider(caller, &outer.name, outer.alias.as_ref()),
            None if alias.is_none() => self.find_provider(caller, name, None),
            None => None,
        }
    }

    fn unconfigured(&self, module: ModuleId, resource: &Resource) -> Diagnostic {
        let (name, alias) = wanted(resource);
        let full = alias.as_ref().map_or_else(|| name.to_string(), |alias| format!("{name}.{alias}"));
        let known: Vec<String> = self
            .module(module)
            .index
            .providers
            .keys()
            .filter(|(have, _)| *have == name)
            .filter_map(|(name, alias)| alias.as_ref().map(|alias| format!("{name}.{alias}")))
            .collect();
        let span = resource.provider.as_ref().map_or(resource.span, |reference| reference.span);
        let hint = match formwork_contract::suggest::nearest(&full, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("declare `provider \"{name}\"` with that alias, or pass one in the module's `providers`"),
        };
        Diagnostic::error(format!("provider configuration `{full}` is not declared"))
            .label(span, "this resource asks for it")
            .hint(hint)
    }
}

pub(super) fn wanted(resource: &Resource) -> (Str, Option<Str>) {
    match &resource.provider {
        Some(reference) => (reference.name.clone(), reference.alias.clone()),
        None => (implied_provider(&resource.type_name).into(), None),
    }
}

fn names(reference: &ProviderReference, name: &Str, alias: Option<&Str>) -> bool {
    reference.name == *name && reference.alias.as_ref() == alias
}

fn collect_used(module: &Module, used: &mut BTreeSet<Str>) {
    for resource in &module.resources {
        let (name, alias) = wanted(resource);
        if alias.is_none() {
            used.insert(name);
        }
    }
    for call in &module.calls {
        used.extend(
            call.providers.iter().filter(|(_, outer)| outer.alias.is_none()).map(|(_, outer)| outer.name.clone()),
        );
        collect_used(&call.module, used);
    }
}
