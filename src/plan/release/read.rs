//! The meaning of a `release` block: waves, gates, windows and freezes, with everything wrong about it.

use std::collections::BTreeSet;
use std::time::Duration;

use formwork_contract::{Diagnostic, Diagnostics, Span, Str, Type, Value};

use super::calendar::{parse_day, parse_moment, parse_time, parse_zone};
use super::select::Selection;
use super::{Calendar, Freeze, Gate, GateCheck, Requirement, Share, Wave, Window, parse_duration, schema};
use crate::blueprint::expression::{Expr, ExprKind};
use crate::blueprint::model::{Block, Body, Condition, Target};
use crate::blueprint::{address_expected, named_target};
use crate::graph::{Each, Evaluation, InstanceId};
use crate::language::check_body;

/// What is known when a block is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::plan) enum Knowledge {
    /// Everything that a plan knows: what is unknown now comes too late.
    Planned,
    /// The blueprint alone: variables are unknown.
    Blueprint,
}

/// What the blueprint says, before anything is put into waves.
#[derive(Debug, Default)]
pub(in crate::plan) struct Declared {
    pub(super) waves: Vec<DeclaredWave>,
    pub(super) calendar: Calendar,
}

#[derive(Debug)]
pub(super) struct DeclaredWave {
    pub wave: Wave,
    pub selection: Selection,
}

/// The name of the wave that takes what no other one names.
pub(super) const REST: &str = "rest";

/// Gives the `release` block in force its meaning.
///
/// # Errors
/// Everything that is wrong with it.
pub(in crate::plan) fn read(evaluation: &Evaluation, knowledge: Knowledge) -> Result<Declared, Diagnostics> {
    let blueprint = &evaluation.graph.blueprint;
    let blocks = blueprint.releases();
    let Some(block) = blocks.first() else { return Ok(Declared::default()) };
    let mut reader = Reader { evaluation, knowledge, found: Diagnostics::new() };
    if let Some(second) = blocks.get(1) {
        reader.found.push(
            Diagnostic::error("There is more than one `release` block")
                .label(second.span, "a second one")
                .label(block.span, "the first one")
                .hint("put their contents into one block"),
        );
    }
    if !block.labels.is_empty() {
        reader.found.push(Diagnostic::error("The block `release` takes no label").label(block.span, "it has one here"));
    }
    reader.dynamic(&block.body);
    reader.found.append(check_body(&block.body, &schema::release()));
    if reader.found.has_errors() {
        return Err(reader.found);
    }
    let declared = reader.release(block);
    if reader.found.has_errors() { Err(reader.found) } else { Ok(declared) }
}

struct Reader<'a> {
    evaluation: &'a Evaluation,
    knowledge: Knowledge,
    found: Diagnostics,
}

/// What holds for waves that say nothing else.
struct Defaults {
    max_parallel: Option<usize>,
    max_unavailable: Option<Share>,
}

