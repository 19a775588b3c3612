//! Rules that stand in a security group's own block: compared one by one, however they are grouped.
//!
//! A block may name several peers at once, and AWS groups rules in its own way. Both come apart into the same single
//! rules, so that another grouping is no difference.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, PrefixListId, UserIdGroupPair};
use formwork_contract::{Type, Value};

use crate::fields::{Fields, flag, text};

/// One rule: one kind of traffic and one peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rule {
    pub traffic: Traffic,
    pub peer: Peer,
    pub description: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Traffic {
    protocol: String,
    /// None for all protocols.
    ports: Option<(i32, i32)>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Peer {
    Ipv4(String),
    Ipv6(String),
    PrefixList(String),
    /// Of another account: `ACCOUNT/GROUP`.
    Group(String),
    /// The group itself.
    Same,
}

/// A protocol by the name that EC2 answers.
pub(super) fn protocol(given: &str) -> String {
    match given.to_ascii_lowercase().as_str() {
        "all" => "-1".into(),
        "1" => "icmp".into(),
        "6" => "tcp".into(),
        "17" => "udp".into(),
        "58" => "icmpv6".into(),
        other => other.into(),
    }
}

fn traffic(given: &str, from: Option<i32>, to: Option<i32>) -> Traffic {
    let protocol = protocol(given);
    let ports = (protocol != "-1").then(|| (from.unwrap_or(-1), to.unwrap_or(-1)));
    Traffic { protocol, ports }
}

/// The type of `ingress` and `egress`.
pub(super) fn ty() -> Type {
    let strings = || Type::list(Type::String);
    Type::set(Type::object([
        ("cidr_blocks", strings()),
        ("description", Type::String),
        ("from_port", Type::Number),
        ("ipv6_cidr_blocks", strings()),
        ("prefix_list_ids", strings()),
        ("protocol", Type::String),
        ("security_groups", Type::set(Type::String)),
        ("self", Type::Bool),
        ("to_port", Type::Number),
    ]))
}

/// The rules of an `ingress` or `egress` attribute.
pub(super) fn of_value(value: &Value) -> BTreeSet<Rule> {
    let mut rules = BTreeSet::new();
    for block in value.elements().unwrap_or_default().iter().map(Fields) {
        let traffic = traffic(block.str("protocol").unwrap_or("-1"), block.whole("from_port"), block.whole("to_port"));
        let description = block.text("description").filter(|text| !text.is_empty());
        let peers = (block.texts("cidr_blocks").into_iter().map(Peer::Ipv4))
            .chain(block.texts("ipv6_cidr_blocks").into_iter().map(Peer::Ipv6))
            .chain(block.texts("prefix_list_ids").into_iter().map(Peer::PrefixList))
            .chain(block.texts("security_groups").into_iter().map(Peer::Group))
            .chain(block.flag("self").unwrap_or_default().then_some(Peer::Same));
        for peer in peers {
            rules.insert(Rule { traffic: traffic.clone(), peer, description: description.clone() });
        }
    }
    rules
}

/// The rules that a live group has. `group` is its id, `owner` its account.
pub(super) fn of_live(permissions: &[IpPermission], group: &str, owner: &str) -> BTreeSet<Rule> {
    let mut rules = BTreeSet::new();
    for permission in permissions {
        let traffic = traffic(permission.ip_protocol().unwrap_or("-1"), permission.from_port(), permission.to_port());
        let mut add = |peer, description: Option<&str>| {
            let description = description.filter(|text| !text.is_empty()).map(str::to_owned);
            rules.insert(Rule { traffic: traffic.clone(), peer, description })
        };
        for range in permission.ip_ranges() {
            add(Peer::Ipv4(range.cidr_ip().unwrap_or_default().into()), range.description());
        }
        for range in permission.ipv6_ranges() {
            add(Peer::Ipv6(range.cidr_ipv6().unwrap_or_default().into()), range.description());
        }
        for list in permission.prefix_list_ids() {
            add(Peer::PrefixList(list.prefix_list_id().unwrap_or_default().into()), list.description());
        }
        for pair in permission.user_id_group_pairs() {
            let id = pair.group_id().unwrap_or_default();
            let peer = match pair.user_id() {
                _ if id == group => Peer::Same,
                Some(account) if account != owner => Peer::Group(format!("{account}/{id}")),
                _ => Peer::Group(id.into()),
            };
            add(peer, pair.description());
        }
    }
    rules
}

/// Rules as the attribute has them, those of one traffic and description together.
pub(super) fn to_value(rules: &BTreeSet<Rule>) -> Value {
    let mut groups: BTreeMap<(&Traffic, &Option<String>), Vec<&Peer>> = BTreeMap::new();
    for rule in rules {
        groups.entry((&rule.traffic, &rule.description)).or_default().push(&rule.peer);
    }
    let items = groups.into_iter().map(|((traffic, description), peers)| {
        let of = |pick: fn(&Peer) -> Option<&String>| -> Vec<Value> {
            peers.iter().filter_map(|peer| pick(peer)).map(|text| Value::from(text.as_str())).collect()
        };
        // As a block leaves out what it does not speak of.
        let list =
            |pick| Some(of(pick)).filter(|items| !items.is_empty()).map(|items| Value::list(Type::String, items));
        let strings = |pick| list(pick).unwrap_or(Value::Null(Type::list(Type::String)));
        let groups = of(|peer| if let Peer::Group(id) = peer { Some(id) } else { None });
        let (from, to) = traffic.ports.unwrap_or((0, 0));
        Value::object([
            ("cidr_blocks", strings(|peer| if let Peer::Ipv4(block) = peer { Some(block) } else { None })),
            ("description", text(description.as_deref())),
            ("from_port", Value::from(i64::from(from))),
            ("ipv6_cidr_blocks", strings(|peer| if let Peer::Ipv6(block) = peer { Some(block) } else { None })),
            ("prefix_list_ids", strings(|peer| if let Peer::PrefixList(id) = peer { Some(id) } else { None })),
            ("protocol", Value::from(traffic.protocol.as_str())),
            (
                "security_groups",
                if groups.is_empty() { Value::Null(Type::set(Type::String)) } else { Value::set(Type::String, groups) },
            ),
            ("self", flag(peers.contains(&&Peer::Same).then_some(true))),
            ("to_port", Value::from(i64::from(to))),
        ])
    });
    let element = match ty() {
        Type::Set(element) => (*element).clone(),
        other => other,
    };
    Value::set(element, items.collect())
}

/// Rules as calls have them.
pub(super) fn to_sdk<'a>(rules: impl IntoIterator<Item = &'a Rule>, group: &str) -> Vec<IpPermission> {
    let permission = |rule: &Rule| {
        let description = rule.description.clone();
        let permission = IpPermission::builder()
            .ip_protocol(&rule.traffic.protocol)
            .set_from_port(rule.traffic.ports.map(|(from, _)| from))
            .set_to_port(rule.traffic.ports.map(|(_, to)| to));
        match &rule.peer {
            Peer::Ipv4(block) => {
                permission.ip_ranges(IpRange::builder().cidr_ip(block).set_description(description).build())
            }
            Peer::Ipv6(block) => {
                permission.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(block).set_description(description).build())
            }
            Peer::PrefixList(id) => permission
                .prefix_list_ids(PrefixListId::builder().prefix_list_id(id).set_description(description).build()),
            Peer::Same => pair(permission, group, None, description),
            Peer::Group(id) => match id.split_once('/') {
                Some((account, id)) => pair(permission, id, Some(account), description),
                None => pair(permission, id, None, description),
            },
        }
        .build()
    };
    rules.into_iter().map(permission).collect()
}

