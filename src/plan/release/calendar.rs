//! When a change may begin: windows in which it may, and freezes in which it may not.

use formwork_contract::Str;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// More openings than this are not looked through for the next one.
const LOOKED_THROUGH: usize = 1_000;

/// When changes may begin. Without windows that is always, but for the freezes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calendar {
    pub windows: Vec<Window>,
    pub freezes: Vec<Freeze>,
}

/// A time of the day at which changes may begin.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// On which it begins; all where this is empty.
    pub days: Vec<Weekday>,
    pub from: Time,
    /// Not after `from`: on the day after.
    pub to: Time,
    pub zone: TimeZone,
}

/// A stretch of time in which no change may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freeze {
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    pub reason: Option<Str>,
}

/// Why nothing may begin now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// In a sentence, without its full stop.
    pub why: String,
    /// When something may, in milliseconds since the Unix epoch; `None` where that is not in sight.
    pub next_ms: Option<i64>,
}

impl Calendar {
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty() && self.freezes.is_empty()
    }

    /// Whether something may begin at a time, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// Why not, and when it may.
    pub fn allows(&self, now_ms: i64) -> Result<(), Closed> {
        // A time that no calendar has is in no window, and in no freeze.
        let now = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::MIN);
        let why = match (self.freeze_at(now), self.is_in_window(now)) {
            (Some(freeze), _) => {
                let reason = freeze.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
                format!("changes are frozen from {} to {}{reason}", freeze.from, freeze.to)
            }
            (None, false) => "it is outside of every change window".into(),
            (None, true) => return Ok(()),
        };
        Err(Closed { why, next_ms: self.next_after(now).map(Timestamp::as_millisecond) })
    }

    fn freeze_at(&self, time: Timestamp) -> Option<&Freeze> {
        self.freezes.iter().find(|freeze| freeze.from <= time && time < freeze.to)
    }

    fn is_in_window(&self, time: Timestamp) -> bool {
        self.windows.is_empty() || self.windows.iter().any(|window| window.holds(time))
    }

    /// The first moment from `time` on at which something may begin.
    fn next_after(&self, time: Timestamp) -> Option<Timestamp> {
        let mut time = time;
        for _ in 0..LOOKED_THROUGH {
            if let Some(freeze) = self.freeze_at(time) {
                time = freeze.to;
            } else if self.is_in_window(time) {
                return Some(time);
            } else {
                time = self.windows.iter().filter_map(|window| window.opening_after(time)).min()?;
            }
        }
        None
    }
}

impl Window {
    /// The window that begins on a day, if one does.
    fn on(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        if !self.days.is_empty() && !self.days.contains(&day.weekday()) {
            return None;
        }
        let end_day = if self.to <= self.from { day.tomorrow().ok()? } else { day };
        let moment = |day: Date, time: Time| Some(day.to_datetime(time).to_zoned(self.zone.clone()).ok()?.timestamp());
        Some((moment(day, self.from)?, moment(end_day, self.to)?))
    }

    fn holds(&self, time: Timestamp) -> bool {
        let today = time.to_zoned(self.zone.clone()).date();
        let days = [today.yesterday().ok(), Some(today)];
        days.into_iter().flatten().filter_map(|day| self.on(day)).any(|(from, to)| from <= time && time < to)
    }

    fn opening_after(&self, time: Timestamp) -> Option<Timestamp> {
        let today = time.to_zoned(self.zone.clone()).date();
        let days = (0..=8i64).filter_map(|ahead| today.checked_add(ahead.days()).ok());
        days.filter_map(|day| self.on(day)).map(|(from, _)| from).find(|from| *from > time)
    }

    /// As people write it.
    pub fn text(&self) -> String {
        let days: Vec<&str> = self.days.iter().map(|day| day_name(*day)).collect();
        let days = if days.is_empty() { "every day".into() } else { days.join(", ") };
        let time = |time: Time| format!("{:02}:{:02}", time.hour(), time.minute());
        let zone = self.zone.iana_name().unwrap_or("UTC");
        format!("{days} from {} to {} {zone}", time(self.from), time(self.to))
    }
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

fn day_name(day: Weekday) -> &'static str {
    DAYS.iter().find(|(_, known)| *known == day).map_or("", |(name, _)| name)
}

