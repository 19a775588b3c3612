//! What gates ask: shown when the plan is made, evaluated when they are asked.

use std::time::Duration;

use formwork_contract::schema::Block as Schema;
use formwork_contract::{Diagnostic, Diagnostics, Span, Str, Value};

use super::{Gate, duration_text, schema};
use crate::blueprint::model::{Block, Condition};
use crate::graph::{Each, Evaluation, InstanceId};
use crate::language::Retention;
use crate::plan::{Resolver, Secrets};

/// What a gate asks, as the blueprint says it.
#[derive(Clone, Debug)]
pub enum GateCheck {
    Http(Block),
    Tcp(Block),
    Command(Block),
    /// Over live data, read again for each attempt.
    Condition(Box<Condition>),
    /// So much time passes.
    Soak(Duration),
    /// People say yes. Without requirements one person does, and signs nothing.
    Approval(Vec<Requirement>),
}

/// How many of which group of the environment have to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    pub group: Str,
    pub count: usize,
}

/// A question to something outside, with all that it needs.
#[derive(Debug)]
pub struct Probe {
    pub kind: ProbeKind,
    /// What must not be told of it.
    pub secrets: Secrets,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeKind {
    Http(HttpProbe),
    /// `host:port`
    Tcp {
        address: Str,
    },
    Command {
        /// The program first.
        argv: Vec<Str>,
        /// Beside what the run itself was given.
        environment: Vec<(Str, Str)>,
    },
}

/// A request, and what its answer must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpProbe {
    pub url: Str,
    pub method: Str,
    pub headers: Vec<(Str, Str)>,
    pub status: u16,
    /// Must stand in the body.
    pub contains: Option<Str>,
    /// Certificates in PEM that are trusted, in place of the system's.
    pub ca: Option<Str>,
}