type Builder = aws_sdk_ec2::types::builders::IpPermissionBuilder;

fn pair(permission: Builder, id: &str, account: Option<&str>, description: Option<String>) -> Builder {
    let pair = UserIdGroupPair::builder().group_id(id).set_user_id(account.map(str::to_owned));
    permission.user_id_group_pairs(pair.set_description(description).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(protocol: &str, ports: (i64, i64), blocks: &[&str], own: bool) -> Value {
        let empty = || Value::list(Type::String, Vec::new());
        Value::object([
            ("cidr_blocks", Value::list(Type::String, blocks.iter().map(|block| Value::from(*block)).collect())),
            ("description", Value::from("")),
            ("from_port", Value::from(ports.0)),
            ("ipv6_cidr_blocks", empty()),
            ("prefix_list_ids", empty()),
            ("protocol", Value::from(protocol)),
            ("security_groups", Value::set(Type::String, Vec::new())),
            ("self", Value::from(own)),
            ("to_port", Value::from(ports.1)),
        ])
    }

    #[test]
    fn another_grouping_is_the_same() {
        let apart = Value::tuple(vec![
            block("tcp", (443, 443), &["10.0.0.0/8"], false),
            block("6", (443, 443), &["192.168.0.0/16"], true),
        ]);
        let together = Value::tuple(vec![block("tcp", (443, 443), &["192.168.0.0/16", "10.0.0.0/8"], true)]);
        assert_eq!(of_value(&apart), of_value(&together));
        assert_eq!(of_value(&to_value(&of_value(&apart))), of_value(&apart));
    }

    #[test]
    fn all_protocols_have_no_ports() {
        let classic = Value::tuple(vec![block("-1", (0, 0), &["0.0.0.0/0"], false)]);
        let live = IpPermission::builder().ip_protocol("-1").ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build());
        assert_eq!(of_value(&classic), of_live(&[live.build()], "sg-1", "1"));
    }
}
