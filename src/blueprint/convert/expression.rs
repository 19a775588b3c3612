//! Expressions of the parser's tree to ours.

use formwork_contract::{Diagnostic, Number, Span, Str, Type, Value};
use hcl_edit::Span as _;
use hcl_edit::expr::{self as hcl, Expression, ObjectKey, TraversalOperator};

use super::Converter;
use super::template::Text;
use crate::blueprint::expression::{
    BinaryOperator, Call, Conditional, Expr, ExprKind, For, ObjectItem, Reference, Traversal, Traverse, TraverseKind,
    UnaryOperator,
};

impl Converter<'_> {
    pub(in crate::blueprint) fn expression(&mut self, expression: &Expression) -> Expr {
        let span = self.span(expression.span());
        let kind = match expression {
            Expression::Null(_) => ExprKind::Literal(Value::Null(Type::Any)),
            Expression::Bool(bool) => ExprKind::Literal(Value::Bool(*bool.value())),
            Expression::Number(_) => ExprKind::Literal(self.number(span)),
            Expression::String(text) => {
                if self.source(span).contains('\n') {
                    self.multi_line_string(span);
                }
                ExprKind::Literal(Value::string(text.value()))
            }
            Expression::Array(array) => ExprKind::Tuple(array.iter().map(|item| self.expression(item)).collect()),
            Expression::Object(object) => ExprKind::Object(
                object
                    .iter()
                    .map(|(key, value)| ObjectItem { key: self.object_key(key), value: self.expression(value.expr()) })
                    .collect(),
            ),
            Expression::StringTemplate(template) => return self.template(template.iter(), Text::Quoted, span),
            Expression::HeredocTemplate(heredoc) => {
                let flush = self.source(span).starts_with("<<-");
                return self.template(heredoc.template.iter(), Text::Heredoc { flush }, span);
            }
            Expression::Parenthesis(inner) => return Expr { kind: self.expression(inner.inner()).kind, span },
            Expression::Variable(name) => self.reference(name.as_str(), Box::default()),
            Expression::Conditional(conditional) => ExprKind::Conditional(Box::new(Conditional {
                condition: self.expression(&conditional.cond_expr),
                then: self.expression(&conditional.true_expr),
                otherwise: self.expression(&conditional.false_expr),
            })),
            Expression::FuncCall(call) => self.call(call),
            Expression::Traversal(traversal) => self.traversal(traversal),
            Expression::UnaryOp(unary) => {
                let operator = match unary.operator.value() {
                    hcl::UnaryOperator::Neg => UnaryOperator::Negate,
                    hcl::UnaryOperator::Not => UnaryOperator::Not,
                };
                ExprKind::Unary(operator, Box::new(self.expression(&unary.expr)))
            }
            Expression::BinaryOp(binary) => ExprKind::Binary(
                binary_operator(*binary.operator.value()),
                Box::new((self.expression(&binary.lhs_expr), self.expression(&binary.rhs_expr))),
            ),
            Expression::ForExpr(each) => self.for_expression(each),
        };
        Expr { kind, span }
    }

    /// Read again from the text: the parser keeps no more than a double.
    fn number(&mut self, span: Span) -> Value {
        let text = self.source(span);
        let digits = text.strip_prefix('-').map_or(text, str::trim_start);
        let number = digits.parse::<Number>().map(|number| if text.starts_with('-') { number.neg() } else { number });
        match number {
            Ok(number) => Value::Number(number),
            Err(error) => {
                self.diagnostics.push(
                    Diagnostic::error(format!("`{text}` is not a number that can be kept"))
                        .detail(format!("{error}."))
                        .label(span, "this number"),
                );
                Value::number(0_i64)
            }
        }
    }

    fn object_key(&mut self, key: &ObjectKey) -> Expr {
        let span = self.span(key.span());
        match key {
            ObjectKey::Ident(name) => Expr::literal(Value::String(self.name(name.as_str())), span),
            // `null`, like any bare word, stands for itself.
            ObjectKey::Expression(Expression::Null(_)) => Expr::literal(Value::String(self.name("null")), span),
            ObjectKey::Expression(Expression::Bool(bool)) => {
                Expr::literal(Value::String(self.name(if *bool.value() { "true" } else { "false" })), span)
            }
            ObjectKey::Expression(expression) => self.expression(expression),
        }
    }

    fn reference(&mut self, root: &str, steps: Box<[Traverse]>) -> ExprKind {
        ExprKind::Reference(Box::new(Reference { root: self.name(root), steps }))
    }

    fn traversal(&mut self, traversal: &hcl::Traversal) -> ExprKind {
        let steps: Box<[Traverse]> = traversal
            .operators
            .iter()
            .map(|operator| {
                let span = self.span(operator.span());
                let kind = match operator.value() {
                    TraversalOperator::AttrSplat(_) => TraverseKind::AttributeSplat,
                    TraversalOperator::FullSplat(_) => TraverseKind::FullSplat,
                    TraversalOperator::GetAttr(name) => TraverseKind::Attribute(self.name(name.as_str())),
                    TraversalOperator::Index(index) => TraverseKind::Index(self.expression(index)),
                    TraversalOperator::LegacyIndex(index) => TraverseKind::Index(Expr::literal(
                        Value::number(usize::try_from(*index.value()).unwrap_or(usize::MAX)),
                        span,
                    )),
                };
                Traverse { kind, span }
            })
            .collect();
        match &traversal.expr {
            Expression::Variable(name) => self.reference(name.as_str(), steps),
            other => ExprKind::Traversal(Box::new(Traversal { of: self.expression(other), steps })),
        }
    }

    fn call(&mut self, call: &hcl::FuncCall) -> ExprKind {
        let mut name = String::new();
        for part in &call.name.namespace {
            name.push_str(part.as_str());
            name.push_str("::");
        }
        name.push_str(call.name.name.as_str());
        let last = self.span(call.name.name.span());
        let first = call.name.namespace.first().map_or(last, |part| self.span(part.span()));
        ExprKind::Call(Box::new(Call {
            name: self.name(&name),
            name_span: Span { end: last.end, ..first },
            arguments: call.args.iter().map(|argument| self.expression(argument)).collect(),
            expand: call.args.expand_final(),
        }))
    }

    fn for_expression(&mut self, each: &hcl::ForExpr) -> ExprKind {
        let key_name: Option<Str> = each.intro.key_var.as_ref().map(|name| self.name(name.as_str()));
        ExprKind::For(Box::new(For {
            key_name,
            value_name: self.name(each.intro.value_var.as_str()),
            collection: self.expression(&each.intro.collection_expr),
            key: each.key_expr.as_ref().map(|key| self.expression(key)),
            value: self.expression(&each.value_expr),
            condition: each.cond.as_ref().map(|condition| self.expression(&condition.expr)),
            group: each.grouping,
        }))
    }
}

fn binary_operator(operator: hcl::BinaryOperator) -> BinaryOperator {
    match operator {
        hcl::BinaryOperator::Eq => BinaryOperator::Equal,
        hcl::BinaryOperator::NotEq => BinaryOperator::NotEqual,
        hcl::BinaryOperator::LessEq => BinaryOperator::LessOrEqual,
        hcl::BinaryOperator::GreaterEq => BinaryOperator::GreaterOrEqual,
        hcl::BinaryOperator::Less => BinaryOperator::Less,
        hcl::BinaryOperator::Greater => BinaryOperator::Greater,
        hcl::BinaryOperator::Plus => BinaryOperator::Add,
        hcl::BinaryOperator::Minus => BinaryOperator::Subtract,
        hcl::BinaryOperator::Mul => BinaryOperator::Multiply,
        hcl::BinaryOperator::Div => BinaryOperator::Divide,
        hcl::BinaryOperator::Mod => BinaryOperator::Remainder,
        hcl::BinaryOperator::And => BinaryOperator::And,
        hcl::BinaryOperator::Or => BinaryOperator::Or,
    }
}
