//! `moved` and `removed` blocks: where recorded objects belong now.

use std::collections::{HashMap, HashSet};

use formwork_contract::address::ModuleStep;
use formwork_contract::{Address, Diagnostic, Diagnostics, InstanceKey, Mode, ModulePath, Span};

use crate::blueprint::model::{Moved, Repeat, Resource, Target};
use crate::graph::{DesiredGraph, ModuleId, NodeKind};

/// The moves of a whole blueprint, found by where they start.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// By the address that a move starts from, without any instance keys.
    resources: HashMap<Address, Vec<Rule<Address>>>,
    modules: HashMap<ModulePath, Vec<Rule<ModulePath>>>,
    /// Blocks with and without `count`, for the move that adding or removing it implies.
    repeats: HashMap<Address, bool>,
    removed: Vec<(ModulePath, Target, bool, Span)>,
    /// For a rollback: see [`super::PlanOptions::returns`].
    returns: HashMap<Address, Address>,
}

#[derive(Clone, Debug)]
struct Rule<T> {
    /// Instance keys of the part below the module in which the block stands.
    from: T,
    to: T,
    /// In which the block stands.
    module: ModulePath,
    span: Span,
}

impl<T: Clone> Rule<T> {
    fn new(module: &ModulePath, from: &T, to: &T, span: Span) -> Self {
        Self { from: from.clone(), to: to.clone(), module: module.clone(), span }
    }

    /// How many steps of an address belong to that module.
    fn depth(&self) -> usize {
        self.module.steps().len()
    }
}

/// So many moves in a row are followed: more than any blueprint has, fewer than a loop.
const MOST_MOVES: usize = 1_000;

impl Moves {
    /// # Errors
    /// Moves that lead in a circle, and `removed` blocks for what is still declared.
    pub(super) fn of(graph: &DesiredGraph, returns: &HashMap<Address, Address>) -> Result<Self, Diagnostics> {
        let mut moves = Self { returns: returns.clone(), ..Self::default() };
        for module in &graph.modules {
            for moved in &module.module.moved {
                moves.add(&module.path, moved);
            }
            for removed in &module.module.removed {
                moves.removed.push((module.path.clone(), removed.from.clone(), removed.destroy, removed.span));
            }
        }
        for node in &graph.nodes {
            let NodeKind::Resource(position) = node.kind else { continue };
            let module = graph.module(node.module);
            let resource = &module.module.resources[position];
            if resource.mode == Mode::Managed {
                let mut address = Address::managed(resource.type_name.clone(), resource.name.clone());
                address.module = module.path.clone();
                moves.repeats.insert(address, matches!(resource.repeat, Repeat::Count(_)));
            }
        }
        let mut wrong = moves.cycles();
        wrong.append(moves.still_declared(graph));
        if wrong.has_errors() { Err(wrong) } else { Ok(moves) }
    }

    /// Each `moved` block from which one comes back to where one was.
    fn cycles(&self) -> Diagnostics {
        let resources = self.resources.values().flatten().map(|rule| (rule.from.clone(), rule));
        let resources = resources
            .map(|(from, rule)| (Address { module: concat(rule.module.steps(), &from.module), ..from }, rule.span));
        let inside = |rule: &Rule<ModulePath>| Address {
            module: concat(rule.module.steps(), &rule.from),
            ..Address::managed("any", "any")
        };
        let modules = self.modules.values().flatten().map(|rule| (inside(rule), rule.span));
        let mut circular: Vec<Span> =
            resources.chain(modules).filter(|(start, _)| self.leads_back(start)).map(|(_, span)| span).collect();
        circular.sort_unstable();
        let mut spans = circular.into_iter();
        let Some(first) = spans.next() else { return Diagnostics::new() };
        let found =
            Diagnostic::error("`moved` blocks lead in a circle").label(first, "from here one comes back to here");
        let found = spans.fold(found, |found, span| found.label(span, "part of the circle"));
        found
            .detail("An object cannot be at the end of a way that has none.")
            .hint("remove the blocks of moves that were taken back")
            .into()
    }

    fn leads_back(&self, start: &Address) -> bool {
        let mut seen = HashSet::from([start.clone()]);
        let mut address = start.clone();
        while let Some(next) = self.once(&address) {
            if !seen.insert(next.clone()) {
                return true;
            }
            address = next;
        }
        false
    }

    fn still_declared(&self, graph: &DesiredGraph) -> Diagnostics {
        let mut found = Diagnostics::new();
        for (module, target, _, span) in &self.removed {
            let declared = match target {
                Target::Resource(from) => {
                    let path = concat(module.steps(), &from.module).config();
                    let modules = graph.modules.iter().filter(|module| module.path == path);
                    let mut resources = modules.flat_map(|module| &module.module.resources);
                    let named = |resource: &&Resource| {
                        resource.mode == Mode::Managed
                            && resource.type_name == from.type_name
                            && resource.name == from.name
                    };
                    resources.find(named).map(|resource| (from.to_string(), Some(resource.span)))
                }
                Target::Module(from) => {
                    let path = concat(module.steps(), from).config();
                    let called =
                        (0..graph.modules.len() as u32).map(ModuleId).find(|id| graph.module(*id).path == path);
                    called.map(|id| (from.to_string(), graph.call(id).map(|call| call.span)))
                }
            };
            let Some((name, declaration)) = declared else { continue };
            let diagnostic = Diagnostic::error(format!("`{name}` is removed and still declared"))
                .label(*span, "removed here")
                .hint("take either the `removed` block or the declaration out");
            found.push(match declaration {
                Some(declaration) => diagnostic.label(declaration, "declared here"),
                None => diagnostic,
            });
        }
        found
    }

