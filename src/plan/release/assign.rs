//! Which step belongs to which wave.
//!
//! Dependencies win: what a step waits for is done in its wave or before. Steps are drawn into earlier waves for
//! it, as far as needed. A deletion waits for a later wave instead, where something stands on the object until then.

use std::collections::BTreeSet;

use formwork_contract::{Diagnostic, Diagnostics};

use super::read::{Declared, DeclaredWave, REST};
use super::select::{Place, Selection, places};
use super::{Drawn, Release, Wave};
use crate::plan::model::{Action, Change, PlanKind, ReplaceOrder, Step, StepAction};

/// Puts steps into waves, and gives the waves that have something to do. Linear in steps and edges.
///
/// # Errors
/// Waves that contradict what depends on what.
pub(in crate::plan) fn assign(
    declared: Declared,
    kind: PlanKind,
    changes: &[Change],
    steps: &mut [Step],
) -> Result<Release, Diagnostics> {
    let Declared { mut waves, calendar } = declared;
    if waves.is_empty() || !steps.iter().any(is_work) {
        waves = vec![DeclaredWave { wave: nameless(), selection: Selection::default() }];
    } else if kind == PlanKind::Destroy {
        // What is taken down as a whole goes by its dependencies, and nothing is left to be asked.
        let last = waves.pop().map_or_else(nameless, |last| Wave { gates: Vec::new(), ..last.wave });
        waves = vec![DeclaredWave { wave: Wave { name: REST.into(), ..last }, selection: Selection::default() }];
    }
    let places = places(&waves, changes);
    let mut release = Release { waves: waves.into_iter().map(|declared| declared.wave).collect(), calendar };
    let mut assignment = Assignment::new(changes, steps, &places, release.waves.len());
    assignment.draw(&release.waves)?;
    assignment.put_off(&release.waves)?;
    let Assignment { wave_of, drawn, .. } = assignment;
    for (step, wave) in steps.iter_mut().zip(wave_of) {
        step.wave = wave;
    }
    for (wave, drawn) in drawn {
        release.waves[wave].drawn.push(drawn);
    }
    for wave in &mut release.waves {
        wave.drawn.sort_by(|a, b| a.address.cmp(&b.address));
    }
    let used = steps.iter().filter(|step| is_work(step)).map(|step| step.wave).max().unwrap_or(0);
    release.waves.truncate(used + 1);
    Ok(release)
}

fn nameless() -> Wave {
    Wave { name: REST.into(), ..Wave::default() }
}

/// Whether a step does more than to move entries of the record.
fn is_work(step: &Step) -> bool {
    !matches!(step.action, StepAction::Joint | StepAction::Move | StepAction::Refresh)
}

struct Assignment<'a> {
    changes: &'a [Change],
    steps: &'a [Step],
    places: &'a [Place],
    wave_of: Vec<usize>,
    /// The change for whose sake a step is where it is, seen through joints.
    cause: Vec<Option<usize>>,
    /// For a deletion that makes room for its successor: the step that makes this.
    successor: Vec<Option<usize>>,
    drawn: Vec<(usize, Drawn)>,
    told: BTreeSet<usize>,
    waves: usize,
}

impl<'a> Assignment<'a> {
    fn new(changes: &'a [Change], steps: &'a [Step], places: &'a [Place], waves: usize) -> Self {
        let mut successor = vec![None; steps.len()];
        let mut deletion = vec![None; changes.len()];
        for (number, step) in steps.iter().enumerate() {
            let Some(change) = step.change else { continue };
            if changes[change].action == Action::Replace(ReplaceOrder::DeleteFirst) {
                match (step.action, deletion[change]) {
                    (StepAction::Delete, _) => deletion[change] = Some(number),
                    (StepAction::Create, Some(before)) => successor[before] = Some(number),
                    _ => {}
                }
            }
        }
        let wave_of = steps.iter().map(|step| match step.change {
            _ if matches!(step.action, StepAction::Move | StepAction::Refresh) => 0,
            Some(change) => places[change].wave,
            None => waves - 1,
        });
        Self {
            wave_of: wave_of.collect(),
            cause: steps.iter().map(|step| step.change).collect(),
            changes,
            steps,
            places,
            successor,
            drawn: Vec::new(),
            told: BTreeSet::new(),
            waves,
        }
    }

