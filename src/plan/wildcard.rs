//! Patterns in which one sign stands for any run of signs, and another for any one.

/// What the signs of a pattern mean.
pub struct Wildcards<T> {
    /// Any run, or none.
    pub run: T,
    /// Any one.
    pub one: T,
}

impl<T: PartialEq> Wildcards<T> {
    /// Whether a pattern matches the whole text; at most as many steps as the product of their lengths.
    pub fn matches(&self, pattern: &[T], text: &[T]) -> bool {
        let (mut at, mut seen) = (0, 0);
        // Where the last run stands, and how far the text has been given to it.
        let mut run: Option<(usize, usize)> = None;
        while seen < text.len() {
            match (pattern.get(at), run) {
                (Some(wanted), _) if *wanted == self.run => {
                    run = Some((at, seen));
                    at += 1;
                }
                (Some(wanted), _) if *wanted == self.one || *wanted == text[seen] => {
                    at += 1;
                    seen += 1;
                }
                (_, Some((place, given))) => {
                    run = Some((place, given + 1));
                    at = place + 1;
                    seen = given + 1;
                }
                (_, None) => return false,
            }
        }
        pattern[at..].iter().all(|rest| *rest == self.run)
    }
}
