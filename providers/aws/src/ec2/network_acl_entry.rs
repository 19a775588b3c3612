//! Rules of a network ACL's own block: compared by what they mean, and changed one by one by their numbers.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{IcmpTypeCode, NetworkAclEntry, PortRange};
use formwork_contract::{Type, Value};

use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{Fields, text, whole};

/// Rules by their numbers, in one direction.
pub(super) type Rules = BTreeMap<i32, Rule>;

/// What one rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// A number, or -1 for all.
    protocol: String,
    action: String,
    ipv4: Option<String>,
    ipv6: Option<String>,
    /// None for protocols without ports.
    ports: Option<(i32, i32)>,
    /// Type and code.
    icmp: Option<(i32, i32)>,
}

/// The last rule, which denies what no other allowed. It is AWS's and cannot be changed.
const LAST: i32 = 32767;

/// A protocol by its number, as EC2 answers.
fn protocol(given: &str) -> String {
    match given.to_ascii_lowercase().as_str() {
        "all" => "-1".into(),
        "icmp" => "1".into(),
        "tcp" => "6".into(),
        "udp" => "17".into(),
        "icmpv6" => "58".into(),
        other => other.into(),
    }
}

/// The name of a protocol where it has one.
fn name(protocol: &str) -> &str {
    match protocol {
        "1" => "icmp",
        "6" => "tcp",
        "17" => "udp",
        "58" => "icmpv6",
        other => other,
    }
}

fn rule(given: &str, ports: (i32, i32), icmp: (i32, i32)) -> Rule {
    let protocol = protocol(given);
    let has_ports = matches!(protocol.as_str(), "6" | "17");
    let is_icmp = matches!(protocol.as_str(), "1" | "58");
    Rule {
        protocol,
        action: String::new(),
        ipv4: None,
        ipv6: None,
        ports: has_ports.then_some(ports),
        icmp: is_icmp.then_some(icmp),
    }
}

/// The type of `ingress` and `egress`.
pub(super) fn ty() -> Type {
    Type::set(element())
}

fn element() -> Type {
    Type::object([
        ("action", Type::String),
        ("cidr_block", Type::String),
        ("from_port", Type::Number),
        ("icmp_code", Type::Number),
        ("icmp_type", Type::Number),
        ("ipv6_cidr_block", Type::String),
        ("protocol", Type::String),
        ("rule_no", Type::Number),
        ("to_port", Type::Number),
    ])
}

/// The rules of an `ingress` or `egress` attribute.
pub(super) fn of_value(value: &Value) -> Rules {
    let blocks = value.elements().unwrap_or_default().iter().map(Fields);
    let rules = blocks.map(|block| {
        let number = |name: &str| block.whole(name).unwrap_or_default();
        let said = |name: &str| block.text(name).filter(|text| !text.is_empty());
        let ports = (number("from_port"), number("to_port"));
        let rule = Rule {
            action: block.str("action").unwrap_or_default().to_ascii_lowercase(),
            ipv4: said("cidr_block"),
            ipv6: said("ipv6_cidr_block"),
            ..rule(block.str("protocol").unwrap_or("-1"), ports, (number("icmp_type"), number("icmp_code")))
        };
        (number("rule_no"), rule)
    });
    rules.collect()
}

