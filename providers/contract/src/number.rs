//! Numbers of arbitrary precision: a machine integer where one fits, a decimal otherwise.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, Context, RoundingMode, ToPrimitive, Zero};

/// Significant decimal digits kept by a division: what 512 bits of mantissa hold.
const DIVISION_DIGITS: u64 = 155;

/// Beyond this decimal exponent a number is refused, so that `1e999999999` cannot exhaust memory.
const MAX_EXPONENT: i64 = 10_000;

/// A number. Two numbers are equal when their values are, however they were written.
#[derive(Clone, Debug)]
pub struct Number(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Int(i64),
    /// Never an integer that fits [`Repr::Int`], so that equality is structural.
    Decimal(Arc<BigDecimal>),
}

impl Number {
    /// The integer, if the number is whole and fits.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Int(int) => Some(*int),
            Repr::Decimal(_) => None,
        }
    }

    /// The index, if the number is a whole one that a collection could have.
    pub fn as_usize(&self) -> Option<usize> {
        self.as_i64().and_then(|int| usize::try_from(int).ok())
    }

    /// The nearest double.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            Repr::Int(int) => *int as f64,
            Repr::Decimal(decimal) => decimal.to_f64().unwrap_or(f64::NAN),
        }
    }

    /// The shortest decimal that reads back as this double; `None` for NaN and the infinities.
    pub fn from_f64(float: f64) -> Option<Self> {
        if !float.is_finite() {
            return None;
        }
        format!("{float:e}").parse().ok()
    }

    pub fn is_integer(&self) -> bool {
        match &self.0 {
            Repr::Int(_) => true,
            Repr::Decimal(decimal) => decimal.is_integer(),
        }
    }

    pub fn is_zero(&self) -> bool {
        matches!(self.0, Repr::Int(0))
    }

    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Int(int) => *int < 0,
            Repr::Decimal(decimal) => decimal.sign() == bigdecimal::num_bigint::Sign::Minus,
        }
    }

    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (Repr::Int(a), Repr::Int(b)) if a.checked_add(*b).is_some() => Self(Repr::Int(a + b)),
            _ => Self::from(self.to_decimal() + other.to_decimal()),
        }
    }

    #[must_use]
    pub fn sub(&self, other: &Self) -> Self {
        self.add(&other.neg())
    }

    #[must_use]
    pub fn neg(&self) -> Self {
        match &self.0 {
            Repr::Int(int) if int.checked_neg().is_some() => Self(Repr::Int(-int)),
            _ => Self::from(-self.to_decimal()),
        }
    }

    #[must_use]
    pub fn mul(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (Repr::Int(a), Repr::Int(b)) if a.checked_mul(*b).is_some() => Self(Repr::Int(a * b)),
            _ => Self::from((self.to_decimal() * other.to_decimal()).round_to_digits()),
        }
    }

    /// `None` for a division by zero.
    pub fn div(&self, other: &Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0)
            && let (Some(0), Some(quotient)) = (a.checked_rem(*b), a.checked_div(*b))
        {
            return Some(Self(Repr::Int(quotient)));
        }
        // The library divides to 100 digits: scale the dividend by the digits that are missing.
        let scaled = self.to_decimal() * BigDecimal::new(BigInt::from(1), -(DIVISION_DIGITS as i64));
        let quotient = scaled.with_scale(60) / other.to_decimal();
        let quotient = quotient * BigDecimal::new(BigInt::from(1), DIVISION_DIGITS as i64);
        Some(Self::from(quotient.round_to_digits()))
    }

    /// The remainder, with the sign of the dividend; `None` for a division by zero.
    pub fn rem(&self, other: &Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        match (&self.0, &other.0) {
            (Repr::Int(a), Repr::Int(b)) => Some(Self(Repr::Int(a.checked_rem(*b).unwrap_or(0)))),
            _ => Some(Self::from(self.to_decimal() % other.to_decimal())),
        }
    }

    #[must_use]
    pub fn floor(&self) -> Self {
        self.rounded(RoundingMode::Floor)
    }

    #[must_use]
    pub fn ceil(&self) -> Self {
        self.rounded(RoundingMode::Ceiling)
    }

    /// Towards zero.
    #[must_use]
    pub fn trunc(&self) -> Self {
        self.rounded(RoundingMode::Down)
    }

    /// The whole number's digits as a big integer; `None` where there is a fraction.
    pub fn to_bigint(&self) -> Option<BigInt> {
        match &self.0 {
            Repr::Int(int) => Some(BigInt::from(*int)),
            Repr::Decimal(decimal) if decimal.is_integer() => Some(decimal.with_scale(0).into_bigint_and_exponent().0),
            Repr::Decimal(_) => None,
        }
    }

    fn rounded(&self, mode: RoundingMode) -> Self {
        match &self.0 {
            Repr::Int(_) => self.clone(),
            Repr::Decimal(decimal) => Self::from(decimal.with_scale_round(0, mode)),
        }
    }

    fn to_decimal(&self) -> BigDecimal {
        match &self.0 {
            Repr::Int(int) => BigDecimal::from(*int),
            Repr::Decimal(decimal) => (**decimal).clone(),
        }
    }
}

