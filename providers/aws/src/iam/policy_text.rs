//! Policies as the data source `aws_iam_policy_document` writes them: the same bytes as Terraform's.
//!
//! What is compared by text elsewhere (a digest, a trigger, another tool's file) must not differ because of who wrote
//! it. So the order of names, of lists and the escapes are those of Terraform's provider, which is written in Go.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value as Json;

/// A policy.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    pub version: String,
    pub id: String,
    pub statements: Vec<Statement>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Statement {
    pub sid: String,
    pub effect: String,
    pub actions: Option<Texts>,
    pub not_actions: Option<Texts>,
    pub resources: Option<Texts>,
    pub not_resources: Option<Texts>,
    /// Kinds and names.
    pub principals: Vec<(String, Texts)>,
    pub not_principals: Vec<(String, Texts)>,
    /// Tests, variables and values, which are added up where test and variable are the same.
    pub conditions: Vec<(String, String, Vec<String>)>,
}

/// One text, or a list, which may be of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Texts {
    /// As Terraform writes what a set holds: one text alone, several from the last to the first.
    pub(super) fn of_set(mut texts: Vec<String>) -> Option<Self> {
        texts.sort_by(|a, b| b.cmp(a));
        match texts.len() {
            0 => None,
            1 => texts.pop().map(Self::One),
            _ => Some(Self::Many(texts)),
        }
    }

    fn of_json(json: &Json, what: &str) -> Result<Self, String> {
        let text = |json: &Json| json.as_str().map(str::to_owned).ok_or_else(|| format!("`{what}` has {json} in it"));
        match json {
            Json::Array(items) => items.iter().map(text).collect::<Result<_, _>>().map(Self::Many),
            one => text(one).map(Self::One),
        }
    }

    fn node(&self) -> Node {
        match self {
            Self::One(text) => Node::Text(text.clone()),
            Self::Many(texts) => Node::List(texts.iter().cloned().map(Node::Text).collect()),
        }
    }
}

impl Document {
    /// # Errors
    /// The text is no policy; the error says why.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let json: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if !json.is_object() {
            return Err("it is JSON, but no object".into());
        }
        let part = |name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let statements = match json.get("Statement") {
            None | Some(Json::Null) => Vec::new(),
            Some(Json::Array(statements)) => statements.iter().map(Statement::of_json).collect::<Result<_, _>>()?,
            Some(_) => return Err("`Statement` is no list".into()),
        };
        Ok(Self { version: part("Version"), id: part("Id"), statements })
    }

    /// Takes another policy in: its statements stand in place of those with the same `sid`, or come last.
    pub(super) fn merge(&mut self, other: Self) {
        if !other.id.is_empty() {
            self.id = other.id;
        }
        if other.version > self.version {
            self.version = other.version;
        }
        for statement in other.statements {
            let same = |old: &&mut Statement| !statement.sid.is_empty() && old.sid == statement.sid;
            match self.statements.iter_mut().find(same) {
                Some(old) => *old = statement,
                None => self.statements.push(statement),
            }
        }
    }

    /// The text with line breaks and two spaces a level.
    pub(super) fn pretty(&self) -> String {
        let mut text = String::new();
        self.node().write(&mut text, Some(0));
        text
    }

    /// The text without any space.
    pub(super) fn minified(&self) -> String {
        let mut text = String::new();
        self.node().write(&mut text, None);
        text
    }

    fn node(&self) -> Node {
        let statements = self.statements.iter().map(Statement::node).collect::<Vec<_>>();
        let parts = [
            ("Version", named(&self.version)),
            ("Id", named(&self.id)),
            ("Statement", (!statements.is_empty()).then_some(Node::List(statements))),
        ];
        Node::of_parts(parts)
    }
}

impl Statement {
    fn of_json(json: &Json) -> Result<Self, String> {
        let text = |name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let texts = |name: &str| {
            json.get(name).filter(|part| !part.is_null()).map(|part| Texts::of_json(part, name)).transpose()
        };
        let principals = |name: &str| match json.get(name) {
            None | Some(Json::Null) => Ok(Vec::new()),
            Some(Json::String(_)) => Ok(vec![("*".to_owned(), Texts::Many(vec!["*".into()]))]),
            Some(Json::Object(kinds)) => {
                kinds.iter().map(|(kind, names)| Ok((kind.clone(), Texts::of_json(names, name)?))).collect()
            }
            Some(other) => Err(format!("`{name}` is {other}")),
        };
        let mut conditions = Vec::new();
        for (test, variables) in json.get("Condition").and_then(Json::as_object).into_iter().flatten() {
            for (variable, values) in variables.as_object().into_iter().flatten() {
                let values = match values {
                    Json::Bool(flag) => vec![flag.to_string()],
                    values => match Texts::of_json(values, variable)? {
                        Texts::One(text) => vec![text],
                        Texts::Many(texts) => texts,
                    },
                };
                conditions.push((test.clone(), variable.clone(), values));
            }
        }
        Ok(Self {
            sid: text("Sid"),
            effect: text("Effect"),
            actions: texts("Action")?,
            not_actions: texts("NotAction")?,
            resources: texts("Resource")?,
            not_resources: texts("NotResource")?,
            principals: principals("Principal")?,
            not_principals: principals("NotPrincipal")?,
            conditions,
        })
    }

