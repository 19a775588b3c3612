//! `.terraform.lock.hcl`: which version of each provider was selected, and what its packages look like.
//!
//! The layout is Terraform's, so that either tool reads what the other wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::io;
use std::path::Path;

use formwork_contract::Diagnostic;
use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body, Structure};

use super::{Constraints, PackageHash, SourceAddress, Version, atomic};

/// The name of the file, beside the blueprint.
pub const LOCK_FILE: &str = ".terraform.lock.hcl";

const HEADER: &str = "\
# Kept by `formwork providers lock`, and read by `terraform init` as well.
# Keep this file in version control.
";

/// Selected providers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockFile {
    providers: BTreeMap<SourceAddress, Locked>,
}

/// What is selected of one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    pub version: Version,
    /// What was asked for when it was selected.
    pub constraints: Constraints,
    /// Of packages for any platform. Without any, every package is accepted.
    pub hashes: BTreeSet<PackageHash>,
}

impl LockFile {
    /// Reads the lock file of a blueprint's folder; an empty one where there is none.
    ///
    /// # Errors
    /// It cannot be read, or does not say what a lock file has to say.
    pub fn read(folder: &Path) -> Result<Self, Box<Diagnostic>> {
        match std::fs::read_to_string(folder.join(LOCK_FILE)) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Box::new(Diagnostic::error(format!("`{LOCK_FILE}` cannot be read: {error}")))),
        }
    }

    /// Reads the text of a lock file.
    ///
    /// # Errors
    /// It does not say what a lock file has to say.
    pub fn parse(text: &str) -> Result<Self, Box<Diagnostic>> {
        let body = hcl_edit::parser::parse_body(text).map_err(|error| {
            let line = error.location().line();
            Box::new(wrong(&format!("line {line}: {}", error.message())))
        })?;
        let mut lock = Self::default();
        for structure in &body {
            if let Structure::Block(block) = structure
                && block.ident.as_str() == "provider"
            {
                let place = || format!("line {}", line(text, block.span().map_or(0, |span| span.start)));
                let (address, locked) = entry(block).map_err(|why| Box::new(wrong(&format!("{}: {why}", place()))))?;
                if lock.providers.insert(address.clone(), locked).is_some() {
                    return Err(Box::new(wrong(&format!("{}: `{address}` stands twice", place()))));
                }
            }
        }
        Ok(lock)
    }

    /// Writes it into a blueprint's folder, all at once.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), Box<Diagnostic>> {
        atomic::write(&folder.join(LOCK_FILE), self.to_string().as_bytes())
            .map_err(|error| Box::new(Diagnostic::error(format!("`{LOCK_FILE}` cannot be written: {error}"))))
    }

    pub fn get(&self, address: &SourceAddress) -> Option<&Locked> {
        self.providers.get(address)
    }

    /// Replaces what is selected of one provider.
    pub fn insert(&mut self, address: SourceAddress, locked: Locked) {
        self.providers.insert(address, locked);
    }

    /// Drops all providers but those that are kept.
    pub fn retain(&mut self, mut keep: impl FnMut(&SourceAddress) -> bool) {
        self.providers.retain(|address, _| keep(address));
    }

    /// By address.
    pub fn iter(&self) -> impl Iterator<Item = (&SourceAddress, &Locked)> {
        self.providers.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.providers.is_empty()
    }
}

impl fmt::Display for LockFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        for (address, locked) in &self.providers {
            write!(f, "\nprovider \"{address}\" {{\n{locked}}}\n")?;
        }
        Ok(())
    }
}

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.constraints.is_empty() {
            writeln!(f, "  version = \"{}\"", self.version)?;
        } else {
            writeln!(f, "  version     = \"{}\"\n  constraints = \"{}\"", self.version, self.constraints)?;
        }
        if self.hashes.is_empty() {
            return Ok(());
        }
        let lines = self.hashes.iter().fold(String::new(), |mut lines, hash| {
            let _ = writeln!(lines, "    \"{hash}\",");
            lines
        });
        write!(f, "  hashes = [\n{lines}  ]\n")
    }
}

