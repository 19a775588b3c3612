//! Durations as people write them: `90s`, `10m`, `1h30m`, `2d`.

use std::time::Duration;

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Whole numbers with a unit each, the largest first; `None` for anything else.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let (mut total, mut last) = (0u64, u64::MAX);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = UNITS.iter().find(|(name, _)| *name == &rest[..letters])?.1;
        if unit >= last {
            return None;
        }
        total = total.checked_add(number.checked_mul(unit)?)?;
        (last, rest) = (unit, &rest[letters..]);
    }
    Some(Duration::from_millis(total))
}

/// The same duration in as few parts as may be.
pub fn duration_text(duration: Duration) -> String {
    let mut left = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (name, size) in UNITS.iter().rev() {
        if left >= *size {
            text.push_str(&format!("{}{name}", left / size));
            left %= size;
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_duration_is_numbers_with_units() {
        let parsed = |text| parse_duration(text).map(|duration| duration.as_millis());
        assert_eq!(parsed("10m"), Some(600_000));
        assert_eq!(parsed("1h30m"), Some(5_400_000));
        assert_eq!(parsed("250ms"), Some(250));
        for wrong in ["", "10", "m", "10x", "1m1h", "5m5m", "-1s", "1.5h", "99999999999999999999d"] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(ms in 0u64..1_000_000_000) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse_duration(&duration_text(duration)), Some(duration));
        }
    }
}