    /// Where the blueprint has an object of the record now.
    pub(super) fn apply(&self, recorded: &Address) -> Address {
        if let Some(before) = self.returns.get(recorded) {
            return before.clone();
        }
        let mut address = recorded.clone();
        for _ in 0..MOST_MOVES {
            match self.once(&address) {
                Some(next) if next != address => address = next,
                _ => break,
            }
        }
        self.implied(&address).unwrap_or(address)
    }

    /// What a `removed` block says of an object: whether to destroy it, and where that stands.
    pub(super) fn removed(&self, address: &Address) -> Option<(bool, Span)> {
        let found = self.removed.iter().find(|(module, target, _, _)| {
            let Some(below) = below(&address.module, module) else { return false };
            match target {
                Target::Resource(from) => {
                    from.module.config() == below.config()
                        && from.type_name == address.type_name
                        && from.name == address.name
                }
                Target::Module(from) => below.config().is_within(&from.config()),
            }
        });
        found.map(|(_, _, destroy, span)| (*destroy, *span))
    }

    fn add(&mut self, module: &ModulePath, moved: &Moved) {
        match (&moved.from, &moved.to) {
            (Target::Resource(from), Target::Resource(to)) => {
                let start = Address { module: concat(module.steps(), &from.module), ..from.clone() }.config();
                self.resources.entry(start).or_default().push(Rule::new(module, from, to, moved.span));
            }
            (Target::Module(from), Target::Module(to)) => {
                let start = concat(module.steps(), from).config();
                self.modules.entry(start).or_default().push(Rule::new(module, from, to, moved.span));
            }
            // The parser rejects a move between a resource and a module.
            _ => {}
        }
    }

    fn once(&self, address: &Address) -> Option<Address> {
        for rule in self.resources.get(&address.config()).into_iter().flatten() {
            let (outer, inner) = address.module.steps().split_at(rule.depth());
            let keys_match = inner == rule.from.module.steps();
            let whole = rule.from.key == InstanceKey::None && rule.to.key == InstanceKey::None;
            if keys_match && (whole || rule.from.key == address.key) {
                let key = if whole { address.key.clone() } else { rule.to.key.clone() };
                let to = &rule.to;
                return Some(Address {
                    module: concat(outer, &to.module),
                    mode: address.mode,
                    type_name: to.type_name.clone(),
                    name: to.name.clone(),
                    key,
                });
            }
        }
        let steps = address.module.steps();
        for length in (1..=steps.len()).rev() {
            let prefix: ModulePath = steps[..length].iter().cloned().collect();
            for rule in self.modules.get(&prefix.config()).into_iter().flatten() {
                if let Some(module) = move_module(rule, &steps[..length]) {
                    return Some(Address {
                        module: concat(&module, &steps[length..].iter().cloned().collect()),
                        ..address.clone()
                    });
                }
            }
        }
        None
    }

    /// `a.b` becomes `a.b[0]` when `count` is added, and back.
    fn implied(&self, address: &Address) -> Option<Address> {
        let has_count = *self.repeats.get(&address.config())?;
        match (&address.key, has_count) {
            (InstanceKey::None, true) => Some(Address { key: InstanceKey::Index(0), ..address.clone() }),
            (InstanceKey::Index(0), false) => Some(Address { key: InstanceKey::None, ..address.clone() }),
            _ => None,
        }
    }
}

fn move_module(rule: &Rule<ModulePath>, steps: &[ModuleStep]) -> Option<Vec<ModuleStep>> {
    let (outer, inner) = steps.split_at(rule.depth());
    let (last, before) = inner.split_last()?;
    let (from_last, from_before) = rule.from.steps().split_last()?;
    let (to_last, to_before) = rule.to.steps().split_last()?;
    let whole = from_last.key == InstanceKey::None && to_last.key == InstanceKey::None;
    if before != from_before || !(whole || last.key == from_last.key) {
        return None;
    }
    let key = if whole { last.key.clone() } else { to_last.key.clone() };
    let moved = ModuleStep { key, ..to_last.clone() };
    Some(outer.iter().chain(to_before).cloned().chain([moved]).collect())
}

fn concat(outer: &[ModuleStep], inner: &ModulePath) -> ModulePath {
    outer.iter().chain(inner.steps()).cloned().collect()
}

/// The part of a path below a module of the blueprint.
fn below(path: &ModulePath, module: &ModulePath) -> Option<ModulePath> {
    let depth = module.steps().len();
    let steps = path.steps();
    let within = steps.len() >= depth && steps[..depth].iter().cloned().collect::<ModulePath>().config() == *module;
    within.then(|| steps[depth..].iter().cloned().collect())
}
