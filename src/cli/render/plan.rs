//! A plan as people read it: what drifted, what will change and why, and what it comes to.

use std::fmt::Write as _;

use formwork_contract::{Contents, InstanceKey, Marks, Mode, ModulePath, Path, Value};

use indicatif::HumanBytes;

use super::approval;
use super::blast;
use super::diff::{Differ, Inside};
use super::style::{Paint, Role, count};
use super::value::key;
use crate::plan::PlanView;
use crate::plan::json::risk_name;
use crate::plan::model::{
    Action, Change, Deed, Deferred, Drift, FailurePolicy, OutputChange, PlanKind, Reason, ReplaceOrder, Reversal, Risk,
};
use crate::plan::preflight::grade_told;
use crate::plan::risk::RiskReason;

/// The whole plan as text, without its warnings and failed checks: those are diagnostics.
pub fn plan<'a>(plan: impl Into<PlanView<'a>>, paint: Paint) -> String {
    let plan = &plan.into();
    let mut view = View { out: String::new(), paint, column: 0 };
    view.drift(plan.drift);
    if plan.is_empty() && plan.deferred.is_empty() {
        view.nothing(plan);
        view.out.push_str(&blast::left_out(plan.left_out));
        return view.out;
    }
    view.changes(plan);
    view.rules(plan);
    view.artifacts(plan);
    view.deferred(plan.deferred);
    view.outputs(plan);
    let released = super::release::release(plan, paint);
    view.out.push_str(&released);
    view.summary(plan);
    view.out
}

/// What differs between the record and reality.
pub fn drift(drift: &[Drift], paint: Paint) -> String {
    let mut view = View { out: String::new(), paint, column: 0 };
    view.drift(drift);
    view.out
}

/// One line of what a plan comes to.
pub fn summary<'a>(plan: impl Into<PlanView<'a>>, paint: Paint) -> String {
    let mut view = View { out: String::new(), paint, column: 0 };
    view.summary(&plan.into());
    view.out
}

/// How many objects an action touches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub add: usize,
    pub change: usize,
    pub replace: usize,
    pub destroy: usize,
    pub import: usize,
    pub moved: usize,
    pub forget: usize,
    pub read: usize,
    pub protect: usize,
    pub unprotect: usize,
}

impl Tally {
    pub fn of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        let mut tally = Self::default();
        for change in changes {
            let counter = match change.action {
                Action::Create => Some(&mut tally.add),
                Action::Update => Some(&mut tally.change),
                Action::Replace(_) => Some(&mut tally.replace),
                Action::Delete => Some(&mut tally.destroy),
                Action::Forget => Some(&mut tally.forget),
                Action::Read => Some(&mut tally.read),
                Action::NoOp => None,
            };
            if let Some(counter) = counter {
                *counter += 1;
            }
            tally.import += usize::from(change.importing.is_some());
            tally.moved += usize::from(change.moved_from.is_some());
            let stays = !matches!(change.action, Action::Delete | Action::Forget);
            tally.protect += usize::from(stays && change.protection.changes() && change.protection.planned);
            tally.unprotect += usize::from(stays && change.protection.is_lifted());
        }
        tally
    }

    /// `3 to add, 1 to change`; the four words of every plan also where they are 0 if `all`.
    fn words(&self, all: bool) -> String {
        let usual = [(self.add, "add"), (self.change, "change"), (self.replace, "replace"), (self.destroy, "destroy")];
        let others = [
            (self.import, "import"),
            (self.moved, "move"),
            (self.forget, "forget"),
            (self.read, "read"),
            (self.protect, "protect"),
            (self.unprotect, "unprotect"),
        ];
        let told = usual.into_iter().filter(|(number, _)| all || *number > 0);
        let told = told.chain(others.into_iter().filter(|(number, _)| *number > 0));
        told.map(|(number, verb)| format!("{number} to {verb}")).collect::<Vec<_>>().join(", ")
    }
}

struct View {
    out: String,
    paint: Paint,
    /// Where the grades of preflight checks stand.
    column: usize,
}

impl View {
    fn heading(&mut self, text: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        let _ = writeln!(self.out, "{}", self.paint.show(Role::Heading, text));
    }

