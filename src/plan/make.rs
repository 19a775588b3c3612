//! Makes a plan: prepares the walk, walks, and puts together what was found.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use formwork_contract::{Address, Diagnostic, Diagnostics, InstanceKey, Mode, Str, Value};

use super::approval::ApprovalNeeds;
use super::bound::Bound;
use super::checks::check_blocks;
use super::imports::{self, PendingImport};
use super::model::{
    Action, Author, Change, CheckStatus, FailurePolicies, Git, Header, LeftOut, OutputChange, Plan, PlanKind,
};
use super::moves::Moves;
use super::open_conditions::OpenConditions;
use super::protection::Rules;
use super::reopen::Blocks;
use super::resolver::Resolver;
use super::undo::Links;
use super::walk::{PlanOptions, Waiting, Walk};
use super::{Focus, exclude, failure, focus, release, risk, steps};
use crate::graph::{DesiredGraph, Evaluation, Inputs, NodeId, NodeKind, ProviderKey, ProviderSource};
use crate::live::{Builds, Reality};
use crate::record::RecordedRow;
use crate::record::model::RecordedResource;

/// What the record says.
#[derive(Debug, Default)]
pub struct Recorded {
    pub id: Str,
    pub serial: u64,
    /// The latest revision; 0 before the first one.
    pub revision: u64,
    pub resources: Vec<RecordedResource>,
    /// When each of `resources` last changed.
    pub rows: Vec<RecordedRow>,
    /// Names that objects had before, by which others may still depend on them.
    pub formerly: HashMap<Address, Vec<Address>>,
    /// Output values after the last apply, and whether each is sensitive.
    pub outputs: BTreeMap<Str, (Value, bool)>,
    /// As [`super::bound::output_digests`] gives them.
    pub output_digests: BTreeMap<Str, Str>,
}

/// What to plan.
pub struct Request {
    pub graph: Arc<DesiredGraph>,
    pub inputs: Inputs,
    pub recorded: Recorded,
    pub reality: Reality,
    pub origin: Origin,
    /// Objects to take over, beside the blueprint's `import` blocks.
    pub imports: HashMap<Address, Str>,
}

/// What made a plan, and who.
#[derive(Debug, Default)]
pub struct Origin {
    pub git: Option<Git>,
    pub author: Author,
    pub formwork_version: Str,
}

/// Compares what is desired, recorded and live.
///
/// # Errors
/// Everything in the blueprint that stands in the way, all at once.
pub async fn make(request: Request, options: &PlanOptions<'_>) -> Result<Plan, Diagnostics> {
    let Request { graph, inputs, recorded, mut reality, origin, imports } = request;
    let rules = Rules::read(graph.blueprint.environments.get(&graph.blueprint.environment))?;
    let mut header = header(&graph, &inputs, &recorded, options, origin);
    header.on_failure = match options.on_failure {
        _ if options.undo.is_some() => FailurePolicies::default(),
        Some(policy) => FailurePolicies::only(policy),
        None => failure::policies(&graph.blueprint)?,
    };
    let is_recorded = |focus: &Focus| recorded.resources.iter().any(|object| focus.covers(&object.address));
    let excluded = exclude::excluded(&graph, &options.excludes, options.kind, &is_recorded)?;
    let (focus, left_out) = if options.look_only {
        (Some(focus::Focused::default()), LeftOut::default())
    } else {
        focus::focused(&graph, &options.targets, &excluded, options.kind, &is_recorded)?
    };
    let mut evaluation = Evaluation::new(Arc::clone(&graph), inputs);
    reality.provide_functions(&mut evaluation, graph.called_providers()).await?;
    let mut pending = imports::pending(&evaluation)?;
    pending.extend(imports.into_iter().map(|(address, id)| (address, PendingImport { id, span: None })));
    let moves = if options.undo.is_some() { Moves::default() } else { Moves::of(&graph, &options.returns)? };
    let blocks = blocks(&graph);
    let (resources, said) = apart(recorded);
    let (waiting, recorded_instances, unmoved) = by_provider(&graph, &blocks, &moves, resources);
    let mut walk = Walk {
        create_first: create_first(&graph),
        provider_inputs: provider_inputs(&graph),
        blocks,
        evaluation,
        reality,
        options,
        graph,
        moves,
        waiting,
        recorded_instances,
        observed: HashMap::new(),
        deposed: Vec::new(),
        units: HashMap::new(),
        unit_dependencies: HashMap::new(),
        pending_tokens: HashMap::new(),
        by_unit: HashMap::new(),
        deferred_addresses: HashSet::new(),
        deferred_modules: HashSet::new(),
        ordering: super::ordering::Ordering::default(),
        focus,
        excluded,
        held: HashSet::new(),
        left_out,
        imports: pending,
        changes: Vec::new(),
        origins: HashMap::new(),
        drift: Vec::new(),
        deferred: Vec::new(),
        data: BTreeMap::new(),
        ephemerals: Blocks::default(),
        links: Links::default(),
        checks: Vec::new(),
        open_conditions: Vec::new(),
        diagnostics: unmoved,
    };
    walk.run().await;
    walk.observe_rest().await;
    if let Some(undo) = options.undo {
        walk.plan_undo(undo).await;
    }
    walk.plan_orphans().await;
    walk.unclaimed_imports();
    walk.refuse_second_owners();
    walk.unclaimed_replacements();
    walk.unclaimed_targets();
    walk.protect(&rules);
    if !walk.diagnostics.has_errors() {
        walk.preflight().await;
    }
    if walk.diagnostics.has_errors() {
        return Err(walk.diagnostics);
    }
    header.files = walk.graph.blueprint.files.snapshot();
    finish(walk, header, said)
}

