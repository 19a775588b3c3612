//! Plays a script, and holds after each act that everything stands as it is to stand.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use formwork::plan::model::Action;
use formwork::record::model::RevisionStatus;

use crate::cloud::meddle;
use crate::form::Form;
use crate::invariants;
use crate::script::{Act, Faults, Meddling, Script};
use crate::world::{Ended, Goal, World};
use crate::{stuck, together};

/// What did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Which of the promises it is, the same for the same defect.
    pub promise: &'static str,
    pub found: String,
}

impl Violation {
    pub(crate) fn new(promise: &'static str, found: impl Into<String>) -> Self {
        Self { promise, found: found.into() }
    }
}

/// How a script went.
pub(crate) struct Played {
    pub trace: Vec<String>,
    pub violation: Option<Violation>,
}

/// Plays a script from an empty world, in virtual time.
pub(crate) fn play(script: &Script) -> Played {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let mut world = World::new(script.seed).await;
        let trace = world.trace.clone();
        let ended = {
            let playing = acts(&mut world, script);
            tokio::pin!(playing);
            std::future::poll_fn(|context| {
                let polled = catch_unwind(AssertUnwindSafe(|| playing.as_mut().poll(context)));
                polled.unwrap_or_else(|panic| std::task::Poll::Ready(Err(panicked(&*panic))))
            })
            .await
        };
        Played { trace: trace.lines(), violation: ended.err() }
    })
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Violation {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Violation::new("nothing panics", text.unwrap_or("it panicked"))
}

async fn acts(world: &mut World, script: &Script) -> Result<(), Violation> {
    for act in &script.acts {
        match act {
            Act::Become { form, runs } => {
                world.trace.line("# a new form");
                world.write(form);
                reach(world, Goal::Blueprint, runs).await?;
            }
            Act::BackOut { form, run, back } => {
                world.trace.line("# a new form, backed out of");
                let before = world.latest();
                world.began_after = before;
                let old = world.form.clone();
                world.write(form);
                world.attempt(Goal::Blueprint, run).await;
                world.violation()?;
                invariants::no_strays(world)?;
                stuck::release(world).await?;
                // Nothing was begun, so that there is nothing to go back from; or what was set aside has the name that is
                // wanted again, and does not take a place again that it was moved from.
                if world.latest() == before || is_taken_back(world) || moved_and_set_aside(world, &old).await {
                    reach(world, Goal::Blueprint, &[]).await?;
                }
                go_back(world, back).await?;
                // What was meddled with, and not touched by the run, is not taken back with it.
                if run.meddling.is_some() {
                    reach(world, Goal::Blueprint, &[]).await?;
                }
            }
            Act::RollBack { runs } => {
                world.trace.line("# back");
                go_back(world, runs).await?;
            }
            Act::Meddle { with, runs } => {
                world.trace.line("# somebody meddles");
                meddled(world, with).await?;
                reach(world, Goal::Blueprint, runs).await?;
            }
            Act::Together { form, latency_ms, runs } => {
                world.trace.line("# a new form, part by part at once");
                let before = world.form.clone();
                world.write(form);
                together::apply_parts(world, &before, *latency_ms).await?;
                world.violation()?;
                invariants::no_strays(world)?;
                reach(world, Goal::Blueprint, runs).await?;
            }
            Act::TakeDown { runs } => {
                world.trace.line("# everything goes");
                reach(world, Goal::Nothing, runs).await?;
                world.write(&Form::default());
            }
        }
        let form = world.form.clone();
        invariants::all(world, &form).await?;
    }
    invariants::audit_verifies(world)?;
    invariants::no_secret_is_told(world.path())
}

/// Runs until it is done: the last run is a fair one, and has to get through.
async fn reach(world: &mut World, goal: Goal, runs: &[Faults]) -> Result<(), Violation> {
    let mut goal = goal;
    world.began_after = world.latest();
    let mut meddled = false;
    for faults in runs {
        let ended = world.attempt(goal, faults).await;
        world.violation()?;
        invariants::no_strays(world)?;
        stuck::release(world).await?;
        // What was meddled with may have been done already, and shows in the next plan, not in what is left of an old one.
        meddled = faults.meddling.is_some() || (meddled && faults.resumes);
        if ended == Ended::Complete && !meddled {
            return Ok(());
        }
        if let Goal::Revision(number, _) = goal {
            goal = Goal::Revision(number, true);
        }
    }
    get_out_of_the_way(world, goal).await?;
    match world.attempt(goal, &Faults::default()).await {
        Ended::Complete => Ok(()),
        other => Err(Violation::new("a run gets through in fair weather", format!("{goal:?}: {other:?}"))),
    }
}

