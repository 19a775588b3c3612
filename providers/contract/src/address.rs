//! Addresses such as `module.a["x"].aws_vpc.main[0]`, printed and parsed.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::Str;

/// What an instance of a resource, a data source or an ephemeral resource is called within a blueprint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    pub module: ModulePath,
    pub mode: Mode,
    pub type_name: Str,
    pub name: Str,
    pub key: InstanceKey,
}

/// Whether Formwork owns the object, only reads it, or opens it for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    Data,
    Managed,
    /// Never recorded.
    Ephemeral,
}

/// The calls that lead from the root module to a module instance; empty for the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModulePath(Option<Arc<[ModuleStep]>>);

/// One call of a module or a component.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleStep {
    /// The kind of a component; `None` for an ordinary module.
    pub component: Option<Str>,
    pub name: Str,
    pub key: InstanceKey,
}

/// Which of several instances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InstanceKey {
    /// The only one: neither `count` nor `for_each`.
    #[default]
    None,
    /// By `count`.
    Index(u64),
    /// By `for_each`.
    Key(Str),
}

impl Address {
    /// A managed resource of the root module without `count` or `for_each`.
    pub fn managed(type_name: impl Into<Str>, name: impl Into<Str>) -> Self {
        Self {
            module: ModulePath::root(),
            mode: Mode::Managed,
            type_name: type_name.into(),
            name: name.into(),
            key: InstanceKey::None,
        }
    }

    /// The address without its instance key and without those of its modules: what stands in the blueprint.
    #[must_use]
    pub fn config(&self) -> Self {
        Self { module: self.module.config(), key: InstanceKey::None, ..self.clone() }
    }

    /// Every name by which a dependency may speak of it: the address with and without its instance key, and the
    /// module instances that it stands in, the outermost first.
    pub fn names(&self) -> Vec<String> {
        let mut names = vec![self.to_string()];
        if self.key != InstanceKey::None {
            names.push(Self { key: InstanceKey::None, ..self.clone() }.to_string());
        }
        let steps = self.module.steps();
        let modules = (1..=steps.len()).map(|length| steps[..length].iter().cloned().collect::<ModulePath>());
        names.extend(modules.map(|module| module.to_string()));
        names
    }

    /// `aws_vpc.main`, `data.aws_ami.base`: without module and instance key.
    pub fn local_name(&self) -> String {
        format!("{}{}.{}", self.mode.prefix(), self.type_name, self.name)
    }
}

impl Mode {
    /// What an address of this mode begins with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Managed => "",
            Self::Data => "data.",
            Self::Ephemeral => "ephemeral.",
        }
    }

    /// The keyword of the block that declares one.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Managed => "resource",
            Self::Data => "data",
            Self::Ephemeral => "ephemeral",
        }
    }

    /// What people call one.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Managed => "resource",
            Self::Data => "data source",
            Self::Ephemeral => "ephemeral resource",
        }
    }
}

impl ModulePath {
    pub fn root() -> Self {
        Self(None)
    }

    pub fn is_root(&self) -> bool {
        self.0.is_none()
    }

    /// The path without instance keys: the calls as they stand in the blueprint.
    #[must_use]
    pub fn config(&self) -> Self {
        self.steps().iter().cloned().map(|step| ModuleStep { key: InstanceKey::None, ..step }).collect()
    }

    /// From the root inwards.
    pub fn steps(&self) -> &[ModuleStep] {
        self.0.as_deref().unwrap_or_default()
    }

    #[must_use]
    pub fn join(&self, step: ModuleStep) -> Self {
        self.steps().iter().cloned().chain([step]).collect()
    }

    /// The calling module; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, outer) = self.steps().split_last()?;
        Some(outer.iter().cloned().collect())
    }

    /// Whether this path is `outer` or leads into it.
    pub fn is_within(&self, outer: &ModulePath) -> bool {
        self.steps().starts_with(outer.steps())
    }
}

impl FromIterator<ModuleStep> for ModulePath {
    fn from_iter<I: IntoIterator<Item = ModuleStep>>(steps: I) -> Self {
        let steps: Arc<[ModuleStep]> = steps.into_iter().collect();
        Self(if steps.is_empty() { None } else { Some(steps) })
    }
}

impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Key(key) => write!(f, "[{}]", Quoted(key)),
        }
    }
}

impl fmt::Display for ModuleStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.component {
            Some(kind) => write!(f, "component.{kind}.{}{}", self.name, self.key),
            None => write!(f, "module.{}{}", self.name, self.key),
        }
    }
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.steps().iter().enumerate() {
            write!(f, "{}{step}", if position == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "{}{}.{}{}", self.mode.prefix(), self.type_name, self.name, self.key)
    }
}

/// A string as an HCL literal, with `${` and `%{` escaped.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        let mut chars = self.0.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '$' | '%' if chars.peek() == Some(&'{') => write!(f, "{char}{char}")?,
                other => write!(f, "{other}")?,
            }
        }
        f.write_str("\"")
    }
}