/// What is left to be told of the record once its resources are placed.
struct Said {
    rows: Vec<RecordedRow>,
    formerly: HashMap<Address, Vec<Address>>,
    outputs: BTreeMap<Str, (Value, bool)>,
    digests: BTreeMap<Str, Str>,
}

fn apart(recorded: Recorded) -> (Vec<RecordedResource>, Said) {
    let Recorded { resources, rows, formerly, outputs, output_digests: digests, .. } = recorded;
    (resources, Said { rows, formerly, outputs, digests })
}

fn finish(mut walk: Walk<'_>, mut header: Header, said: Said) -> Result<Plan, Diagnostics> {
    sort_changes(&mut walk);
    let mut outputs = output_changes(&walk, said.outputs)?;
    if let Some(answers) = walk.options.answers {
        // What others did since the plan was made is theirs.
        walk.changes.iter_mut().filter(|change| !answers.touches(change)).for_each(Change::be_still);
        let theirs = outputs.iter_mut().filter(|(name, _)| !answers.touches_output(name));
        theirs.for_each(|(_, change)| change.action = Action::NoOp);
    }
    risk::assess(&mut walk.changes);
    let mut steps = steps::steps(&walk.changes, &walk.ordering, &said.formerly, walk.options.seal)?;
    let declared = match walk.options.look_only {
        true => release::Declared::default(),
        false => release::read(&walk.evaluation, release::Knowledge::Planned)?,
    };
    let release = release::assign(declared, walk.options.kind, &walk.changes, &mut steps)?;
    header.bound = Bound::of(&walk.changes, &steps, &outputs, &said.rows, &said.digests);
    header.providers = walk.reality.builds().clone();
    if !is_whole_destroy(&walk) && walk.options.undo.is_none() {
        walk.checks = check_blocks(&walk.evaluation);
    }
    let mut warnings: Vec<_> = walk.diagnostics.into_iter().collect();
    let failed = walk.checks.iter().filter(|check| check.status == CheckStatus::Fail);
    warnings.extend(failed.flat_map(|check| check.problems.iter().cloned()));
    walk.drift.sort_by(|a, b| a.address.cmp(&b.address));
    let before = walk.options.undo.into_iter().flat_map(|undo| &undo.outputs);
    let outputs_before = before.map(|(name, (value, _))| (name.clone(), value.clone())).collect();
    Ok(Plan {
        header,
        changes: walk.changes,
        drift: walk.drift,
        outputs,
        deferred: walk.deferred,
        left_out: walk.left_out,
        data: walk.data,
        checks: walk.checks,
        steps,
        release,
        warnings,
        resolver: Resolver {
            open_conditions: OpenConditions::new(&walk.graph, walk.open_conditions),
            reality: walk.reality,
            evaluation: walk.evaluation,
            origins: walk.origins,
            blocks: walk.ephemerals,
            links: walk.links,
            outputs_before,
        },
    })
}