/// A day of the week by its first three letters or its whole name.
pub(super) fn parse_day(text: &str) -> Option<Weekday> {
    let lower = text.to_lowercase();
    let whole = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let place =
        DAYS.iter().position(|(name, _)| *name == lower).or_else(|| whole.iter().position(|name| *name == lower));
    place.map(|place| DAYS[place].1)
}

/// `08:00`; `24:00` is the end of the day.
pub(super) fn parse_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |text: &str| if text.len() == 2 { text.parse::<i8>().ok() } else { None };
    match (two_digits(hour)?, two_digits(minute)?) {
        (24, 0) => Some(Time::midnight()),
        (hour, minute) => Time::new(hour, minute, 0, 0).ok(),
    }
}

/// A time zone by its name in the IANA database.
pub(super) fn parse_zone(name: &str) -> Option<TimeZone> {
    if name == "UTC" { Some(TimeZone::UTC) } else { TimeZone::get(name).ok() }
}

/// An end of a freeze: a moment in RFC 3339, or a day, which as the last one belongs to it.
pub(super) fn parse_moment(text: &str, zone: &TimeZone, is_last: bool) -> Option<Timestamp> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    let day: Date = if text.len() == 10 { text.parse().ok()? } else { return None };
    let day = if is_last { day.tomorrow().ok()? } else { day };
    Some(day.to_zoned(zone.clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("a time").as_millisecond()
    }

    fn window(days: &[&str], from: &str, to: &str) -> Window {
        Window {
            days: days.iter().map(|day| parse_day(day).expect("a day")).collect(),
            from: parse_time(from).expect("a time"),
            to: parse_time(to).expect("a time"),
            zone: TimeZone::UTC,
        }
    }

    fn next(calendar: &Calendar, now: &str) -> Option<String> {
        let next = calendar.allows(ms(now)).expect_err("closed").next_ms?;
        Some(Timestamp::from_millisecond(next).expect("a time").to_string())
    }

    #[test]
    fn a_window_opens_on_its_days() {
        let workdays = window(&["mon", "tue", "wed", "thu", "friday"], "08:00", "16:00");
        let calendar = Calendar { windows: vec![workdays], freezes: Vec::new() };
        // 2026-11-23 is a Monday.
        assert!(calendar.allows(ms("2026-11-23T08:00:00Z")).is_ok());
        assert!(calendar.allows(ms("2026-11-23T15:59:59Z")).is_ok());
        assert_eq!(next(&calendar, "2026-11-23T16:00:00Z").as_deref(), Some("2026-11-24T08:00:00Z"));
        assert_eq!(next(&calendar, "2026-11-27T17:00:00Z").as_deref(), Some("2026-11-30T08:00:00Z"));
    }

    #[test]
    fn a_window_may_go_over_midnight() {
        let calendar = Calendar { windows: vec![window(&["sat"], "22:00", "04:00")], freezes: Vec::new() };
        assert!(calendar.allows(ms("2026-11-29T03:00:00Z")).is_ok(), "the night from Saturday to Sunday");
        assert_eq!(next(&calendar, "2026-11-28T03:00:00Z").as_deref(), Some("2026-11-28T22:00:00Z"));
    }

    #[test]
    fn a_freeze_wins_over_a_window() {
        let zone = TimeZone::UTC;
        let freeze = Freeze {
            from: parse_moment("2026-12-20", &zone, false).expect("a day"),
            to: parse_moment("2027-01-03", &zone, true).expect("a day"),
            reason: Some("holidays".into()),
        };
        let calendar = Calendar { windows: vec![window(&["mon"], "08:00", "24:00")], freezes: vec![freeze] };
        let closed = calendar.allows(ms("2026-12-21T09:00:00Z")).expect_err("frozen");
        assert!(closed.why.contains("holidays"), "{}", closed.why);
        assert_eq!(next(&calendar, "2026-12-21T09:00:00Z").as_deref(), Some("2027-01-04T08:00:00Z"));
    }

    #[test]
    fn without_windows_it_is_always_open() {
        assert!(Calendar::default().allows(i64::MAX).is_ok());
    }
}
