//! Parts of a blueprint that have nothing in common, applied by runs at once: all get through, and none meets another's.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use crate::form::{Block, Form, Kind, Repeat};
use crate::play::Violation;
use crate::script::Weather;
use crate::world::{Ended, World};

/// Applies each part of the form that is on disk by a run of its own, all of them at once.
pub(crate) async fn apply_parts(world: &World, before: &Form, latency_ms: u32) -> Result<(), Violation> {
    // Every run makes all moves, whatever it is confined to: of those, the first that comes is the only one.
    if makes_moves(before, &world.form) {
        return Ok(());
    }
    world.write_release(None);
    let runs = parts(before, &world.form).into_iter().map(|part| {
        let weather = Weather { latency_ms, ..Weather::default() };
        world.part(part, weather)
    });
    for ended in join_all(runs).await {
        match ended {
            Ended::Complete => {}
            other => return Err(Violation::new("disjoint runs get through side by side", format!("{other:?}"))),
        }
    }
    Ok(())
}

/// Whether objects get other addresses on the way from one form to another.
pub(crate) fn makes_moves(before: &Form, after: &Form) -> bool {
    !after.moves.is_empty() || after.blocks.iter().any(|block| gets_other_keys(before, block))
}

/// Whether a block got a count or lost it, which moves its first instance.
fn gets_other_keys(before: &Form, block: &Block) -> bool {
    let counted = |block: &Block| matches!(block.repeat, Repeat::Count(_));
    before.block(block.kind, block.id).is_some_and(|old| counted(old) != counted(block))
}

/// Blocks that are joined by references.
#[derive(Default)]
struct Part {
    keys: BTreeSet<(u8, u8)>,
    addresses: BTreeSet<String>,
}

/// The addresses of blocks that are joined by references, in one form or the other.
fn parts(before: &Form, after: &Form) -> Vec<BTreeSet<String>> {
    let mut parts: Vec<Part> = Vec::new();
    for block in before.blocks.iter().chain(&after.blocks) {
        let mut joined = Part::default();
        joined.keys.insert(key(block.kind, block.id));
        joined.keys.extend(parent(block));
        joined.addresses.insert(block.config_address());
        let (with_it, apart): (Vec<Part>, Vec<Part>) =
            parts.into_iter().partition(|part| !part.keys.is_disjoint(&joined.keys));
        for part in with_it {
            joined.keys.extend(part.keys);
            joined.addresses.extend(part.addresses);
        }
        parts = apart;
        parts.push(joined);
    }
    parts.into_iter().map(|part| part.addresses).collect()
}

fn parent(block: &Block) -> Option<(u8, u8)> {
    block.parent.map(|(kind, id)| key(kind, id))
}

fn key(kind: Kind, id: u8) -> (u8, u8) {
    (u8::try_from(Kind::ALL.iter().position(|one| *one == kind).unwrap_or(0)).unwrap_or(0), id)
}