trait RoundToDigits {
    fn round_to_digits(self) -> Self;
}

impl RoundToDigits for BigDecimal {
    fn round_to_digits(self) -> Self {
        if self.digits() <= DIVISION_DIGITS {
            return self;
        }
        let digits = std::num::NonZeroU64::new(DIVISION_DIGITS).expect("the constant is not zero");
        Context::default().with_precision(digits).with_rounding_mode(RoundingMode::HalfEven).round_decimal(self)
    }
}

impl From<i64> for Number {
    fn from(int: i64) -> Self {
        Self(Repr::Int(int))
    }
}

impl From<usize> for Number {
    fn from(int: usize) -> Self {
        i64::try_from(int).map_or_else(|_| Self::from(BigDecimal::from(int as u64)), Self::from)
    }
}

impl From<BigDecimal> for Number {
    fn from(decimal: BigDecimal) -> Self {
        if decimal.is_zero() {
            return Self(Repr::Int(0));
        }
        if decimal.is_integer()
            && let Some(int) = decimal.to_i64()
        {
            return Self(Repr::Int(int));
        }
        Self(Repr::Decimal(Arc::new(decimal.normalized())))
    }
}

impl From<BigInt> for Number {
    fn from(int: BigInt) -> Self {
        Self::from(BigDecimal::from(int))
    }
}

/// The text is not a decimal number, or its exponent is beyond what Formwork keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a decimal number is required")]
pub struct ParseNumberError;

impl FromStr for Number {
    type Err = ParseNumberError;

    fn from_str(text: &str) -> Result<Self, ParseNumberError> {
        if let Ok(int) = text.parse::<i64>() {
            return Ok(Self::from(int));
        }
        let plain = text.strip_prefix(['-', '+']).unwrap_or(text);
        let starts = plain.strip_prefix('.').unwrap_or(plain).starts_with(|c: char| c.is_ascii_digit());
        if !starts || plain.contains('_') {
            return Err(ParseNumberError);
        }
        let decimal = BigDecimal::from_str(text).map_err(|_| ParseNumberError)?;
        let (_, scale) = decimal.as_bigint_and_exponent();
        if scale.abs() > MAX_EXPONENT {
            return Err(ParseNumberError);
        }
        Ok(Self::from(decimal))
    }
}

impl fmt::Display for Number {
    /// All digits, never an exponent: what `tostring` gives.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Int(int) => int.fmt(f),
            Repr::Decimal(decimal) => f.write_str(&decimal.to_plain_string()),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Repr::Int(a), Repr::Int(b)) => a.cmp(b),
            (Repr::Decimal(a), Repr::Decimal(b)) => a.cmp(b),
            _ => self.to_decimal().cmp(&other.to_decimal()),
        }
    }
}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.to_string().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        text.parse().expect("a number")
    }

    #[test]
    fn equality_is_by_value() {
        assert_eq!(number("1.0"), number("1"));
        assert_eq!(number("1e3"), number("1000"));
        assert_eq!(number("1.0").as_i64(), Some(1));
        assert_eq!(number("+1"), number("1"));
        assert_eq!(number("-.5"), number("-0.5"));
    }

    #[test]
    fn decimal_arithmetic_is_exact() {
        assert_eq!(number("0.1").add(&number("0.2")), number("0.3"));
        assert_eq!(number("9223372036854775807").add(&number("1")).to_string(), "9223372036854775808");
        assert_eq!(number("12345678901234567890.123").to_string(), "12345678901234567890.123");
    }

    #[test]
    fn division_keeps_the_digits_of_512_bits() {
        let third = number("1").div(&number("3")).expect("not by zero");
        assert!(third.to_string().starts_with("0.33333333333333333333"));
        assert_eq!(third.to_string().len(), "0.".len() + 155);
        assert_eq!(number("7").div(&number("2")), Some(number("3.5")));
        assert_eq!(number("1").div(&number("0")), None);
    }

    #[test]
    fn not_every_text_is_a_number() {
        for text in ["", "abc", "1_000", "+-1", " 1", "1e99999999999", ".", "0x10", "NaN"] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
    }
}
