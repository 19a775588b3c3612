//! Which provider configuration serves which resource.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use formwork_contract::{Diagnostic, Diagnostics, ModulePath, Str};

use super::source::source_in;
use super::{DesiredGraph, ModuleId, NameIndex, NodeId, NodeKind, ProviderSource};
use crate::blueprint::model::{Module, ProviderReference, Resource};

/// A provider configuration: `sandbox`, `aws.west`, `module.a.aws`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderKey {
    /// Without instance keys.
    pub module: ModulePath,
    /// The local name, such as `aws`; the source, such as `acme/aws`, where the root has no name for it.
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
        let rest: Vec<&str> = parts.collect();
        let (name, alias) = match rest.as_slice() {
            [] => return None,
            // Called by its source.
            parts if parts.iter().any(|part| part.contains('/')) => (parts.join("."), None),
            [name] => ((*name).into(), None),
            [name, alias] => ((*name).into(), Some(Str::from(*alias))),
            _ => return None,
        };
        Some(Self { module: steps.into_iter().collect(), name: name.into(), alias })
    }

    /// The key of a configuration that no block of the blueprint stands for.
    pub fn of_source(source: &ProviderSource) -> Self {
        Self { module: ModulePath::root(), name: source.to_string().into(), alias: None }
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
            NodeKind::ImplicitProvider { name, .. } => (name.clone(), None),
            other => (format!("{other:?}").into(), None),
        };
        ProviderKey { module: module.path.clone(), name, alias }
    }

    /// The provider that a provider node configures.
    pub fn provider_source(&self, node: NodeId) -> ProviderSource {
        match &self.node(node).kind {
            NodeKind::ImplicitProvider { source, .. } => source.clone(),
            _ => self.source_of(self.node(node).module, &self.provider_key(node).name),
        }
    }

    /// All provider nodes.
    pub fn provider_nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.nodes.len() as u32)
            .map(NodeId)
            .filter(|node| matches!(self.node(*node).kind, NodeKind::Provider(_) | NodeKind::ImplicitProvider { .. }))
    }

    /// Providers that some module uses by default and that none around it configures.
    pub(super) fn add_implicit_providers(&mut self, root: ModuleId, module: &Arc<Module>, index: &mut NameIndex) {
        let mut used = BTreeMap::new();
        collect_used(module, &HashSet::new(), &self.native_names(), &mut used);
        for (source, name) in used {
            let means = |name: &Str| source_in(module, name, &self.native_names()) == source;
            let own = module.required_providers.keys().find(|name| means(name)).cloned();
            let name = own.or_else(|| means(&name).then_some(name)).unwrap_or_else(|| source.to_string().into());
            let node = self.add_node(root, NodeKind::ImplicitProvider { name: name.clone(), source: source.clone() });
            index.providers.insert((name, None), node);
            index.defaults.insert(source, node);
        }
    }

    pub(super) fn connect_providers(&mut self) -> Diagnostics {
        let mut diagnostics = self.mismatched_providers();
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

    /// Calls that pass the configuration of one provider for another.
    fn mismatched_providers(&self) -> Diagnostics {
        let mut found = Diagnostics::new();
        for module in (0..self.modules.len() as u32).map(ModuleId) {
            let (Some((caller, _)), Some(call)) = (self.module(module).caller, self.call(module)) else { continue };
            for (inner, outer) in &call.providers {
                let (wanted, given) = (self.source_of(module, &inner.name), self.source_of(caller, &outer.name));
                if wanted != given {
                    found.push(
                        Diagnostic::error(format!("`{}` is not a configuration of the provider `{wanted}`", outer.name))
                            .label(outer.span, format!("this is `{given}`"))
                            .hint("pass a configuration of the same provider, or name its `source` in the module's `required_providers`"),
                    );
                }
            }
        }
        found
    }

    /// From the module outwards: its own block, what its call passes, what the caller has by default.
    fn find_provider(&self, module: ModuleId, name: &Str, alias: Option<&Str>) -> Option<NodeId> {
        let here = self.module(module);
        if let Some(node) = here.index.providers.get(&(name.clone(), alias.cloned())) {
            return Some(*node);
        }
        let source = alias.is_none().then(|| self.source_of(module, name));
        if let Some(node) = source.as_ref().and_then(|source| here.index.defaults.get(source)) {
            return Some(*node);
        }
        let (caller, _) = here.caller?;
        match self.call(module)?.providers.iter().find(|(inner, _)| names(inner, name, alias)) {
            Some((_, outer)) => self.find_provider(caller, &outer.name, outer.alias.as_ref()),
            None => self.inherited(caller, &source?),
        }
    }

    /// What a module gives to those that it calls without being asked: its default configuration of a provider,
    /// whatever the two call it.
    fn inherited(&self, module: ModuleId, source: &ProviderSource) -> Option<NodeId> {
        let here = self.module(module);
        if let Some(node) = here.index.defaults.get(source) {
            return Some(*node);
        }
        let (caller, _) = here.caller?;
        let same = |inner: &ProviderReference| inner.alias.is_none() && self.source_of(module, &inner.name) == *source;
        match self.call(module)?.providers.iter().find(|(inner, _)| same(inner)) {
            Some((_, outer)) => self.find_provider(caller, &outer.name, outer.alias.as_ref()),
            None => self.inherited(caller, source),
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

/// Providers that are used by default, with a name that some module has for them. `configured` are those that the
/// modules around configure.
fn collect_used(
    module: &Module,
    configured: &HashSet<ProviderSource>,
    natives: &[&str],
    used: &mut BTreeMap<ProviderSource, Str>,
) {
    let source = |name: &Str| source_in(module, name, natives);
    let own =
        module.providers.iter().filter(|provider| provider.alias.is_none()).map(|provider| source(&provider.name));
    let here: HashSet<ProviderSource> = own.chain(configured.iter().cloned()).collect();
    let mut uses = |name: &Str, alias: Option<&Str>| {
        let source = source(name);
        if alias.is_none() && !here.contains(&source) {
            used.entry(source).or_insert_with(|| name.clone());
        }
    };
    for resource in &module.resources {
        let (name, alias) = wanted(resource);
        uses(&name, alias.as_ref());
    }
    for (_, outer) in module.calls.iter().flat_map(|call| &call.providers) {
        uses(&outer.name, outer.alias.as_ref());
    }
    for call in &module.calls {
        let passed = call.providers.iter().filter(|(inner, _)| inner.alias.is_none());
        let passed = passed.map(|(inner, _)| source_in(&call.module, &inner.name, natives));
        collect_used(&call.module, &passed.chain(here.iter().cloned()).collect(), natives, used);
    }
}
