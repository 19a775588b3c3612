//! Versions of providers, and what a blueprint asks of them.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// A version by Semantic Versioning 2.0.0. Ordered by precedence, then by build metadata.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(semver::Version);

/// A text is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version: it must be MAJOR.MINOR.PATCH, such as `2.1.0`")]
pub struct ParseVersionError(String);

impl Version {
    /// Whether it comes before a release, as `1.2.0-beta1` does.
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }
}

impl FromStr for Version {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, ParseVersionError> {
        semver::Version::parse(text).map(Self).map_err(|_| ParseVersionError(text.to_owned()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What versions may be selected: all of its terms must hold. Without a term any release may.
///
/// `Display` writes the form that lock files need: sorted, with all parts of a version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Constraints(BTreeSet<Term>);

/// A text is no version constraint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version constraint: write one such as `~> 2.1` or `>= 1.0, < 2.0`")]
pub struct ParseConstraintsError(String);

impl Constraints {
    /// Whether the version may be selected. One before a release may only where a term names exactly it.
    pub fn allows(&self, version: &Version) -> bool {
        let named = || self.0.iter().any(|term| term.operator == Operator::Equal);
        self.0.iter().all(|term| term.allows(version)) && (!version.is_prerelease() || named())
    }

    /// What both ask for.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().cloned());
        self
    }

    /// Whether there is no term.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Constraints {
    type Err = ParseConstraintsError;

    fn from_str(text: &str) -> Result<Self, ParseConstraintsError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',')
            .map(Term::parse)
            .collect::<Option<_>>()
            .map(Self)
            .ok_or_else(|| ParseConstraintsError(text.into()))
    }
}

impl fmt::Display for Constraints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, term) in self.0.iter().enumerate() {
            write!(f, "{}{term}", if position == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// In the order in which lock files write those of one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Operator {
    Greater,
    AtLeast,
    Equal,
    /// `~> 1.2.3`: not 1.3.0.
    SameMinor,
    /// `~> 1.2`: not 2.0.0.
    SameMajor,
    AtMost,
    Less,
    Not,
}

const SYMBOLS: [(&str, Operator); 7] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("!=", Operator::Not),
    ("~>", Operator::SameMajor),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("=", Operator::Equal),
];

/// An operator and a version, ordered by the version first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Term {
    operator: Operator,
    version: Version,
}

impl Ord for Term {
    fn cmp(&self, other: &Self) -> Ordering {
        self.version.cmp(&other.version).then(self.operator.cmp(&other.operator))
    }
}

impl PartialOrd for Term {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Term {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let symbol = SYMBOLS.iter().find_map(|(symbol, operator)| Some((text.strip_prefix(symbol)?, *operator)));
        let (version, operator) = symbol.unwrap_or((text, Operator::Equal));
        let version = version.trim_start();
        let (numbers, rest) = version.split_at(version.find(['-', '+']).unwrap_or(version.len()));
        let parts = numbers.split('.').count();
        // A prerelease or metadata belongs to a version that is written out.
        if !rest.is_empty() && parts != 3 {
            return None;
        }
        let missing = [".0.0", ".0", ""].get(parts - 1)?;
        let version = format!("{numbers}{missing}{rest}").parse().ok()?;
        let operator = if operator == Operator::SameMajor && parts == 3 { Operator::SameMinor } else { operator };
        Some(Self { operator, version })
    }

    fn allows(&self, version: &Version) -> bool {
        let ordering = version.0.cmp_precedence(&self.version.0);
        let (wanted, have) = (&self.version.0, &version.0);
        match self.operator {
            Operator::Equal => ordering == Ordering::Equal,
            Operator::Not => ordering != Ordering::Equal,
            Operator::Greater => ordering == Ordering::Greater,
            Operator::AtLeast => ordering != Ordering::Less,
            Operator::Less => ordering == Ordering::Less,
            Operator::AtMost => ordering != Ordering::Greater,
            Operator::SameMajor => ordering != Ordering::Less && have.major == wanted.major,
            Operator::SameMinor => {
                ordering != Ordering::Less && (have.major, have.minor) == (wanted.major, wanted.minor)
            }
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = &self.version;
        match self.operator {
            Operator::Equal => write!(f, "{version}"),
            Operator::Not => write!(f, "!= {version}"),
            Operator::Greater => write!(f, "> {version}"),
            Operator::AtLeast => write!(f, ">= {version}"),
            Operator::Less => write!(f, "< {version}"),
            Operator::AtMost => write!(f, "<= {version}"),
            Operator::SameMinor => write!(f, "~> {version}"),
            Operator::SameMajor => write!(f, "~> {}.{}", version.0.major, version.0.minor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(constraints: &str, versions: &[&str]) -> Vec<String> {
        let constraints: Constraints = constraints.parse().unwrap();
        let versions = versions.iter().map(|text| text.parse::<Version>().unwrap());
        versions.filter(|version| constraints.allows(version)).map(|version| version.to_string()).collect()
    }

    #[test]
    fn the_last_written_part_may_grow() {
        let versions = ["1.1.9", "1.2.0", "1.2.3", "1.3.0", "1.10.0", "2.0.0"];
        assert_eq!(allowed("~> 1.2", &versions), ["1.2.0", "1.2.3", "1.3.0", "1.10.0"]);
        assert_eq!(allowed("~> 1.2.1", &versions), ["1.2.3"]);
        assert_eq!(allowed("~> 1", &versions), ["1.1.9", "1.2.0", "1.2.3", "1.3.0", "1.10.0"]);
    }

    #[test]
    fn all_terms_must_hold() {
        let versions = ["0.9.0", "1.0.0", "1.5.0", "2.0.0"];
        assert_eq!(allowed(">= 1.0, < 2, != 1.5.0", &versions), ["1.0.0"]);
        assert_eq!(allowed("> 1, <= 2.0", &versions), ["1.5.0", "2.0.0"]);
        assert_eq!(allowed("=1.5", &versions), ["1.5.0"]);
        assert_eq!(allowed("", &versions), versions);
    }

    #[test]
    fn what_comes_before_a_release_must_be_named() {
        let versions = ["1.0.0-beta1", "1.0.0-beta2", "1.0.0"];
        assert_eq!(allowed(">= 0.9.0", &versions), ["1.0.0"]);
        assert_eq!(allowed("~> 1.0.0-beta1", &versions), ["1.0.0"]);
        assert_eq!(allowed("1.0.0-beta2", &versions), ["1.0.0-beta2"]);
        assert_eq!(allowed("1.0.0-beta2, >= 0.9", &versions), ["1.0.0-beta2"]);
    }

    #[test]
    fn constraints_are_written_as_lock_files_need_them() {
        let written = |text: &str| text.parse::<Constraints>().map(|constraints| constraints.to_string());
        assert_eq!(written("<3,>=2.0, >= 2.0.0,~>2.1").as_deref(), Ok(">= 2.0.0, ~> 2.1, < 3.0.0"));
        assert_eq!(written("= 2.1.2").as_deref(), Ok("2.1.2"));
        assert_eq!(written("~> 2.1.0, ~> 2").as_deref(), Ok("~> 2.0, ~> 2.1.0"));
        assert_eq!(written("  ").as_deref(), Ok(""));
    }

    #[test]
    fn what_is_no_constraint_is_refused() {
        for text in ["latest", ">=", "1.2.3.4", "~> 1.x", "1.2-beta", "=> 1", ">= 1,", "== 1.0.0", "v1.2.3"] {
            assert!(text.parse::<Constraints>().is_err(), "`{text}` was taken");
        }
    }
}
