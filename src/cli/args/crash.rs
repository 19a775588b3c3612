//! A drill: where in the journal a run is to end dead.

/// A place in the journal at which a drill ends the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashAt {
    /// From 1.
    pub record: u64,
    /// After the record is durable rather than before.
    pub after: bool,
}

impl std::str::FromStr for CrashAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, place) = text.split_once(':').unwrap_or((text, "after"));
        let after = match place {
            "before" => false,
            "after" => true,
            other => return Err(format!("`{other}` is neither `before` nor `after`")),
        };
        let record = number.parse().map_err(|_| format!("`{number}` is not a number"))?;
        Ok(Self { record, after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_point_is_a_record_and_a_side() {
        assert_eq!("3".parse(), Ok(CrashAt { record: 3, after: true }));
        assert_eq!("3:before".parse(), Ok(CrashAt { record: 3, after: false }));
        assert!("x".parse::<CrashAt>().is_err() && "3:maybe".parse::<CrashAt>().is_err());
    }
}