    /// A deletion may come later than it is named for, and so draws nothing.
    fn may_wait(&self, step: usize) -> bool {
        let step = &self.steps[step];
        let makes_room = |change: usize| self.changes[change].action == Action::Replace(ReplaceOrder::DeleteFirst);
        step.action == StepAction::Delete && !step.change.is_some_and(makes_room)
    }

    /// From the first wave on: what its steps wait for comes with them.
    fn draw(&mut self, waves: &[Wave]) -> Result<(), Diagnostics> {
        for wave in 0..self.waves {
            let mut queue: Vec<usize> =
                (0..self.steps.len()).filter(|step| self.wave_of[*step] == wave && !self.may_wait(*step)).collect();
            while let Some(step) = queue.pop() {
                let successor = self.successor[step];
                for before in self.steps[step].after.iter().copied().chain(successor) {
                    if self.wave_of[before] > wave {
                        self.draw_one(before, step, wave, waves)?;
                        queue.push(before);
                    }
                }
            }
        }
        Ok(())
    }

    fn draw_one(&mut self, step: usize, for_step: usize, wave: usize, waves: &[Wave]) -> Result<(), Diagnostics> {
        let from = std::mem::replace(&mut self.wave_of[step], wave);
        let Some(change) = self.steps[step].change else {
            self.cause[step] = self.cause[for_step];
            return Ok(());
        };
        let Some(needing) = self.cause[for_step].filter(|needing| *needing != change) else { return Ok(()) };
        let (address, needed_by) = (&self.changes[change].address, &self.changes[needing].address);
        if self.steps[step].action == StepAction::Delete && self.places[change].named {
            return Err(contradiction(
                format!("`{address}` would be deleted before its wave"),
                format!(
                    "The wave `{}` names it, and `{needed_by}` of the wave `{}` can only be done once it is gone.",
                    waves[from].name, waves[wave].name
                ),
                [&waves[from], &waves[wave]],
            ));
        }
        if self.told.insert(change) {
            self.drawn.push((wave, Drawn { address: address.clone(), needed_by: needed_by.clone() }));
        }
        Ok(())
    }

    /// Deletions that have to wait for something of a later wave go there.
    fn put_off(&mut self, waves: &[Wave]) -> Result<(), Diagnostics> {
        for step in 0..self.steps.len() {
            let latest = self.steps[step].after.iter().copied().max_by_key(|before| self.wave_of[*before]);
            let needed = latest.map_or(0, |before| self.wave_of[before]);
            let Some(change) = self.steps[step].change else {
                self.wave_of[step] = needed;
                if let Some(latest) = latest {
                    self.cause[step] = self.cause[latest];
                }
                continue;
            };
            if self.wave_of[step] >= needed {
                continue;
            }
            let trails = matches!(self.changes[change].action, Action::Replace(_));
            if !self.may_wait(step) || (self.places[change].named && !trails) {
                let address = &self.changes[change].address;
                let other =
                    latest.and_then(|latest| self.cause[latest]).map_or(address, |cause| &self.changes[cause].address);
                let (own, later) = (&waves[self.wave_of[step]], &waves[needed]);
                return Err(contradiction(
                    format!("`{address}` cannot be deleted in its wave"),
                    format!(
                        "The wave `{}` names it, and `{other}` depends on it until the wave `{}`.",
                        own.name, later.name
                    ),
                    [own, later],
                ));
            }
            self.wave_of[step] = needed;
        }
        Ok(())
    }
}

fn contradiction(summary: String, detail: String, waves: [&Wave; 2]) -> Diagnostics {
    let mut diagnostic = Diagnostic::error(summary).detail(detail);
    for wave in waves {
        if let Some(span) = wave.span {
            diagnostic = diagnostic.label(span, format!("the wave `{}`", wave.name));
        }
    }
    diagnostic.hint("name both in the same wave, or let the one that is deleted come later").into()
}
