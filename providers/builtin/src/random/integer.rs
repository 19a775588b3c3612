//! `random_integer`: a whole number between two others.

use formwork_contract::{Attribute, Block, Type, Value};

use crate::attributes::{int, is_known, keepers, text};
use crate::draw::{self, Draw};
use crate::fault::{Fault, fault, wrong};
use crate::life::{Kind, block, computed};

pub(super) struct Integer;

impl Kind for Integer {
    fn name(&self) -> &'static str {
        "random_integer"
    }

    fn block(&self) -> Block {
        let bound = |what: &str| Attribute::required(Type::Number).forces_replacement().describe(what);
        block(
            "A random whole number.",
            [
                ("min", bound("The least number that it may be.")),
                ("max", bound("The greatest number that it may be.")),
                ("seed", seed()),
                ("keepers", keepers()),
                (
                    "result",
                    Attribute::defaulted(Type::Number)
                        .forces_replacement()
                        .describe("The number. Set it to bring your own."),
                ),
                ("id", computed("The number, as text.")),
            ],
        )
    }

    fn check(&self, config: &Value) -> Vec<Fault> {
        let mut found = Vec::new();
        for name in ["min", "max", "result"] {
            if is_known(config, name) && int(config, name).is_none() {
                found.push(wrong(name, format!("`{name}` has to be a whole number of 64 bits")));
            }
        }
        if let (Some(min), Some(max)) = (int(config, "min"), int(config, "max"))
            && min > max
        {
            found.push(wrong("min", format!("`min` is {min}, which is more than `max`, {max}")));
        }
        found
    }

    fn make(&self, wanted: &Value, draw: &mut Draw, _now: u64) -> Result<Value, Fault> {
        let (min, max) = (int(wanted, "min").unwrap_or_default(), int(wanted, "max").unwrap_or_default());
        let number = match int(wanted, "result") {
            Some(given) => given,
            None => match text(wanted, "seed") {
                Some(seed) => between(&mut draw::seeded(seed), min, max),
                None => between(draw, min, max),
            },
        };
        if !(min..=max).contains(&number) {
            return Err(wrong("result", format!("`result` is {number}, which is not from {min} to {max}")));
        }
        Ok(wanted.with("result", number.into()).with("id", number.to_string().into()))
    }

    /// `RESULT,MIN,MAX` or `RESULT,MIN,MAX,SEED`.
    fn import(&self, id: &str) -> Result<Value, Fault> {
        let mut parts = id.splitn(4, ',');
        let mut number = || parts.next()?.trim().parse::<i64>().ok();
        let (Some(result), Some(min), Some(max)) = (number(), number(), number()) else {
            return Err(fault(format!("`{id}` does not say a number and its bounds"))
                .hint("import a `random_integer` by `RESULT,MIN,MAX` or `RESULT,MIN,MAX,SEED`"));
        };
        let value = self.block().empty_value().with("min", min.into()).with("max", max.into());
        let value = value.with("seed", parts.next().map_or(Value::Null(Type::String), Value::from));
        self.make(&value.with("result", result.into()), &mut draw::seeded(""), 0)
    }
}

/// The attribute that makes a draw the same each time.
pub(super) fn seed() -> Attribute {
    Attribute::optional(Type::String).forces_replacement().describe(
        "Makes the draw the same each time, and known to everybody who knows the seed. The results are not those of \
         Terraform's provider for the same seed.",
    )
}

/// `min` is at most `max`.
fn between(draw: &mut Draw, min: i64, max: i64) -> i64 {
    let span = max.abs_diff(min);
    let step = match span.checked_add(1) {
        Some(count) => draw::below(draw, count),
        None => chacha20::rand_core::Rng::next_u64(draw),
    };
    min.wrapping_add_unsigned(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_can_be_reached_and_are_kept() {
        let mut draw = draw::seeded("bounds");
        let drawn: std::collections::BTreeSet<i64> = (0..200).map(|_| between(&mut draw, -2, 2)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [-2, -1, 0, 1, 2]);
        assert_eq!(between(&mut draw, 7, 7), 7);
        assert_ne!(between(&mut draw, i64::MIN, i64::MAX), between(&mut draw, i64::MIN, i64::MAX));
    }
}
