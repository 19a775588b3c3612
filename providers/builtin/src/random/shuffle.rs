//! `random_shuffle`: the elements of a list in a random order, or some of them.

use formwork_contract::{Attribute, Block, Type, Value};

use super::integer::seed;
use crate::attributes::{check_range, count, keepers, list, text, texts};
use crate::draw::{self, Draw};
use crate::fault::{Fault, wrong};
use crate::life::{Kind, block, computed, unique_id};

pub(super) struct Shuffle;

impl Kind for Shuffle {
    fn name(&self) -> &'static str {
        "random_shuffle"
    }

    fn block(&self) -> Block {
        let forces = |attribute: Attribute, what: &str| attribute.forces_replacement().describe(what);
        let texts = || Type::list(Type::String);
        block(
            "The elements of a list in a random order.",
            [
                ("input", forces(Attribute::required(texts()), "What is shuffled.")),
                (
                    "result_count",
                    forces(
                        Attribute::optional(Type::Number),
                        "How many elements are taken; all by default. Beyond the length of `input` elements repeat.",
                    ),
                ),
                ("seed", seed()),
                ("keepers", keepers()),
                ("result", forces(Attribute::defaulted(texts()), "The shuffled list. Set it to bring your own.")),
                ("id", computed("A unique id of this instance.")),
            ],
        )
    }

    fn check(&self, config: &Value) -> Vec<Fault> {
        check_range(config, "result_count", 0, 1_000_000).into_iter().collect()
    }

    fn make(&self, wanted: &Value, draw: &mut Draw, _now: u64) -> Result<Value, Fault> {
        let wanted = wanted.with("id", unique_id(draw));
        let input = texts(&wanted, "input");
        let length = count(&wanted, "result_count").unwrap_or(input.len());
        if let Some(given) = wanted.get("result").and_then(Value::elements) {
            let among = |item: &Value| item.as_str().is_some_and(|item| input.contains(&item));
            return match given.len() == length && given.iter().all(among) {
                true => Ok(wanted),
                false => Err(wrong("result", format!("`result` has to hold {length} elements of `input`"))),
            };
        }
        if input.is_empty() && length > 0 {
            return Err(wrong("result_count", format!("`input` is empty, and {length} elements are asked for")));
        }
        let mut seeded = text(&wanted, "seed").map(draw::seeded);
        let draw = seeded.as_mut().unwrap_or(draw);
        let mut result = Vec::with_capacity(length);
        while result.len() < length {
            let mut round = input.clone();
            draw::shuffle(draw, &mut round);
            round.truncate(length - result.len());
            result.extend(round);
        }
        Ok(wanted.with("result", list(result.into_iter().map(str::to_owned))))
    }
}
