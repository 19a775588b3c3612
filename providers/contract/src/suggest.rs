//! The name that someone most likely meant.

/// The candidate closest to `name`, where one is close enough to be a slip: at most a third of its
/// letters differ. A letter exchanged with its neighbour counts as one difference, and case does not count.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    let limit = (wanted.len() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != name)
        .filter_map(|candidate| {
            let letters: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
            let distance = distance(&wanted, &letters, limit)?;
            Some((distance, candidate))
        })
        .min_by(|(a, a_name), (b, b_name)| a.cmp(b).then_with(|| a_name.cmp(b_name)))
        .map(|(_, candidate)| candidate)
}

/// The edits that lead from `a` to `b`, or `None` for more than `limit`.
fn distance(a: &[char], b: &[char], limit: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > limit || a.is_empty() || b.is_empty() {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut current = vec![i];
        for j in 1..=b.len() {
            let replaced = previous[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(previous[j] + 1).min(current[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            current.push(least);
        }
        before = previous;
        previous = current;
    }
    Some(previous[b.len()]).filter(|edits| *edits <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised() {
        let names = ["cidr_block", "tags", "name", "vpc_id"];
        for (slip, meant) in [("cidr_blok", "cidr_block"), ("nmae", "name"), ("tag", "tags"), ("VPC_ID", "vpc_id")] {
            assert_eq!(nearest(slip, names), Some(meant), "{slip}");
        }
    }

    #[test]
    fn what_is_far_is_not_suggested() {
        assert_eq!(nearest("region", ["cidr_block", "tags"]), None);
        assert_eq!(nearest("", ["a"]), None);
        assert_eq!(nearest("a", []), None);
    }

    #[test]
    fn the_closest_wins_and_ties_go_by_name() {
        assert_eq!(nearest("subnet_ids", ["subnet_id", "subnet_idx"]), Some("subnet_id"));
        assert_eq!(nearest("web", ["wec", "wea"]), Some("wea"));
    }
}
