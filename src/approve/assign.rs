//! Gives people to requirements so that as many as possible are filled.

/// So many of these people.
#[derive(Debug)]
pub(super) struct Wanted {
    pub count: usize,
    /// Places of those who can fill it.
    pub able: Vec<usize>,
}

/// For each requirement the people who fill it. Nobody fills two, unless `overlap` says so.
///
/// Each place of a requirement takes somebody who is free, or whose own place another can take: the augmenting
/// paths of a bipartite matching, with as many steps at most as places times people.
pub(super) fn assign(wanted: &[Wanted], overlap: bool) -> Vec<Vec<usize>> {
    if overlap {
        return wanted.iter().map(|wanted| wanted.able.iter().copied().take(wanted.count).collect()).collect();
    }
    let slots: Vec<usize> =
        wanted.iter().enumerate().flat_map(|(place, wanted)| std::iter::repeat_n(place, wanted.count)).collect();
    let people = wanted.iter().flat_map(|wanted| &wanted.able).max().map_or(0, |last| last + 1);
    let mut taken: Vec<Option<usize>> = vec![None; people];
    for slot in 0..slots.len() {
        place(slot, &slots, wanted, &mut taken, &mut vec![false; people]);
    }
    let mut given = vec![Vec::new(); wanted.len()];
    for (person, slot) in taken.into_iter().enumerate() {
        if let Some(slot) = slot {
            given[slots[slot]].push(person);
        }
    }
    given
}

/// Finds somebody for a slot. Each call asks somebody who was not asked before, so it goes no deeper than there
/// are people.
fn place(slot: usize, slots: &[usize], wanted: &[Wanted], taken: &mut [Option<usize>], asked: &mut [bool]) -> bool {
    for &person in &wanted[slots[slot]].able {
        if std::mem::replace(&mut asked[person], true) {
            continue;
        }
        let is_free = match taken[person] {
            None => true,
            Some(other) => place(other, slots, wanted, taken, asked),
        };
        if is_free {
            taken[person] = Some(slot);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(all: &[(usize, &[usize])]) -> Vec<Wanted> {
        all.iter().map(|(count, able)| Wanted { count: *count, able: able.to_vec() }).collect()
    }

    #[test]
    fn nobody_fills_two_requirements_unless_the_rules_say_so() {
        let both = wanted(&[(1, &[0]), (1, &[0])]);
        assert_eq!(assign(&both, false), [vec![0], vec![]]);
        assert_eq!(assign(&both, true), [vec![0], vec![0]]);
    }

    #[test]
    fn somebody_who_fits_everywhere_stands_where_nobody_else_can() {
        let all = wanted(&[(2, &[0, 1, 2]), (1, &[0])]);
        assert_eq!(assign(&all, false), [vec![1, 2], vec![0]]);
    }
}
