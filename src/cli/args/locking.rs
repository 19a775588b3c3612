//! `--lock-timeout`: how long a run waits for the leases of others.

use std::time::Duration;

use clap::Args;

#[derive(Clone, Debug, Args)]
pub struct Locking {
    /// Wait so long for runs that work on the same objects, such as `30s` or `10m` [default: not at all]
    #[arg(long, value_name = "TIME", value_parser = duration, global = true, help_heading = "Global options")]
    pub lock_timeout: Option<Duration>,
}

/// Whole seconds, minutes or hours: `90s`, `10m`, `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time: write whole seconds, minutes or hours, such as `90s`, `10m` or `1h`");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "" if digits == "0" => 1,
        _ => return Err(wrong()),
    };
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    count.checked_mul(unit).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        for wrong in ["", "5", "m", "-1s", "1d", "1.5h", "18446744073709551615h", "five"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
