//! Two values side by side, in the form of a blueprint: what comes, what goes, what changes.

use std::fmt::Write as _;

use formwork_contract::{Block, Entries, NestedBlock, Nesting, Path, Step, Str, Type, Value};

use super::sequence::{self, Fate};
use super::style::{Paint, Role, count, harmless};
use super::text::{self, Hunk, Structured};
use super::value::{self, SENSITIVE, UNKNOWN, WRITE_ONLY, brief};

/// Writes differences between values into a text.
#[derive(Debug)]
pub struct Differ<'a> {
    pub out: &'a mut String,
    pub paint: Paint,
    /// Attributes whose change asks for a new object.
    pub forces: &'a [Path],
}

/// What happens to a line's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Add,
    Remove,
    Change,
    Stay,
}

/// Where a value is written, and what stands around it on its line.
#[derive(Clone, Debug)]
struct Place<'s> {
    indent: usize,
    /// `name   = `, or nothing for an element.
    lead: String,
    /// `,` after an element.
    tail: &'static str,
    path: Path,
    inside: Inside<'s>,
}

/// What is known of the form of an object's parts: which of them are nested blocks.
#[derive(Clone, Copy, Debug)]
pub enum Inside<'s> {
    Block(&'s Block),
    /// The value of an attribute: it has no blocks.
    Attribute,
    /// Nothing: lists of objects are taken for blocks.
    Unknown,
}

const STEP: usize = 4;

