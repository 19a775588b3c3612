//! Walks an expression: constructors, references, conditionals; operators and the rest have files of their own.

use formwork_contract::convert::{convert, unify};
use formwork_contract::{Diagnostic, Diagnostics, Entries, Marks, Span, Str, Type, Unknown, Value};

use super::{FunctionContext, Names, converted, failed, functions, operator};
use crate::blueprint::expression::{Conditional, Expr, ExprKind, ObjectItem, Reference};

/// A scope and the names that enclosing `for` expressions and `dynamic` blocks bind.
#[derive(Clone, Copy)]
pub(super) struct Evaluator<'a> {
    names: &'a dyn Names,
    pub(super) context: &'a FunctionContext,
    bound: Option<&'a Bound<'a>>,
    /// Inside a template that a function reads: such a function may not be called again.
    pub(super) in_template: bool,
}

/// A name that shadows those of the scope.
pub(super) struct Bound<'a> {
    name: &'a str,
    value: Value,
    outer: Option<&'a Bound<'a>>,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(names: &'a dyn Names, context: &'a FunctionContext) -> Self {
        Self { names, context, bound: None, in_template: false }
    }

    /// For a template's text: other names, and nothing bound.
    pub(super) fn of_template(names: &'a dyn Names, context: &'a FunctionContext) -> Self {
        Self { names, context, bound: None, in_template: true }
    }

    /// What a new name looks like inside this evaluator; hand it to [`Evaluator::within`].
    pub(super) fn bind(&self, name: &'a str, value: Value) -> Bound<'a> {
        Bound { name, value, outer: self.bound }
    }

    pub(super) fn within<'b>(&self, bound: &'b Bound<'b>) -> Evaluator<'b>
    where
        'a: 'b,
    {
        Evaluator { bound: Some(bound), ..*self }
    }

    pub(super) fn evaluate(&self, expr: &Expr) -> Result<Value, Diagnostics> {
        match &expr.kind {
            ExprKind::Literal(value) => Ok(value.clone()),
            ExprKind::Template(parts) => self.template(parts),
            ExprKind::Tuple(items) => Ok(Value::tuple(self.evaluate_all(items)?)),
            ExprKind::Object(items) => self.object(items),
            ExprKind::Reference(reference) => self.reference(reference, expr.span),
            ExprKind::Traversal(traversal) => {
                let value = self.evaluate(&traversal.of)?;
                self.follow(value, &traversal.steps)
            }
            ExprKind::Call(call) => functions::call(self, call, expr.span),
            ExprKind::Conditional(conditional) => self.conditional(conditional, expr.span),
            ExprKind::Unary(operator, operand) => operator::unary(*operator, &self.evaluate(operand)?, operand.span),
            ExprKind::Binary(operator, operands) => {
                let (left, right) = self.both(&operands.0, &operands.1)?;
                operator::binary(*operator, (&left, operands.0.span), (&right, operands.1.span))
            }
            ExprKind::For(each) => self.comprehension(each, expr.span),
        }
    }

    pub(super) fn evaluate_as(&self, expr: &Expr, ty: &Type, what: &str) -> Result<Value, Diagnostics> {
        converted(&self.evaluate(expr)?, ty, expr.span, what)
    }

    /// The values of all, or the errors of all.
    pub(super) fn evaluate_all(&self, exprs: &[Expr]) -> Result<Vec<Value>, Diagnostics> {
        let mut values = Vec::with_capacity(exprs.len());
        let mut diagnostics = Diagnostics::new();
        for expr in exprs {
            match self.evaluate(expr) {
                Ok(value) => values.push(value),
                Err(errors) => diagnostics.append(errors),
            }
        }
        if diagnostics.is_empty() { Ok(values) } else { Err(diagnostics) }
    }

    fn both(&self, left: &Expr, right: &Expr) -> Result<(Value, Value), Diagnostics> {
        match (self.evaluate(left), self.evaluate(right)) {
            (Ok(left), Ok(right)) => Ok((left, right)),
            (Err(mut left), Err(right)) => {
                left.append(right);
                Err(left)
            }
            (Err(errors), Ok(_)) | (Ok(_), Err(errors)) => Err(errors),
        }
    }

    /// The span of each index expression is its own; a reference's is the whole of it.
    pub(super) fn reference(&self, reference: &Reference, span: Span) -> Result<Value, Diagnostics> {
        let mut bound = self.bound;
        while let Some(candidate) = bound {
            if candidate.name == &*reference.root {
                return self.follow(candidate.value.clone(), &reference.steps);
            }
            bound = candidate.outer;
        }
        let found = self.names.lookup(reference, span, &mut |expr| self.evaluate(expr))?;
        self.follow(found.value, reference.steps.get(found.consumed..).unwrap_or_default())
    }

    fn object(&self, items: &[ObjectItem]) -> Result<Value, Diagnostics> {
        let mut entries: Vec<(Str, Value)> = Vec::with_capacity(items.len());
        let mut marks = Marks::default();
        let mut unknown = false;
        let mut diagnostics = Diagnostics::new();
        for item in items {
            let key = self.evaluate(&item.key).and_then(|key| object_key(&key, item.key.span));
            match (key, self.evaluate(&item.value)) {
                (Ok((key, key_marks)), Ok(value)) => {
                    marks = marks.union(key_marks);
                    match key {
                        Some(key) => entries.push((key, value)),
                        None => unknown = true,
                    }
                }
                (key, value) => {
                    key.err().into_iter().chain(value.err()).for_each(|errors| diagnostics.append(errors));
                }
            }
        }
        if !diagnostics.is_empty() {
            return Err(diagnostics);
        }
        let value = if unknown { Value::unknown(Type::Any) } else { Value::Object(Entries::new(entries)) };
        Ok(value.mark(marks))
    }

    /// Both results are evaluated, since the type of the whole is what they have in common; an error of
    /// the one that is not taken is of no interest.
    fn conditional(&self, conditional: &Conditional, span: Span) -> Result<Value, Diagnostics> {
        let condition = self.evaluate(&conditional.condition)?;
        let (then, otherwise) = (self.evaluate(&conditional.then), self.evaluate(&conditional.otherwise));
        let marks = condition.marks();
        let holds = condition_bool(&condition, conditional.condition.span)?;
        let common = common_type(then.as_ref().ok(), otherwise.as_ref().ok())
            .ok_or_else(|| inconsistent(conditional, span, then.as_ref().ok(), otherwise.as_ref().ok()))?;
        let Some(holds) = holds else {
            let either = [then, otherwise];
            let either = either.iter().filter_map(|branch| branch.as_ref().ok());
            let marks = either.clone().fold(marks, |marks, value| marks.union(value.marks()));
            let not_null = either.clone().count() == 2 && either.clone().all(never_null);
            return Ok(Value::Unknown(Unknown { ty: common, not_null }).mark(marks));
        };
        let (taken, place) =
            if holds { (then, conditional.then.span) } else { (otherwise, conditional.otherwise.span) };
        let value = converted(&taken?, &common, place, "the conditional's result")?;
        Ok(value.mark(marks))
    }
}

