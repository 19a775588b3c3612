//! Templates: text with interpolations and directives.

use formwork_contract::convert::convert;
use formwork_contract::{Diagnostics, Marks, Span, Type, Unknown, Value};

use super::comprehension::Iteration;
use super::evaluator::{Evaluator, condition_bool};
use super::failed;
use crate::blueprint::expression::TemplatePart;

/// What a template has come to so far.
#[derive(Default)]
struct Rendered {
    text: String,
    marks: Marks,
    /// Some part is not known yet, so the text is not.
    unknown: bool,
}

impl Evaluator<'_> {
    pub(super) fn template(&self, parts: &[TemplatePart]) -> Result<Value, Diagnostics> {
        let mut rendered = Rendered::default();
        self.render(parts, &mut rendered)?;
        let value = if rendered.unknown {
            Value::Unknown(Unknown { ty: Type::String, not_null: true })
        } else {
            Value::string(rendered.text)
        };
        Ok(value.mark(rendered.marks))
    }

    fn render(&self, parts: &[TemplatePart], rendered: &mut Rendered) -> Result<(), Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        for part in parts {
            if let Err(errors) = self.render_part(part, rendered) {
                diagnostics.append(errors);
            }
        }
        if diagnostics.is_empty() { Ok(()) } else { Err(diagnostics) }
    }

    fn render_part(&self, part: &TemplatePart, rendered: &mut Rendered) -> Result<(), Diagnostics> {
        match part {
            TemplatePart::Literal(text) => {
                rendered.text.push_str(text);
                Ok(())
            }
            TemplatePart::Interpolation(expr) => rendered.interpolate(&self.evaluate(expr)?, expr.span),
            TemplatePart::If { condition, then, otherwise } => {
                let holds = self.evaluate(condition)?;
                rendered.marks = rendered.marks.union(holds.marks());
                match condition_bool(&holds, condition.span)? {
                    Some(true) => self.render(then, rendered),
                    Some(false) => self.render(otherwise, rendered),
                    None => {
                        rendered.unknown = true;
                        Ok(())
                    }
                }
            }
            TemplatePart::For { key_name, value_name, collection, body } => {
                let Iteration { items, marks } = self.iteration(collection)?;
                rendered.marks = rendered.marks.union(marks);
                let Some(items) = items else {
                    rendered.unknown = true;
                    return Ok(());
                };
                for (key, value) in items {
                    self.with_item(key_name.as_deref(), value_name, key, value, |inner| inner.render(body, rendered))?;
                }
                Ok(())
            }
        }
    }
}

impl Rendered {
    fn interpolate(&mut self, value: &Value, span: Span) -> Result<(), Diagnostics> {
        self.marks = self.marks.union(value.marks());
        match convert(value.unmarked(), &Type::String) {
            Ok(Value::String(text)) => self.text.push_str(&text),
            Ok(Value::Null(_)) => {
                return Err(failed(span, "A null value in a template", "this is null, where text is required"));
            }
            Ok(_) => self.unknown = true,
            Err(_) => {
                let name = value.ty().friendly_name();
                let error = format!("this is a {name}, which has no text of its own; `jsonencode` or `join` gives one");
                return Err(failed(span, format!("A {name} in a template"), error));
            }
        }
        Ok(())
    }
}