impl Differ<'_> {
    /// The attributes of an object, each on lines of its own. Null before means that all of it comes,
    /// null after that all of it goes. `indent` is that of the signs.
    pub fn attributes(&mut self, indent: usize, inside: Inside<'_>, before: &Value, after: &Value) {
        let outer = Place { indent, lead: String::new(), tail: "", path: Path::root(), inside };
        self.entries(&outer, indent, before.entries(), after.entries());
    }

    /// One named value: an output, or an attribute that drifted. `width` aligns the equals signs.
    pub fn named(&mut self, indent: usize, name: &str, width: usize, before: Option<&Value>, after: Option<&Value>) {
        let path = Path::attribute(name);
        let place = Place { indent, lead: format!("{name:width$} = "), tail: "", path, inside: Inside::Attribute };
        self.pair(&place, before, after);
    }

    /// One named value that has no other beside it. `width` aligns the equals signs.
    pub fn standing(&mut self, indent: usize, name: &str, width: usize, value: &Value) {
        self.unsigned(indent, format!("{name:width$} = "), value);
    }

    /// A value that has no name.
    pub fn lone(&mut self, value: &Value) {
        self.unsigned(0, String::new(), value);
    }

    /// Without the room that signs take.
    fn unsigned(&mut self, indent: usize, lead: String, value: &Value) {
        let mut text = String::new();
        let place = Place { indent, lead, tail: "", path: Path::root(), inside: Inside::Attribute };
        Differ { out: &mut text, paint: self.paint, forces: &[] }.whole(&place, Sign::Stay, value);
        for line in text.lines() {
            self.out.push_str(line.strip_prefix("  ").unwrap_or(line));
            self.out.push('\n');
        }
    }

    fn entries(&mut self, outer: &Place<'_>, indent: usize, before: Option<&Entries>, after: Option<&Entries>) {
        let rows = merged(before, after);
        let is_shown = |row: &&Row<'_>| !row.is_same() || is_identity(row);
        let shown: Vec<&Row<'_>> = rows.iter().filter(is_shown).collect();
        let is_attribute = |row: &&&Row<'_>| row.nested(outer.inside).is_none();
        let width = shown.iter().filter(is_attribute).map(|row| value::key(row.name).chars().count()).max();
        for row in &shown {
            let path = outer.path.join(Step::Attribute(row.name.clone()));
            if let Some(nested) = row.nested(outer.inside) {
                self.blocks(indent, row, &path, nested);
                continue;
            }
            let lead = format!("{:width$} = ", value::key(row.name), width = width.unwrap_or_default());
            let place = Place { indent, lead, tail: "", path, inside: outer.inside.of_attribute() };
            if row.is_same() {
                self.whole(&place, Sign::Stay, row.after.unwrap_or(&Value::NULL));
            } else {
                self.pair(&place, row.before, row.after);
            }
        }
        let hidden = rows.len() - shown.len();
        if hidden > 0 {
            self.hidden(indent, hidden, "unchanged attribute");
        }
    }

    fn pair(&mut self, place: &Place<'_>, before: Option<&Value>, after: Option<&Value>) {
        match (before, after) {
            (Some(before), Some(after)) => self.changed(place, before, after),
            (Some(before), None) => self.whole(place, Sign::Remove, before),
            (None, Some(after)) => self.whole(place, Sign::Add, after),
            (None, None) => {}
        }
    }

    fn changed(&mut self, place: &Place<'_>, before: &Value, after: &Value) {
        let hides = |value: &Value| !value.marks().is_empty();
        match (hides(before), hides(after)) {
            (true, true) => return self.line(place, Sign::Change, SENSITIVE, false),
            (false, true) => {
                return self.line(place, Sign::Change, &format!("{SENSITIVE} # becomes sensitive"), false);
            }
            (true, false) => {
                let text = format!("{SENSITIVE} -> {}", brief(after, self.paint.width));
                return self.line(place, Sign::Change, &text, false);
            }
            (false, false) => {}
        }
        if after.is_unknown() {
            let text = format!("{} -> {UNKNOWN}", brief(before, self.paint.width / 2));
            return self.line(place, Sign::Change, &text, false);
        }
        if let (Some(old), Some(new)) = (before.entries(), after.entries()) {
            self.line(place, Sign::Change, "{", true);
            self.entries(place, place.indent + STEP, Some(old), Some(new));
            return self.close(place, "}");
        }
        if let (Some(old), Some(new)) = (before.elements(), after.elements()) {
            let is_set = matches!((before, after), (Value::Set(_), Value::Set(_)));
            let fates = if is_set { sequence::of_set(old, new) } else { sequence::of_list(old, new) };
            self.line(place, Sign::Change, "[", true);
            self.elements(place, &fates, old, new);
            return self.close(place, "]");
        }
        match (before, after) {
            (Value::String(old), Value::String(new)) => self.texts(place, old, new),
            _ => self.arrow(place, &brief(before, self.paint.width), &brief(after, self.paint.width)),
        }
    }

    fn elements(&mut self, outer: &Place<'_>, fates: &[Fate], before: &[Value], after: &[Value]) {
        let indent = outer.indent + STEP;
        let at = |index: usize| Place {
            indent,
            lead: String::new(),
            tail: ",",
            path: outer.path.join(Step::Index(index)),
            inside: outer.inside.of_attribute(),
        };
        let mut same = 0;
        for fate in fates {
            if matches!(fate, Fate::Same(_)) {
                same += 1;
                continue;
            }
            self.same_elements(indent, std::mem::take(&mut same));
            match *fate {
                Fate::Changed(old, new) => self.changed(&at(new), &before[old], &after[new]),
                Fate::Removed(old) => self.whole(&at(old), Sign::Remove, &before[old]),
                Fate::Added(new) => self.whole(&at(new), Sign::Add, &after[new]),
                Fate::Same(_) => {}
            }
        }
        self.same_elements(indent, same);
    }

    fn same_elements(&mut self, indent: usize, same: usize) {
        if same > 0 {
            self.hidden(indent, same, "unchanged element");
        }
    }

    /// Nested blocks: `name { ... }`, `name "key" { ... }`.
    fn blocks(&mut self, indent: usize, row: &Row<'_>, path: &Path, nested: Nested<'_>) {
        let inside = nested.map_or(Inside::Unknown, |nested| Inside::Block(&nested.block));
        let whole = Place { indent, lead: format!("{} ", row.name), tail: "", path: path.clone(), inside };
        let is_opaque = |value: &Value| value.is_unknown() || !value.marks().is_empty();
        let is_single = nested.is_some_and(|nested| matches!(nested.nesting, Nesting::Single | Nesting::Group));
        if is_single || [row.before, row.after].into_iter().flatten().any(is_opaque) {
            return self.block(&whole, row.before, row.after);
        }
        let same = if nested.is_some_and(|nested| nested.nesting == Nesting::Map) {
            self.keyed_blocks(&whole, row)
        } else {
            self.placed_blocks(&whole, row)
        };
        if same > 0 {
            self.hidden(indent, same, &format!("unchanged `{}` block", row.name));
        }
    }

    /// Answers how many stay as they are.
    fn keyed_blocks(&mut self, whole: &Place<'_>, row: &Row<'_>) -> usize {
        let mut same = 0;
        for keyed in merged(row.before.and_then(Value::entries), row.after.and_then(Value::entries)) {
            if keyed.is_same() {
                same += 1;
                continue;
            }
            let lead = format!("{}{} ", whole.lead, value::quoted(keyed.name));
            let path = whole.path.join(Step::Key(keyed.name.clone()));
            self.block(&Place { lead, path, ..whole.clone() }, keyed.before, keyed.after);
        }
        same
    }

    /// Answers how many stay as they are.
    fn placed_blocks(&mut self, whole: &Place<'_>, row: &Row<'_>) -> usize {
        let before = row.before.and_then(Value::elements).unwrap_or_default();
        let after = row.after.and_then(Value::elements).unwrap_or_default();
        let is_set = [row.before, row.after].into_iter().flatten().any(|value| matches!(value, Value::Set(_)));
        let fates = if is_set { sequence::of_set(before, after) } else { sequence::of_list(before, after) };
        let mut same = 0;
        for fate in fates {
            let (index, old, new) = match fate {
                Fate::Same(_) => {
                    same += 1;
                    continue;
                }
                Fate::Changed(old, new) => (new, before.get(old), after.get(new)),
                Fate::Removed(old) => (old, before.get(old), None),
                Fate::Added(new) => (new, None, after.get(new)),
            };
            let path = whole.path.join(Step::Index(index));
            self.block(&Place { path, ..whole.clone() }, old, new);
        }
        same
    }

    fn block(&mut self, place: &Place<'_>, before: Option<&Value>, after: Option<&Value>) {
        let sign = match (before, after) {
            (Some(_), Some(_)) => Sign::Change,
            (None, _) => Sign::Add,
            (_, None) => Sign::Remove,
        };
        let opaque = |value: &&Value| value.entries().is_none() || !value.marks().is_empty();
        if before.as_ref().is_some_and(opaque) || after.as_ref().is_some_and(opaque) {
            return self.pair(place, before, after);
        }
        self.line(place, sign, "{", true);
        self.entries(place, place.indent + STEP, before.and_then(Value::entries), after.and_then(Value::entries));
        self.close(place, "}");
    }

    /// A value of which every part has the same fate.
    fn whole(&mut self, place: &Place<'_>, sign: Sign, value: &Value) {
        if !value.marks().is_empty() {
            // What is recorded is never ephemeral: in a plan it can only be on its way to the provider.
            let is_sent = sign != Sign::Stay && value.marks().ephemeral;
            return self.line(place, sign, if is_sent { WRITE_ONLY } else { value::withheld(value) }, false);
        }
        if let Some(entries) = value.entries().filter(|entries| !entries.is_empty()) {
            self.line(place, sign, "{", true);
            let keys: Vec<String> = entries.iter().map(|(name, _)| value::key(name)).collect();
            let width = keys.iter().map(|key| key.chars().count()).max().unwrap_or_default();
            for (key, (name, part)) in keys.iter().zip(entries.iter()) {
                if part.is_null() && matches!(value, Value::Object(_)) && part.marks().is_empty() {
                    continue;
                }
                let path = place.path.join(Step::Attribute(name.clone()));
                let lead = format!("{key:width$} = ");
                let inside = Inside::Attribute;
                self.whole(&Place { indent: place.indent + STEP, lead, tail: "", path, inside }, sign, part);
            }
            return self.close(place, "}");
        }
        if let Some(elements) = value.elements().filter(|elements| !elements.is_empty()) {
            self.line(place, sign, "[", true);
            for (index, part) in elements.iter().enumerate() {
                let path = place.path.join(Step::Index(index));
                let (lead, inside) = (String::new(), Inside::Attribute);
                self.whole(&Place { indent: place.indent + STEP, lead, tail: ",", path, inside }, sign, part);
            }
            return self.close(place, "]");
        }
        match value {
            Value::String(string) => self.whole_text(place, sign, string),
            other => self.line(place, sign, &value::literal(other), false),
        }
    }

    fn whole_text(&mut self, place: &Place<'_>, sign: Sign, string: &Str) {
        if let Some(inner) = text::json(string).filter(|inner| inner.children().next().is_some()) {
            self.line(place, sign, "jsonencode(", true);
            self.whole(&place.inner(), sign, &inner);
            return self.close(place, ")");
        }
        if !string.contains('\n') {
            return self.line(place, sign, &value::quoted(string), false);
        }
        self.line(place, sign, "<<-EOT", true);
        for line in string.lines() {
            self.text_line(place.indent + STEP, sign, line);
        }
        self.close(place, "EOT");
    }

    fn texts(&mut self, place: &Place<'_>, before: &Str, after: &Str) {
        match text::structured(before, after) {
            Some(Structured::Differs { call, before, after }) => {
                self.line(place, Sign::Change, &format!("{call}("), true);
                self.changed(&place.inner(), &before, &after);
                return self.close(place, ")");
            }
            Some(Structured::Same { language }) if !after.contains('\n') && !before.contains('\n') => {
                let note = format!("(the same {language}, written differently)");
                return self.line(place, Sign::Change, &note, false);
            }
            _ => {}
        }
        if !before.contains('\n') && !after.contains('\n') {
            return self.arrow(place, &value::quoted(before), &value::quoted(after));
        }
        self.line(place, Sign::Change, "<<-EOT", true);
        let indent = place.indent + STEP;
        for hunk in text::hunks(before, after) {
            match hunk {
                Hunk::Hidden(lines) => self.hidden(indent, lines, "unchanged line"),
                Hunk::Same(line) => self.text_line(indent, Sign::Stay, line),
                Hunk::Removed(line) => self.text_line(indent, Sign::Remove, line),
                Hunk::Added(line) => self.text_line(indent, Sign::Add, line),
                Hunk::FinalNewline { removed } => {
                    let note = if removed { "the final newline goes" } else { "a final newline comes" };
                    self.note(indent, note);
                }
            }
        }
        self.close(place, "EOT");
    }

    /// `before -> after`, on two lines where one would be too long.
    fn arrow(&mut self, place: &Place<'_>, before: &str, after: &str) {
        let length = place.indent + place.lead.chars().count() + before.chars().count() + after.chars().count() + 6;
        if length <= self.paint.width.max(60) {
            return self.line(place, Sign::Change, &format!("{before} -> {after}"), false);
        }
        let gap = " ".repeat((place.indent + place.lead.chars().count()).saturating_sub(1));
        self.line(place, Sign::Change, &format!("{before}\n{gap}-> {after}"), false);
    }

    /// One line: sign, name, text, and whether it is why the object is replaced. `opens` says that the
    /// parts of the value follow, and have notes of their own.
    fn line(&mut self, place: &Place<'_>, sign: Sign, text: &str, opens: bool) {
        self.sign(place.indent, sign);
        let tail = if opens { "" } else { place.tail };
        let _ = write!(self.out, "{}{text}{tail}", place.lead);
        let forces = |path: &Path| if opens { *path == place.path } else { path.is_within(&place.path) };
        if sign != Sign::Stay && self.forces.iter().any(forces) {
            let _ = write!(self.out, " {}", self.paint.show(Role::Replace, "# forces replacement"));
        }
        self.out.push('\n');
    }

    fn close(&mut self, place: &Place<'_>, text: &str) {
        self.sign(place.indent, Sign::Stay);
        let _ = writeln!(self.out, "{text}{}", place.tail);
    }

    fn text_line(&mut self, indent: usize, sign: Sign, line: &str) {
        self.sign(indent, sign);
        self.out.push_str(&harmless(line));
        self.out.push('\n');
    }

    fn hidden(&mut self, indent: usize, number: usize, noun: &str) {
        self.note(indent, &format!("{} hidden", count(number, noun)));
    }

    fn note(&mut self, indent: usize, note: &str) {
        self.sign(indent, Sign::Stay);
        let _ = writeln!(self.out, "{}", self.paint.show(Role::Faint, format_args!("# ({note})")));
    }

    fn sign(&mut self, indent: usize, sign: Sign) {
        let (role, text) = match sign {
            Sign::Add => (Role::Add, "+"),
            Sign::Remove => (Role::Remove, "-"),
            Sign::Change => (Role::Change, "~"),
            Sign::Stay => (Role::Plain, " "),
        };
        let _ = write!(self.out, "{:indent$}{} ", "", self.paint.show(role, text));
    }
}