    fn nothing(&mut self, plan: &PlanView<'_>) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        let environment = &plan.header.environment;
        let _ = match plan.header.kind {
            PlanKind::Apply => writeln!(self.out, "No changes: `{environment}` is as the blueprint says."),
            PlanKind::Destroy => writeln!(self.out, "No changes: nothing of `{environment}` is left to destroy."),
            PlanKind::Rollback { to } => {
                writeln!(self.out, "No changes: `{environment}` is as revision {to} left it.")
            }
            PlanKind::Undo { of } => {
                writeln!(self.out, "No changes: `{environment}` is as it was before revision {of}.")
            }
        };
    }

    fn drift(&mut self, drift: &[Drift]) {
        if drift.is_empty() {
            return;
        }
        self.heading("Drift: changed outside of Formwork");
        for drift in drift {
            let gone = drift.live.is_null();
            let (sign, role, words) =
                if gone { ("-", Role::Remove, "is gone") } else { ("~", Role::Change, "has changed") };
            let _ = writeln!(self.out, "\n  {} {} {words}", self.paint.show(role, sign), drift.address);
            if !gone {
                self.attributes(Inside::Unknown, &drift.recorded, &drift.live, &[]);
            }
        }
    }

    fn changes(&mut self, plan: &PlanView<'_>) {
        let ways_back = ways_back(plan);
        let mut told: Vec<(&Change, Option<&Reversal>)> =
            plan.changes.iter().zip(ways_back).filter(|(change, _)| is_told(change)).collect();
        told.sort_by(|(a, _), (b, _)| a.address.cmp(&b.address));
        self.column =
            told.iter().map(|(change, _)| headline(change)).filter(|width| *width <= WIDEST).max().unwrap_or(0);
        let is_divided = told.iter().any(|(change, _)| !change.address.module.is_root());
        for group in told.chunk_by(|(a, _), (b, _)| a.address.module == b.address.module) {
            if is_divided {
                self.group(group);
            }
            for (change, way_back) in group {
                self.change(change, *way_back);
            }
        }
    }

    fn group(&mut self, group: &[(&Change, Option<&Reversal>)]) {
        let Some((first, _)) = group.first() else { return };
        let tally = Tally::of(group.iter().map(|(change, _)| *change)).words(false);
        let module: &ModulePath = &first.address.module;
        let name = if module.is_root() { "root module".into() } else { module.to_string() };
        self.heading(&format!("{name}: {tally}"));
    }

    fn change(&mut self, change: &Change, way_back: Option<&Reversal>) {
        let (sign, role) = sign(change);
        let address = self.paint.show(Role::Heading, &change.address);
        let words = words(change);
        let _ = write!(self.out, "\n{:>3} {address} {words}", self.paint.show(role, format_args!("{sign:>3}")));
        self.risk(change.risk);
        self.preflight(change);
        self.out.push('\n');
        for note in notes(change, way_back) {
            let _ = writeln!(self.out, "      {}", self.paint.show(Role::Faint, format_args!("# {note}")));
        }
        let inside = Inside::Block(&change.kind.block);
        match change.action {
            Action::NoOp | Action::Forget => {}
            Action::Delete => self.attributes(inside, &change.before, &Value::NULL, &[]),
            Action::Read => self.attributes(inside, &Value::NULL, &change.after, &[]),
            Action::Update => self.attributes(inside, &change.before, &change.after, &change.replace_paths),
            Action::Create | Action::Replace(_) => {
                self.attributes(inside, &change.before, &with_write_only(change), &change.replace_paths);
            }
        }
    }

    fn preflight(&mut self, change: &Change) {
        let Some(grade) = change.preflight else { return };
        let gap = self.column.saturating_sub(headline(change));
        let _ = write!(self.out, "{:gap$}  {}", "", self.paint.show(Role::Faint, grade_told(grade)));
    }

    fn risk(&mut self, risk: Risk) {
        let role = match risk {
            Risk::None | Risk::Low => return,
            Risk::Medium => Role::Warning,
            Risk::High | Risk::Critical => Role::Error,
        };
        let _ = write!(self.out, "  {}", self.paint.show(role, risk_mark(risk)));
    }