/// Brings the changes into address order, an old object after its successor.
fn sort_changes(walk: &mut Walk<'_>) {
    let mut order: Vec<usize> = (0..walk.changes.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&walk.changes[*a], &walk.changes[*b]);
        a.address.cmp(&b.address).then_with(|| a.deposed.cmp(&b.deposed))
    });
    let mut numbers = vec![0; order.len()];
    for (number, place) in order.iter().enumerate() {
        numbers[*place] = number;
    }
    walk.ordering.renumber(&numbers);
    let mut changes: Vec<_> = std::mem::take(&mut walk.changes).into_iter().map(Some).collect();
    walk.changes = order.into_iter().filter_map(|place| changes[place].take()).collect();
}

fn header(
    graph: &DesiredGraph,
    inputs: &Inputs,
    recorded: &Recorded,
    options: &PlanOptions<'_>,
    origin: Origin,
) -> Header {
    let blueprint = &graph.blueprint;
    let environment = blueprint.environments.get(&blueprint.environment);
    Header {
        formwork_version: origin.formwork_version,
        created_ms: inputs.now_ms,
        kind: options.kind,
        environment: blueprint.environment.clone(),
        target: environment.and_then(|environment| environment.target.as_ref()).map(|(name, _)| name.clone()),
        record_id: recorded.id.clone(),
        record_serial: recorded.serial,
        record_revision: recorded.revision,
        bound: Bound::default(),
        providers: Builds::new(),
        git: origin.git,
        author: origin.author,
        files: BTreeMap::new(),
        variables: recorded_variables(graph, inputs),
        given_again: inputs.ephemeral.clone(),
        artifacts: Vec::new(),
        on_failure: FailurePolicies::default(),
        approval: ApprovalNeeds::default(),
    }
}