impl Place<'_> {
    /// For what stands in the parentheses of `jsonencode( ... )`.
    fn inner(&self) -> Self {
        let (lead, inside) = (String::new(), Inside::Attribute);
        Self { indent: self.indent + STEP, lead, tail: "", path: self.path.clone(), inside }
    }
}

impl Inside<'_> {
    fn of_attribute(self) -> Self {
        match self {
            Self::Block(_) | Self::Attribute => Self::Attribute,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// The schema of nested blocks, where it is known.
type Nested<'s> = Option<&'s NestedBlock>;

/// An attribute before and after; null and absent are the same.
#[derive(Debug)]
struct Row<'a> {
    name: &'a Str,
    before: Option<&'a Value>,
    after: Option<&'a Value>,
}

impl Row<'_> {
    fn is_same(&self) -> bool {
        match (self.before, self.after) {
            (Some(before), Some(after)) => is_same(before, after),
            _ => false,
        }
    }

    /// Set where this is nested blocks, by the schema or by the looks of it.
    fn nested<'s>(&self, inside: Inside<'s>) -> Option<Nested<'s>> {
        match inside {
            Inside::Block(block) => block.blocks.get(self.name).map(Some),
            Inside::Attribute => None,
            Inside::Unknown => {
                let mut present = [self.before, self.after].into_iter().flatten();
                let is_objects = |value: &Value| match value {
                    Value::List(list) | Value::Set(list) => matches!(list.element, Type::Object(_)),
                    _ => false,
                };
                present.all(is_objects).then_some(None)
            }
        }
    }
}