    fn attributes(&mut self, inside: Inside<'_>, before: &Value, after: &Value, forces: &[Path]) {
        Differ { out: &mut self.out, paint: self.paint, forces }.attributes(6, inside, before, after);
    }

    fn rules(&mut self, plan: &PlanView<'_>) {
        let text = approval::rule_changes(&plan.header.approval, self.paint);
        if !text.is_empty() {
            let _ = write!(self.out, "\n{text}");
        }
    }

    fn artifacts(&mut self, plan: &PlanView<'_>) {
        let needed: Vec<_> = plan.header.artifacts.iter().filter(|artifact| artifact.needed).collect();
        if needed.is_empty() {
            return;
        }
        self.heading("Artifacts: read from the store by these digests");
        for artifact in needed {
            let facts = &artifact.facts;
            let size = HumanBytes(facts.size);
            let _ = writeln!(self.out, "  {} {}, {size}, {}", artifact.address, facts.kind, facts.digest);
        }
    }

    fn deferred(&mut self, deferred: &[Deferred]) {
        if deferred.is_empty() {
            return;
        }
        self.heading("Deferred: to be planned once more is known");
        for deferred in deferred {
            let sign = self.paint.show(Role::Read, "?");
            let _ = writeln!(self.out, "  {sign} {}: {}", deferred.address, deferred.reason);
        }
    }

    fn outputs(&mut self, plan: &PlanView<'_>) {
        let changed: Vec<(String, &OutputChange)> = plan
            .outputs
            .iter()
            .filter(|(_, output)| output.action != Action::NoOp)
            .map(|(name, output)| (key(name), output))
            .collect();
        let Some(width) = changed.iter().map(|(name, _)| name.chars().count()).max() else { return };
        self.heading("Outputs");
        for (name, output) in &changed {
            let veiled = |value: &Value| {
                let marks = if output.sensitive { Marks::SENSITIVE } else { Default::default() };
                value.clone().mark(marks)
            };
            let (before, after) = (veiled(&output.before), veiled(&output.after));
            let before = Some(&before).filter(|_| output.action != Action::Create);
            let after = Some(&after).filter(|_| output.action != Action::Delete);
            let mut differ = Differ { out: &mut self.out, paint: self.paint, forces: &[] };
            differ.named(2, name, width, before, after);
        }
    }

    fn summary(&mut self, plan: &PlanView<'_>) {
        let tally = Tally::of(plan.changes);
        let mut words = tally.words(true);
        if !plan.deferred.is_empty() {
            let _ = write!(words, ", {} deferred", plan.deferred.len());
        }
        let what = match plan.header.kind {
            PlanKind::Apply => "Plan".to_owned(),
            PlanKind::Destroy => "Plan to destroy".to_owned(),
            PlanKind::Rollback { to } => format!("Plan to roll back to revision {to}"),
            PlanKind::Undo { of } => format!("Plan to take back what revision {of} did"),
        };
        let _ = writeln!(self.out, "\n{}: {words}.", self.paint.show(Role::Heading, what));
        self.out.push_str(&blast::left_out(plan.left_out));
        self.out.push_str(&blast::blast_radius(plan.changes, self.paint));
        self.losses(plan);
        self.on_failure(plan);
        let grave = plan.changes.iter().filter(|change| change.risk >= Risk::High).count();
        if grave > 0 {
            let text = format!("{} of high risk, marked with !!.", count(grave, "change"));
            let _ = writeln!(self.out, "{}", self.paint.show(Role::Warning, text));
        }
        let _ = write!(self.out, "{}", approval::needs(plan, self.paint));
    }
}

impl View {
    /// What is gone for good, and what has to be said for it to be.
    fn losses(&mut self, plan: &PlanView<'_>) {
        let lost = plan.changes.iter().filter(|change| change.loses().is_some()).count();
        if lost > 0 {
            let text = format!("{} data that is lost for good: `--accept-loss ADDRESS` accepts that.", hold(lost));
            let _ = writeln!(self.out, "{}", self.paint.show(Role::Error, text));
        }
    }

