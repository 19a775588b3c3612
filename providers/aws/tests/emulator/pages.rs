//! TEST CODE: cuts a list of EC2's into pages.

/// One page of an answer: `size` items from `first` on, and a token where more follow. `None` where the answer has no
/// list of items.
pub(crate) fn page(answer: &str, first: usize, size: usize) -> Option<String> {
    let begin = answer.find("<item>")?;
    let mut items = Vec::new();
    let mut at = begin;
    while answer[at..].trim_start().starts_with("<item>") {
        at += answer[at..].len() - answer[at..].trim_start().len();
        let end = at + end_of_item(&answer[at..])?;
        items.push(&answer[at..end]);
        at = end;
    }
    let last = first.saturating_add(size).min(items.len());
    let token = if last < items.len() { format!("<nextToken>{last}</nextToken>") } else { String::new() };
    let shown = items.get(first..last).unwrap_or_default().concat();
    // The list's own end tag follows the items; the token comes after it.
    let close = at + answer[at..].find('>')? + 1;
    Some(format!("{}{shown}{}{token}{}", &answer[..begin], &answer[at..close], &answer[close..]))
}

/// How many bytes the item at the start takes, with those within it.
fn end_of_item(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        let tag = at + text[at..].find('<')?;
        let end = tag + text[tag..].find('>')? + 1;
        match &text[tag..end] {
            "<item>" => depth += 1,
            "</item>" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(end);
        }
        at = end;
    }
}

#[test]
fn pages_hold_each_item_once() {
    let answer = "<R><id>1</id><aSet><item><b><item>x</item></b></item> <item>2</item>\n<item>3</item></aSet></R>";
    let first = page(answer, 0, 2).expect("a list");
    assert_eq!(
        first,
        "<R><id>1</id><aSet><item><b><item>x</item></b></item><item>2</item></aSet><nextToken>2</nextToken></R>"
    );
    assert_eq!(page(answer, 2, 2).expect("a list"), "<R><id>1</id><aSet><item>3</item></aSet></R>");
    assert_eq!(page("<R><aSet/></R>", 0, 2), None);
}
