//! Unary and binary operators.

use formwork_contract::convert::convert;
use formwork_contract::{Diagnostics, Number, Span, Type, Unknown, Value};

use super::advised;
use crate::blueprint::expression::{BinaryOperator, UnaryOperator};

/// An operand and where it stands.
type Operand<'a> = (&'a Value, Span);

pub(super) fn unary(operator: UnaryOperator, operand: &Value, span: Span) -> Result<Value, Diagnostics> {
    let (ty, sign) = match operator {
        UnaryOperator::Not => (Type::Bool, "!"),
        UnaryOperator::Negate => (Type::Number, "-"),
    };
    let marks = operand.deep_marks();
    let result = match operand_as((operand, span), &ty, sign)? {
        Value::Bool(bool) => Value::Bool(!bool),
        Value::Number(number) => Value::Number(number.neg()),
        _ => unknown(ty),
    };
    Ok(result.mark(marks))
}

pub(super) fn binary(operator: BinaryOperator, left: Operand<'_>, right: Operand<'_>) -> Result<Value, Diagnostics> {
    let marks = left.0.deep_marks().union(right.0.deep_marks());
    let result = match operator {
        BinaryOperator::Equal | BinaryOperator::NotEqual => {
            match equal(&left.0.deep_unmarked(), &right.0.deep_unmarked()) {
                Some(equal) => Value::Bool(equal == (operator == BinaryOperator::Equal)),
                None => unknown(Type::Bool),
            }
        }
        BinaryOperator::And | BinaryOperator::Or => logical(operator, left, right)?,
        _ => numeric(operator, left, right)?,
    };
    Ok(result.mark(marks))
}

/// Whether two values without marks are equal; `None` where that is not known yet.
///
/// Values of different types differ; null equals null whatever their types are.
pub(super) fn equal(a: &Value, b: &Value) -> Option<bool> {
    match (a, b) {
        (Value::Unknown(_), Value::Unknown(_)) => None,
        (Value::Unknown(unknown), known) | (known, Value::Unknown(unknown)) => {
            let never = match known {
                Value::Null(_) => unknown.not_null,
                _ => !unknown.ty.has_any() && unknown.ty != known.ty() && !known.ty().has_any(),
            };
            if never { Some(false) } else { None }
        }
        (Value::Null(_), Value::Null(_)) => Some(true),
        (Value::Null(_), _) | (_, Value::Null(_)) => Some(false),
        (a, b) if a.is_wholly_known() && b.is_wholly_known() => Some(a.ty() == b.ty() && a.total_cmp(b).is_eq()),
        (a, b) => equal_parts(a, b),
    }
}

/// Of collections with unknown parts: one known difference settles it.
fn equal_parts(a: &Value, b: &Value) -> Option<bool> {
    let parts: Vec<(&Value, &Value)> = match (a, b) {
        (Value::Set(_), Value::Set(_)) => return None,
        (Value::List(_), Value::List(_)) | (Value::Tuple(_), Value::Tuple(_)) => {
            let (a, b) = (a.elements().unwrap_or_default(), b.elements().unwrap_or_default());
            if a.len() != b.len() {
                return Some(false);
            }
            a.iter().zip(b).collect()
        }
        (Value::Map(_), Value::Map(_)) | (Value::Object(_), Value::Object(_)) => {
            let (Some(a), Some(b)) = (a.entries(), b.entries()) else { return None };
            if !a.iter().map(|(name, _)| name).eq(b.iter().map(|(name, _)| name)) {
                return Some(false);
            }
            a.iter().zip(b.iter()).map(|((_, a), (_, b))| (a, b)).collect()
        }
        _ => return Some(false),
    };
    let mut result = Some(true);
    for (a, b) in parts {
        match equal(a, b) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => result = None,
        }
    }
    result
}