/// The rules that a live ACL has in one direction.
pub(super) fn of_live(entries: &[NetworkAclEntry], egress: bool) -> Rules {
    let its = entries.iter().filter(|entry| entry.egress().unwrap_or_default() == egress);
    let rules = its.map(|entry| {
        let ports = entry
            .port_range()
            .map_or((0, 0), |range| (range.from().unwrap_or_default(), range.to().unwrap_or_default()));
        let icmp = entry
            .icmp_type_code()
            .map_or((0, 0), |icmp| (icmp.r#type().unwrap_or_default(), icmp.code().unwrap_or_default()));
        let rule = Rule {
            action: entry.rule_action().map(|action| action.as_str().to_owned()).unwrap_or_default(),
            ipv4: entry.cidr_block().filter(|block| !block.is_empty()).map(str::to_owned),
            ipv6: entry.ipv6_cidr_block().filter(|block| !block.is_empty()).map(str::to_owned),
            ..rule(entry.protocol().unwrap_or("-1"), ports, icmp)
        };
        (entry.rule_number().unwrap_or_default(), rule)
    });
    rules.filter(|(number, _)| *number != LAST).collect()
}

/// Rules as the attribute has them.
pub(super) fn to_value(rules: &Rules) -> Value {
    let number = |number: i32| Value::from(i64::from(number));
    let items = rules.iter().map(|(rule_no, rule)| {
        let (from, to) = rule.ports.unwrap_or_default();
        Value::object([
            ("action", Value::from(rule.action.as_str())),
            ("cidr_block", text(rule.ipv4.as_deref())),
            ("from_port", number(from)),
            ("icmp_code", whole(rule.icmp.map(|(_, code)| code))),
            ("icmp_type", whole(rule.icmp.map(|(kind, _)| kind))),
            ("ipv6_cidr_block", text(rule.ipv6.as_deref())),
            ("protocol", name(&rule.protocol).into()),
            ("rule_no", number(*rule_no)),
            ("to_port", number(to)),
        ])
    });
    Value::set(element(), items.collect())
}

/// The parameters of `CreateNetworkAclEntry` and `ReplaceNetworkAclEntry`, which have the same names.
macro_rules! entry {
    ($call:expr, $acl:expr, $egress:expr, $number:expr, $rule:expr) => {{
        let ports = $rule.ports.map(|(from, to)| PortRange::builder().from(from).to(to).build());
        let icmp = $rule.icmp.map(|(kind, code)| IcmpTypeCode::builder().r#type(kind).code(code).build());
        $call
            .network_acl_id($acl)
            .egress($egress)
            .rule_number($number)
            .protocol(&$rule.protocol)
            .rule_action($rule.action.as_str().into())
            .set_cidr_block($rule.ipv4.clone())
            .set_ipv6_cidr_block($rule.ipv6.clone())
            .set_port_range(ports)
            .set_icmp_type_code(icmp)
            .send()
    }};
}

/// Makes the rules of one direction those that are wanted.
pub(super) async fn bring(cloud: &Cloud, acl: &str, egress: bool, found: &Rules, wanted: &Rules) -> Result<(), Fault> {
    for (number, rule) in wanted {
        match found.get(number) {
            Some(standing) if standing == rule => {}
            Some(_) => {
                let action = Action::repeatable("ReplaceNetworkAclEntry");
                let send =
                    |ec2: &aws_sdk_ec2::Client| entry!(ec2.replace_network_acl_entry(), acl, egress, *number, rule);
                cloud.ec2.call(action, send).await?;
            }
            None => {
                let action = Action::once("CreateNetworkAclEntry").passing(&["InvalidNetworkAclID.NotFound"]);
                let send =
                    |ec2: &aws_sdk_ec2::Client| entry!(ec2.create_network_acl_entry(), acl, egress, *number, rule);
                cloud.ec2.call(action, send).await?;
            }
        }
    }
    for number in found.keys().filter(|number| !wanted.contains_key(*number)) {
        let action = Action::repeatable("DeleteNetworkAclEntry");
        let send = |ec2: &aws_sdk_ec2::Client| {
            ec2.delete_network_acl_entry().network_acl_id(acl).egress(egress).rule_number(*number).send()
        };
        match cloud.ec2.call(action, send).await {
            Err(fault) if fault.is_not_found() => {}
            done => drop(done?),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_of_protocols_are_the_same() {
        let rule = |protocol: &str, port: i64| {
            Value::tuple(vec![Value::object([
                ("action", Value::from("allow")),
                ("cidr_block", "0.0.0.0/0".into()),
                ("from_port", port.into()),
                ("protocol", protocol.into()),
                ("rule_no", Value::from(100)),
                ("to_port", port.into()),
            ])])
        };
        assert_eq!(of_value(&rule("tcp", 443)), of_value(&rule("6", 443)));
        assert_ne!(of_value(&rule("tcp", 443)), of_value(&rule("udp", 443)));
        assert_eq!(of_value(&rule("-1", 0)), of_value(&rule("all", 65535)), "all protocols have no ports");
        assert_eq!(of_value(&to_value(&of_value(&rule("tcp", 443)))), of_value(&rule("tcp", 443)));
    }
}
