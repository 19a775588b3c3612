//! What a rehearsal says of a run that fails is what then happens: a seed decides the blueprint, its change, what goes
//! wrong and what follows; the plan is rehearsed, and then applied to the sandbox with that very failure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use formwork::plan::model::StepAction;
use formwork::record::model::RevisionStatus;
use formwork::workflow::{
    self, AcceptedLoss, AfterCrash, ApplyOutcome, ApplyRequest, Consent, Failure, Fault, Interrupt, PlanRequest,
    RehearseRequest, Rehearsed, RollbackRequest, RunEnd, Silent, StepTarget, Verdict, Workspace,
};
use formwork_contract::Address;
use formwork_sandbox::control;
use serde_json::Value as Json;

use crate::form::Form;
use crate::mutate::Author;
use crate::random::Random;
use crate::sabotage::{Call, Sabotage, Saboteur};
use crate::script::Faults;
use crate::world::{Ended, Goal, World};

/// What a seed decides beside the blueprint.
#[derive(Debug)]
struct Trouble {
    /// As people count steps.
    number: usize,
    call: Call,
    fault: Fault,
    dies: bool,
    after_crash: AfterCrash,
    undo: Option<Address>,
}

/// How it ended, in words that can be compared.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Course {
    /// Of each run: how it ended, what it did, what it left.
    runs: Vec<String>,
    verdict: Verdict,
    stuck: BTreeSet<String>,
    /// Objects that are not what they were.
    different: BTreeSet<String>,
}

/// Rehearses and applies what a seed decides; `None` where its change has no step that can fail.
///
/// # Errors
/// What was predicted is not what happened, or something real was touched.
pub(crate) fn predict(seed: u64) -> Result<Option<Verdict>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(played(seed))
}

async fn played(seed: u64) -> Result<Option<Verdict>, String> {
    let mut random = Random::new(seed ^ 0x9e37);
    let mut author = Author::new(Random::new(random.number()));
    let mut world = World::new(seed).await;
    let mut form = author.first();
    // Sometimes nothing stands before.
    for _ in 0..random.below(3) {
        world.write(&form);
        if world.attempt(Goal::Blueprint, &Faults::default()).await != Ended::Complete {
            return Ok(None);
        }
        form = author.next(&form);
    }
    world.write(&form);
    std::fs::write(world.path().join("release.hcl"), release(&mut random, &form)).expect("the folder is writable");
    let (mut workspace, _) = world.workspace(&Faults::default(), "predict");
    let sabotage = Arc::<Sabotage>::default();
    workspace.registry = Arc::new(Saboteur { inner: workspace.registry, sabotage: Arc::clone(&sabotage) });
    let own = Arc::clone(&sabotage);
    workspace.machine.drill = Some(Arc::new(move |_| own.is_dead()));
    workspace.parallelism = random.chance(70).then_some(1);
    let told = |failure: &Failure| failure.diagnostics.to_string();
    let planned = workflow::plan(&workspace, &PlanRequest::default(), &Silent).await.map_err(|found| told(&found))?;
    let Some(trouble) = trouble(&mut random, &planned.plan) else { return Ok(None) };
    let file = world.path().join("kept.plan");
    workflow::save_plan(&planned, &file).map_err(|found| told(&found))?;
    drop(planned);

    let before = Image::of(&world);
    let bytes = bytes(&world.state_dir());
    let predicted = rehearsed(&workspace, &file, &trouble).await.map_err(|found| told(&found))?;
    if sabotage.plan().applies > 0 || bytes != self::bytes(&world.state_dir()) {
        return Err(format!("{trouble:?}: something real was touched"));
    }
    let happened =
        happened(&workspace, &file, &trouble, &sabotage, &before, &world).await.map_err(|found| told(&found))?;
    if predicted == happened {
        return Ok(Some(happened.verdict));
    }
    Err(format!(
        "{trouble:?}\npredicted {predicted:#?}\nhappened  {happened:#?}\n{}{:#?}",
        form.text(),
        world.trace.lines()
    ))
}

fn release(random: &mut Random, form: &Form) -> String {
    let policy = ["stop", "rollback", "continue", "rollback"][random.below(4)];
    let mut waves = String::new();
    if random.chance(40)
        && let Some(block) = random.pick(&form.blocks)
    {
        let address = block.config_address();
        waves = format!("  wave \"first\" {{\n    targets = [{address}]\n  }}\n  wave \"rest\" {{}}\n");
    }
    format!("release {{\n  on_failure = \"{policy}\"\n{waves}}}\n")
}

