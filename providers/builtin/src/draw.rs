//! Randomness: the same for a repeated attempt in one process, and known to nobody else.
//!
//! An attempt key is not secret: it stands in the journal. So what is drawn for an attempt comes from that key
//! *and* from a secret that the process drew from the system and never tells. A repeated call makes the same object
//! again without anything being kept of the first. Another process cannot make it again, and need not: what was not
//! recorded never existed.

use std::fmt;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use formwork_contract::provider::AttemptKey;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::fault::{Fault, fault};

/// Cryptographically secure.
pub(crate) type Draw = ChaCha20Rng;

/// What all draws of a process stand on.
#[derive(Clone)]
pub(crate) struct Origin(Zeroizing<[u8; 32]>);

impl Origin {
    /// Asks the operating system.
    ///
    /// # Errors
    /// It has no randomness to give.
    pub(crate) fn new() -> Result<Self, Fault> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *secret)
            .map_err(|error| fault("the system gives no random numbers").detail(format!("{error}.")))?;
        Ok(Self(secret))
    }

    /// For one attempt at one step.
    pub(crate) fn attempt(&self, attempt: &AttemptKey) -> Draw {
        keyed(&*self.0, attempt.0.as_bytes())
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Origin(secret)")
    }
}

/// The same for the same seed, everywhere and always: only for what is not secret.
pub(crate) fn seeded(seed: &str) -> Draw {
    keyed(b"formwork random seed", seed.as_bytes())
}

fn keyed(key: &[u8], text: &[u8]) -> Draw {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("a key of any length is taken");
    mac.update(text);
    let seed: Zeroizing<[u8; 32]> = Zeroizing::new(mac.finalize().into_bytes().into());
    ChaCha20Rng::from_seed(*seed)
}

/// A number below `bound`, each as likely as the others. `bound` is at least 1.
pub(crate) fn below(draw: &mut Draw, bound: u64) -> u64 {
    // The last, incomplete round of `bound` numbers would make the first ones likelier.
    let rounds = u64::MAX - u64::MAX % bound;
    loop {
        let number = draw.next_u64();
        if number < rounds {
            return number % bound;
        }
    }
}

/// One of them, each as likely as the others; there is at least one.
pub(crate) fn choose<'a, T>(draw: &mut Draw, from: &'a [T]) -> &'a T {
    &from[index(draw, from.len())]
}

/// Every order is as likely as the others.
pub(crate) fn shuffle<T>(draw: &mut Draw, items: &mut [T]) {
    for place in (1..items.len()).rev() {
        items.swap(place, index(draw, place + 1));
    }
}

pub(crate) fn bytes(draw: &mut Draw, count: usize) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; count]);
    draw.fill_bytes(&mut bytes);
    bytes
}

fn index(draw: &mut Draw, count: usize) -> usize {
    usize::try_from(below(draw, count as u64)).expect("an index below a length fits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_repeats_in_its_process_only() {
        let (origin, other) = (Origin::new().expect("an origin"), Origin::new().expect("an origin"));
        let draw = |origin: &Origin, key: &str| bytes(&mut origin.attempt(&AttemptKey(key.into())), 32);
        assert_eq!(draw(&origin, "1"), draw(&origin, "1"));
        assert_ne!(draw(&origin, "1"), draw(&origin, "2"));
        assert_ne!(draw(&origin, "1"), draw(&other, "1"));
        assert!(!format!("{origin:?}").contains(char::is_numeric));
    }

    #[test]
    fn no_number_is_likelier_than_the_others() {
        let mut draw = seeded("likely");
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[usize::try_from(below(&mut draw, 7)).expect("below 7")] += 1;
        }
        assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
        let mut first = [0_u32; 3];
        for _ in 0..30_000 {
            let mut items = [0, 1, 2];
            shuffle(&mut draw, &mut items);
            first[items[0]] += 1;
        }
        assert!(first.iter().all(|count| (9_600..10_400).contains(count)), "{first:?}");
    }
}
