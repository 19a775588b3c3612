//! Which elements of a list or a set stay, go, come or change.

use std::collections::BTreeMap;

use formwork_contract::Value;
use similar::{Algorithm, DiffOp, capture_diff_slices};

/// One element's fate; indices point into the elements before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Same(usize),
    Changed(usize, usize),
    Removed(usize),
    Added(usize),
}

/// Above this number of elements that differ, lists are compared place by place: the search for the
/// shortest difference would take too long for a person to wait.
const SEARCHED: usize = 5_000;

/// Elements of a list, whose order matters.
pub fn of_list(before: &[Value], after: &[Value]) -> Vec<Fate> {
    let prefix = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let (left, right) = (&before[prefix..], &after[prefix..]);
    let suffix = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
    let (left, right) = (&left[..left.len() - suffix], &right[..right.len() - suffix]);
    let mut fates: Vec<Fate> = (0..prefix).map(Fate::Same).collect();
    if left.len().max(right.len()) > SEARCHED {
        pair(&mut fates, before, after, prefix..prefix + left.len(), prefix..prefix + right.len());
    } else {
        let (old_numbers, new_numbers) = numbered(left, right);
        for op in capture_diff_slices(Algorithm::Myers, &old_numbers, &new_numbers) {
            let old = op.old_range().start + prefix..op.old_range().end + prefix;
            let new = op.new_range().start + prefix..op.new_range().end + prefix;
            match op {
                DiffOp::Equal { .. } => fates.extend(old.map(Fate::Same)),
                _ => pair(&mut fates, before, after, old, new),
            }
        }
    }
    fates.extend((before.len() - suffix..before.len()).map(Fate::Same));
    fates
}

/// Elements of a set, which are sorted and have no place.
pub fn of_set(before: &[Value], after: &[Value]) -> Vec<Fate> {
    let mut fates = Vec::new();
    let (mut old, mut new) = (0, 0);
    while old < before.len() || new < after.len() {
        let order = match (before.get(old), after.get(new)) {
            (Some(a), Some(b)) => a.total_cmp(b),
            (Some(_), None) => std::cmp::Ordering::Less,
            _ => std::cmp::Ordering::Greater,
        };
        fates.push(match order {
            std::cmp::Ordering::Equal => Fate::Same(old),
            std::cmp::Ordering::Less => Fate::Removed(old),
            std::cmp::Ordering::Greater => Fate::Added(new),
        });
        old += usize::from(order.is_le());
        new += usize::from(order.is_ge());
    }
    let mut moved = fates.iter().enumerate().filter(|(_, fate)| !matches!(fate, Fate::Same(_)));
    if let (Some((first, a)), Some((second, b)), None) = (moved.next(), moved.next(), moved.next())
        && let (Fate::Removed(old), Fate::Added(new)) | (Fate::Added(new), Fate::Removed(old)) = (*a, *b)
        && is_comparable(&before[old], &after[new])
    {
        fates[first] = Fate::Changed(old, new);
        fates.remove(second);
    }
    fates
}

/// What was replaced by what: those with parts are compared one with one, others go and come.
fn pair(
    fates: &mut Vec<Fate>,
    before: &[Value],
    after: &[Value],
    mut old: std::ops::Range<usize>,
    mut new: std::ops::Range<usize>,
) {
    let mut added = Vec::new();
    while let (Some(a), Some(b)) = (old.clone().next(), new.clone().next()) {
        if before[a] == after[b] {
            fates.push(Fate::Same(a));
        } else if is_comparable(&before[a], &after[b]) {
            fates.push(Fate::Changed(a, b));
        } else {
            fates.push(Fate::Removed(a));
            added.push(Fate::Added(b));
        }
        old.next();
        new.next();
    }
    fates.extend(old.map(Fate::Removed));
    fates.append(&mut added);
    fates.extend(new.map(Fate::Added));
}

fn is_comparable(before: &Value, after: &Value) -> bool {
    (before.entries().is_some() && after.entries().is_some())
        || (before.elements().is_some() && after.elements().is_some())
}

/// A number for each different value, so that comparing two costs nothing.
fn numbered(before: &[Value], after: &[Value]) -> (Vec<usize>, Vec<usize>) {
    let mut numbers = BTreeMap::new();
    let mut number = |value: &Value| {
        let next = numbers.len();
        // The marks belong to it: an element that becomes sensitive has changed.
        *numbers.entry((Ordered(value.clone()), value.deep_marks().sensitive)).or_insert(next)
    };
    (before.iter().map(&mut number).collect(), after.iter().map(&mut number).collect())
}

struct Ordered(Value);

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(items: &[i64]) -> Vec<Value> {
        items.iter().map(|item| Value::from(*item)).collect()
    }

    #[test]
    fn a_list_keeps_what_stays_in_order() {
        let fates = of_list(&values(&[1, 2, 3, 4]), &values(&[1, 3, 5, 4]));
        assert_eq!(fates, [Fate::Same(0), Fate::Removed(1), Fate::Same(2), Fate::Added(2), Fate::Same(3)]);
    }

    #[test]
    fn an_object_in_place_of_another_has_changed() {
        let object = |size: i64| Value::object([("size", Value::from(size))]);
        assert_eq!(of_list(&[object(1)], &[object(2)]), [Fate::Changed(0, 0)]);
        assert_eq!(of_set(&[object(1), object(3)], &[object(2), object(3)]), [Fate::Changed(0, 0), Fate::Same(1)]);
    }

    proptest! {
        #[test]
        fn the_fates_lead_from_before_to_after(
            before in prop::collection::vec(0i64..5, 0..20),
            after in prop::collection::vec(0i64..5, 0..20),
        ) {
            let (before, after) = (values(&before), values(&after));
            let fates = of_list(&before, &after);
            let rebuilt: Vec<&Value> = fates.iter().filter_map(|fate| match fate {
                Fate::Same(old) => Some(&before[*old]),
                Fate::Changed(_, new) | Fate::Added(new) => Some(&after[*new]),
                Fate::Removed(_) => None,
            }).collect();
            prop_assert_eq!(rebuilt, after.iter().collect::<Vec<_>>());
            let gone = fates.iter().filter(|fate| !matches!(fate, Fate::Added(_))).count();
            prop_assert_eq!(gone, before.len());
        }
    }
}
