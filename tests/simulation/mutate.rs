//! Random forms, and random changes of them.

use crate::form::{Block, Form, Kind, Repeat, SECRETS};
use crate::random::Random;

/// The most blocks of a form.
const MOST_BLOCKS: usize = 9;
/// The most instances of a block.
const MOST_INSTANCES: u8 = 3;
/// More subnets would not fit into a network side by side.
const MOST_SUBNETS: u8 = 10;

/// Makes forms one after another. What was named once is never named again for something else.
#[derive(Debug)]
pub(crate) struct Author {
    random: Random,
    next_id: u8,
    subnets: u8,
}

impl Author {
    pub(crate) fn new(random: Random) -> Self {
        Self { random, next_id: 0, subnets: 0 }
    }

    pub(crate) fn first(&mut self) -> Form {
        let mut form = Form::default();
        for _ in 0..2 + self.random.below(4) {
            self.add(&mut form);
        }
        form
    }

    /// The form after one to four changes.
    pub(crate) fn next(&mut self, form: &Form) -> Form {
        let mut next = Form { moves: Vec::new(), ..form.clone() };
        for _ in 0..=self.random.below(4) {
            self.change(&mut next);
        }
        next
    }

    fn change(&mut self, form: &mut Form) {
        if form.blocks.is_empty() {
            return self.add(form);
        }
        let place = self.random.below(form.blocks.len());
        let variant = self.random.small(5);
        let block = &mut form.blocks[place];
        match self.random.below(14) {
            0..=3 => self.add(form),
            4 => self.remove(form, place),
            5..=6 => block.tag = self.random.small(5),
            7..=8 => block.variant = variant,
            9 => form.blocks[place].repeat = self.regrown(place, form),
            10 => block.secret = block.secret.map(|_| self.random.small(SECRETS)),
            11 => block.create_first = !block.create_first,
            12 => self.rehang(form, place),
            _ => self.rename(form, place),
        }
    }

    fn fresh(&mut self) -> u8 {
        self.next_id = self.next_id.saturating_add(1);
        self.next_id
    }

    fn add(&mut self, form: &mut Form) {
        let kind = Kind::ALL[self.random.below(Kind::ALL.len())];
        if form.blocks.len() >= MOST_BLOCKS || (kind == Kind::Subnet && self.subnets >= MOST_SUBNETS) {
            return;
        }
        let parent = match kind.parent() {
            None if kind == Kind::Data => self.parent(form, |_| true),
            None => None,
            Some(wanted) => match self.parent(form, |kind| kind == wanted) {
                Some(parent) => Some(parent),
                None => return self.add_alone(form, wanted),
            },
        };
        self.insert(form, kind, parent);
    }

    /// Something that stands on nothing, where what something else would stand on is missing.
    fn add_alone(&mut self, form: &mut Form, wanted: Kind) {
        if wanted.parent().is_none() {
            self.insert(form, wanted, None);
        }
    }

    fn insert(&mut self, form: &mut Form, kind: Kind, parent: Option<(Kind, u8)>) {
        let id = match kind {
            Kind::Subnet => {
                self.subnets += 1;
                self.subnets - 1
            }
            _ => self.fresh(),
        };
        let random = &mut self.random;
        form.blocks.push(Block {
            kind,
            id,
            label: id,
            repeat: repeat(random),
            parent,
            variant: random.small(5),
            tag: random.small(5),
            secret: random.chance(30).then(|| random.small(SECRETS)),
            create_first: random.chance(20),
        });
    }

    fn parent(&mut self, form: &Form, fits: impl Fn(Kind) -> bool) -> Option<(Kind, u8)> {
        let fitting: Vec<(Kind, u8)> =
            form.blocks.iter().filter(|block| fits(block.kind)).map(|block| (block.kind, block.id)).collect();
        self.random.pick(&fitting).copied()
    }

    fn remove(&mut self, form: &mut Form, place: usize) {
        let mut gone = vec![(form.blocks[place].kind, form.blocks[place].id)];
        // Children come after their parents.
        for block in &form.blocks {
            if block.parent.is_some_and(|parent| gone.contains(&parent)) {
                gone.push((block.kind, block.id));
            }
        }
        form.blocks.retain(|block| !gone.contains(&(block.kind, block.id)));
    }

    /// More or fewer instances. Keys stay keys: an object with another key is another object with the same name.
    fn regrown(&mut self, place: usize, form: &Form) -> Repeat {
        match &form.blocks[place].repeat {
            Repeat::Keys(_) => Repeat::Keys(keys(&mut self.random)),
            _ if self.random.chance(30) => Repeat::One,
            _ => Repeat::Count(1 + self.random.small(MOST_INSTANCES)),
        }
    }

    /// Onto another parent.
    fn rehang(&mut self, form: &mut Form, place: usize) {
        let block = &form.blocks[place];
        let Some((wanted, _)) = block.parent else { return };
        let before: Vec<(Kind, u8)> = form.blocks[..place]
            .iter()
            .filter(|other| other.kind == wanted)
            .map(|other| (other.kind, other.id))
            .collect();
        let parent = self.random.pick(&before).copied();
        form.blocks[place].parent = parent.or(form.blocks[place].parent);
    }

    /// A new label, with the `moved` block that says so.
    fn rename(&mut self, form: &mut Form, place: usize) {
        let to = self.fresh().saturating_add(100);
        let block = &mut form.blocks[place];
        if form.moves.iter().any(|(kind, _, label)| *kind == block.kind && *label == block.label) {
            return;
        }
        form.moves.push((block.kind, block.label, to));
        block.label = to;
    }
}

fn repeat(random: &mut Random) -> Repeat {
    match random.below(4) {
        0 | 1 => Repeat::One,
        2 => Repeat::Count(1 + random.small(MOST_INSTANCES)),
        _ => Repeat::Keys(keys(random)),
    }
}

/// Some of the keys, at least one.
fn keys(random: &mut Random) -> Vec<u8> {
    let chosen: Vec<u8> = (0..MOST_INSTANCES).filter(|_| random.chance(60)).collect();
    if chosen.is_empty() { vec![random.small(MOST_INSTANCES)] } else { chosen }
}