    fn node(&self) -> Node {
        let texts = |texts: &Option<Texts>| texts.as_ref().map(Texts::node);
        let principals = |of: &[(String, Texts)]| (!of.is_empty()).then(|| principals(of));
        Node::of_parts([
            ("Sid", named(&self.sid)),
            ("Effect", named(&self.effect)),
            ("Action", texts(&self.actions)),
            ("NotAction", texts(&self.not_actions)),
            ("Resource", texts(&self.resources)),
            ("NotResource", texts(&self.not_resources)),
            ("Principal", principals(&self.principals)),
            ("NotPrincipal", principals(&self.not_principals)),
            ("Condition", (!self.conditions.is_empty()).then(|| conditions(&self.conditions))),
        ])
    }
}

/// A text that stands only where it is not empty.
fn named(text: &str) -> Option<Node> {
    (!text.is_empty()).then(|| Node::Text(text.to_owned()))
}

fn principals(of: &[(String, Texts)]) -> Node {
    // Anybody, in the spelling that IAM takes nowhere but in policies of resources.
    if let [(kind, names)] = of
        && kind == "*"
        && [Texts::One("*".into()), Texts::Many(vec!["*".into()])].contains(names)
    {
        return Node::Text("*".into());
    }
    let mut kinds: BTreeMap<&str, Texts> = BTreeMap::new();
    for (kind, names) in of {
        let names = match names {
            Texts::Many(names) => {
                let mut names = names.clone();
                names.sort_by(|a, b| b.cmp(a));
                Texts::Many(names)
            }
            one => one.clone(),
        };
        let joined = match (kinds.remove(kind.as_str()), names) {
            (None, names) => names,
            (Some(Texts::One(first)), Texts::One(second)) => Texts::Many(vec![first, second]),
            (Some(Texts::One(first)), Texts::Many(rest)) => Texts::Many([vec![first], rest].concat()),
            (Some(Texts::Many(mut first)), Texts::One(last)) => {
                first.push(last);
                Texts::Many(first)
            }
            (Some(Texts::Many(first)), Texts::Many(rest)) => Texts::Many([first, rest].concat()),
        };
        kinds.insert(kind, joined);
    }
    Node::Object(kinds.into_iter().map(|(kind, names)| (kind.to_owned(), names.node())).collect())
}

fn conditions(of: &[(String, String, Vec<String>)]) -> Node {
    let mut tests: BTreeMap<&str, BTreeMap<&str, Vec<String>>> = BTreeMap::new();
    for (test, variable, values) in of {
        tests.entry(test).or_default().entry(variable).or_default().extend(values.iter().cloned());
    }
    let values = |mut values: Vec<String>| match values.pop() {
        Some(one) if values.is_empty() => Texts::One(one),
        last => Texts::Many(values.into_iter().chain(last).collect()),
    };
    let tests = tests.into_iter().map(|(test, variables)| {
        let variables = variables.into_iter().map(|(variable, given)| (variable.to_owned(), values(given).node()));
        (test.to_owned(), Node::Object(variables.collect()))
    });
    Node::Object(tests.collect())
}

/// JSON whose names keep their order.
enum Node {
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    fn of_parts<const N: usize>(parts: [(&str, Option<Self>); N]) -> Self {
        let there = parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), part?)));
        Self::Object(there.collect())
    }

    /// `level` is how deep it stands; `None` for a text without spaces.
    fn write(&self, text: &mut String, level: Option<usize>) {
        let inner = level.map(|level| level + 1);
        match self {
            Self::Text(given) => write_text(text, given),
            Self::List(items) if items.is_empty() => text.push_str("[]"),
            Self::List(items) => {
                text.push('[');
                for (number, item) in items.iter().enumerate() {
                    next(text, number, inner);
                    item.write(text, inner);
                }
                close(text, ']', level);
            }
            Self::Object(parts) if parts.is_empty() => text.push_str("{}"),
            Self::Object(parts) => {
                text.push('{');
                for (number, (name, part)) in parts.iter().enumerate() {
                    next(text, number, inner);
                    write_text(text, name);
                    text.push_str(if level.is_some() { ": " } else { ":" });
                    part.write(text, inner);
                }
                close(text, '}', level);
            }
        }
    }
}

fn next(text: &mut String, number: usize, level: Option<usize>) {
    if number > 0 {
        text.push(',');
    }
    break_line(text, level);
}

fn close(text: &mut String, end: char, level: Option<usize>) {
    break_line(text, level);
    text.push(end);
}

fn break_line(text: &mut String, level: Option<usize>) {
    if let Some(level) = level {
        text.push('\n');
        text.push_str(&"  ".repeat(level));
    }
}

/// A string as Go's `encoding/json` writes it: what means something in HTML is escaped too.
fn write_text(text: &mut String, given: &str) {
    text.push('"');
    for character in given.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => escape(text, character),
            control if u32::from(control) < 0x20 => escape(text, control),
            other => text.push(other),
        }
    }
    text.push('"');
}

fn escape(text: &mut String, character: char) {
    // Writing to a string cannot fail.
    let _ = write!(text, "\\u{:04x}", u32::from(character));
}