impl Reader<'_> {
    fn release(&mut self, block: &Block) -> Declared {
        let body = &block.body;
        let defaults = Defaults {
            max_parallel: self.count(body, "max_parallel"),
            max_unavailable: self.share(body, "max_unavailable"),
        };
        let mut declared = Declared::default();
        for block in &body.blocks {
            match &*block.type_name {
                "wave" => {
                    let wave = self.wave(block, &defaults);
                    declared.waves.push(wave);
                }
                "gate" => self.gate_between(block, &mut declared.waves, &defaults),
                "window" => declared.calendar.windows.extend(self.window(block)),
                "freeze" => declared.calendar.freezes.extend(self.freeze(block)),
                _ => {}
            }
        }
        if declared.waves.is_empty() && (defaults.max_parallel.is_some() || defaults.max_unavailable.is_some()) {
            declared.waves.push(rest(&defaults));
        }
        self.check_waves(&declared.waves);
        let takes_rest = declared.waves.last().is_none_or(|last| last.selection.is_rest());
        if !takes_rest {
            let mut last = rest(&defaults);
            if declared.waves.iter().any(|declared| *declared.wave.name == *REST) {
                last.wave.name = format!("after {REST}").into();
            }
            declared.waves.push(last);
        }
        declared
    }

    /// Waves and gates are written out: an approval is for what can be read.
    fn dynamic(&mut self, body: &Body) {
        for block in &body.blocks {
            if block.dynamic.is_some() {
                let name = &block.type_name;
                self.found.push(
                    Diagnostic::error("A release has no `dynamic` blocks")
                        .label(block.span, "this one")
                        .hint(format!("write each `{name}` out")),
                );
            }
            self.dynamic(&block.body);
        }
    }

    /// A gate that stands behind a wave, and not in it.
    fn gate_between(&mut self, block: &Block, waves: &mut Vec<DeclaredWave>, defaults: &Defaults) {
        if waves.is_empty() {
            waves.push(rest(defaults));
        }
        let gate = self.gate(block);
        if let Some(last) = waves.last_mut() {
            last.wave.gates.extend(gate);
        }
    }

    fn check_waves(&mut self, waves: &[DeclaredWave]) {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for (place, declared) in waves.iter().enumerate() {
            let wave = &declared.wave;
            let span = wave.span.or_else(|| waves.iter().find_map(|other| other.wave.span));
            let at = |diagnostic: Diagnostic, text: &'static str| match span {
                Some(span) => diagnostic.label(span, text),
                None => diagnostic,
            };
            if !names.insert(&wave.name) {
                let twice = Diagnostic::error(format!("There are two waves `{}`", wave.name));
                self.found.push(at(twice, "the second one").hint("give each wave a name of its own"));
            }
            if declared.selection.is_rest() && place + 1 < waves.len() {
                let early = if wave.span.is_some() {
                    Diagnostic::error(format!("The wave `{}` names nothing, and is not the last one", wave.name))
                } else {
                    Diagnostic::error("A gate stands before the first wave")
                };
                self.found.push(
                    at(early, "what no wave names goes into the last one")
                        .hint("give it `targets`, `percent` or `count`, or put it behind the others"),
                );
            }
            let mut gates: BTreeSet<&str> = BTreeSet::new();
            for gate in wave.gates.iter().filter(|gate| !gates.insert(&gate.name)) {
                self.found.push(
                    Diagnostic::error(format!("The wave `{}` has two gates `{}`", wave.name, gate.name))
                        .label(gate.span, "the second one")
                        .hint("give each gate of a wave a name of its own"),
                );
            }
        }
    }

    fn wave(&mut self, block: &Block, defaults: &Defaults) -> DeclaredWave {
        let body = &block.body;
        let share = self.part(block);
        DeclaredWave {
            selection: Selection { targets: self.targets(body), share },
            wave: Wave {
                name: block.labels.first().cloned().unwrap_or_default(),
                max_parallel: self.count(body, "max_parallel").or(defaults.max_parallel),
                max_unavailable: self.share(body, "max_unavailable").or(defaults.max_unavailable),
                gates: body.blocks.iter().filter_map(|block| self.gate(block)).collect(),
                drawn: Vec::new(),
                span: Some(block.span),
            },
        }
    }

    /// `percent` or `count`.
    fn part(&mut self, block: &Block) -> Option<Share> {
        let body = &block.body;
        let (percent, count) = (self.count(body, "percent"), self.count(body, "count"));
        if let (Some(percent), Some(count)) = (expr_of(body, "percent"), expr_of(body, "count")) {
            self.found.push(
                Diagnostic::error("A wave takes a percentage or a number of a set, not both")
                    .label(count.span, "this number")
                    .label(percent.span, "this percentage"),
            );
        }
        if let (Some(101..), Some(expr)) = (percent, expr_of(body, "percent")) {
            self.wrong(expr.span, "`percent` is more than 100", "give a whole number from 1 to 100");
        }
        percent.map(Share::Percent).or(count.map(Share::Count))
    }

    fn targets(&mut self, body: &Body) -> Vec<(Target, Span)> {
        let Some(expr) = expr_of(body, "targets") else { return Vec::new() };
        let ExprKind::Tuple(items) = &expr.kind else {
            self.wrong(expr.span, "`targets` must be a list", "write `targets = [ADDRESS, ...]`");
            return Vec::new();
        };
        let mut targets = Vec::new();
        for item in items {
            let Some(target) = named_target(item) else {
                self.found.push(address_expected(item.span));
                continue;
            };
            // What is written in quotes may be in the record alone.
            self.found.append(self.evaluation.graph.check_references(item));
            targets.push((target, item.span));
        }
        targets
    }

    fn gate(&mut self, block: &Block) -> Option<Gate> {
        let body = &block.body;
        let before = self.found.len();
        let check = self.check(block)?;
        let (attempts, interval, timeout) = match check {
            GateCheck::Command(_) => (1, 5, 300),
            GateCheck::Soak(_) | GateCheck::Approval(_) => (1, 0, 0),
            _ => (10, 5, 10),
        };
        if matches!(check, GateCheck::Soak(_) | GateCheck::Approval(_)) {
            for name in ["attempts", "interval", "timeout"] {
                if let Some(expr) = expr_of(body, name) {
                    let hint = "leave it out: this gate is not asked again and again";
                    self.wrong(expr.span, &format!("`{name}` has no meaning for this gate"), hint);
                }
            }
        }
        let attempts = self.count(body, "attempts").map_or(attempts, |given| u32::try_from(given).unwrap_or(u32::MAX));
        let interval = self.duration(body, "interval").unwrap_or(Duration::from_secs(interval));
        let timeout = self.duration(body, "timeout").unwrap_or(Duration::from_secs(timeout));
        self.references(body);
        let what = match check.what(self.evaluation) {
            Ok(what) => what,
            Err(diagnostics) if self.found.len() == before => {
                self.found.append(diagnostics);
                return None;
            }
            Err(_) => return None,
        };
        let name = block.labels.first().cloned().unwrap_or_default();
        Some(Gate { name, check, attempts, interval, timeout, what: what.into(), span: block.span })
    }

    /// What it refers to is looked up when it is asked: it must be there.
    fn references(&mut self, body: &Body) {
        for attribute in &body.attributes {
            self.found.append(self.evaluation.graph.check_references(&attribute.value));
        }
        body.blocks.iter().for_each(|block| self.references(&block.body));
    }

    fn check(&mut self, block: &Block) -> Option<GateCheck> {
        let body = &block.body;
        let mut checks: Vec<GateCheck> = Vec::new();
        for block in &body.blocks {
            match &*block.type_name {
                "http" => checks.push(GateCheck::Http(block.clone())),
                "tcp" => checks.push(GateCheck::Tcp(block.clone())),
                "command" => checks.push(GateCheck::Command(block.clone())),
                "approval" => checks.push(GateCheck::Approval(self.requirements(block))),
                _ => {}
            }
        }
        if let Some(condition) = expr_of(body, "condition") {
            let silent = || Expr::literal(Value::from("The condition is false."), condition.span);
            let error_message = expr_of(body, "error_message").cloned().unwrap_or_else(silent);
            let condition = Condition { condition: condition.clone(), error_message, span: block.span };
            checks.push(GateCheck::Condition(Box::new(condition)));
        } else if let Some(message) = expr_of(body, "error_message") {
            self.wrong(message.span, "`error_message` stands without a `condition`", "add `condition = ...`");
        }
        if expr_of(body, "soak").is_some() {
            let duration = self.duration(body, "soak");
            checks.push(GateCheck::Soak(duration.unwrap_or_default()));
        }
        if checks.len() > 1 {
            self.wrong(block.span, "A gate asks one thing", "make a gate of each");
        }
        let only = checks.pop();
        if only.is_none() {
            let hint = "it has one of `http { }`, `tcp { }`, `command { }`, `approval { }`, `condition`, `soak`";
            self.wrong(block.span, "A gate asks nothing", hint);
        }
        only
    }

    fn requirements(&mut self, block: &Block) -> Vec<Requirement> {
        let required = block.body.blocks.iter().map(|block| Requirement {
            group: block.labels.first().cloned().unwrap_or_default(),
            count: self.count(&block.body, "count").unwrap_or(1),
        });
        required.collect()
    }

    fn window(&mut self, block: &Block) -> Option<Window> {
        let body = &block.body;
        let zone = self.parsed(body, "timezone", "the name of a time zone, such as `Europe/Berlin`", parse_zone);
        let from = self.parsed(body, "from", "a time of the day, such as `08:00`", parse_time);
        let to = self.parsed(body, "to", "a time of the day, such as `16:00`", parse_time);
        let mut days = Vec::new();
        for (text, span) in self.texts(body, "days") {
            match parse_day(&text) {
                Some(day) => days.push(day),
                None => self.wrong(span, &format!("`{text}` is no day of the week"), "write `mon`, `tue`, and so on"),
            }
        }
        Some(Window { days, from: from?, to: to?, zone: zone.unwrap_or(jiff::tz::TimeZone::UTC) })
    }

    fn freeze(&mut self, block: &Block) -> Option<Freeze> {
        let body = &block.body;
        let zone = self.parsed(body, "timezone", "the name of a time zone, such as `Europe/Berlin`", parse_zone);
        let zone = zone.unwrap_or(jiff::tz::TimeZone::UTC);
        let moment = "a day or a moment, such as `2026-12-20` or `2026-12-20T18:00:00Z`";
        let from = self.parsed(body, "from", moment, |text| parse_moment(text, &zone, false));
        let to = self.parsed(body, "to", moment, |text| parse_moment(text, &zone, true));
        let (from, to) = (from?, to?);
        if to <= from {
            self.wrong(block.span, "A freeze ends before it begins", "let `to` come after `from`");
        }
        Some(Freeze { from, to, reason: self.text(body, "reason").map(|(reason, _)| reason) })
    }

    fn parsed<T>(&mut self, body: &Body, name: &str, wanted: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let (text, span) = self.text(body, name)?;
        let parsed = parse(&text);
        if parsed.is_none() {
            self.wrong(span, &format!("`{name}` is not understood"), &format!("give {wanted}"));
        }
        parsed
    }

    fn duration(&mut self, body: &Body, name: &str) -> Option<Duration> {
        self.parsed(body, name, "a duration, such as `90s`, `10m` or `1h30m`", parse_duration)
    }

    fn share(&mut self, body: &Body, name: &str) -> Option<Share> {
        self.parsed(body, name, "a whole number from 1 upwards, or a percentage such as `25%`", |text| {
            let share = match text.strip_suffix('%') {
                Some(percent) => Share::Percent(percent.parse().ok().filter(|percent| *percent <= 100)?),
                None => Share::Count(text.parse().ok()?),
            };
            Some(share).filter(|share| !matches!(share, Share::Count(0) | Share::Percent(0)))
        })
    }

    fn count(&mut self, body: &Body, name: &str) -> Option<usize> {
        let expr = expr_of(body, name)?;
        let value = self.value(expr, &Type::Number, name)?;
        let count = value.as_number().and_then(formwork_contract::Number::as_usize).filter(|count| *count > 0);
        if count.is_none() {
            self.wrong(expr.span, &format!("`{name}` is no such number"), "give a whole number from 1 upwards");
        }
        count
    }

    fn text(&mut self, body: &Body, name: &str) -> Option<(Str, Span)> {
        let expr = expr_of(body, name)?;
        let value = self.value(expr, &Type::String, name)?;
        Some((value.as_str()?.into(), expr.span))
    }

    fn texts(&mut self, body: &Body, name: &str) -> Vec<(Str, Span)> {
        let Some(expr) = expr_of(body, name) else { return Vec::new() };
        let Some(value) = self.value(expr, &Type::list(Type::String), name) else { return Vec::new() };
        let texts = value.elements().unwrap_or_default().iter();
        texts.filter_map(|text| Some((text.as_str()?.into(), expr.span))).collect()
    }

    /// The value of a setting, in clear: what it says is no secret. `None` where it is null, or not known yet.
    fn value(&mut self, expr: &Expr, ty: &Type, name: &str) -> Option<Value> {
        let undeclared = self.evaluation.graph.check_references(expr);
        if undeclared.has_errors() {
            self.found.append(undeclared);
            return None;
        }
        let value =
            self.evaluation.with_scope(InstanceId(0), Each::None, None, |scope| scope.evaluate_as(expr, ty, name));
        match value.map(|value| value.deep_unmarked()) {
            Ok(value) if value.is_null() => None,
            Ok(value) if value.is_wholly_known() => Some(value),
            Ok(_) => {
                if self.knowledge == Knowledge::Planned {
                    let hint = "use variables, locals and what stands already";
                    self.wrong(expr.span, &format!("`{name}` must be known when the plan is made"), hint);
                }
                None
            }
            Err(diagnostics) => {
                self.found.append(diagnostics);
                None
            }
        }
    }

    fn wrong(&mut self, span: Span, summary: &str, hint: &str) {
        self.found.push(Diagnostic::error(summary).label(span, "set here").hint(hint));
    }
}

/// The wave that no block stands for.
fn rest(defaults: &Defaults) -> DeclaredWave {
    let (max_parallel, max_unavailable) = (defaults.max_parallel, defaults.max_unavailable);
    DeclaredWave {
        wave: Wave { name: REST.into(), max_parallel, max_unavailable, ..Wave::default() },
        selection: Selection::default(),
    }
}

fn expr_of<'b>(body: &'b Body, name: &str) -> Option<&'b Expr> {
    body.attributes.iter().find(|attribute| &*attribute.name == name).map(|attribute| &attribute.value)
}
