//! Takes a settings block apart that a later stage gives its meaning: what is left over is reported.
//!
//! Settings hold for a blueprint as it stands, before anything is evaluated, so their values are literals.

use formwork_contract::{Diagnostic, Diagnostics, Span, Str, Value, suggest};

use super::expression::{Expr, ExprKind};
use super::model::{Attribute, Block};

/// One block, while it is being read.
pub struct SettingsReader<'b, 'd> {
    block: &'b Block,
    known_attributes: Vec<&'static str>,
    known_blocks: Vec<&'static str>,
    pub diagnostics: &'d mut Diagnostics,
}

impl<'b, 'd> SettingsReader<'b, 'd> {
    pub fn new(block: &'b Block, diagnostics: &'d mut Diagnostics) -> Self {
        Self { block, known_attributes: Vec::new(), known_blocks: Vec::new(), diagnostics }
    }

    /// The only label of the block.
    pub fn label(&mut self, what: &str) -> Option<Str> {
        if let [label] = &*self.block.labels {
            return Some(label.clone());
        }
        let keyword = &self.block.type_name;
        self.diagnostics.push(
            Diagnostic::error(format!("The `{keyword}` block needs one label"))
                .label(self.block.span, format!("its {what} is to follow"))
                .hint(format!("write `{keyword} \"{}\" {{ ... }}`", what.to_uppercase())),
        );
        None
    }

    pub fn no_labels(&mut self) {
        if !self.block.labels.is_empty() {
            let keyword = &self.block.type_name;
            self.diagnostics.push(
                Diagnostic::error(format!("The `{keyword}` block has too many labels"))
                    .label(self.block.span, "it takes none")
                    .hint(format!("write `{keyword} {{ ... }}`")),
            );
        }
    }

    fn take(&mut self, name: &'static str) -> Option<&'b Attribute> {
        self.known_attributes.push(name);
        self.block.body.attributes.iter().find(|attribute| &*attribute.name == name)
    }

    pub fn text(&mut self, name: &'static str) -> Option<(Str, Span)> {
        let attribute = self.take(name)?;
        let text = attribute.value.as_literal_str().map(Str::from);
        self.wanted(attribute, "a quoted string", text)
    }

    pub fn bool(&mut self, name: &'static str) -> Option<(bool, Span)> {
        let attribute = self.take(name)?;
        self.wanted(attribute, "`true` or `false`", attribute.value.as_literal_bool())
    }

    /// A whole number in a range.
    pub fn number(&mut self, name: &'static str, range: std::ops::RangeInclusive<usize>) -> Option<(usize, Span)> {
        let attribute = self.take(name)?;
        let number = match &attribute.value.kind {
            ExprKind::Literal(Value::Number(number)) => number.to_string().parse().ok(),
            _ => None,
        };
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        self.wanted(attribute, &wanted, number.filter(|number| range.contains(number)))
    }

    /// A quoted string, or a list of them.
    pub fn texts(&mut self, name: &'static str) -> Option<(Vec<Str>, Span)> {
        let attribute = self.take(name)?;
        let texts = match &attribute.value.kind {
            ExprKind::Tuple(items) => items.iter().map(literal).collect(),
            _ => literal(&attribute.value).map(|text| vec![text]),
        };
        self.wanted(attribute, "a quoted string, or a list of them", texts)
    }

    /// A time span such as `90s`, `30m`, `72h` or `14d`, in milliseconds, and as it is written.
    pub fn duration(&mut self, name: &'static str) -> Option<((i64, Str), Span)> {
        let attribute = self.take(name)?;
        let read = attribute.value.as_literal_str().and_then(|text| Some((duration(text)?, Str::from(text))));
        self.wanted(attribute, "a time span such as \"30m\", \"72h\" or \"14d\"", read)
    }

    fn wanted<T>(&mut self, attribute: &Attribute, wanted: &str, value: Option<T>) -> Option<(T, Span)> {
        let span = attribute.value.span;
        if value.is_none() {
            self.diagnostics.push(
                Diagnostic::error(format!("`{}` must be {wanted}", attribute.name))
                    .detail("It holds for the blueprint as it stands: no reference and no function call is evaluated.")
                    .label(span, format!("{wanted} is needed here")),
            );
        }
        value.map(|value| (value, span))
    }

    /// The nested blocks of this name.
    pub fn blocks(&mut self, keyword: &'static str) -> Vec<&'b Block> {
        self.known_blocks.push(keyword);
        self.block.body.blocks.iter().filter(|block| &*block.type_name == keyword && block.dynamic.is_none()).collect()
    }

    /// Reports what was not asked for.
    pub fn finish(self) {
        let keyword = &self.block.type_name;
        let meant = |name: &str, known: &[&str]| {
            suggest::nearest(name, known.iter().copied()).map(|meant| format!("did you mean `{meant}`?"))
        };
        for attribute in &self.block.body.attributes {
            let name = &*attribute.name;
            if self.known_attributes.contains(&name) {
                continue;
            }
            let unknown = Diagnostic::error(format!("Unknown attribute `{name}` in {}", a_block(keyword)))
                .label(attribute.name_span, "not known here");
            self.diagnostics.push(match meant(name, &self.known_attributes) {
                _ if self.known_blocks.contains(&name) => unknown.hint(format!("write `{name} {{ ... }}` without `=`")),
                Some(hint) => unknown.hint(hint),
                None => unknown.hint(format!("it can have {}", listed(&self.known_attributes))),
            });
        }
        for block in &self.block.body.blocks {
            let name = &*block.type_name;
            if block.dynamic.is_some() {
                self.diagnostics.push(
                    Diagnostic::error(format!("A `{keyword}` block can have no `dynamic` blocks"))
                        .label(block.span, "nothing is evaluated here")
                        .hint("write the blocks out"),
                );
            } else if !self.known_blocks.contains(&name) {
                let unknown = Diagnostic::error(format!("Unknown block `{name}` in {}", a_block(keyword)))
                    .label(block.span, "not known here");
                self.diagnostics.push(match meant(name, &self.known_blocks) {
                    Some(hint) => unknown.hint(hint),
                    None if self.known_blocks.is_empty() => unknown.hint("it has no nested blocks"),
                    None => unknown.hint(format!("it can have {}", listed(&self.known_blocks))),
                });
            }
        }
    }
}

fn literal(expr: &Expr) -> Option<Str> {
    expr.as_literal_str().map(Str::from)
}

/// A block as a sentence names it: ``an `environment` block``.
pub(super) fn a_block(keyword: &str) -> String {
    let article = if keyword.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} `{keyword}` block")
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A whole number of seconds, minutes, hours or days, more than none and at most a hundred years, in milliseconds.
fn duration(text: &str) -> Option<i64> {
    const CENTURY_MS: i64 = 100 * 366 * 24 * 3_600_000;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit_ms: i64 = match unit {
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 24 * 3_600_000,
        _ => return None,
    };
    let number: i64 = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
    number.checked_mul(unit_ms).filter(|ms| (1..=CENTURY_MS).contains(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_number_and_a_unit() {
        for (text, ms) in [("90s", Some(90_000)), ("72h", Some(259_200_000)), ("14d", Some(1_209_600_000))] {
            assert_eq!(duration(text), ms);
        }
        for text in ["", "h", "0h", "-1h", "+1h", "1.5h", "1w", "1", "99999999999999999999h", "1é"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