fn trouble(random: &mut Random, plan: &formwork::plan::Plan) -> Option<Trouble> {
    let steps: Vec<(usize, Call)> = (1..)
        .zip(plan.steps.iter().filter_map(|step| Some((step, &plan.changes[step.change?]))))
        .filter(|(_, (step, _))| matches!(step.action, StepAction::Create | StepAction::Update | StepAction::Delete))
        .map(|(number, (step, change))| (number, (change.address.to_string(), step.action.name())))
        .collect();
    // The saboteur knows calls by what they do to which object.
    let unique: Vec<&(usize, Call)> =
        steps.iter().filter(|(_, call)| steps.iter().filter(|(_, other)| other == call).count() == 1).collect();
    let (number, call) = (*random.pick(&unique)?).clone();
    let fault = [Fault::DidNotHappen, Fault::DidNotHappen, Fault::Partly, Fault::Unknown][random.below(4)];
    let undo = random.chance(40).then(|| random.pick(&steps).cloned()).flatten();
    Some(Trouble {
        number,
        call,
        fault,
        dies: random.chance(20),
        after_crash: if random.chance(50) { AfterCrash::Resume } else { AfterCrash::Rollback },
        undo: undo.map(|(_, (address, _))| address.parse().expect("an address of a plan")),
    })
}

/// The name and content of every file of the record and the cloud.
fn bytes(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("the folder is there").flatten().map(|entry| entry.path());
    // What SQLite keeps beside a file while it is open holds nothing that was not there.
    let files = entries.filter(|path| path.extension().is_some_and(|extension| extension == "db"));
    files.map(|path| (path.clone(), std::fs::read(path).expect("a file"))).collect()
}

/// What stands, by id, with its address; what is in the record alone as well.
struct Image(BTreeMap<String, (String, Json)>);

impl Image {
    fn of(world: &World) -> Self {
        let mut objects = BTreeMap::new();
        let resources = world.record().expect("a record").resources().expect("it can be read");
        // An owner tag keeps the address that an object was made at.
        let recorded = |id: &str| resources.iter().find(|one| one.value["id"] == id).map(|one| one.address.to_string());
        for (object, attributes) in control::contents(&world.state_dir()).expect("the sandbox can be read") {
            let address = recorded(&object.id).unwrap_or(object.address);
            objects.insert(object.id, (address, attributes));
        }
        for data in resources.into_iter().filter(|one| &*one.address.type_name == "terraform_data") {
            let id = data.value["id"].as_str().unwrap_or_default().to_owned();
            objects.insert(id, (data.address.to_string(), data.value));
        }
        Self(objects)
    }

    /// The addresses, as they were, of objects that are not what they were.
    fn different_in(&self, after: &Self) -> BTreeSet<String> {
        let mut different = BTreeSet::new();
        for (id, (address, attributes)) in &self.0 {
            if after.0.get(id).is_none_or(|(_, now)| now != attributes) {
                different.insert(address.clone());
            }
        }
        let new = after.0.iter().filter(|(id, _)| !self.0.contains_key(*id));
        different.extend(new.map(|(_, (address, _))| address.clone()));
        different
    }
}

async fn rehearsed(workspace: &Workspace, file: &Path, trouble: &Trouble) -> Result<Course, Failure> {
    let target = StepTarget::Number(trouble.number);
    let request = RehearseRequest {
        failures: if trouble.dies { Vec::new() } else { vec![(target.clone(), trouble.fault)] },
        crashes: if trouble.dies { vec![target] } else { Vec::new() },
        failing_undos: trouble.undo.iter().cloned().collect(),
        after_crash: trouble.after_crash,
        ..RehearseRequest::default()
    };
    let said: Rehearsed = workflow::rehearse(workspace, file, &request, &Silent, &Interrupt::default()).await?;
    let run = |end: &RunEnd| match end {
        RunEnd::Died => "died".into(),
        RunEnd::Refused(_) => "refused".into(),
        RunEnd::Ended(outcome) => words(outcome, workspace),
    };
    Ok(Course {
        runs: said.runs.iter().map(|one| run(&one.end)).collect(),
        verdict: said.verdict,
        stuck: said.stuck.iter().map(|step| step.address.to_string()).collect(),
        different: said.differences.iter().map(|one| one.address.to_string()).collect(),
    })
}

/// What a run came to. What was begun beside what failed is the same only where one step goes at a time.
fn words(outcome: &ApplyOutcome, workspace: &Workspace) -> String {
    let steps = |steps: &[(Address, StepAction)]| {
        let all: BTreeSet<String> =
            steps.iter().map(|(address, action)| format!("{} {address}", action.name())).collect();
        format!("{all:?}")
    };
    let open = steps(&outcome.open);
    let head = format!("complete: {}, stuck: {}, open: {open}", outcome.is_complete(), outcome.stuck);
    if workspace.parallelism != Some(1) {
        return head;
    }
    let (failed, left) = (outcome.failed.len(), steps(&outcome.not_started));
    format!("{head}, done: {:?}, failed: {failed}, not begun: {left}, journal: {}", outcome.done, outcome.journaled)
}

