//! Copies of sensitive values in what others say: in the values and in the messages of a provider.

use formwork_contract::{Diagnostic, Marks, Number, Path, Str, Type, Value};

/// Shorter texts are too likely to be equal by chance.
const SHORTEST_SECRET: usize = 4;
/// Numbers with fewer digits are, too.
const SHORTEST_NUMBER: usize = 6;

/// The sensitive and the ephemeral parts of a configuration, to be found again.
#[derive(Debug, Default)]
pub struct Secrets {
    /// The longest first, so that none hides a part of another.
    texts: Vec<Str>,
    numbers: Vec<Number>,
    /// Collections that are sensitive as a whole, names and all.
    collections: Vec<Value>,
}

impl Secrets {
    pub fn of<'a>(values: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut secrets = Self::default();
        values.into_iter().for_each(|value| secrets.collect(value, false));
        secrets.texts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.texts.dedup();
        secrets
    }

    /// The value with every copy marked as sensitive.
    pub fn seal_copies(&self, value: &Value) -> Value {
        if self.texts.is_empty() && self.numbers.is_empty() && self.collections.is_empty() {
            return value.clone();
        }
        value.transform(&Path::root(), &mut |_, part| {
            let copies = match part.unmarked() {
                Value::String(text) => self.texts.iter().any(|secret| text.contains(&**secret)),
                Value::Number(number) if !self.numbers.is_empty() => self.numbers.contains(number),
                Value::Object(_) | Value::Map(_) | Value::List(_) | Value::Set(_) | Value::Tuple(_) => {
                    !self.collections.is_empty() && self.collections.contains(&part.deep_unmarked())
                }
                _ => false,
            };
            if copies { part.mark(Marks::SENSITIVE) } else { part }
        })
    }

    /// The value with those unknown parts marked that will have the names of a sensitive collection.
    pub fn seal_unknown_copies(&self, value: &Value) -> Value {
        if self.collections.is_empty() {
            return value.clone();
        }
        value.transform(&Path::root(), &mut |_, part| match part.unmarked() {
            Value::Unknown(unknown) if self.collections.iter().any(|known| tells(&unknown.ty, &known.ty())) => {
                part.mark(Marks::SENSITIVE)
            }
            _ => part,
        })
    }

    /// The message with every copy taken out.
    pub fn redacted(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        let texts = [&mut diagnostic.summary, &mut diagnostic.detail].into_iter().chain(diagnostic.hint.as_mut());
        for text in texts {
            *text = self.redacted_text(text);
        }
        diagnostic
    }

    /// The text with every copy taken out.
    pub fn redacted_text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.texts {
            if text.contains(&**secret) {
                text = text.replace(&**secret, "(sensitive)");
            }
        }
        text
    }

    fn collect(&mut self, value: &Value, inside: bool) {
        // What is ephemeral is not to be recorded at all; a copy of it is sealed at the least.
        let sensitive = !value.marks().is_empty();
        match value.unmarked() {
            Value::String(text) if (inside || sensitive) && text.len() >= SHORTEST_SECRET => {
                self.texts.push(text.clone());
            }
            Value::Number(number) if (inside || sensitive) && number.to_string().len() >= SHORTEST_NUMBER => {
                self.texts.push(number.to_string().into());
                self.numbers.push(number.clone());
            }
            other => {
                if sensitive && other.children().next().is_some() {
                    self.collections.push(other.deep_unmarked());
                }
                other.children().for_each(|child| self.collect(child, inside || sensitive));
            }
        }
    }
}

/// Whether a type is that of a collection, or has it within and so tells its names.
fn tells(ty: &Type, collection: &Type) -> bool {
    ty == collection || (has_names(collection) && parts(ty).any(|part| tells(part, collection)))
}

fn has_names(ty: &Type) -> bool {
    matches!(ty, Type::Object(_)) || parts(ty).any(has_names)
}

fn parts(ty: &Type) -> Box<dyn Iterator<Item = &Type> + '_> {
    match ty {
        Type::List(element) | Type::Set(element) | Type::Map(element) => Box::new(std::iter::once(&**element)),
        Type::Tuple(elements) => Box::new(elements.iter()),
        Type::Object(object) => Box::new(object.iter().map(|attribute| &attribute.ty)),
        Type::Any | Type::Bool | Type::Number | Type::String => Box::new(std::iter::empty()),
    }
}