/// Variables as a plan and the record keep them.
fn recorded_variables(graph: &DesiredGraph, inputs: &Inputs) -> BTreeMap<Str, Value> {
    let declared = &graph.blueprint.root.variables;
    let is_kept = |name: &Str| declared.get(name).is_none_or(|variable| !variable.ephemeral);
    let kept = inputs.variables.iter().filter(|(name, _)| is_kept(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

type Instances = HashMap<Address, Vec<InstanceKey>>;

/// Where the blueprint has each object of the record, and the moves that something stands in the way of.
fn by_provider(
    graph: &DesiredGraph,
    blocks: &HashMap<Address, NodeId>,
    moves: &Moves,
    resources: Vec<RecordedResource>,
) -> (HashMap<ProviderKey, Waiting>, Instances, Diagnostics) {
    let configurations: HashMap<ProviderKey, ProviderSource> =
        graph.provider_nodes().map(|node| (graph.provider_key(node), graph.provider_source(node))).collect();
    let mut waiting: HashMap<ProviderKey, Waiting> = HashMap::new();
    let mut instances = Instances::new();
    let mut unmoved = Diagnostics::new();
    let placed: Vec<(Address, RecordedResource)> =
        resources.into_iter().map(|resource| (moves.apply(&resource.address), resource)).collect();
    let stays = |(address, resource): &&(Address, RecordedResource)| *address == resource.address;
    let current = placed.iter().filter(|(_, resource)| resource.deposed.is_none());
    let mut taken: HashSet<Address> = current.filter(stays).map(|(address, _)| address.clone()).collect();
    for (mut address, resource) in placed {
        if resource.deposed.is_none() && address != resource.address && !taken.insert(address.clone()) {
            unmoved.push(cannot_move(&resource.address, &address));
            address = resource.address.clone();
        }
        let block = blocks.get(&address.config()).copied();
        let (key, source) = provider_of(graph, &configurations, &resource, &address, block);
        if resource.deposed.is_none() {
            let base = Address { key: InstanceKey::None, ..address.clone() };
            instances.entry(base).or_default().push(address.key.clone());
        }
        waiting.entry(key).or_insert_with(|| Waiting { source, objects: Vec::new() }).objects.push((address, resource));
    }
    (waiting, instances, unmoved)
}

/// Which provider configuration reads an object of the record: the one that wrote it. What another provider or
/// another type is to go on with is read by that; where the blueprint only forgot the object and means another provider by
/// the name now, it is read by a configuration of its own.
fn provider_of(
    graph: &DesiredGraph,
    configurations: &HashMap<ProviderKey, ProviderSource>,
    resource: &RecordedResource,
    address: &Address,
    block: Option<NodeId>,
) -> (ProviderKey, ProviderSource) {
    let key = ProviderKey::parse(&resource.provider).unwrap_or_else(|| ProviderKey {
        module: formwork_contract::ModulePath::root(),
        name: crate::graph::implied_provider(&resource.address.type_name).into(),
        alias: None,
    });
    let source = ProviderSource::parse(&resource.source).unwrap_or_else(|_| graph.source_of_name(&key.name));
    let heir = block.filter(|_| resource.deposed.is_none()).and_then(|node| graph.provider_of(node));
    if let Some(heir) = heir {
        let meant = graph.provider_source(heir);
        if meant != source || address.type_name != resource.address.type_name {
            return (graph.provider_key(heir), meant);
        }
    }
    match configurations.get(&key) {
        Some(meant) if *meant != source => (ProviderKey::of_source(&source), source),
        _ => (key, source),
    }
}

fn cannot_move(from: &Address, to: &Address) -> Diagnostic {
    Diagnostic::warning(format!("`{from}` cannot move to `{to}`"))
        .detail("Another object stands there already. Both stay where they are.")
        .hint("take one of them from the record with `formwork state rm`, or let the plan destroy it")
}

fn blocks(graph: &DesiredGraph) -> HashMap<Address, NodeId> {
    let nodes = (0..graph.nodes.len() as u32).map(NodeId);
    nodes
        .filter_map(|node| {
            let NodeKind::Resource(position) = graph.node(node).kind else { return None };
            let module = graph.module(graph.node(node).module);
            let resource = &module.module.resources[position];
            let address = Address {
                module: module.path.clone(),
                mode: resource.mode,
                type_name: resource.type_name.clone(),
                name: resource.name.clone(),
                key: InstanceKey::None,
            };
            Some((address, node))
        })
        .collect()
}

/// Resources that create before they destroy: those that say so, and what they depend on, since the old
/// ones must outlive the old dependents.
fn create_first(graph: &DesiredGraph) -> HashSet<NodeId> {
    let mut queue: Vec<NodeId> = (0..graph.nodes.len() as u32)
        .map(NodeId)
        .filter(|node| match graph.node(*node).kind {
            NodeKind::Resource(position) => {
                let resource = &graph.module(graph.node(*node).module).module.resources[position];
                resource.mode == Mode::Managed && resource.lifecycle.create_before_destroy == Some(true)
            }
            _ => false,
        })
        .collect();
    let mut seen: HashSet<NodeId> = queue.iter().copied().collect();
    follow(graph, &mut queue, &mut seen);
    seen
}

/// What provider configurations are made of, directly or not.
fn provider_inputs(graph: &DesiredGraph) -> HashSet<NodeId> {
    let mut queue: Vec<NodeId> = graph.provider_nodes().collect();
    let mut seen = queue.iter().copied().collect();
    follow(graph, &mut queue, &mut seen);
    seen
}

fn follow(graph: &DesiredGraph, queue: &mut Vec<NodeId>, seen: &mut HashSet<NodeId>) {
    while let Some(node) = queue.pop() {
        for next in &graph.dependencies[node.0 as usize] {
            if seen.insert(*next) {
                queue.push(*next);
            }
        }
    }
}

/// Nothing is to be left that could be shown or checked.
fn is_whole_destroy(walk: &Walk<'_>) -> bool {
    walk.options.kind == PlanKind::Destroy && walk.focus.is_none()
}

/// What is out of focus may not be there yet: an output that is made of nothing else, or cannot be evaluated, stays
/// what it was.
fn desired_outputs(
    walk: &Walk<'_>,
    recorded: &BTreeMap<Str, (Value, bool)>,
) -> Result<BTreeMap<Str, Value>, Diagnostics> {
    if let Some(undo) = walk.options.undo {
        return Ok(undo.outputs.iter().map(|(name, (value, _))| (name.clone(), walk.links.renewed(value))).collect());
    }
    let mut desired = BTreeMap::new();
    if !walk.options.targets.is_empty() {
        // What the blueprint no longer has is for a run to take away that is of the whole.
        let gone = recorded.iter().filter(|(name, _)| !walk.graph.blueprint.root.outputs.contains_key(*name));
        desired.extend(gone.map(|(name, (value, _))| (name.clone(), value.clone())));
    }
    for (name, unit) in walk.evaluation.root_outputs() {
        if is_out_of_focus(walk, &name) {
            desired.extend(recorded.get(&name).map(|(before, _)| (name, before.clone())));
            continue;
        }
        match walk.evaluation.value(unit) {
            Ok(value) => desired.insert(name, value),
            Err(_) if walk.focus.is_some() => match recorded.get(&name) {
                Some((before, _)) => desired.insert(name, before.clone()),
                None => None,
            },
            Err(diagnostics) => return Err(diagnostics),
        };
    }
    Ok(desired)
}

/// Whether an output is made of resources, and the plan is confined to others.
fn is_out_of_focus(walk: &Walk<'_>, name: &str) -> bool {
    let Some(focus) = walk.focus.as_ref().filter(|_| !walk.options.look_only) else { return false };
    let Some(output) = walk.graph.blueprint.root.outputs.get(name) else { return false };
    let behind = walk.graph.behind(&output.value);
    let mut resources = behind.iter().filter(|node| matches!(walk.graph.node(**node).kind, NodeKind::Resource(_)));
    let mut behind_it = resources.clone();
    resources.next().is_some() && !behind_it.any(|node| focus.contains(*node))
}

fn output_changes(
    walk: &Walk<'_>,
    mut recorded: BTreeMap<Str, (Value, bool)>,
) -> Result<BTreeMap<Str, OutputChange>, Diagnostics> {
    let desired = if is_whole_destroy(walk) { BTreeMap::new() } else { desired_outputs(walk, &recorded)? };
    let declared = &walk.graph.blueprint.root.outputs;
    let names: BTreeSet<Str> = desired.keys().chain(recorded.keys()).cloned().collect();
    let nothing = || Value::NULL;
    let mut changes = BTreeMap::new();
    for name in names {
        let had = recorded.remove(&name);
        let before = had.as_ref().map_or_else(nothing, |(value, _)| value.clone());
        let after = desired.get(&name).cloned().unwrap_or_else(nothing);
        let ephemeral = declared.get(&name).is_some_and(|output| output.ephemeral);
        if ephemeral || after.deep_marks().ephemeral {
            continue;
        }
        let action = match (had.is_some(), desired.contains_key(&name)) {
            (_, true) if had.is_some() && before.deep_unmarked() == after.deep_unmarked() => Action::NoOp,
            (true, true) => Action::Update,
            // An output that is null is as good as none.
            (false, true) if after.is_null() => Action::NoOp,
            (false, true) => Action::Create,
            _ => Action::Delete,
        };
        let sensitive = declared
            .get(&name)
            .map_or_else(|| had.as_ref().is_some_and(|(_, sensitive)| *sensitive), |output| output.sensitive);
        changes.insert(name, OutputChange { before, after, sensitive, action });
    }
    Ok(changes)
}
