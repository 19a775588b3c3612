//! What a function declares: its parameters, what they may be, and what it answers.

use formwork_contract::{Number, Str, Type, Value};

use crate::language::FunctionContext;

/// A row of a family's table.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) parameters: &'static [Parameter],
    /// Takes all further arguments.
    pub(super) rest: Option<Parameter>,
    pub(super) result: Kind,
    pub(super) run: fn(&Arguments<'_>) -> Answer,
}

impl Function {
    pub(super) const fn new(
        name: &'static str,
        parameters: &'static [Parameter],
        result: Kind,
        run: fn(&Arguments<'_>) -> Answer,
    ) -> Self {
        Self { name, parameters, rest: None, result, run }
    }

    pub(super) const fn rest(mut self, parameter: Parameter) -> Self {
        self.rest = Some(parameter);
        self
    }
}

/// What a message says of how a function is called.
pub(super) trait Signature {
    fn name(&self) -> &str;

    /// How many arguments it takes at least.
    fn count(&self) -> usize;

    /// The name of the parameter that an argument is for.
    fn parameter(&self, at: usize) -> Option<&str>;

    /// Whether it takes further arguments.
    fn is_variadic(&self) -> bool {
        self.parameter(self.count()).is_some()
    }

    /// How it is called, as a hint.
    fn usage(&self) -> String {
        let mut names: Vec<String> = (0..self.count()).filter_map(|at| self.parameter(at)).map(str::to_owned).collect();
        names.extend(self.parameter(self.count()).map(|rest| format!("{rest}...")));
        format!("it is called as `{}({})`", self.name(), names.join(", "))
    }
}

impl Signature for Function {
    fn name(&self) -> &str {
        self.name
    }

    fn count(&self) -> usize {
        self.parameters.len()
    }

    fn parameter(&self, at: usize) -> Option<&str> {
        self.parameters.get(at).or(self.rest.as_ref()).map(|parameter| parameter.name)
    }
}

/// The type of a parameter or a result, as a constant.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Any,
    Bool,
    Number,
    String,
    List(&'static Kind),
    Set(&'static Kind),
    Map(&'static Kind),
}

impl Kind {
    pub(super) fn ty(self) -> Type {
        match self {
            Self::Any => Type::Any,
            Self::Bool => Type::Bool,
            Self::Number => Type::Number,
            Self::String => Type::String,
            Self::List(element) => Type::list(element.ty()),
            Self::Set(element) => Type::set(element.ty()),
            Self::Map(element) => Type::map(element.ty()),
        }
    }
}

/// How much of an argument has to be known for the function to run; otherwise its result is unknown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Partial {
    /// All of it.
    Known,
    /// The argument itself; parts of it may be unknown.
    Parts,
    /// Nothing.
    Unknown,
}

/// Which marks the function sees; the others are taken off and put on its result.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Marked {
    Nothing,
    /// Those of parts of the argument.
    Parts,
    All,
}

#[derive(Clone, Copy)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) nullable: bool,
    pub(super) partial: Partial,
    pub(super) marked: Marked,
}

/// A parameter that must be given, known in all its parts; the function sees no marks.
pub(super) const fn parameter(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, nullable: false, partial: Partial::Known, marked: Marked::Nothing }
}

impl Parameter {
    pub(super) const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// Parts of the argument may be unknown or marked.
    pub(super) const fn parts(mut self) -> Self {
        self.partial = Partial::Parts;
        self.marked = Marked::Parts;
        self
    }

    /// Parts of the argument may be unknown; the function sees no marks.
    pub(super) const fn unknown_parts(mut self) -> Self {
        self.partial = Partial::Parts;
        self
    }

    /// The argument may be unknown, and the function sees it with its marks.
    pub(super) const fn raw(mut self) -> Self {
        self.partial = Partial::Unknown;
        self.marked = Marked::All;
        self
    }

    /// The argument may be unknown; only parts keep their marks.
    pub(super) const fn unknown(mut self) -> Self {
        self.partial = Partial::Unknown;
        self.marked = Marked::Parts;
        self
    }
}

/// Arguments that were checked and converted as the parameters ask.
pub(super) struct Arguments<'a> {
    pub(super) values: Vec<Value>,
    pub(super) context: &'a FunctionContext,
    /// Called inside a template that a function reads.
    pub(super) in_template: bool,
}

impl Arguments<'_> {
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Null where there is no such argument.
    pub(super) fn value(&self, at: usize) -> &Value {
        const NULL: &Value = &Value::NULL;
        self.values.get(at).unwrap_or(NULL)
    }

    pub(super) fn text(&self, at: usize) -> &str {
        self.value(at).as_str().unwrap_or_default()
    }

    pub(super) fn number(&self, at: usize) -> Number {
        self.value(at).as_number().cloned().unwrap_or_else(|| Number::from(0i64))
    }

    pub(super) fn items(&self, at: usize) -> &[Value] {
        self.value(at).elements().unwrap_or_default()
    }

    /// A whole number.
    pub(super) fn int(&self, at: usize) -> Result<i64, Fault> {
        self.number(at).as_i64().ok_or_else(|| Fault::at(at, "a whole number is required"))
    }

    /// A whole number that is not negative.
    pub(super) fn size(&self, at: usize) -> Result<usize, Fault> {
        self.number(at).as_usize().ok_or_else(|| Fault::at(at, "a whole number that is not negative is required"))
    }
}

pub(super) type Answer = Result<Value, Fault>;

/// Why a function has no result.
pub(super) struct Fault {
    /// Which argument; `None` for the call as a whole.
    pub(super) argument: Option<usize>,
    pub(super) problem: String,
    /// More than fits a line, such as what is wrong inside a template.
    pub(super) detail: Option<String>,
    /// What to do; how the function is called where this is `None`. Quotes nothing of an argument.
    pub(super) hint: Option<&'static str>,
    /// The problem quotes a part of an argument.
    pub(super) reveals: bool,
}

impl Fault {
    /// An argument does not fit; `problem` quotes nothing of its value.
    pub(super) fn at(argument: usize, problem: impl Into<String>) -> Self {
        Self { argument: Some(argument), problem: problem.into(), detail: None, hint: None, reveals: false }
    }

    /// An argument does not fit; `problem` quotes from it.
    pub(super) fn quoting(argument: usize, problem: impl Into<String>) -> Self {
        Self { reveals: true, ..Self::at(argument, problem) }
    }

    /// The arguments do not fit together; `problem` quotes nothing of their values.
    pub(super) fn call(problem: impl Into<String>) -> Self {
        Self { argument: None, ..Self::at(0, problem) }
    }

    pub(super) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub(super) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }
}

/// A list of strings.
pub(super) fn strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Value {
    Value::list(Type::String, items.into_iter().map(|item| Value::String(item.into())).collect())
}
