//! Numbers written with a given precision, exactly.

use formwork_contract::Number;

/// A number without its sign: its digits without zeros at either end, and how many of them stand before
/// the point (fewer than none for a number such as 0.001).
struct Digits {
    digits: Vec<u8>,
    point: i64,
}

impl Digits {
    fn of(number: &Number) -> Self {
        let plain = number.to_string();
        let plain = plain.trim_start_matches('-');
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|digit| digit - b'0').collect();
        let zeros = all.iter().take_while(|digit| **digit == 0).count();
        let mut digits = all[zeros..].to_vec();
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let point = if digits.is_empty() { 0 } else { whole.len() as i64 - zeros as i64 };
        Self { digits, point }
    }

    /// Keeps `count` digits, rounding half to even.
    fn round(&mut self, count: i64) {
        let Ok(count) = usize::try_from(count) else {
            self.digits.clear();
            return;
        };
        if count >= self.digits.len() {
            return;
        }
        let cut = self.digits.split_off(count);
        let half =
            cut[0].cmp(&5).then(if cut.len() > 1 { std::cmp::Ordering::Greater } else { std::cmp::Ordering::Equal });
        let odd = self.digits.last().is_some_and(|digit| digit % 2 == 1);
        if half.is_gt() || (half.is_eq() && odd) {
            while self.digits.last() == Some(&9) {
                self.digits.pop();
            }
            match self.digits.last_mut() {
                Some(digit) => *digit += 1,
                None => {
                    self.digits.push(1);
                    self.point += 1;
                }
            }
        }
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
    }

    /// The digit that is `place` after the first one.
    fn at(&self, place: i64) -> char {
        let digit = usize::try_from(place).ok().and_then(|place| self.digits.get(place)).copied().unwrap_or(0);
        char::from(b'0' + digit)
    }
}

/// `%f`: this many digits after the point.
pub(super) fn fixed(number: &Number, places: usize) -> String {
    let mut digits = Digits::of(number);
    digits.round(digits.point + places as i64);
    let mut text: String =
        if digits.point > 0 { (0..digits.point).map(|at| digits.at(at)).collect() } else { "0".into() };
    if places > 0 {
        text.push('.');
        text.extend((0..places as i64).map(|place| digits.at(digits.point + place)));
    }
    text
}

/// `%e`: one digit before the point and this many after it.
pub(super) fn scientific(number: &Number, places: usize, capital: bool) -> String {
    let mut digits = Digits::of(number);
    digits.round(places as i64 + 1);
    write_scientific(&digits, places, capital)
}

fn write_scientific(digits: &Digits, places: usize, capital: bool) -> String {
    let exponent = if digits.digits.is_empty() { 0 } else { digits.point - 1 };
    let mut text = String::from(digits.at(0));
    if places > 0 {
        text.push('.');
        text.extend((1..=places as i64).map(|place| digits.at(place)));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    text.push_str(&format!("{}{sign}{:02}", if capital { 'E' } else { 'e' }, exponent.unsigned_abs()));
    text
}

/// `%g`: this many digits, or all where there is no precision; large and small numbers with an exponent.
pub(super) fn general(number: &Number, precision: Option<usize>, capital: bool) -> String {
    let mut digits = Digits::of(number);
    let mut limit = 6;
    if let Some(precision) = precision {
        let precision = precision.max(1) as i64;
        digits.round(precision);
        let count = digits.digits.len() as i64;
        limit = if precision > count && count >= digits.point { count } else { precision };
    }
    let exponent = if digits.digits.is_empty() { 0 } else { digits.point - 1 };
    if exponent < -4 || exponent >= limit.max(1) {
        return write_scientific(&digits, digits.digits.len().saturating_sub(1), capital);
    }
    let places = usize::try_from(digits.digits.len() as i64 - digits.point).unwrap_or(0);
    let mut text: String =
        if digits.point > 0 { (0..digits.point).map(|at| digits.at(at)).collect() } else { "0".into() };
    if places > 0 && !digits.digits.is_empty() {
        text.push('.');
        text.extend((0..places as i64).map(|place| digits.at(digits.point + place)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        text.parse().expect("a number")
    }

    #[test]
    fn digits_are_rounded_half_to_even() {
        assert_eq!(fixed(&number("3.14159"), 2), "3.14");
        assert_eq!(fixed(&number("0.125"), 2), "0.12");
        assert_eq!(fixed(&number("9.999"), 2), "10.00");
        assert_eq!(fixed(&number("0.04"), 1), "0.0");
        assert_eq!(fixed(&number("1200"), 0), "1200");
    }

    #[test]
    fn exponents_have_two_digits() {
        assert_eq!(scientific(&number("12345.678"), 6, false), "1.234568e+04");
        assert_eq!(scientific(&number("0"), 2, true), "0.00E+00");
        assert_eq!(general(&number("1000000"), None, false), "1e+06");
        assert_eq!(general(&number("0.0001"), None, false), "0.0001");
        assert_eq!(general(&number("0.00001"), None, false), "1e-05");
        assert_eq!(general(&number("0"), None, false), "0");
    }
}
