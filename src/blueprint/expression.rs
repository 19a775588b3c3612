//! Expressions as they are kept for evaluation: compact, with the span of every part.

use formwork_contract::{Span, Str, Value};

/// An expression and where it stands.
#[derive(Clone, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

/// What an expression does. Parentheses leave no trace but the span.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A null, bool, number or string without interpolation.
    Literal(Value),
    /// A quoted or heredoc template; its result is a string. A template that is one interpolation and
    /// nothing else is that expression itself and never stands here.
    Template(Box<[TemplatePart]>),
    Tuple(Box<[Expr]>),
    Object(Box<[ObjectItem]>),
    /// A name and what is followed from it: `var.a`, `aws_vpc.main[0].id`, `each.key`.
    Reference(Box<Reference>),
    /// Something followed from any other expression: `f(x).a`, `(a)[0]`.
    Traversal(Box<Traversal>),
    Call(Box<Call>),
    Conditional(Box<Conditional>),
    Unary(UnaryOperator, Box<Expr>),
    Binary(BinaryOperator, Box<(Expr, Expr)>),
    For(Box<For>),
}

/// One `key = value` of an object constructor. A bare identifier is a literal key.
#[derive(Clone, Debug)]
pub struct ObjectItem {
    pub key: Expr,
    pub value: Expr,
}

/// A name and the steps from it. `span` of the expression covers all of it.
#[derive(Clone, Debug)]
pub struct Reference {
    pub root: Str,
    pub steps: Box<[Traverse]>,
}

#[derive(Clone, Debug)]
pub struct Traversal {
    pub of: Expr,
    pub steps: Box<[Traverse]>,
}

/// One step from a value to a part of it.
#[derive(Clone, Debug)]
pub struct Traverse {
    pub kind: TraverseKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum TraverseKind {
    /// `.name`; the legacy `.0` is an index.
    Attribute(Str),
    /// `[expression]`
    Index(Expr),
    /// `.*`: the attribute steps that follow go into each element, and an index step ends it.
    AttributeSplat,
    /// `[*]`: all steps that follow go into each element.
    FullSplat,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub name: Str,
    pub name_span: Span,
    pub arguments: Box<[Expr]>,
    /// The last argument is followed by `...`.
    pub expand: bool,
}

#[derive(Clone, Debug)]
pub struct Conditional {
    pub condition: Expr,
    pub then: Expr,
    pub otherwise: Expr,
}

/// `[for k, v in collection : value if condition]` and its object form.
#[derive(Clone, Debug)]
pub struct For {
    pub key_name: Option<Str>,
    pub value_name: Str,
    pub collection: Expr,
    /// Present in the object form.
    pub key: Option<Expr>,
    pub value: Expr,
    pub condition: Option<Expr>,
    /// `...` after the value of the object form: values with the same key are grouped.
    pub group: bool,
}

#[derive(Clone, Debug)]
pub enum TemplatePart {
    Literal(Str),
    Interpolation(Expr),
    If { condition: Expr, then: Box<[TemplatePart]>, otherwise: Box<[TemplatePart]> },
    For { key_name: Option<Str>, value_name: Str, collection: Expr, body: Box<[TemplatePart]> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOperator {
    Not,
    Negate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

impl Expr {
    pub fn literal(value: Value, span: Span) -> Self {
        Self { kind: ExprKind::Literal(value), span }
    }

    /// The literal string, if that is what the expression is.
    pub fn as_literal_str(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Literal(value) => value.as_str(),
            _ => None,
        }
    }

    /// The literal bool, if that is what the expression is.
    pub fn as_literal_bool(&self) -> Option<bool> {
        match &self.kind {
            ExprKind::Literal(value) => value.as_bool(),
            _ => None,
        }
    }

    /// Every reference inside the expression that is not to a name of an enclosing `for`.
    pub fn references(&self) -> Vec<(&Reference, Span)> {
        let mut found = Vec::new();
        self.each_reference(&mut |reference, span| found.push((reference, span)));
        found
    }

    /// Calls `visit` for every reference that is not to a name of an enclosing `for`.
    pub fn each_reference<'a>(&'a self, visit: &mut dyn FnMut(&'a Reference, Span)) {
        self.walk(&mut |seen| {
            if let Seen::Reference(reference, span) = seen {
                visit(reference, span);
            }
        });
    }

    /// Calls `visit` for every call of a function.
    pub fn each_call<'a>(&'a self, visit: &mut dyn FnMut(&'a Call)) {
        self.walk(&mut |seen| {
            if let Seen::Call(call) = seen {
                visit(call);
            }
        });
    }

    fn walk<'a>(&'a self, visit: &mut dyn FnMut(Seen<'a>)) {
        Walk { bound: Vec::new(), visit }.expr(self);
    }
}

/// What a walk through an expression comes to.
enum Seen<'a> {
    /// Not to a name of an enclosing `for`.
    Reference(&'a Reference, Span),
    Call(&'a Call),
}

struct Walk<'a, 'v> {
    bound: Vec<&'a str>,
    visit: &'v mut dyn FnMut(Seen<'a>),
}

impl<'a> Walk<'a, '_> {
    fn expr(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Literal(_) => {}
            ExprKind::Template(parts) => self.parts(parts),
            ExprKind::Tuple(items) => items.iter().for_each(|item| self.expr(item)),
            ExprKind::Object(items) => {
                for item in items {
                    self.expr(&item.key);
                    self.expr(&item.value);
                }
            }
            ExprKind::Reference(reference) => {
                if !self.bound.contains(&&*reference.root) {
                    (self.visit)(Seen::Reference(reference, expr.span));
                }
                self.steps(&reference.steps);
            }
            ExprKind::Traversal(traversal) => {
                self.expr(&traversal.of);
                self.steps(&traversal.steps);
            }
            ExprKind::Call(call) => {
                (self.visit)(Seen::Call(call));
                call.arguments.iter().for_each(|argument| self.expr(argument));
            }
            ExprKind::Conditional(conditional) => {
                self.expr(&conditional.condition);
                self.expr(&conditional.then);
                self.expr(&conditional.otherwise);
            }
            ExprKind::Unary(_, operand) => self.expr(operand),
            ExprKind::Binary(_, operands) => {
                self.expr(&operands.0);
                self.expr(&operands.1);
            }
            ExprKind::For(each) => {
                self.expr(&each.collection);
                self.within(each.key_name.as_deref(), &each.value_name, |walk| {
                    each.key.iter().chain([&each.value]).chain(&each.condition).for_each(|part| walk.expr(part));
                });
            }
        }
    }

    fn parts(&mut self, parts: &'a [TemplatePart]) {
        for part in parts {
            match part {
                TemplatePart::Literal(_) => {}
                TemplatePart::Interpolation(expr) => self.expr(expr),
                TemplatePart::If { condition, then, otherwise } => {
                    self.expr(condition);
                    self.parts(then);
                    self.parts(otherwise);
                }
                TemplatePart::For { key_name, value_name, collection, body } => {
                    self.expr(collection);
                    self.within(key_name.as_deref(), value_name, |walk| walk.parts(body));
                }
            }
        }
    }

    fn steps(&mut self, steps: &'a [Traverse]) {
        for step in steps {
            if let TraverseKind::Index(index) = &step.kind {
                self.expr(index);
            }
        }
    }

    fn within(&mut self, key: Option<&'a str>, value: &'a str, walk: impl FnOnce(&mut Self)) {
        let outer = self.bound.len();
        self.bound.extend(key);
        self.bound.push(value);
        walk(self);
        self.bound.truncate(outer);
    }
}
