//! The objects of a rehearsal, in memory only, and how they differ from those that it began with.

use std::collections::{HashMap, HashSet};

use formwork_contract::planning::differences;
use formwork_contract::provider::{Applied, ApplyRequest, Private};
use formwork_contract::{Address, Path, Str, Value};

use super::invent::made_up;

/// An object of a provider.
#[derive(Clone, Debug)]
pub struct Standing {
    pub type_name: Str,
    pub address: Address,
    /// Without marks.
    pub value: Value,
    pub private: Private,
}

/// What became of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It stands, and these parts of it are others.
    Changed(Vec<Path>),
    /// It is gone, and another one stands in its place, of which these parts are others.
    Anew(Vec<Path>),
    /// It is gone.
    Gone,
    /// It did not stand before.
    Left,
}

/// An object that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub address: Address,
    pub fate: Fate,
}

#[derive(Default)]
pub(super) struct Store {
    objects: Vec<Object>,
    /// Places of objects, by their type and id.
    by_id: HashMap<(Str, Str), Vec<usize>>,
    /// Places of objects, by their type and address.
    by_address: HashMap<(Str, Address), Vec<usize>>,
    /// What each attempt came to, and the object that it made.
    done: HashMap<Str, (Applied, usize)>,
}

struct Object {
    standing: Standing,
    stands: bool,
    /// The address and the value when the rehearsal began; `None` for one that was made in it.
    before: Option<(Address, Value)>,
}

impl Store {
    /// Something that was there before the rehearsal, or of which the record thinks so.
    pub(super) fn seed(&mut self, standing: Standing, stands: bool) {
        let before = stands.then(|| (standing.address.clone(), standing.value.clone()));
        self.insert(standing, stands, before);
    }

    fn insert(&mut self, standing: Standing, stands: bool, before: Option<(Address, Value)>) -> usize {
        let place = self.objects.len();
        self.index(place, &standing);
        self.objects.push(Object { standing, stands, before });
        place
    }

    fn index(&mut self, place: usize, standing: &Standing) {
        let keep = |places: &mut Vec<usize>| {
            if !places.contains(&place) {
                places.push(place);
            }
        };
        if let Some(id) = standing.value.get_str("id") {
            keep(self.by_id.entry((standing.type_name.clone(), id.into())).or_default());
        }
        keep(self.by_address.entry((standing.type_name.clone(), standing.address.clone())).or_default());
    }

    /// The object that a value is of. What nobody spoke of before is as the record last saw it.
    pub(super) fn find_or_seed(
        &mut self,
        type_name: &Str,
        address: &Address,
        value: &Value,
        private: &Private,
    ) -> Option<&Standing> {
        let place = self.place_or_seed(type_name, address, value, private);
        let object = &self.objects[place];
        object.stands.then_some(&object.standing)
    }

    fn place_or_seed(&mut self, type_name: &Str, address: &Address, value: &Value, private: &Private) -> usize {
        match self.place(type_name, address, value) {
            Some(place) => place,
            None => {
                let standing = Standing {
                    type_name: type_name.clone(),
                    address: address.clone(),
                    value: value.clone(),
                    private: private.clone(),
                };
                let before = Some((address.clone(), value.clone()));
                self.insert(standing, true, before)
            }
        }
    }

    /// Its id tells which object it is. One without an id is known by its address and, where two stand there, by its
    /// value; one that was moved by its value alone.
    fn place(&self, type_name: &Str, address: &Address, value: &Value) -> Option<usize> {
        let best = |places: &[usize]| {
            let rank = |place: &&usize| {
                let object = &self.objects[**place];
                let same_place = object.standing.address == *address;
                (same_place, object.standing.value == *value, object.stands, **place)
            };
            places.iter().max_by_key(rank).copied()
        };
        if let Some(id) = value.get_str("id") {
            return self.by_id.get(&(type_name.clone(), id.into())).and_then(|places| best(places));
        }
        let here = self.by_address.get(&(type_name.clone(), address.clone())).and_then(|places| best(places));
        here.or_else(|| {
            let same = |object: &Object| {
                object.stands && object.standing.type_name == *type_name && object.standing.value == *value
            };
            self.objects.iter().position(same)
        })
    }

