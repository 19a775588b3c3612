//! Templates in files and strings: `templatefile`, `templatestring` and `tera`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use formwork_contract::{Diagnostics, Entries, Span, Value};
use regex::Regex;
use tera::{Context, ErrorKind, Tera};

use super::filesystem;
use super::signature::{Answer, Arguments, Fault, Function, Kind, Parameter, parameter};
use crate::blueprint::expression::{Expr, Reference};
use crate::blueprint::files::normalize;
use crate::blueprint::parse_template;
use crate::blueprint::sources::Sources;
use crate::language::evaluator::Evaluator;
use crate::language::{Found, Names, failed};

const VARS: Parameter = parameter("vars", Kind::Any);

pub(super) const TABLE: &[Function] = &[
    Function::new("templatefile", &[parameter("path", Kind::String), VARS.unknown()], Kind::Any, |given| {
        let text = filesystem::text(given, 0)?;
        hcl(given, &text, given.text(0))
    }),
    Function::new("templatestring", &[parameter("template", Kind::String), VARS.unknown()], Kind::String, |given| {
        hcl(given, given.text(0), "the template")
    }),
    Function::new("tera", &[parameter("path", Kind::String), VARS], Kind::String, tera),
];

/// The names of a template: its variables and nothing else.
struct Variables<'a>(&'a Entries);

impl Names for Variables<'_> {
    fn lookup(
        &self,
        reference: &Reference,
        span: Span,
        _index: &mut dyn FnMut(&Expr) -> Result<Value, Diagnostics>,
    ) -> Result<Found, Diagnostics> {
        let name = &reference.root;
        match self.0.get(name) {
            Some(value) => Ok(Found { value: value.clone(), consumed: 0 }),
            None => Err(failed(span, format!("`vars` has no `{name}`"), "used here")),
        }
    }
}

fn hcl(given: &Arguments<'_>, text: &str, name: &str) -> Answer {
    if given.in_template {
        return Err(Fault::call("a template cannot render another one"));
    }
    let vars = given.value(1);
    let Some(entries) = vars.entries() else {
        if vars.is_unknown() {
            return Ok(Value::unknown(formwork_contract::Type::Any));
        }
        return Err(Fault::at(1, format!("a map or an object is required, this is a {}", vars.ty().friendly_name())));
    };
    let mut sources = Sources::default();
    let told = |errors: Diagnostics, sources: &Sources| unrendered().detail(places(&errors, sources, name));
    let template = parse_template(text, name, &mut sources).map_err(|errors| told(errors, &sources))?;
    let names = Variables(entries);
    Evaluator::of_template(&names, given.context).evaluate(&template).map_err(|errors| told(errors, &sources))
}

fn unrendered() -> Fault {
    Fault::quoting(0, "the template cannot be rendered")
        .hint("correct the template, or the values that are given to it")
}

/// Each error with its line, since the template's text is no source of the blueprint.
fn places(errors: &Diagnostics, sources: &Sources, name: &str) -> String {
    let lines = errors.iter().map(|error| {
        let label = error.labels.first();
        let place = label.and_then(|label| sources.position(label.span));
        let place = place.map_or_else(|| name.to_owned(), |(line, column)| format!("{name}:{line}:{column}"));
        let text = label.map_or_else(String::new, |label| format!(" ({})", label.text));
        format!("{place}: {}{text}.", error.summary)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A name that a template includes, extends or imports from.
static USED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\{%-?\s*(?:include|extends|import)\s+["'`]([^"'`]+)["'`]"#).expect("the pattern is well formed")
});

/// Renders a Tera template; those that it uses are found beside it. Nothing is escaped.
fn tera(given: &Arguments<'_>) -> Answer {
    let path = normalize(given.text(0));
    let (folder, main) = path.rsplit_once('/').map_or((".", path.as_str()), |(folder, name)| (folder, name));
    if given.value(1).entries().is_none() {
        let name = given.value(1).ty().friendly_name();
        return Err(Fault::at(1, format!("a map or an object is required, this is a {name}")));
    }
    let templates = collect(given, folder, main, filesystem::text(given, 0)?)?;
    let fault = |error: tera::Error| unrendered().detail(report(&error, folder));
    let mut engine = Tera::default();
    engine.autoescape_on(Vec::<&str>::new());
    engine.add_raw_templates(templates).map_err(fault)?;
    let variables = formwork_contract::json::to_plain(given.value(1));
    let context = Context::from_serialize(&variables).map_err(fault)?;
    engine.render(main, &context).map(Value::string).map_err(fault)
}

/// The template and all that it uses, by name; what cannot be read is left for the engine to miss.
fn collect(given: &Arguments<'_>, folder: &str, main: &str, text: String) -> Result<BTreeMap<String, String>, Fault> {
    let mut templates = BTreeMap::new();
    let mut open = vec![(main.to_owned(), text)];
    while let Some((name, text)) = open.pop() {
        for used in USED.captures_iter(&text) {
            let used = &used[1];
            if templates.contains_key(used) || used == name || open.iter().any(|(name, _)| name == used) {
                continue;
            }
            if let Ok(bytes) = given.context.files.read(&format!("{folder}/{used}")) {
                let text = String::from_utf8(bytes.to_vec());
                let text = text.map_err(|_| Fault::quoting(0, format!("the template `{used}` is not UTF-8 text")))?;
                open.push((used.to_owned(), text));
            }
        }
        templates.insert(name, text);
    }
    Ok(templates)
}

fn report(error: &tera::Error, folder: &str) -> String {
    match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            let span = report.span();
            let file = normalize(&format!("{folder}/{}", report.filename()));
            format!("{file}:{}:{}: {}.", span.start_line, span.start_col + 1, report.message().trim_end_matches('.'))
        }
        // Errors of several templates come as one text of their own.
        _ => error.to_string().replace("--> ", &format!("--> {folder}/")),
    }
}