fn wrong(why: &str) -> Diagnostic {
    Diagnostic::error(format!("`{LOCK_FILE}` is not a lock file as it should be: {why}"))
        .hint("restore it from version control, or delete it and run `formwork providers lock`")
}

fn line(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

fn entry(block: &Block) -> Result<(SourceAddress, Locked), String> {
    let [label] = block.labels.as_slice() else { return Err("a provider has one label: its address".into()) };
    let address = label.as_str().parse().map_err(|error| format!("`{}` is no address: {error}", label.as_str()))?;
    let text = |name: &str| attribute(&block.body, name).map(|value| string(name, value)).transpose();
    let version = text("version")?.ok_or_else(|| format!("`{address}` has no version"))?;
    let version = version.parse().map_err(|error: super::ParseVersionError| error.to_string())?;
    let constraints = text("constraints")?.unwrap_or_default();
    let constraints = constraints.parse().map_err(|error: super::ParseConstraintsError| error.to_string())?;
    let hashes = match attribute(&block.body, "hashes") {
        Some(Expression::Array(items)) => items.iter().map(hash).collect::<Result<_, _>>()?,
        Some(_) => return Err("`hashes` must be a list".into()),
        None => BTreeSet::new(),
    };
    Ok((address, Locked { version, constraints, hashes }))
}

fn attribute<'b>(body: &'b Body, name: &str) -> Option<&'b Expression> {
    body.get_attribute(name).map(|attribute| &attribute.value)
}

fn string<'e>(name: &str, value: &'e Expression) -> Result<&'e str, String> {
    value.as_str().ok_or_else(|| format!("`{name}` must be a quoted string"))
}

fn hash(item: &Expression) -> Result<PackageHash, String> {
    string("hashes", item)?.parse().map_err(|error: super::ParseHashError| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.terraform.io/hashicorp/null" {
  version     = "2.1.2"
  constraints = "~> 2.1"
  hashes = [
    "h1:CFnENdqQu4g3LJNevA32aDxcUz2qGkRGQpFfkI8TCdE=",
    "zh:0cc7236c1fbf971b8bad1540a7d0c5ac4579248239fd1034c023b0b660a8d1d7",
  ]
}

provider "example.com/a/b" {
  version = "1.0.0-beta1"
}
"#;

    #[test]
    fn what_terraform_wrote_is_read_and_written_again() {
        let lock = LockFile::parse(TEXT).unwrap();
        let null = lock.get(&"hashicorp/null".parse().unwrap()).unwrap();
        assert_eq!((null.version.to_string(), null.hashes.len()), ("2.1.2".into(), 2));
        let written = lock.to_string();
        assert_eq!(LockFile::parse(&written).unwrap(), lock);
        let (null, other) = TEXT[TEXT.find("provider").unwrap()..].split_once("\n\n").unwrap();
        assert!(written.ends_with(&format!("\n{other}\n{null}\n")), "{written}");
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        let said = |text: &str| LockFile::parse(text).unwrap_err().to_string();
        assert!(said("provider \"a/b\" {\n  version = \n}").contains("line 2"));
        assert!(said("\nprovider \"a/b\" {}").contains("line 2: `registry.terraform.io/a/b` has no version"));
        assert!(said("provider \"a/b\" {\n version = \"new\"\n}").contains("`new` is not a version"));
        assert!(said("provider \"a/b\" {\n version = \"1.0.0\"\n hashes = [1]\n}").contains("quoted string"));
        let twice = "provider \"a/b\" {\n version = \"1.0.0\"\n}\n".repeat(2);
        assert!(said(&twice).contains("line 4: `registry.terraform.io/a/b` stands twice"));
    }
}
