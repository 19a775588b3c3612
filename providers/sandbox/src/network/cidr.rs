//! IPv4 address blocks, as `10.0.0.0/16` writes them.

use std::fmt;
use std::net::Ipv4Addr;

use formwork_contract::Value;

use crate::resource::Problems;

/// A block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cidr {
    first: u32,
    prefix: u32,
}

impl Cidr {
    /// `None` for anything but an address, a slash and a prefix, and for an address inside its block.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let first = u32::from(address.parse::<Ipv4Addr>().ok()?);
        let prefix: u32 = prefix.parse().ok().filter(|prefix| *prefix <= 32)?;
        let block = Self { first, prefix };
        (first & block.host_mask() == 0).then_some(block)
    }

    fn host_mask(self) -> u32 {
        u32::MAX.checked_shr(self.prefix).unwrap_or(0)
    }

    pub(crate) fn first(self) -> u32 {
        self.first
    }

    pub(crate) fn last(self) -> u32 {
        self.first | self.host_mask()
    }

    pub(crate) fn contains(self, other: Self) -> bool {
        self.first <= other.first && other.last() <= self.last()
    }

    /// Checks an attribute that holds a block whose prefix is within bounds.
    pub(crate) fn check(config: &Value, attribute: &str, prefixes: std::ops::RangeInclusive<u32>, p: &mut Problems) {
        let Some(text) = config.get_str(attribute) else { return };
        match Self::parse(text) {
            None => p.at(
                attribute,
                format!("`{text}` is not an IPv4 address block"),
                "write the block's first address and its prefix, such as `10.0.0.0/16`",
            ),
            Some(block) if !prefixes.contains(&block.prefix) => p.at(
                attribute,
                format!("the prefix of `{text}` is out of range"),
                &format!("use a prefix from /{} to /{}", prefixes.start(), prefixes.end()),
            ),
            Some(_) => {}
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.first), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_parse_print_and_contain() {
        let outer = Cidr::parse("10.0.0.0/16").expect("a block");
        let inner = Cidr::parse("10.0.255.0/24").expect("a block");
        assert!(outer.contains(inner) && !inner.contains(outer));
        assert_eq!(inner.to_string(), "10.0.255.0/24");
        assert_eq!(Cidr::parse("0.0.0.0/0").map(Cidr::last), Some(u32::MAX));
        assert_eq!(Cidr::parse("1.2.3.4/32").map(Cidr::last), Some(u32::from(Ipv4Addr::new(1, 2, 3, 4))));
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for text in ["10.0.0.1/16", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "x/8", "10.0.0.0/-1"] {
            assert_eq!(Cidr::parse(text), None, "{text}");
        }
    }
}
