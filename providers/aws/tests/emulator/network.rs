//! What the suite does to networks and what stands in them.

use formwork_conformance::{Fixture, Prepared};
use formwork_contract::Value;

use crate::bench::map;
use crate::moto::Moto;

pub(crate) type Entries = Vec<(&'static str, Value)>;

pub(crate) fn object(entries: Entries) -> Value {
    Value::object(entries)
}

pub(crate) fn vpc(_: &Prepared) -> Value {
    object(vec![("cidr_block", "10.0.0.0/16".into())])
}

pub(crate) fn id(value: &Value) -> String {
    value.get_str("id").unwrap_or_default().to_owned()
}

/// A disturbance by one call of EC2, whose parameters are told by the object.
pub(crate) async fn call(
    moto: &'static Moto,
    region: &'static str,
    action: &'static str,
    parameters: Vec<(&'static str, String)>,
) -> Result<(), String> {
    let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
    moto.ec2(region, action, &parameters).await.map(|_| ())
}

pub(crate) fn fixtures(moto: &'static Moto, region: &'static str) -> Vec<Fixture> {
    let mut all = vec![vpcs(moto, region), subnets(moto, region), gateways(moto, region), groups(moto, region)];
    all.extend(["ingress", "egress"].map(|way| rules(moto, region, way)));
    all
}

fn vpcs(moto: &'static Moto, region: &'static str) -> Fixture {
    Fixture::new("aws_vpc", |_| {
        object(vec![
            ("cidr_block", "10.1.0.0/16".into()),
            ("enable_dns_hostnames", true.into()),
            ("tags", map(&[("Name", "a")])),
        ])
    })
    .update(|_| object(vec![("cidr_block", "10.1.0.0/16".into()), ("tags", map(&[("Name", "b"), ("x", "y")]))]))
    .update(|_| object(vec![("cidr_block", "10.1.0.0/16".into()), ("assign_generated_ipv6_cidr_block", true.into())]))
    .update(|_| {
        object(vec![
            ("cidr_block", "10.1.0.0/16".into()),
            ("enable_dns_support", false.into()),
            ("enable_network_address_usage_metrics", true.into()),
        ])
    })
    .replace(|_| object(vec![("cidr_block", "10.2.0.0/16".into())]))
    .drift(move |value| {
        let parameters = vec![("VpcId", id(&value)), ("EnableDnsHostnames.Value", "false".into())];
        call(moto, region, "ModifyVpcAttribute", parameters)
    })
    .vanish(move |value| call(moto, region, "DeleteVpc", vec![("VpcId", id(&value))]))
}

fn subnets(moto: &'static Moto, region: &'static str) -> Fixture {
    let subnet = |prepared: &Prepared, more: Entries| {
        let mut entries = vec![("vpc_id", prepared.id("network")), ("cidr_block", "10.0.1.0/24".into())];
        entries.extend(more);
        object(entries)
    };
    Fixture::new("aws_subnet", move |prepared| subnet(prepared, vec![("tags", map(&[("Name", "a")]))]))
        .needs("network", "aws_vpc", vpc)
        .update(move |prepared| subnet(prepared, vec![("map_public_ip_on_launch", true.into())]))
        .update(move |prepared| subnet(prepared, vec![("tags", map(&[("team", "platform"), ("x", "y")]))]))
        .replace(|prepared| object(vec![("vpc_id", prepared.id("network")), ("cidr_block", "10.0.2.0/24".into())]))
        .drift(move |value| {
            let parameters =
                vec![("ResourceId.1", id(&value)), ("Tag.1.Key", "Name".into()), ("Tag.1.Value", "other".into())];
            call(moto, region, "CreateTags", parameters)
        })
        .vanish(move |value| call(moto, region, "DeleteSubnet", vec![("SubnetId", id(&value))]))
}

fn gateways(moto: &'static Moto, region: &'static str) -> Fixture {
    Fixture::new("aws_internet_gateway", |_| object(vec![("tags", map(&[("Name", "a")]))]))
        .needs("network", "aws_vpc", vpc)
        .update(|prepared| object(vec![("vpc_id", prepared.id("network")), ("tags", map(&[("Name", "a")]))]))
        .update(|_| object(vec![("tags", map(&[]))]))
        .drift(move |value| {
            let parameters =
                vec![("ResourceId.1", id(&value)), ("Tag.1.Key", "more".into()), ("Tag.1.Value", "y".into())];
            call(moto, region, "CreateTags", parameters)
        })
        .vanish(move |value| call(moto, region, "DeleteInternetGateway", vec![("InternetGatewayId", id(&value))]))
}

fn groups(moto: &'static Moto, region: &'static str) -> Fixture {
    let group = |prepared: &Prepared, name: &str, more: Entries| {
        let mut entries = vec![("vpc_id", prepared.id("network")), ("name", Value::from(name))];
        entries.extend(more);
        object(entries)
    };
    Fixture::new("aws_security_group", move |prepared| {
        group(prepared, "web", vec![("ingress", inline(&[443, 80], "10.0.0.0/8", "in"))])
    })
    .needs("network", "aws_vpc", vpc)
    .update(move |prepared| {
        let rules = vec![
            ("ingress", inline(&[443], "10.0.0.0/8", "described anew")),
            ("egress", inline(&[53], "10.0.0.2/32", "")),
        ];
        group(prepared, "web", rules)
    })
    .update(move |prepared| group(prepared, "web", vec![("tags", map(&[("a", "b")]))]))
    .replace(move |prepared| group(prepared, "api", Vec::new()))
    .drift(move |value| {
        let parameters = vec![
            ("GroupId", id(&value)),
            ("IpPermissions.1.IpProtocol", "tcp".into()),
            ("IpPermissions.1.FromPort", "22".into()),
            ("IpPermissions.1.ToPort", "22".into()),
            ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0".into()),
        ];
        call(moto, region, "AuthorizeSecurityGroupIngress", parameters)
    })
    .vanish(move |value| call(moto, region, "DeleteSecurityGroup", vec![("GroupId", id(&value))]))
}

/// Rules in a group's own block, as an expression gives them: every attribute is there.
fn inline(ports: &[i64], block: &str, description: &str) -> Value {
    let rule = |port: &i64| {
        Value::object([
            ("cidr_blocks", Value::tuple(vec![block.into()])),
            ("description", description.into()),
            ("from_port", Value::from(*port)),
            ("ipv6_cidr_blocks", Value::NULL),
            ("prefix_list_ids", Value::NULL),
            ("protocol", "tcp".into()),
            ("security_groups", Value::NULL),
            ("self", Value::NULL),
            ("to_port", Value::from(*port)),
        ])
    };
    Value::tuple(ports.iter().map(rule).collect())
}

fn rules(moto: &'static Moto, region: &'static str, way: &'static str) -> Fixture {
    let rule = |prepared: &Prepared, port: i64, block: &str, more: Entries| {
        let mut entries = vec![
            ("security_group_id", prepared.id("group")),
            ("ip_protocol", "tcp".into()),
            ("from_port", Value::from(port)),
            ("to_port", Value::from(port)),
            ("cidr_ipv4", Value::from(block)),
        ];
        entries.extend(more);
        object(entries)
    };
    let revoke = if way == "ingress" { "RevokeSecurityGroupIngress" } else { "RevokeSecurityGroupEgress" };
    Fixture::new(&format!("aws_vpc_security_group_{way}_rule"), move |prepared| {
        rule(prepared, 443, "10.0.0.0/8", vec![("description", "from inside".into()), ("tags", map(&[("Name", "a")]))])
    })
    .needs("network", "aws_vpc", vpc)
    .needs("group", "aws_security_group", |prepared| {
        object(vec![("vpc_id", prepared.id("network")), ("name_prefix", "rules-".into())])
    })
    .update(move |prepared| rule(prepared, 8443, "10.1.0.0/16", Vec::new()))
    .update(move |prepared| rule(prepared, 8443, "10.1.0.0/16", vec![("tags", map(&[("Name", "b")]))]))
    .replace(|prepared| {
        object(vec![
            ("security_group_id", prepared.id("group")),
            ("ip_protocol", "-1".into()),
            ("referenced_security_group_id", prepared.id("group")),
        ])
    })
    .drift(move |value| {
        let parameters = vec![
            ("GroupId", value.get_str("security_group_id").unwrap_or_default().to_owned()),
            ("SecurityGroupRule.1.SecurityGroupRuleId", id(&value)),
            ("SecurityGroupRule.1.SecurityGroupRule.IpProtocol", "tcp".into()),
            ("SecurityGroupRule.1.SecurityGroupRule.FromPort", "22".into()),
            ("SecurityGroupRule.1.SecurityGroupRule.ToPort", "22".into()),
            ("SecurityGroupRule.1.SecurityGroupRule.CidrIpv4", "10.0.0.0/8".into()),
        ];
        call(moto, region, "ModifySecurityGroupRules", parameters)
    })
    .vanish(move |value| {
        let group = value.get_str("security_group_id").unwrap_or_default().to_owned();
        call(moto, region, revoke, vec![("GroupId", group), ("SecurityGroupRuleId.1", id(&value))])
    })
}
