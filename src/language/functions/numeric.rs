//! Numbers.

use formwork_contract::{Number, Value};

use super::signature::{Answer, Arguments, Fault, Function, Kind, Parameter, parameter};

const NUM: Parameter = parameter("num", Kind::Number);

pub(super) const TABLE: &[Function] = &[
    Function::new("abs", &[NUM], Kind::Number, |given| {
        let number = given.number(0);
        Ok(Value::Number(if number.is_negative() { number.neg() } else { number }))
    }),
    Function::new("ceil", &[NUM], Kind::Number, |given| Ok(Value::Number(given.number(0).ceil()))),
    Function::new("floor", &[NUM], Kind::Number, |given| Ok(Value::Number(given.number(0).floor()))),
    Function::new("log", &[NUM, parameter("base", Kind::Number)], Kind::Number, |given| {
        float(given.number(0).to_f64().ln() / given.number(1).to_f64().ln())
    }),
    Function::new("max", &[], Kind::Number, |given| extreme(given, |a, b| a > b))
        .rest(parameter("numbers", Kind::Number)),
    Function::new("min", &[], Kind::Number, |given| extreme(given, |a, b| a < b))
        .rest(parameter("numbers", Kind::Number)),
    Function::new(
        "parseint",
        &[parameter("number", Kind::Any), parameter("base", Kind::Number)],
        Kind::Number,
        parseint,
    ),
    Function::new("pow", &[NUM, parameter("power", Kind::Number)], Kind::Number, |given| {
        float(given.number(0).to_f64().powf(given.number(1).to_f64()))
    }),
    Function::new("signum", &[NUM], Kind::Number, |given| {
        let number = given.number(0);
        if !number.is_integer() {
            return Err(Fault::at(0, "a whole number is required"));
        }
        Ok(Value::from(if number.is_zero() { 0i64 } else { 1 - 2 * i64::from(number.is_negative()) }))
    }),
    Function::new("sum", &[parameter("list", Kind::Any)], Kind::Number, sum),
];

fn float(result: f64) -> Answer {
    Number::from_f64(result).map(Value::Number).ok_or_else(|| Fault::call("the result is not a finite number"))
}

fn extreme(given: &Arguments<'_>, is_better: impl Fn(&Number, &Number) -> bool) -> Answer {
    let numbers = (0..given.len()).map(|at| given.number(at));
    numbers
        .reduce(|best, next| if is_better(&next, &best) { next } else { best })
        .map(Value::Number)
        .ok_or_else(|| Fault::call("at least one number is required"))
}

fn parseint(given: &Arguments<'_>) -> Answer {
    let Some(text) = given.value(0).as_str() else { return Err(Fault::at(0, "a string is required")) };
    let base = given.int(1)?;
    let base = u32::try_from(base).ok().filter(|base| (2..=62).contains(base));
    let base = base.ok_or_else(|| Fault::at(1, "the base is from 2 to 62"))?;
    let fault = || Fault::quoting(0, format!("`{text}` is not a whole number of base {base}"));
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() {
        return Err(fault());
    }
    let base_number = Number::from(i64::from(base));
    let mut result = Number::from(0i64);
    // Digit by digit is quadratic in the length, which no sane number has.
    if digits.len() > 1000 {
        return Err(Fault::at(0, "at most 1000 digits are possible"));
    }
    for char in digits.chars() {
        let digit = digit(char, base).ok_or_else(fault)?;
        result = result.mul(&base_number).add(&Number::from(i64::from(digit)));
    }
    Ok(Value::Number(if text.starts_with('-') { result.neg() } else { result }))
}

/// Up to base 36 case does not count; beyond it capital letters stand for 36 and more.
fn digit(char: char, base: u32) -> Option<u32> {
    let digit = match char {
        '0'..='9' => u32::from(char) - u32::from('0'),
        'a'..='z' => u32::from(char) - u32::from('a') + 10,
        'A'..='Z' if base <= 36 => u32::from(char) - u32::from('A') + 10,
        'A'..='Z' => u32::from(char) - u32::from('A') + 36,
        _ => return None,
    };
    (digit < base).then_some(digit)
}

fn sum(given: &Arguments<'_>) -> Answer {
    let Some(items) = given.value(0).elements() else {
        return Err(Fault::at(
            0,
            format!("a list of numbers is required, this is a {}", given.value(0).ty().friendly_name()),
        ));
    };
    if items.is_empty() {
        return Err(Fault::at(0, "an empty list has no sum"));
    }
    let mut total = Number::from(0i64);
    for (at, item) in items.iter().enumerate() {
        match formwork_contract::convert::convert(item, &formwork_contract::Type::Number) {
            Ok(Value::Number(number)) => total = total.add(&number),
            _ => return Err(Fault::at(0, format!("element {at} is not a number"))),
        }
    }
    Ok(Value::Number(total))
}