    /// What follows when a step fails, if that is more than to stop.
    fn on_failure(&mut self, plan: &PlanView<'_>) {
        let policies = &plan.header.on_failure;
        if policies.may_roll_back() {
            let ways = [
                (Reversal::Delete, "deleted"),
                (Reversal::Restore, "given its values from before"),
                (Reversal::Recreate, "made anew"),
            ];
            let told: Vec<String> = ways
                .iter()
                .map(|(way, verb)| (plan.steps.iter().filter(|step| step.reversal == *way).count(), verb))
                .filter(|(steps, _)| *steps > 0)
                .map(|(steps, verb)| format!("{steps} {verb}"))
                .collect();
            let told = if told.is_empty() { "nothing to take back".into() } else { told.join(", ") };
            let _ = writeln!(self.out, "If a step fails, what was done is rolled back: of all, {told}.");
        } else if policies.whole == FailurePolicy::Continue {
            let _ = writeln!(self.out, "If a step fails, what does not depend on it goes on.");
        }
    }
}

fn hold(objects: usize) -> String {
    if objects == 1 { "1 object holds".into() } else { format!("{objects} objects hold") }
}

/// Changes that are worth a line: not what stays, and not data sources that were read already.
fn is_told(change: &Change) -> bool {
    !change.is_nothing()
}

/// No grade stands further right than this: a longer line has its own at its end.
const WIDEST: usize = 100;

/// How wide the line of a change is before the grade of its preflight check.
fn headline(change: &Change) -> usize {
    let mark = risk_mark(change.risk).chars().count();
    let risk = if mark == 0 { 0 } else { mark + 2 };
    change.address.to_string().chars().count() + 1 + words(change).chars().count() + risk
}

fn risk_mark(risk: Risk) -> String {
    let marks = match risk {
        Risk::None | Risk::Low => return String::new(),
        Risk::Medium => "!",
        Risk::High => "!!",
        Risk::Critical => "!!!",
    };
    format!("[{marks} {} risk]", risk_name(risk))
}

/// For each change, how the step that takes something away is undone.
fn ways_back<'a>(plan: &PlanView<'a>) -> Vec<Option<&'a Reversal>> {
    let mut ways = vec![None; plan.changes.len()];
    for step in plan.steps {
        let Some(slot) = step.change.and_then(|change| ways.get_mut(change)) else { continue };
        if matches!(step.reversal, Reversal::None { .. } | Reversal::Recreate) {
            *slot = Some(&step.reversal);
        }
    }
    ways
}

fn sign(change: &Change) -> (&'static str, Role) {
    match change.action {
        Action::NoOp => (">", Role::Read),
        Action::Create => ("+", Role::Add),
        Action::Read => ("<=", Role::Read),
        Action::Update => ("~", Role::Change),
        Action::Replace(ReplaceOrder::DeleteFirst) => ("-/+", Role::Replace),
        Action::Replace(ReplaceOrder::CreateFirst) => ("+/-", Role::Replace),
        Action::Delete => ("-", Role::Remove),
        Action::Forget => (".", Role::Read),
    }
}

fn words(change: &Change) -> String {
    let deposed = match &change.deposed {
        Some(key) => format!("(deposed object {key}) "),
        None => String::new(),
    };
    let verb = match change.action {
        Action::NoOp if change.reinstates() => "takes its place again",
        Action::NoOp if change.importing.is_some() => "will be imported",
        Action::NoOp if change.moved_from.is_some() => "moves",
        Action::NoOp if change.protection.is_lifted() => "loses its protection",
        Action::NoOp => "will be protected",
        Action::Create => "will be created",
        Action::Read => "will be read during apply",
        Action::Update if change.importing.is_some() => "will be imported, then updated in place",
        Action::Update => "will be updated in place",
        Action::Replace(_) if change.reason == Some(Reason::Requested) => "will be replaced",
        Action::Replace(_) => "must be replaced",
        Action::Delete => "will be destroyed",
        Action::Forget => "will be forgotten: it stays, but is no longer managed",
    };
    format!("{deposed}{verb}")
}