impl GateCheck {
    /// The word for its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Tcp(_) => "tcp",
            Self::Command(_) => "command",
            Self::Condition(_) => "condition",
            Self::Soak(_) => "soak",
            Self::Approval(_) => "approval",
        }
    }

    /// The block and the schema of what it asks something outside.
    fn outside(&self) -> Option<(&Block, Schema)> {
        match self {
            Self::Http(block) => Some((block, schema::http())),
            Self::Tcp(block) => Some((block, schema::tcp())),
            Self::Command(block) => Some((block, schema::command())),
            Self::Condition(_) | Self::Soak(_) | Self::Approval(_) => None,
        }
    }

    /// What it asks, with what is known now, for people.
    ///
    /// # Errors
    /// Expressions that fail, and values that cannot be asked.
    pub(super) fn what(&self, evaluation: &Evaluation) -> Result<String, Diagnostics> {
        if let Some((block, schema)) = self.outside() {
            let value = evaluate(evaluation, block, &schema)?;
            if value.is_wholly_known() {
                self.probe_of(&value, block.span)?;
            }
            return Ok(self.outside_text(&value));
        }
        Ok(match self {
            Self::Condition(condition) => {
                let source = evaluation.graph.blueprint.sources.text(condition.condition.span);
                source.split_whitespace().collect::<Vec<_>>().join(" ")
            }
            Self::Soak(duration) => duration_text(*duration),
            Self::Approval(required) if required.is_empty() => "a person says yes".into(),
            Self::Approval(required) => {
                let each = required.iter().map(|one| format!("{} of `{}`", one.count, one.group));
                format!("signed by {}", each.collect::<Vec<_>>().join(", "))
            }
            Self::Http(_) | Self::Tcp(_) | Self::Command(_) => String::new(),
        })
    }

    fn outside_text(&self, value: &Value) -> String {
        let part = |name: &str| value.get(name).map_or_else(String::new, shown);
        let given = |name: &str| value.get(name).is_some_and(|part| !part.is_null());
        match self {
            Self::Http(_) => {
                let method = if given("method") { part("method") } else { "GET".into() };
                let status = if given("status") { part("status") } else { "200".into() };
                let contains =
                    if given("contains") { format!(", contains {}", part("contains")) } else { String::new() };
                format!("{method} {} answers {status}{contains}", part("url"))
            }
            Self::Tcp(_) => format!("{} takes connections", part("address")),
            _ => match value.get("argv").and_then(|argv| argv.unmarked().elements()) {
                Some(words) => words.iter().map(shown).collect::<Vec<_>>().join(" "),
                None => part("argv"),
            },
        }
    }

    fn probe_of(&self, value: &Value, span: Span) -> Result<ProbeKind, Diagnostics> {
        let clear = value.deep_unmarked();
        let text = |name: &str| clear.get_str(name).map(Str::from);
        let wrong = |what: &str, hint: &str| Err(Diagnostic::error(what).label(span, "of this gate").hint(hint).into());
        match self {
            Self::Http(_) => {
                let Some(url) = text("url").filter(|url| url.starts_with("http://") || url.starts_with("https://"))
                else {
                    return wrong("The `url` of a gate must be an HTTP address", "write `https://HOST/PATH`");
                };
                let status = match clear.get("status").and_then(Value::as_number) {
                    None => 200,
                    Some(number) => match number.as_usize().and_then(|code| u16::try_from(code).ok()) {
                        Some(code) if (100..600).contains(&code) => code,
                        _ => return wrong("The `status` of a gate must be a status of HTTP", "such as 200"),
                    },
                };
                Ok(ProbeKind::Http(HttpProbe {
                    url,
                    method: text("method").unwrap_or_else(|| "GET".into()),
                    headers: texts_by_name(clear.get("headers")),
                    status,
                    contains: text("contains"),
                    ca: text("ca"),
                }))
            }
            Self::Tcp(_) => match text("address").filter(|address| has_port(address)) {
                Some(address) => Ok(ProbeKind::Tcp { address }),
                None => wrong("The `address` of a gate must be a host and a port", "write `HOST:PORT`"),
            },
            _ => {
                let words = clear.get("argv").and_then(Value::elements).unwrap_or_default();
                let argv: Vec<Str> = words.iter().filter_map(Value::as_str).map(Str::from).collect();
                if argv.is_empty() || argv.len() < words.len() {
                    return wrong("The `argv` of a gate must name a program", "write `argv = [\"PROGRAM\", ...]`");
                }
                Ok(ProbeKind::Command { argv, environment: texts_by_name(clear.get("environment")) })
            }
        }
    }
}

impl Gate {
    /// The question to something outside, with what is known now; `None` where the gate asks nothing outside.
    ///
    /// # Errors
    /// Expressions that fail or are still not known.
    pub fn probe(&self, resolver: &Resolver) -> Result<Option<Probe>, Diagnostics> {
        let Some((block, schema)) = self.check.outside() else { return Ok(None) };
        let value = evaluate(&resolver.evaluation, block, &schema)?;
        if !value.is_wholly_known() {
            return Err(Diagnostic::error(format!(
                "the gate `{}` still depends on values that are not known",
                self.name
            ))
            .label(block.span, "not known though everything of its wave is done")
            .hint("let it ask what the waves up to its own make")
            .into());
        }
        let secrets = Secrets::of([&value]);
        Ok(Some(Probe { kind: self.check.probe_of(&value, block.span)?, secrets }))
    }
}

fn evaluate(evaluation: &Evaluation, block: &Block, schema: &Schema) -> Result<Value, Diagnostics> {
    evaluation.with_scope(InstanceId(0), Each::None, None, |scope| scope.body(&block.body, schema, Retention::Run))
}

fn texts_by_name(value: Option<&Value>) -> Vec<(Str, Str)> {
    let entries = value.and_then(Value::entries).into_iter().flat_map(|entries| entries.iter());
    entries.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.into()))).collect()
}

fn has_port(address: &str) -> bool {
    let parts = address.rsplit_once(':');
    parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0))
}

fn shown(value: &Value) -> String {
    if !value.deep_marks().is_empty() {
        return "(sensitive)".into();
    }
    match value {
        Value::String(text) => text.to_string(),
        value if !value.is_wholly_known() => "(known after apply)".into(),
        value => formwork_contract::json::to_plain(value).to_string(),
    }
}
