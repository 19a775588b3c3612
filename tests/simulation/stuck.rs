//! A way back that failed waits for a person: each of the ways to release it.

use crate::play::Violation;
use crate::script::Faults;
use crate::world::{Ended, Goal, World};

/// Whatever is stuck is so no more: gone on with, taken back anew, or seen to by a person, as it comes.
pub(crate) async fn release(world: &mut World) -> Result<(), Violation> {
    let Some(stuck) = world.record().and_then(|record| record.stuck().ok()).filter(|stuck| !stuck.is_empty()) else {
        return Ok(());
    };
    let addresses: Vec<String> = stuck.iter().map(|step| step.address.to_string()).collect();
    world.trace.line(format!("# stuck: {addresses:?}"));
    let chosen = world.runs() % 3;
    let ended = match chosen {
        0 => Some(world.attempt(Goal::WayBack, &Faults::default()).await),
        1 => Some(world.attempt(Goal::WayBack, &Faults { resumes: true, ..Faults::default() }).await),
        _ => None,
    };
    // What was made in part only, or moved meanwhile, is not gone on with: a person sees to it.
    match ended {
        Some(Ended::Complete | Ended::TakenBack) => {}
        Some(Ended::Broken(told) | Ended::Stuck(told)) if chosen == 0 => {
            return Err(Violation::new("a way back gets through in fair weather", told));
        }
        _ => world.see_to(stuck.iter().map(|step| &step.address)),
    }
    // A rival may have broken later, and it was its run that was taken back.
    let left = world.record().and_then(|record| record.stuck().ok()).unwrap_or_default();
    world.see_to(left.iter().map(|step| &step.address));
    match world.record().and_then(|record| record.stuck().ok()) {
        Some(left) if !left.is_empty() => Err(Violation::new("what was seen to is not stuck", format!("{left:?}"))),
        _ => Ok(()),
    }
}