/// What a person should know of a change before its attributes.
fn notes(change: &Change, way_back: Option<&Reversal>) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(from) = change.moved_from.as_ref().filter(|from| **from != change.address) {
        notes.push(format!("moved from {from}"));
    }
    if let Some(id) = &change.importing {
        notes.push(format!("imported by id `{id}`"));
    }
    if let Some(reason) = change.reason.as_ref().and_then(|reason| because(reason, change)) {
        notes.push(format!("because {reason}"));
    }
    notes.extend(safety(change));
    match (way_back, &change.kind.contents) {
        (Some(Reversal::None { why }), _) => notes.push(format!("no way back: {why}")),
        (Some(Reversal::Recreate), Contents::Data(_) | Contents::Nothing) => {
            notes.push("a rollback makes it anew, with another identity".into());
        }
        (Some(Reversal::Recreate), Contents::Unknown) => {
            notes.push("a rollback makes it anew, without the data that it may hold".into());
        }
        _ => {}
    }
    notes
}

/// What the table of risks and the record's protection have to say that the rest of the lines does not.
fn safety(change: &Change) -> Vec<String> {
    let mut notes = Vec::new();
    for reason in &change.risk_reasons {
        match reason {
            RiskReason::LosesData(_) | RiskReason::Exposes(_) | RiskReason::MayExpose(_) => notes.push(reason.told()),
            RiskReason::Unprotects => {
                notes.push("protected until this is applied: it can go with the next plan".into())
            }
            _ => {}
        }
    }
    if let Some(overridden) = &change.protection.overridden {
        let (file, signer, until) = (&overridden.file, &overridden.signer, &overridden.until);
        notes.push(format!("protected; `{file}`, signed by {signer} until {until}, lets it go: {}", overridden.reason));
    }
    notes
}

fn because(reason: &Reason, change: &Change) -> Option<String> {
    Some(match reason {
        Reason::CannotUpdate if change.replace_paths.is_empty() => "it cannot be changed in place".into(),
        Reason::CannotUpdate => {
            let paths: Vec<String> = change.replace_paths.iter().map(|path| format!("`{path}`")).collect();
            format!("{} cannot change in place", paths.join(", "))
        }
        Reason::Tainted => "it is tainted: made only in part, or marked as such".into(),
        Reason::Triggered(what) => format!("`{what}` changes, which `replace_triggered_by` names"),
        Reason::Requested => "`--replace` asks for it".into(),
        Reason::Vanished => "the object is gone from reality".into(),
        Reason::NotInBlueprint => format!("no block `{}` is in the blueprint", change.address.local_name()),
        Reason::NoSuchInstance => match &change.address.key {
            InstanceKey::None => "the block now has `count` or `for_each`".into(),
            InstanceKey::Index(index) => format!("index {index} is out of range for `count`"),
            InstanceKey::Key(_) => format!("key {} is not in `for_each`", bracketless(&change.address.key)),
        },
        Reason::Undone(deed) => undone(*deed).into(),
        Reason::Destroying => return None,
        Reason::ConfigUnknown => "its configuration is known only after apply".into(),
        Reason::DependencyPending => "it depends on something that changes".into(),
        Reason::Deposed => "an earlier replacement left it behind".into(),
        Reason::Removed => match change.address.mode {
            Mode::Managed => "a `removed` block asks for it".into(),
            Mode::Data | Mode::Ephemeral => "it is no longer read".into(),
        },
    })
}

fn undone(deed: Deed) -> &'static str {
    match deed {
        Deed::Created => "the run made it",
        Deed::Changed => "the run changed it",
        Deed::Deleted => "the run deleted it",
        Deed::Imported => "the run took it over",
        Deed::Forgotten => "the run forgot it",
        Deed::SetAside => "the run set it aside for a new one",
        Deed::Moved => "the run moved it",
        Deed::Nothing => "it refers to an object that is made anew",
    }
}

/// What will stand, with a mark where the blueprint gives something that is only sent.
fn with_write_only(change: &Change) -> Value {
    let sent = change.kind.block.write_only_paths(&change.config);
    if sent.is_empty() {
        return change.after.clone();
    }
    change.after.transform(&Path::root(), &mut |path, part| {
        if sent.contains(path) { part.mark(Marks::EPHEMERAL) } else { part }
    })
}

fn bracketless(key: &InstanceKey) -> String {
    key.to_string().trim_matches(['[', ']']).to_owned()
}