/// Both sides' entries by name, without those that are null on both.
fn merged<'a>(before: Option<&'a Entries>, after: Option<&'a Entries>) -> Vec<Row<'a>> {
    let is_there = |value: &&Value| !(value.is_null() && value.marks().is_empty());
    let mut rows: Vec<Row<'a>> = before
        .into_iter()
        .flat_map(Entries::iter)
        .map(|(name, value)| Row {
            name,
            before: Some(value).filter(is_there),
            after: after.and_then(|after| after.get(name)).filter(is_there),
        })
        .collect();
    let added = after
        .into_iter()
        .flat_map(Entries::iter)
        .filter(|(name, _)| before.is_none_or(|before| before.get(name).is_none()));
    rows.extend(added.map(|(name, value)| Row { name, before: None, after: Some(value).filter(is_there) }));
    rows.retain(|row| row.before.is_some() || row.after.is_some());
    rows.sort_by(|a, b| a.name.cmp(b.name));
    rows
}

/// Whether two values read the same: a list and a tuple of the same elements do, and every null.
pub fn is_same(before: &Value, after: &Value) -> bool {
    if before == after {
        return true;
    }
    if before.marks() != after.marks() || before.is_unknown() || after.is_unknown() {
        return false;
    }
    if let (Some(old), Some(new)) = (before.entries(), after.entries()) {
        return old.len() == new.len() && old.iter().zip(new.iter()).all(|((a, x), (b, y))| a == b && is_same(x, y));
    }
    if let (Some(old), Some(new)) = (before.elements(), after.elements()) {
        return old.len() == new.len() && old.iter().zip(new).all(|(a, b)| is_same(a, b));
    }
    before.is_null() && after.is_null()
}

/// What is shown although it stays: it tells which object this is.
fn is_identity(row: &Row<'_>) -> bool {
    matches!(&**row.name, "id" | "name") && row.after.is_some_and(|value| value.as_str().is_some())
}