/// Why a text is not an address, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at column {}", .offset + 1)]
pub struct ParseAddressError {
    pub problem: &'static str,
    /// In bytes from the start of the text.
    pub offset: usize,
}

impl FromStr for Address {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        let mut parser = Parser { text, at: 0 };
        let module = parser.module_path()?;
        let mut first = parser.name()?;
        let mode = match first {
            "data" => Mode::Data,
            "ephemeral" => Mode::Ephemeral,
            _ => Mode::Managed,
        };
        if mode != Mode::Managed {
            parser.dot()?;
            first = parser.name()?;
        }
        parser.dot()?;
        let name = parser.name()?.into();
        let key = parser.key()?;
        parser.end()?;
        Ok(Self { module, mode, type_name: first.into(), name, key })
    }
}

impl FromStr for ModulePath {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        let mut parser = Parser { text, at: 0 };
        let path = parser.module_path()?;
        if path.is_root() {
            return parser.fail("expected `module.` or `component.`");
        }
        parser.end()?;
        Ok(path)
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn fail<T>(&self, problem: &'static str) -> Result<T, ParseAddressError> {
        Err(ParseAddressError { problem, offset: self.at })
    }

    fn module_path(&mut self) -> Result<ModulePath, ParseAddressError> {
        let mut steps = Vec::new();
        loop {
            let component = if self.rest().starts_with("module.") {
                self.at += "module.".len();
                None
            } else if self.rest().starts_with("component.") {
                self.at += "component.".len();
                let kind = self.name()?.into();
                self.dot()?;
                Some(kind)
            } else {
                break;
            };
            let name = self.name()?.into();
            steps.push(ModuleStep { component, name, key: self.key()? });
            if self.rest().is_empty() {
                break;
            }
            self.dot()?;
        }
        Ok(steps.into_iter().collect())
    }

    fn name(&mut self) -> Result<&'a str, ParseAddressError> {
        let rest = self.rest();
        let is_start = |c: char| c.is_alphabetic() || c == '_';
        if !rest.starts_with(is_start) {
            return self.fail("expected a name");
        }
        let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
        self.at += length;
        Ok(&rest[..length])
    }

    fn dot(&mut self) -> Result<(), ParseAddressError> {
        if !self.rest().starts_with('.') {
            return self.fail("expected `.`");
        }
        self.at += 1;
        Ok(())
    }

    fn key(&mut self) -> Result<InstanceKey, ParseAddressError> {
        let Some(rest) = self.rest().strip_prefix('[') else {
            return Ok(InstanceKey::None);
        };
        self.at += 1;
        let key = if rest.starts_with('"') {
            InstanceKey::Key(self.quoted()?.into())
        } else {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let Ok(index) = rest[..digits].parse() else {
                return self.fail("expected a number or a quoted key");
            };
            self.at += digits;
            InstanceKey::Index(index)
        };
        if !self.rest().starts_with(']') {
            return self.fail("expected `]`");
        }
        self.at += 1;
        Ok(key)
    }

    fn quoted(&mut self) -> Result<String, ParseAddressError> {
        self.at += 1;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().peekable();
        while let Some((offset, char)) = chars.next() {
            match char {
                '"' => {
                    self.at += offset + 1;
                    return Ok(text);
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                    _ => {
                        self.at += offset;
                        return self.fail("unknown escape");
                    }
                },
                '$' | '%' if self.rest()[offset + 1..].starts_with(&format!("{char}{{")) => {
                    text.push(char);
                    chars.next();
                }
                other => text.push(other),
            }
        }
        self.at = self.text.len();
        self.fail("the key has no closing quote")
    }

    fn end(&self) -> Result<(), ParseAddressError> {
        if self.rest().is_empty() { Ok(()) } else { self.fail("unexpected text") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_print_as_they_parse() {
        for text in [
            "aws_vpc.main",
            "aws_vpc.main[0]",
            r#"module.a["x"].aws_vpc.main[0]"#,
            r#"module.a.module.b[3].data.aws_ami.base["eu-1"]"#,
            "component.cluster.main.sandbox_network.this",
            r#"a.b["quote \" dollar $${x} percent %%{y} back \\ line \n"]"#,
            r#"a.b["$ and $$ alone"]"#,
        ] {
            let address: Address = text.parse().expect(text);
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_placed() {
        for (text, offset) in
            [("", 0), ("aws_vpc", 7), ("aws_vpc.main[", 13), ("a.b[\"x]", 7), ("a.b.c", 3), ("a.b[-1]", 4)]
        {
            let error = text.parse::<Address>().expect_err(text);
            assert_eq!(error.offset, offset, "{text}: {error}");
        }
    }

    #[test]
    fn a_module_path_is_not_a_resource() {
        assert_eq!("module.a[1]".parse::<ModulePath>().expect("a path").to_string(), "module.a[1]");
        assert!("aws_vpc.main".parse::<ModulePath>().is_err());
    }
}
