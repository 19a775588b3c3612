//! IP networks in CIDR notation.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use formwork_contract::{Number, Type, Value};

use super::signature::{Answer, Arguments, Fault, Function, Kind, Parameter, parameter};

const PREFIX: Parameter = parameter("prefix", Kind::String);

pub(super) const TABLE: &[Function] = &[
    Function::new("cidrhost", &[PREFIX, parameter("hostnum", Kind::Number)], Kind::String, cidrhost),
    Function::new("cidrnetmask", &[PREFIX], Kind::String, cidrnetmask),
    Function::new(
        "cidrsubnet",
        &[PREFIX, parameter("newbits", Kind::Number), parameter("netnum", Kind::Number)],
        Kind::String,
        cidrsubnet,
    ),
    Function::new("cidrsubnets", &[PREFIX], Kind::List(&Kind::String), cidrsubnets)
        .rest(parameter("newbits", Kind::Number)),
];

/// A network: its address as a number of `width` bits with the host bits zero.
#[derive(Clone, Copy)]
struct Network {
    address: u128,
    length: u32,
    width: u32,
}

impl Network {
    fn parse(text: &str) -> Result<Self, Fault> {
        let fault = || Fault::quoting(0, format!("`{text}` is not a network such as `10.0.0.0/16`"));
        let (address, length) = text.split_once('/').ok_or_else(fault)?;
        if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(fault());
        }
        let length: u32 = length.parse().map_err(|_| fault())?;
        let (address, width) = if address.contains(':') {
            (u128::from(address.parse::<Ipv6Addr>().map_err(|_| fault())?), 128)
        } else {
            (u128::from(u32::from(parse_v4(address).ok_or_else(fault)?)), 32)
        };
        if length > width {
            return Err(fault());
        }
        let network = Self { address, length, width };
        Ok(Self { address: network.first(), ..network })
    }

    fn host_bits(self) -> u32 {
        self.width - self.length
    }

    fn first(self) -> u128 {
        self.address.checked_shr(self.host_bits()).and_then(|top| top.checked_shl(self.host_bits())).unwrap_or(0)
    }

    fn text(self, address: u128) -> String {
        if self.width == 32 {
            Ipv4Addr::from(u32::try_from(address & u128::from(u32::MAX)).unwrap_or(u32::MAX)).to_string()
        } else {
            IpAddr::from(Ipv6Addr::from(address)).to_string()
        }
    }

    /// The `number`th network that is longer by `bits`.
    fn subnet(self, bits: u32, number: u128) -> String {
        let length = self.length + bits;
        let offset = number.checked_shl(self.width - length).unwrap_or(0);
        format!("{}/{length}", self.text(self.address | offset))
    }
}

/// Leading zeros are no sign of octal numbers.
fn parse_v4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *octet = part.parse().ok()?;
    }
    parts.next().is_none().then(|| Ipv4Addr::from(octets))
}

/// How many numbers `bits` bits have; the largest number where that is all of them.
fn last(bits: u32) -> u128 {
    1u128.checked_shl(bits).map_or(u128::MAX, |count| count - 1)
}

/// The number, and whether it is negative.
fn whole(number: &Number, argument: usize) -> Result<(u128, bool), Fault> {
    let int = number.to_bigint().ok_or_else(|| Fault::at(argument, "a whole number is required"))?;
    let magnitude = u128::try_from(int.magnitude()).map_err(|_| Fault::at(argument, "the number is too large"))?;
    Ok((magnitude, number.is_negative()))
}

/// A negative number counts from the end of the network.
fn cidrhost(given: &Arguments<'_>) -> Answer {
    let network = Network::parse(given.text(0))?;
    let (number, negative) = whole(&given.number(1), 1)?;
    let most = last(network.host_bits());
    let fits = if negative { number - 1 <= most } else { number <= most };
    if !fits {
        let problem = format!("a network of {} host bits has no host of this number", network.host_bits());
        return Err(Fault::at(1, problem));
    }
    let host = if negative { most - (number - 1) } else { number };
    Ok(Value::string(network.text(network.address | host)))
}

fn cidrnetmask(given: &Arguments<'_>) -> Answer {
    let network = Network::parse(given.text(0))?;
    if network.width != 32 {
        return Err(Fault::at(0, "a network of IPv6 has no netmask"));
    }
    let mask = last(32) & !last(network.host_bits());
    Ok(Value::string(network.text(mask)))
}

fn new_bits(given: &Arguments<'_>, at: usize, network: Network) -> Result<u32, Fault> {
    let bits = u32::try_from(given.size(at)?).unwrap_or(u32::MAX);
    if bits > network.host_bits() {
        let problem = format!("a prefix of {} bits cannot be extended by this many", network.length);
        return Err(Fault::at(at, problem));
    }
    Ok(bits)
}

fn cidrsubnet(given: &Arguments<'_>) -> Answer {
    let network = Network::parse(given.text(0))?;
    let bits = new_bits(given, 1, network)?;
    let (number, negative) = whole(&given.number(2), 2)?;
    if negative || number > last(bits) {
        return Err(Fault::at(2, format!("an extension of {bits} bits has no network of this number")));
    }
    Ok(Value::string(network.subnet(bits, number)))
}

/// Networks one after the other, each aligned to its own size.
fn cidrsubnets(given: &Arguments<'_>) -> Answer {
    let network = Network::parse(given.text(0))?;
    let mut subnets = Vec::with_capacity(given.len());
    let mut offset = 0u128;
    let mut full = false;
    for at in 1..given.len() {
        let bits = new_bits(given, at, network)?;
        if bits == 0 {
            return Err(Fault::at(at, "each network is longer by at least 1 bit"));
        }
        let host_bits = network.host_bits() - bits;
        let aligned = offset.checked_add(last(host_bits)).map(|up| up & !last(host_bits));
        let start = aligned.filter(|start| !full && *start <= last(network.host_bits()));
        let Some(start) = start else {
            return Err(Fault::at(at, "no room is left in the prefix for this network"));
        };
        let address = network.text(network.address | start);
        subnets.push(Value::string(format!("{address}/{}", network.length + bits)));
        match start.checked_add(last(host_bits)).and_then(|end| end.checked_add(1)) {
            Some(next) => offset = next,
            None => full = true,
        }
    }
    Ok(Value::list(Type::String, subnets))
}
