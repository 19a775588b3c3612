//! What interrupted runs left open: settled by a look at reality, or by a person's word.

use std::collections::HashMap;
use std::sync::Arc;

use formwork_contract::{Address, Diagnostic, Diagnostics, Severity};

use super::open::{self, failure, record_failure};
use super::plan::{Selection, tell};
use super::recorded::recorded;
use super::{Progress, Workspace, variables};
use crate::apply::{Unsettled, Word, settle, settle_by_word};
use crate::blueprint::Failure;
use crate::graph::{self, DesiredGraph, Inputs};
use crate::live::Reality;
use crate::plan::{Origin, Request, make};
use crate::record::{LeaseScope, Record, RecordError};

/// What a look at reality left open.
#[derive(Debug, Default)]
pub(super) struct LeftOpen {
    pub undecided: Vec<Address>,
    pub warnings: Diagnostics,
}

/// What an interrupted run left open is looked at before anything is planned on top of it.
pub(super) async fn settle_first(
    workspace: &Workspace,
    graph: &Arc<DesiredGraph>,
    inputs: &Inputs,
    record: &mut Record,
    progress: &dyn Progress,
) -> Result<LeftOpen, Diagnostics> {
    let fail = |error: RecordError| Diagnostics::from(open::record_diagnostic(&error));
    let open_intents = record.open_intents().map_err(fail)?.len();
    let interrupted = record.interrupted_intents().map_err(fail)?;
    if interrupted.is_empty() {
        let warnings = if open_intents > 0 { busy(None).into() } else { Diagnostics::new() };
        return Ok(LeftOpen { undecided: Vec::new(), warnings });
    }
    let lease = open::lease(workspace, LeaseScope::of(interrupted.iter().map(|intent| intent.address.clone())));
    match record.acquire(&lease) {
        Ok(_) => {}
        // Somebody else settles them, or went on with them.
        Err(error @ RecordError::Locked { .. }) => {
            return Ok(LeftOpen { undecided: Vec::new(), warnings: busy(Some(&error)).into() });
        }
        Err(error) => return Err(fail(error)),
    }
    let reality = open::reality(workspace, &graph.blueprint.environment);
    let ephemerals = reality.ephemerals().clone();
    let settled = async {
        let mut reality = look_around(reality, graph, inputs, record, progress).await?;
        settle(record, &mut reality, &lease, progress).await
    };
    let settled = settled.await;
    let mut warnings = ephemerals.close().await;
    if open_intents > interrupted.len() {
        warnings.push(busy(None));
    }
    let left = settled?;
    record.release().map_err(|error| open::record_diagnostic(&error))?;
    let warn = |left: &Unsettled| Diagnostic { severity: Severity::Warning, ..left.diagnostic.clone() };
    warnings.append(left.iter().map(warn).collect());
    Ok(LeftOpen { warnings, undecided: left.into_iter().map(|left| left.address).collect() })
}

/// Somebody else is at work.
fn busy(locked: Option<&RecordError>) -> Diagnostic {
    let who = locked.map(|locked| format!("{locked}. ")).unwrap_or_default();
    Diagnostic::warning("another run is changing this environment")
        .detail(format!("{who}What it has not finished yet may show as changes to be made."))
        .hint("wait for it to end, then plan again")
}

/// Takes a person's word for what became of an object that an interrupted run was making.
///
/// # Errors
/// Nothing is open at the address, or there is no object of that id.
pub async fn state_settle(
    workspace: &Workspace,
    address: &Address,
    word: &Word,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let (mut blueprint, _) = open::blueprint(workspace)?;
    let inputs = variables::inputs(workspace, &mut blueprint);
    let sources = Arc::clone(&blueprint.sources);
    let fail = |diagnostics: Diagnostics| failure(&sources, diagnostics);
    let (inputs, _) = inputs.map_err(fail)?;
    let mut record =
        open::record(workspace, &blueprint.environment).map_err(|error| record_failure(&sources, &error))?;
    let graph = Arc::new(graph::build(blueprint, workspace.registry.natives()).map_err(fail)?);
    let reality = open::reality(workspace, &graph.blueprint.environment);
    let ephemerals = reality.ephemerals().clone();
    let settled = async {
        let mut reality = look_around(reality, &graph, &inputs, &record, progress).await?;
        let lease = open::lease(workspace, LeaseScope::of([address.clone()]));
        settle_by_word(&mut record, &mut reality, &lease, address, word).await
    };
    let settled = settled.await;
    // What does not close expires by itself, and changes nothing of what was settled.
    ephemerals.close().await;
    settled.map_err(fail)
}

/// The providers as the blueprint configures them; nothing is read.
pub(super) async fn look_around(
    reality: Reality,
    graph: &Arc<DesiredGraph>,
    inputs: &Inputs,
    record: &Record,
    progress: &dyn Progress,
) -> Result<Reality, Diagnostics> {
    let looking = Selection::look(false);
    let request = Request {
        graph: Arc::clone(graph),
        inputs: inputs.clone(),
        recorded: recorded(record)?,
        reality,
        origin: Origin::default(),
        imports: HashMap::new(),
    };
    let tell = |told| tell(progress, told);
    let options = looking.options(record, None, &tell);
    Ok(make(request, &options).await?.resolver.reality)
}
