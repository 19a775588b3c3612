//! What the suite does to what guards and records networks.

use formwork_conformance::{Fixture, Prepared};
use formwork_contract::{Type, Value};

use crate::bench::map;
use crate::moto::Moto;
use crate::network::{Entries, call, id, object, vpc};
use crate::routing::{neighbour, subnet, tagged};

pub(crate) fn fixtures(moto: &'static Moto, region: &'static str) -> Vec<Fixture> {
    vec![acls(moto, region), endpoints(moto, region), flow_logs(moto, region)]
}

fn strings(values: Vec<Value>) -> Value {
    Value::set(Type::String, values)
}

/// A rule in an ACL's own block, as an expression gives it: every attribute is there.
fn rule(number: i64, protocol: &str, port: i64, block: &str) -> Value {
    Value::object([
        ("action", Value::from("allow")),
        ("cidr_block", block.into()),
        ("from_port", port.into()),
        ("icmp_code", Value::NULL),
        ("icmp_type", Value::NULL),
        ("ipv6_cidr_block", Value::NULL),
        ("protocol", protocol.into()),
        ("rule_no", number.into()),
        ("to_port", port.into()),
    ])
}

fn acls(moto: &'static Moto, region: &'static str) -> Fixture {
    let acl = |prepared: &Prepared, more: Entries| {
        let mut entries = vec![("vpc_id", prepared.id("network"))];
        entries.extend(more);
        object(entries)
    };
    Fixture::new("aws_network_acl", move |prepared| {
        let rules = Value::tuple(vec![rule(100, "tcp", 443, "0.0.0.0/0"), rule(200, "-1", 0, "10.0.0.0/16")]);
        acl(prepared, vec![("ingress", rules), ("tags", map(&[("Name", "a")]))])
    })
    .needs("network", "aws_vpc", vpc)
    .needs("other", "aws_vpc", |_| object(vec![("cidr_block", "10.9.0.0/16".into())]))
    .needs("subnet", "aws_subnet", subnet)
    .needs("neighbour", "aws_subnet", neighbour)
    .update(move |prepared| {
        let inward = Value::tuple(vec![rule(100, "6", 8443, "0.0.0.0/0")]);
        let outward = Value::tuple(vec![rule(100, "udp", 53, "10.0.0.2/32")]);
        let subnets = strings(vec![prepared.id("subnet"), prepared.id("neighbour")]);
        acl(prepared, vec![("ingress", inward), ("egress", outward), ("subnet_ids", subnets)])
    })
    .update(move |prepared| {
        acl(prepared, vec![("subnet_ids", strings(vec![prepared.id("neighbour")])), ("tags", map(&[("x", "y")]))])
    })
    .replace(|prepared| object(vec![("vpc_id", prepared.id("other"))]))
    .drift(move |value| {
        let parameters = vec![
            ("NetworkAclId", id(&value)),
            ("RuleNumber", "100".into()),
            ("Protocol", "6".into()),
            ("RuleAction", "allow".into()),
            ("Egress", "false".into()),
            ("CidrBlock", "0.0.0.0/0".into()),
            ("PortRange.From", "22".into()),
            ("PortRange.To", "22".into()),
        ];
        call(moto, region, "ReplaceNetworkAclEntry", parameters)
    })
    .vanish(move |value| call(moto, region, "DeleteNetworkAcl", vec![("NetworkAclId", id(&value))]))
}

fn endpoints(moto: &'static Moto, region: &'static str) -> Fixture {
    let endpoint = move |prepared: &Prepared, service: &str, more: Entries| {
        let mut entries = vec![
            ("vpc_id", prepared.id("network")),
            ("service_name", Value::from(format!("com.amazonaws.{region}.{service}"))),
        ];
        entries.extend(more);
        object(entries)
    };
    let interface = move |prepared: &Prepared, subnets: &[&str], group: &str, tags: &[(&str, &str)]| {
        let more = vec![
            ("vpc_endpoint_type", "Interface".into()),
            ("subnet_ids", strings(subnets.iter().map(|subnet| prepared.id(subnet)).collect())),
            ("security_group_ids", strings(vec![prepared.id(group)])),
            ("private_dns_enabled", true.into()),
            ("tags", map(tags)),
        ];
        endpoint(prepared, "ecr.api", more)
    };
    let group =
        |prepared: &Prepared| object(vec![("vpc_id", prepared.id("network")), ("name_prefix", "endpoint-".into())]);
    Fixture::new("aws_vpc_endpoint", move |prepared| interface(prepared, &["subnet"], "group", &[("Name", "a")]))
        .needs("network", "aws_vpc", vpc)
        .needs("subnet", "aws_subnet", subnet)
        .needs("neighbour", "aws_subnet", neighbour)
        .needs("group", "aws_security_group", group)
        .needs("other", "aws_security_group", group)
        .update(move |prepared| interface(prepared, &["subnet", "neighbour"], "other", &[("Name", "a")]))
        .update(move |prepared| interface(prepared, &["neighbour"], "other", &[("Name", "b")]))
        .update(move |prepared| {
            let policy = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:*","Resource":"*"}]}"#;
            interface(prepared, &["neighbour"], "other", &[("Name", "b")]).with("policy", policy.into())
        })
        .replace(move |prepared| endpoint(prepared, "s3", Vec::new()))
        .drift(move |value| tagged(moto, region, value))
        .vanish(move |value| call(moto, region, "DeleteVpcEndpoints", vec![("VpcEndpointId.1", id(&value))]))
}

fn flow_logs(moto: &'static Moto, region: &'static str) -> Fixture {
    let log = |prepared: &Prepared, traffic: &str, tags: &[(&str, &str)]| {
        object(vec![
            ("vpc_id", prepared.id("network")),
            ("traffic_type", traffic.into()),
            ("log_group_name", "flow".into()),
            ("iam_role_arn", "arn:aws:iam::123456789012:role/flow".into()),
            ("max_aggregation_interval", Value::from(60)),
            ("tags", map(tags)),
        ])
    };
    Fixture::new("aws_flow_log", move |prepared| log(prepared, "ALL", &[("Name", "a")]))
        .needs("network", "aws_vpc", vpc)
        .update(move |prepared| log(prepared, "ALL", &[("Name", "b"), ("x", "y")]))
        .replace(move |prepared| log(prepared, "REJECT", &[("Name", "a")]))
        .drift(move |value| tagged(moto, region, value))
        .vanish(move |value| call(moto, region, "DeleteFlowLogs", vec![("FlowLogId.1", id(&value))]))
}