    /// What the same attempt came to before.
    pub(super) fn done(&self, attempt: &Str) -> Option<Applied> {
        self.done.get(attempt).map(|(applied, _)| applied.clone())
    }

    /// What an attempt did was never done; `prior` is what stood before, null for nothing.
    pub(super) fn take_back(&mut self, attempt: &Str, prior: &Value) {
        let Some((_, place)) = self.done.remove(attempt) else { return };
        let object = &mut self.objects[place];
        object.stands = !prior.is_null();
        if object.stands {
            object.standing.value = prior.clone();
        }
    }

    /// The object that an attempt made.
    pub(super) fn made_by(&self, attempt: &Str) -> Option<&Standing> {
        let object = &self.objects[self.done.get(attempt)?.1];
        object.stands.then_some(&object.standing)
    }

    /// Makes, changes or deletes an object.
    pub(super) fn carry_out(&mut self, request: &ApplyRequest) -> Applied {
        let ApplyRequest { type_name, address, prior, planned, private, attempt, .. } = request;
        let (place, applied) = match (prior.is_null(), planned.is_null()) {
            (false, true) => {
                let place = self.place_or_seed(type_name, address, prior, private);
                self.objects[place].stands = false;
                (place, Applied::new(planned.clone()))
            }
            (is_new, _) => {
                let value = made_up(planned, prior, &attempt.0);
                let standing = Standing {
                    type_name: type_name.clone(),
                    address: address.clone(),
                    value: value.clone(),
                    private: private.clone(),
                };
                let place = if is_new {
                    self.insert(standing, true, None)
                } else {
                    let place = self.place_or_seed(type_name, address, prior, private);
                    self.index(place, &standing);
                    self.objects[place].standing = standing;
                    place
                };
                (place, Applied { private: private.clone(), ..Applied::new(value) })
            }
        };
        self.done.insert(attempt.clone().0, (applied.clone(), place));
        applied
    }

    /// The object of a type with this id.
    pub(super) fn by_id(&self, type_name: &str, id: &str) -> Option<&Standing> {
        let places = self.by_id.get(&(type_name.into(), id.into()))?;
        let place = places.iter().rev().find(|place| self.objects[**place].stands)?;
        Some(&self.objects[*place].standing)
    }

    /// Everything that stands.
    pub(super) fn standing(&self) -> impl Iterator<Item = &Standing> {
        self.objects.iter().filter(|object| object.stands).map(|object| &object.standing)
    }

    /// What is not as it was when the rehearsal began.
    pub(super) fn differences(&self) -> Vec<Difference> {
        let mut new: HashMap<(&Str, &Address), Vec<usize>> = HashMap::new();
        for (place, object) in self.objects.iter().enumerate() {
            if object.stands && object.before.is_none() {
                new.entry((&object.standing.type_name, &object.standing.address)).or_default().push(place);
            }
        }
        let mut found = Vec::new();
        let mut taken = HashSet::new();
        for object in &self.objects {
            let Some((address, value)) = &object.before else { continue };
            let fate = if object.stands {
                match differences(value, &object.standing.value) {
                    paths if paths.is_empty() => continue,
                    paths => Fate::Changed(paths),
                }
            } else {
                match new.get_mut(&(&object.standing.type_name, address)).and_then(Vec::pop) {
                    Some(place) => {
                        taken.insert(place);
                        Fate::Anew(differences(value, &self.objects[place].standing.value))
                    }
                    None => Fate::Gone,
                }
            };
            found.push(Difference { address: address.clone(), fate });
        }
        for (place, object) in self.objects.iter().enumerate() {
            if object.stands && object.before.is_none() && !taken.contains(&place) {
                found.push(Difference { address: object.standing.address.clone(), fate: Fate::Left });
            }
        }
        found.sort_by(|a, b| a.address.cmp(&b.address));
        found
    }
}