/// The same for real.
async fn happened(
    workspace: &Workspace,
    file: &Path,
    trouble: &Trouble,
    sabotage: &Arc<Sabotage>,
    before: &Image,
    world: &World,
) -> Result<Course, Failure> {
    {
        let mut plan = sabotage.plan();
        if trouble.dies {
            plan.crash = Some(trouble.call.clone());
        } else {
            plan.fault = Some((trouble.call.clone(), trouble.fault));
        }
    }
    let runs = Runs { workspace, sabotage, interrupt: Interrupt::default() };
    let mut all = Vec::new();
    let planned = workflow::open_plan(workspace, file, &Silent).await?;
    let revision = planned.plan.header.record_revision + 1;
    // Where the object stands that the way back cannot change, it may have another address by then.
    if let Some(undo) = &trouble.undo {
        let of_it = planned.plan.changes.iter().filter(|change| change.address == *undo);
        let also = of_it.filter_map(|change| change.moved_from.as_ref()).map(ToString::to_string);
        sabotage.plan().undos = [undo.to_string()].into_iter().chain(also).collect();
    }
    let latest = workflow::history(workspace)?.iter().map(|one| one.number).max().unwrap_or(0);
    let mut last =
        runs.run(workflow::apply(workspace, planned, &losing(Consent::PlanFile), &Silent, &runs.interrupt)).await;
    all.push(runs.words(&last));
    if matches!(last, Ok(None)) {
        sabotage.revive();
        if trouble.after_crash == AfterCrash::Resume {
            last = runs
                .run(async {
                    let resumable = workflow::resumable(workspace, &Silent).await?;
                    workflow::resume(workspace, resumable, None, &Silent, &runs.interrupt).await
                })
                .await;
            all.push(runs.words(&last));
        }
    }
    let there = matches!(&last, Ok(Some(outcome)) if outcome.is_complete());
    sabotage.turn_back();
    let last = last.ok().flatten();
    // Who sees that nothing was done has nothing to take back.
    let is_settled = last.as_ref().is_some_and(|outcome| outcome.open.is_empty() && outcome.roll_back.is_none());
    let did_nothing = is_settled && !there && before.0 == Image::of(world).0;
    let back = did_nothing || runs.back(last, revision, there, &mut all).await;
    let stuck = workflow::stuck(workspace)?;
    let after = Image::of(world);
    let different = before.different_in(&after);
    let verdict = match back {
        false => Verdict::Stuck,
        true if !different.is_empty() => Verdict::NotAsItWas,
        true if there => Verdict::AsPlanned,
        true => Verdict::TakenBack,
    };
    Ok(Course {
        runs: all,
        verdict,
        stuck: stuck.iter().filter(|step| step.revision > latest).map(|step| step.address.to_string()).collect(),
        different,
    })
}

fn losing(consent: Consent) -> ApplyRequest {
    ApplyRequest { accepted_losses: vec![AcceptedLoss::Everything], ..ApplyRequest::new(consent) }
}

struct Runs<'a> {
    workspace: &'a Workspace,
    sabotage: &'a Sabotage,
    interrupt: Interrupt,
}

impl Runs<'_> {
    /// `None` where it died.
    async fn run(
        &self,
        work: impl Future<Output = Result<ApplyOutcome, Failure>>,
    ) -> Result<Option<ApplyOutcome>, Failure> {
        tokio::select! {
            biased;
            () = self.sabotage.death() => Ok(None),
            done = work => done.map(Some),
        }
    }

    fn words(&self, ended: &Result<Option<ApplyOutcome>, Failure>) -> String {
        match ended {
            Ok(Some(outcome)) => words(outcome, self.workspace),
            Ok(None) => "died".into(),
            Err(_) => "refused".into(),
        }
    }

    /// Whether the way back reached its end.
    async fn back(&self, last: Option<ApplyOutcome>, begun: u64, there: bool, all: &mut Vec<String>) -> bool {
        let revision = last.as_ref().map_or(begun, |outcome| outcome.revision);
        if let Some(undo) = last.and_then(|outcome| outcome.roll_back) {
            let ended = self.run(async {
                let planned = workflow::undo_plan(self.workspace, revision, &Silent).await?;
                let request = ApplyRequest { undo: Some(undo), ..ApplyRequest::new(Consent::Undo) };
                workflow::apply(self.workspace, planned, &request, &Silent, &self.interrupt).await
            });
            let ended = ended.await;
            all.push(self.words(&ended));
            if let Ok(Some(outcome)) = ended {
                return outcome.is_complete();
            }
        }
        let ended = self.run(async {
            let history = workflow::history(self.workspace)?;
            let earlier =
                |one: &workflow::HistoryEntry| one.number < revision && one.status == RevisionStatus::Complete;
            let planned = match there && !history.iter().any(earlier) {
                true => workflow::undo_plan(self.workspace, revision, &Silent).await?,
                false => workflow::rollback_plan(self.workspace, RollbackRequest::default(), &Silent).await?,
            };
            workflow::apply(self.workspace, planned, &losing(Consent::Automatic), &Silent, &self.interrupt).await
        });
        let ended = ended.await;
        all.push(self.words(&ended));
        matches!(ended, Ok(Some(outcome)) if outcome.is_complete())
    }
}