/// Both sides are needed, as in Terraform 1.11: an unknown side makes the result unknown.
fn logical(operator: BinaryOperator, left: Operand<'_>, right: Operand<'_>) -> Result<Value, Diagnostics> {
    let sign = sign(operator);
    let left = operand_as(left, &Type::Bool, sign)?;
    let right = operand_as(right, &Type::Bool, sign)?;
    Ok(match (left, right) {
        (Value::Bool(left), Value::Bool(right)) if operator == BinaryOperator::And => Value::Bool(left && right),
        (Value::Bool(left), Value::Bool(right)) => Value::Bool(left || right),
        _ => unknown(Type::Bool),
    })
}

fn numeric(operator: BinaryOperator, left: Operand<'_>, right: Operand<'_>) -> Result<Value, Diagnostics> {
    let divisor_span = right.1;
    let sign = sign(operator);
    let left = operand_as(left, &Type::Number, sign)?;
    let right = operand_as(right, &Type::Number, sign)?;
    let (Value::Number(left), Value::Number(right)) = (&left, &right) else {
        let arithmetic = matches!(
            operator,
            BinaryOperator::Add
                | BinaryOperator::Subtract
                | BinaryOperator::Multiply
                | BinaryOperator::Divide
                | BinaryOperator::Remainder
        );
        return Ok(unknown(if arithmetic { Type::Number } else { Type::Bool }));
    };
    let by_zero = || {
        let hint = "where it may be zero, choose first: `n == 0 ? 0 : total / n`";
        advised(divisor_span, "A division by zero", "this is zero", hint)
    };
    let number = |number: Number| Ok(Value::Number(number));
    match operator {
        BinaryOperator::Add => number(left.add(right)),
        BinaryOperator::Subtract => number(left.sub(right)),
        BinaryOperator::Multiply => number(left.mul(right)),
        BinaryOperator::Divide => left.div(right).map_or_else(|| Err(by_zero()), number),
        BinaryOperator::Remainder => left.rem(right).map_or_else(|| Err(by_zero()), number),
        BinaryOperator::Less => Ok(Value::Bool(left < right)),
        BinaryOperator::LessOrEqual => Ok(Value::Bool(left <= right)),
        BinaryOperator::Greater => Ok(Value::Bool(left > right)),
        BinaryOperator::GreaterOrEqual => Ok(Value::Bool(left >= right)),
        BinaryOperator::Equal | BinaryOperator::NotEqual | BinaryOperator::And | BinaryOperator::Or => {
            Ok(unknown(Type::Bool))
        }
    }
}

/// The operand without marks, as a value of the type; never null.
fn operand_as((value, span): Operand<'_>, ty: &Type, sign: &str) -> Result<Value, Diagnostics> {
    let wrong = |label: String, hint: &str| {
        let summary = format!("An operand of `{sign}` is not a {}", ty.friendly_name());
        Err(advised(span, summary, label, hint))
    };
    let hint = match (sign, ty) {
        ("+", _) => "give a number; text is put together in a template: `\"${a}${b}\"`",
        (_, Type::Bool) => "give `true` or `false`, or a comparison such as `name == \"main\"`",
        _ => "give a number",
    };
    match convert(value.unmarked(), ty) {
        Ok(Value::Null(_)) => wrong("this is null".into(), "`coalesce(value, other)` gives another value for null"),
        Ok(value) => Ok(value),
        Err(_) if value.ty() == Type::String => {
            wrong(format!("this string does not read as a {}", ty.friendly_name()), hint)
        }
        Err(_) => wrong(format!("this is a {}", value.ty().friendly_name()), hint),
    }
}

fn unknown(ty: Type) -> Value {
    Value::Unknown(Unknown { ty, not_null: true })
}

fn sign(operator: BinaryOperator) -> &'static str {
    match operator {
        BinaryOperator::Add => "+",
        BinaryOperator::Subtract => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Remainder => "%",
        BinaryOperator::Equal => "==",
        BinaryOperator::NotEqual => "!=",
        BinaryOperator::Less => "<",
        BinaryOperator::LessOrEqual => "<=",
        BinaryOperator::Greater => ">",
        BinaryOperator::GreaterOrEqual => ">=",
        BinaryOperator::And => "&&",
        BinaryOperator::Or => "||",
    }
}
