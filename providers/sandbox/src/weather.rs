//! What goes wrong, and how long calls take: decided by a seed, never by time or by the order of threads.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::settings::Settings;

/// One call of the API, as the weather sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occasion<'a> {
    /// Such as `create sandbox_network`.
    pub operation: &'a str,
    /// The address of the object, or another name for what the call is about.
    pub subject: &'a str,
    /// How often this operation was called for this subject before.
    pub attempt: u64,
}

/// What becomes of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Fine,
    Throttled,
    /// The change stops half-way.
    Partial,
    /// The change is made, or not, and nobody hears.
    Lost {
        made: bool,
    },
}

/// The weather of one sandbox.
#[derive(Clone, Debug)]
pub(crate) struct Weather {
    seed: i64,
    latency: Duration,
    throttle_percent: u64,
    failure_percent: u64,
    lost_answer_percent: u64,
}

/// How long a throttled caller is asked to wait: doubling from here, up to 64 times this.
const BACK_OFF: Duration = Duration::from_millis(5);

impl Weather {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            seed: settings.seed,
            latency: settings.latency,
            throttle_percent: settings.throttle_percent,
            failure_percent: settings.failure_percent,
            lost_answer_percent: settings.lost_answer_percent,
        }
    }

    /// Whether any call can go wrong: without it attempts need not be counted.
    pub(crate) fn is_rough(&self) -> bool {
        self.throttle_percent + self.failure_percent + self.lost_answer_percent > 0
    }

    pub(crate) fn fate(&self, occasion: Occasion<'_>) -> Fate {
        if self.is_throttled(occasion) {
            Fate::Throttled
        } else if self.roll("failure", occasion) < self.failure_percent {
            Fate::Partial
        } else if self.roll("lost", occasion) < self.lost_answer_percent {
            Fate::Lost { made: self.roll("made", occasion) < 50 }
        } else {
            Fate::Fine
        }
    }

    pub(crate) fn is_throttled(&self, occasion: Occasion<'_>) -> bool {
        self.throttle_percent > 0 && self.roll("throttle", occasion) < self.throttle_percent
    }

    /// Between half and one and a half of the configured latency.
    pub(crate) fn latency(&self, occasion: Occasion<'_>) -> Duration {
        if self.latency.is_zero() {
            return Duration::ZERO;
        }
        self.latency / 2 + self.latency * u32::try_from(self.roll("latency", occasion)).unwrap_or(50) / 100
    }

    /// What a throttled caller is told to wait before it calls again.
    pub(crate) fn back_off(occasion: Occasion<'_>) -> Duration {
        BACK_OFF * (1 << occasion.attempt.min(6))
    }

    /// The request id of a call: the same for the same call of the same run.
    pub(crate) fn request_id(&self, occasion: Occasion<'_>) -> String {
        format!("req-{:016x}", self.hash("request", occasion))
    }

    /// A number from 0 to 99.
    fn roll(&self, decision: &str, occasion: Occasion<'_>) -> u64 {
        self.hash(decision, occasion) % 100
    }

    fn hash(&self, decision: &str, occasion: Occasion<'_>) -> u64 {
        let mut hasher = Sha256::new();
        hasher.update(self.seed.to_be_bytes());
        for part in [decision, occasion.operation, occasion.subject] {
            hasher.update(part.as_bytes());
            hasher.update([0]);
        }
        hasher.update(occasion.attempt.to_be_bytes());
        let digest = hasher.finalize();
        digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weather(seed: i64) -> Weather {
        let settings = Settings { seed, throttle_percent: 20, failure_percent: 20, ..Settings::default() };
        Weather::new(&settings)
    }

    fn fates(weather: &Weather) -> Vec<Fate> {
        let occasion = |attempt| Occasion { operation: "create a", subject: "a.b", attempt };
        (0..200).map(|attempt| weather.fate(occasion(attempt))).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_weather_and_another_seed_another() {
        assert_eq!(fates(&weather(1)), fates(&weather(1)));
        assert_ne!(fates(&weather(1)), fates(&weather(2)));
    }

    #[test]
    fn the_shares_are_as_configured() {
        let fates = fates(&weather(1));
        let throttled = fates.iter().filter(|fate| **fate == Fate::Throttled).count();
        assert!((20..60).contains(&throttled), "{throttled} of 200");
        assert!(!fates.contains(&Fate::Lost { made: true }));
    }
}
