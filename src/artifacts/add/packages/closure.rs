//! Whether a set of Debian packages has all that its packages depend on.

use std::collections::{BTreeSet, HashMap};

use super::control::Package;
use super::relation::{Alternatives, Relation};
use super::unfit;
use crate::artifacts::error::StoreError;

/// What the hosts have already, as far as the person says who adds the set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// By name; the version where it is known. Without one, any version is taken to be there.
    packages: Vec<(String, Option<String>)>,
}

/// What was found of the dependencies of a closed set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closure {
    pub packages: usize,
    /// What the hosts have to have: names of those that were declared and that something needs.
    pub needed_of_host: BTreeSet<String>,
}

impl Host {
    /// `NAME` or `NAME=VERSION`.
    pub fn provides(&mut self, text: &str) {
        let (name, version) = text.split_once('=').map_or((text, None), |(name, version)| (name, Some(version)));
        self.add(name, version);
    }

    /// A line for each package, with the version behind a space, if at all: as `dpkg-query -W` prints it.
    pub fn provides_listed(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            if let Some(name) = words.next() {
                self.add(name, words.next());
            }
        }
    }

    fn add(&mut self, name: &str, version: Option<&str>) {
        let name = name.split(':').next().unwrap_or_default();
        self.packages.push((name.trim().into(), version.map(|version| version.trim().into())));
    }
}

/// Checks that every dependency is met, and tells what the hosts have to have for that.
pub(super) fn check(packages: &[Package], host: &Host) -> Result<Closure, StoreError> {
    same_once(packages)?;
    let here = Offers::of(packages);
    let hosts = host.packages.iter().fold(HashMap::<&str, Vec<_>>::new(), |mut hosts, (name, version)| {
        hosts.entry(name).or_default().push(version.as_deref());
        hosts
    });
    let mut closure = Closure { packages: packages.len(), ..Closure::default() };
    let mut missing = Vec::new();
    for package in packages {
        for wanted in &package.depends {
            if wanted.iter().any(|relation| here.meets(relation)) {
                continue;
            }
            let on_host = |relation: &&Relation| {
                let versions = hosts.get(relation.name.as_str()).map_or(&[][..], Vec::as_slice);
                versions.iter().any(|version| version.is_none() || relation.is_met(&relation.name, *version))
            };
            match wanted.iter().find(on_host) {
                Some(relation) => drop(closure.needed_of_host.insert(relation.name.clone())),
                None => missing.push(format!("`{}` needs {}", package.name, shown(wanted))),
            }
        }
    }
    missing.sort();
    missing.dedup();
    if missing.is_empty() { Ok(closure) } else { Err(StoreError::OpenClosure { missing }) }
}

fn shown(wanted: &Alternatives) -> String {
    wanted.iter().map(|relation| format!("`{relation}`")).collect::<Vec<_>>().join(" or ")
}

/// What packages offer: each its own name and version, and what it provides.
struct Offers<'p>(HashMap<&'p str, Vec<Option<&'p str>>>);

impl<'p> Offers<'p> {
    fn of(packages: &'p [Package]) -> Self {
        let mut offers: HashMap<&str, Vec<Option<&str>>> = HashMap::new();
        for package in packages {
            offers.entry(&package.name).or_default().push(Some(&package.version));
            for provided in &package.provides {
                offers.entry(&provided.name).or_default().push(provided.version.as_deref());
            }
        }
        Self(offers)
    }

    fn meets(&self, relation: &Relation) -> bool {
        let versions = self.0.get(relation.name.as_str()).map_or(&[][..], Vec::as_slice);
        versions.iter().any(|version| relation.is_met(&relation.name, *version))
    }
}

/// A set is for one kind of host, and has one version of everything.
fn same_once(packages: &[Package]) -> Result<(), StoreError> {
    let mut seen: HashMap<&str, &Package> = HashMap::new();
    let mut architecture: Option<&Package> = None;
    for package in packages {
        if let Some(other) = seen.insert(&package.name, package) {
            let problem = format!("`{}` is version {} of the same package", other.path.display(), other.version);
            return Err(unfit(&package.path, problem));
        }
        if package.architecture == "all" {
            continue;
        }
        match architecture.filter(|other| other.architecture != package.architecture) {
            Some(other) => {
                let problem = format!(
                    "it is for `{}`, and `{}` is for `{}`",
                    package.architecture,
                    other.path.display(),
                    other.architecture
                );
                return Err(unfit(&package.path, problem));
            }
            None => architecture = Some(package),
        }
    }
    Ok(())
}