/// The key as a string; `None` where it is unknown.
pub(super) fn object_key(key: &Value, span: Span) -> Result<(Option<Str>, Marks), Diagnostics> {
    let marks = key.marks();
    let text = match convert(key.unmarked(), &Type::String) {
        Ok(text) => text,
        Err(_) => {
            let label = format!("a string is required, this is a {}", key.ty().friendly_name());
            return Err(failed(span, "A key of an object is not a string", label));
        }
    };
    match text {
        Value::String(text) => Ok((Some(text), marks)),
        Value::Null(_) => Err(failed(span, "A key of an object is null", "this is null")),
        _ => Ok((None, marks)),
    }
}

/// The condition as a bool; `None` where it is unknown.
pub(super) fn condition_bool(condition: &Value, span: Span) -> Result<Option<bool>, Diagnostics> {
    match convert(condition.unmarked(), &Type::Bool) {
        Ok(Value::Bool(bool)) => Ok(Some(bool)),
        Ok(Value::Null(_)) => Err(failed(span, "A condition is null", "this is null, where true or false is required")),
        Ok(_) => Ok(None),
        Err(_) => {
            let label = format!("true or false is required, this is a {}", condition.ty().friendly_name());
            Err(failed(span, "A condition is not a bool", label))
        }
    }
}

/// The type of a conditional; a result that cannot be evaluated could have any.
fn common_type(then: Option<&Value>, otherwise: Option<&Value>) -> Option<Type> {
    let (Some(then), Some(otherwise)) = (then, otherwise) else { return Some(Type::Any) };
    match (then, otherwise) {
        (Value::Null(Type::Any), other) | (other, Value::Null(Type::Any)) => Some(other.ty()),
        (then, otherwise) => unify([&then.ty(), &otherwise.ty()]),
    }
}

fn inconsistent(conditional: &Conditional, span: Span, then: Option<&Value>, otherwise: Option<&Value>) -> Diagnostics {
    let name = |value: Option<&Value>| value.map_or_else(String::new, |value| value.ty().friendly_name());
    Diagnostic::error("The two results of a conditional have no type in common")
        .label(conditional.then.span, format!("this is a {}", name(then)))
        .label(conditional.otherwise.span, format!("this is a {}", name(otherwise)))
        .label(span, "the conditional")
        .hint("convert one of them, as with `tostring`, or give objects the same attributes")
        .into()
}

fn never_null(value: &Value) -> bool {
    match value.unmarked() {
        Value::Null(_) => false,
        Value::Unknown(unknown) => unknown.not_null,
        _ => true,
    }
}
