//! Address blocks of IPv4 and IPv6, as AWS wants them written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address block and how it is written without a bit beyond its length.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cidr {
    pub length: u8,
    pub canonical: String,
}

/// A block such as `10.0.0.0/16`; `None` where it is none.
pub(crate) fn parse(text: &str) -> Option<Cidr> {
    let (address, length) = text.split_once('/')?;
    let length: u8 = length.parse().ok()?;
    let first = match address.parse().ok()? {
        IpAddr::V4(address) if length <= 32 => {
            let mask = u32::MAX.checked_shl(u32::from(32 - length)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(address) & mask))
        }
        IpAddr::V6(address) if length <= 128 => {
            let mask = u128::MAX.checked_shl(u32::from(128 - length)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(address) & mask))
        }
        _ => return None,
    };
    Some(Cidr { length, canonical: format!("{first}/{length}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_beyond_the_length_are_seen() {
        let canonical = |text: &str| parse(text).map(|block| block.canonical);
        assert_eq!(canonical("10.0.1.0/16"), Some("10.0.0.0/16".into()));
        assert_eq!(canonical("0.0.0.0/0"), Some("0.0.0.0/0".into()));
        assert_eq!(canonical("2600:1f13::/56"), Some("2600:1f13::/56".into()));
        assert_eq!(canonical("10.0.0.0/33"), None);
        assert_eq!(canonical("10.0.0.0"), None);
    }
}
