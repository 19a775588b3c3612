//! `random_pet`: a name that people can say.

use formwork_contract::{Attribute, Block, Type, Value};

use super::words::{ADJECTIVES, ADVERBS, ANIMALS};
use crate::attributes::{check_range, count, given, keepers, text};
use crate::draw::{self, Draw};
use crate::fault::Fault;
use crate::life::{Kind, block};

pub(super) struct Pet;

impl Kind for Pet {
    fn name(&self) -> &'static str {
        "random_pet"
    }

    fn block(&self) -> Block {
        let forces = |attribute: Attribute, what: &str| attribute.forces_replacement().describe(what);
        block(
            "A name of random words, the last one an animal's.",
            [
                ("length", forces(Attribute::defaulted(Type::Number), "How many words; 2 unless said otherwise.")),
                ("separator", forces(Attribute::defaulted(Type::String), "Stands between words; `-` by default.")),
                ("prefix", forces(Attribute::optional(Type::String), "Stands before the words.")),
                ("keepers", keepers()),
                ("id", forces(Attribute::defaulted(Type::String), "The name. Set it to bring your own.")),
            ],
        )
    }

    fn defaults(&self) -> Vec<(&'static str, Value)> {
        vec![("length", 2.into()), ("separator", "-".into())]
    }

    fn check(&self, config: &Value) -> Vec<Fault> {
        check_range(config, "length", 1, 64).into_iter().collect()
    }

    fn make(&self, wanted: &Value, draw: &mut Draw, _now: u64) -> Result<Value, Fault> {
        if text(wanted, "id").is_some() {
            return Ok(wanted.clone());
        }
        let length = count(wanted, "length").unwrap_or_default();
        // "gladly-brave-otter": adverbs as far as needed, then an adjective, then an animal.
        let word = |place: usize, draw: &mut Draw| match length - place {
            1 => draw::choose(draw, &ANIMALS),
            2 => draw::choose(draw, &ADJECTIVES),
            _ => draw::choose(draw, &ADVERBS),
        };
        let words = (0..length).map(|place| *word(place, draw));
        let parts: Vec<&str> = text(wanted, "prefix").into_iter().chain(words).collect();
        Ok(wanted.with("id", parts.join(given(wanted, "separator")).into()))
    }
}
