//! Moments as certificates and attributes have them: seconds since the Unix epoch, and RFC 3339 in UTC.

use std::time::Duration;

use x509_cert::der::DateTime;
use x509_cert::der::asn1::{GeneralizedTime, UtcTime};
use x509_cert::time::Time;

use crate::fault::{Fault, fault};

/// Seconds.
pub(super) const HOUR: u64 = 3600;

/// The longest time that an attribute may ask for, in hours: a thousand years.
pub(super) const MOST_HOURS: i64 = 8_766_000;

/// `2026-11-30T23:32:24Z`.
pub(super) fn told(seconds: u64) -> String {
    moment(seconds).map_or_else(|_| format!("{seconds} seconds after 1970"), |moment| moment.to_string())
}

/// The reverse of [`told`].
pub(super) fn read(text: &str) -> Option<u64> {
    text.parse::<DateTime>().ok().map(|moment| moment.unix_duration().as_secs())
}

pub(super) fn seconds(time: Time) -> u64 {
    time.to_unix_duration().as_secs()
}

/// As a certificate has it: with two digits for the year until 2049, with four from then on (RFC 5280, section
/// 4.1.2.5).
///
/// # Errors
/// It is after the year 9999.
pub(super) fn in_certificate(seconds: u64) -> Result<Time, Fault> {
    let moment = moment(seconds)?;
    Ok(match UtcTime::from_date_time(moment) {
        Ok(time) => Time::UtcTime(time),
        Err(_) => Time::GeneralTime(GeneralizedTime::from_date_time(moment)),
    })
}

fn moment(seconds: u64) -> Result<DateTime, Fault> {
    DateTime::from_unix_duration(Duration::from_secs(seconds))
        .map_err(|_| fault("the certificate would end after the year 9999").hint("ask for fewer hours"))
}
