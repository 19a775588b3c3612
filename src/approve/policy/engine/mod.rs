//! Rego, as regorus runs it: compiled, and evaluated within bounds of time and of stack.

mod bounds;
mod names;
mod run_tests;

use std::collections::BTreeMap;

use regorus::unstable::{Expr, Rule, RuleHead};
use serde_json::Value as Json;

use self::bounds::{Clock, within_bounds};
use super::fault::{Fault, Place};
use super::files::Text;
use super::outcome::{Given, Purpose};
use super::test_report::TestReport;

/// More definitions than this are not taken: each that refers to another takes stack.
const MOST_RULES: usize = 10_000;

/// Evaluates every rule that judges.
pub(super) fn evaluate(
    policies: Result<Vec<Text>, Vec<Fault>>,
    data: Json,
    input: Json,
) -> Result<Vec<Given>, Vec<Fault>> {
    let policies = policies?;
    within_bounds(move |clock| Compiled::of(policies, data, clock)?.judge(input, clock))
}

/// Compiles, and evaluates nothing.
pub(super) fn check(policies: Result<Vec<Text>, Vec<Fault>>, data: Json) -> Result<(), Vec<Fault>> {
    let policies = policies?;
    within_bounds(move |clock| Compiled::of(policies, data, clock).map(drop))
}

/// Runs every rule whose name begins with `test_`.
pub(super) fn test(
    policies: Result<Vec<Text>, Vec<Fault>>,
    data: Json,
    coverage: bool,
) -> Result<TestReport, Vec<Fault>> {
    let policies = policies?;
    within_bounds(move |clock| Compiled::of(policies, data, clock)?.run_tests(coverage, clock))
}

/// Policies that fit together, and what they define.
struct Compiled {
    engine: regorus::Engine,
    /// By package and name, each with the places where it is defined.
    rules: BTreeMap<(String, String), Vec<Place>>,
}

impl Compiled {
    fn of(policies: Vec<Text>, data: Json, clock: &Clock) -> Result<Self, Vec<Fault>> {
        let mut engine = regorus::Engine::new();
        // What a policy prints would go to standard error otherwise.
        engine.set_gather_prints(true);
        let mut faults = Vec::new();
        let mut packages = Vec::new();
        for policy in policies {
            match spelled_out(policy).and_then(|Text { name, text }| added(&mut engine, name, text)) {
                Ok(package) => packages.push(package),
                Err(fault) => faults.push(fault),
            }
        }
        if let Err(error) = engine.add_data_json(&data.to_string()) {
            faults.push(fault(&error.to_string()));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let modules = engine.get_modules();
        let definitions: usize = modules.iter().map(|module| module.policy.len()).sum();
        if definitions > MOST_RULES {
            let problem = format!("The policies define {definitions} rules, and {MOST_RULES} are the most.");
            return Err(vec![Fault::new(problem, "leave out what is not used")]);
        }
        if let Some(fault) = names::recursive(&packages, modules) {
            return Err(vec![fault]);
        }
        let mut rules: BTreeMap<(String, String), Vec<Place>> = BTreeMap::new();
        for (package, module) in packages.iter().zip(modules) {
            for rule in &module.policy {
                if let Some((name, place)) = defined(rule) {
                    rules.entry((package.clone(), name)).or_default().push(place);
                }
            }
        }
        let mut compiled = Self { engine, rules };
        // Conflicts and names that mean nothing show when something is asked for the first time.
        compiled.bound(clock)?;
        compiled.engine.eval_query("true".into(), false).map_err(|error| vec![fault(&error.to_string())])?;
        Ok(compiled)
    }

    fn judge(mut self, input: Json, clock: &Clock) -> Result<Vec<Given>, Vec<Fault>> {
        self.engine.set_input_json(&input.to_string()).map_err(|error| vec![fault(&error.to_string())])?;
        let (mut given, mut faults) = (Vec::new(), Vec::new());
        for ((package, name), places) in std::mem::take(&mut self.rules) {
            let Some(purpose) = Purpose::of(&name) else { continue };
            match self.value(&package, &name, clock) {
                Ok(None) => {}
                Ok(Some(value)) => given.push(Given {
                    rule: format!("{package}.{name}"),
                    purpose,
                    value,
                    place: <[Place; 1]>::try_from(places).ok().map(|[place]| place),
                }),
                Err(fault) => faults.extend(fault),
            }
        }
        if faults.is_empty() { Ok(given) } else { Err(faults) }
    }

    /// The value of a rule; `None` where it is undefined.
    fn value(&mut self, package: &str, name: &str, clock: &Clock) -> Result<Option<Json>, Vec<Fault>> {
        self.bound(clock)?;
        let evaluated = self.engine.eval_rule(format!("data.{package}.{name}"));
        match evaluated.map_err(|error| vec![fault(&error.to_string())])? {
            regorus::Value::Undefined => Ok(None),
            value => serde_json::to_value(&value).map(Some).map_err(|error| vec![fault(&error.to_string())]),
        }
    }

    /// Leaves the next evaluation what is left of the time.
    fn bound(&mut self, clock: &Clock) -> Result<(), Vec<Fault>> {
        match clock.left() {
            Some(left) => {
                self.engine.set_execution_timer_config(left);
                Ok(())
            }
            None => Err(vec![bounds::too_long()]),
        }
    }
}

/// A policy as the engine understands it.
fn spelled_out(policy: Text) -> Result<Text, Fault> {
    let mut scratch = regorus::Engine::new();
    let package = added(&mut scratch, policy.name.clone(), policy.text.clone())?;
    let Some(module) = scratch.get_modules().first() else { return Ok(policy) };
    let text = names::with_full_names(&policy.text, &package, module);
    Ok(Text { text, ..policy })
}

/// The package of a policy that was added, without `data.`.
fn added(engine: &mut regorus::Engine, name: String, text: String) -> Result<String, Fault> {
    let package = engine.add_policy(name, text).map_err(|error| fault(&error.to_string()))?;
    Ok(package.trim_start_matches("data.").to_owned())
}

/// A rule's name and place. Functions have no value of their own.
fn defined(rule: &Rule) -> Option<(String, Place)> {
    let refr: &Expr = match rule {
        Rule::Spec { head: RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. }, .. } => refr,
        Rule::Spec { head: RuleHead::Func { .. }, .. } => return None,
        Rule::Default { refr, args, .. } => args.is_empty().then_some(&**refr)?,
    };
    let span = refr.span();
    let place = Place { file: span.source.file().clone(), line: span.line as usize };
    // `deny[key] := value` defines `deny`.
    Some((names::base(refr)?.0, place))
}

/// What the engine says, without the snippet that it draws: ours are drawn elsewhere.
fn fault(told: &str) -> Fault {
    if told.contains("execution exceeded time limit") {
        return bounds::too_long();
    }
    let hint = "correct the policy, and try it with `formwork policy test`";
    let Some((place, rest)) = told.split_once("--> ").and_then(|(_, rest)| rest.split_once('\n')) else {
        return Fault::new(told.trim(), hint);
    };
    let message = rest.split_once("error: ").map_or(rest, |(_, message)| message);
    // A second place would be drawn by the engine.
    let message = message.split("--> ").next().unwrap_or_default().trim();
    // The column is of the text as it was spelled out.
    let mut parts = place.rsplitn(3, ':').skip(1);
    let (line, file) = (parts.next().and_then(|line| line.trim().parse().ok()), parts.next());
    match (file, line) {
        (Some(file), Some(line)) => Fault::new(message, hint).at(file, line),
        _ => Fault::new(message, hint),
    }
}
