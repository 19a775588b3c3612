//! What a Debian package depends on, and what it provides.
//!
//! Source: Debian Policy Manual, sections 7.1 and 7.5.

use std::cmp::Ordering;
use std::fmt;

use super::version::compare;

/// One of these is enough: `a (>= 1) | b`.
pub(super) type Alternatives = Vec<Relation>;

/// `name (>= version)`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Relation {
    pub name: String,
    pub bound: Option<(Operator, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Earlier,
    AtMost,
    Equal,
    AtLeast,
    Later,
}

/// `name`, or `name (= version)`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Provided {
    pub name: String,
    pub version: Option<String>,
}

impl Relation {
    /// Whether a package or what it provides is what is needed. What is provided without a version meets only what
    /// asks for none.
    pub(super) fn is_met(&self, name: &str, version: Option<&str>) -> bool {
        let Some((operator, wanted)) = &self.bound else { return self.name == name };
        let Some(version) = version.filter(|_| self.name == name) else { return false };
        let order = compare(version, wanted);
        match operator {
            Operator::Earlier => order == Ordering::Less,
            Operator::AtMost => order != Ordering::Greater,
            Operator::Equal => order == Ordering::Equal,
            Operator::AtLeast => order != Ordering::Less,
            Operator::Later => order == Ordering::Greater,
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        let Some((operator, version)) = &self.bound else { return Ok(()) };
        let operator = match operator {
            Operator::Earlier => "<<",
            Operator::AtMost => "<=",
            Operator::Equal => "=",
            Operator::AtLeast => ">=",
            Operator::Later => ">>",
        };
        write!(f, " ({operator} {version})")
    }
}

/// A list as it stands in `Depends`.
pub(super) fn parse(text: &str) -> Result<Vec<Alternatives>, String> {
    let groups = text.split(',').map(str::trim).filter(|group| !group.is_empty());
    groups.map(|group| group.split('|').map(relation).collect()).collect()
}

/// A list as it stands in `Provides`.
pub(super) fn provided(text: &str) -> Result<Vec<Provided>, String> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    entries
        .map(|entry| {
            let Relation { name, bound } = relation(entry)?;
            Ok(Provided { name, version: bound.map(|(_, version)| version) })
        })
        .collect()
}

fn relation(text: &str) -> Result<Relation, String> {
    let unclear = || format!("`{}` is no dependency", text.trim());
    let (name, bound) = match text.split_once('(') {
        Some((name, rest)) => (name, Some(rest.split_once(')').ok_or_else(unclear)?.0)),
        None => (text, None),
    };
    // What follows in brackets is for sources; after the colon stands an architecture.
    let name = name.split(['[', '<', ':']).next().unwrap_or_default().trim();
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err(unclear());
    }
    let bound = bound.map(|bound| bounded(bound.trim()).ok_or_else(unclear)).transpose()?;
    Ok(Relation { name: name.into(), bound })
}

fn bounded(text: &str) -> Option<(Operator, String)> {
    let known = [
        ("<<", Operator::Earlier),
        ("<=", Operator::AtMost),
        (">=", Operator::AtLeast),
        (">>", Operator::Later),
        ("=", Operator::Equal),
        // As they were once written, and are still understood.
        ("<", Operator::AtMost),
        (">", Operator::AtLeast),
    ];
    known.iter().find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?.trim().to_owned())))
}