/// What a replacement set aside keeps its name until nothing stands on it, and is gone after the run that cannot have
/// the name for this. What was interrupted has to be completed first, before a named revision is gone back to.
async fn get_out_of_the_way(world: &mut World, goal: Goal) -> Result<(), Violation> {
    // A plan settles what an interrupted run made of it.
    if world.record().is_some_and(|record| record.open_intents().is_ok_and(|open| !open.is_empty())) {
        drop(world.plan().await);
    }
    for _ in 0..2 {
        if invariants::what_is_deposed_has_a_name(world) {
            let was_begun = world.unfinished().is_some_and(|last| last.undoes.is_none());
            let goal = if matches!(goal, Goal::Revision(..)) && !was_begun { Goal::Blueprint } else { goal };
            world.attempt(goal, &Faults::default()).await;
            world.violation()?;
            invariants::no_strays(world)?;
        }
    }
    Ok(())
}

/// Back to the last complete revision before the latest, and the blueprint with it.
async fn go_back(world: &mut World, runs: &[Faults]) -> Result<(), Violation> {
    let history = world.history();
    let last = history.iter().map(|summary| summary.number).max().unwrap_or(0);
    let earlier = history.iter().filter(|one| one.number < last && one.status == RevisionStatus::Complete);
    let target = earlier.map(|summary| summary.number).max();
    let Some(target) = target.filter(|number| !world.closed.contains(number)) else {
        // There is nothing to go back to.
        return reach(world, Goal::Blueprint, runs).await;
    };
    // Without a name it is the last run alone that is taken back.
    let named =
        last > target + 1 && history.iter().all(|one| one.number != last || one.status != RevisionStatus::Complete);
    reach(world, Goal::Revision(target, named), runs).await?;
    let form = world.revisions.get(&target).cloned().unwrap_or_default();
    world.write(&form);
    Ok(())
}

/// Whether a replacement was interrupted of something that was moved; a plan settles what became of it.
async fn moved_and_set_aside(world: &World, old: &Form) -> bool {
    if !together::makes_moves(old, &world.form) {
        return false;
    }
    drop(world.plan().await);
    invariants::what_is_deposed_has_a_name(world)
}

/// Whether the last revision took back another, so that there is nothing to go back from.
fn is_taken_back(world: &World) -> bool {
    let last = world.history().into_iter().max_by_key(|summary| summary.number);
    last.is_some_and(|last| last.undoes.is_some() && last.status == RevisionStatus::Complete)
}

/// A plan shows what was done behind our back, and what follows from it.
async fn meddled(world: &mut World, with: &[Meddling]) -> Result<(), Violation> {
    let ids: BTreeSet<String> =
        with.iter().filter_map(|meddling| meddle(&world.state_dir(), *meddling, &world.trace)).collect();
    let touched = invariants::addresses_of(world, &ids)?;
    let planned = world.plan().await.map_err(|told| Violation::new("a plan can be made", told))?;
    let objects = world.form.objects();
    let changed: BTreeSet<String> = planned
        .plan
        .changes
        .iter()
        .filter(|change| change.action != Action::NoOp)
        .map(|change| change.address.to_string())
        .collect();
    let follows = |address: &str| {
        let input = objects.get(address).and_then(|object| object.attributes.get("input"));
        matches!(input, Some(crate::form::Expected::IdOf(other)) if touched.contains(other))
    };
    let missed: Vec<&String> = touched.difference(&changed).collect();
    let invented: Vec<&String> = changed.difference(&touched).filter(|address| !follows(address)).collect();
    if missed.is_empty() && invented.is_empty() {
        return Ok(());
    }
    Err(Violation::new(
        "a plan shows exactly what was done behind our back",
        format!("missed {missed:?}, invented {invented:?}"),
    ))
}
