//! What the suite does to the ways in and out of networks.

use formwork_conformance::{Fixture, Prepared};
use formwork_contract::Value;

use crate::bench::map;
use crate::moto::Moto;
use crate::network::{Entries, call, id, object, vpc};

pub(crate) fn fixtures(moto: &'static Moto, region: &'static str) -> Vec<Fixture> {
    vec![
        addresses(moto, region),
        nats(moto, region),
        tables(moto, region),
        routes(moto, region),
        associations(moto, region),
    ]
}

/// The text of the first element with this name in an answer.
pub(crate) fn first(answer: &str, element: &str) -> Result<String, String> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let found = answer.split_once(&open).and_then(|(_, rest)| Some(rest.split_once(&close)?.0.to_owned()));
    found.ok_or_else(|| format!("there is no <{element}> in {answer}"))
}

/// Somebody tags an object by hand.
pub(crate) async fn tagged(moto: &'static Moto, region: &'static str, value: Value) -> Result<(), String> {
    let parameters = vec![("ResourceId.1", id(&value)), ("Tag.1.Key", "Name".into()), ("Tag.1.Value", "other".into())];
    call(moto, region, "CreateTags", parameters).await
}

pub(crate) fn subnet(prepared: &Prepared) -> Value {
    object(vec![("vpc_id", prepared.id("network")), ("cidr_block", "10.0.1.0/24".into())])
}

pub(crate) fn neighbour(prepared: &Prepared) -> Value {
    object(vec![("vpc_id", prepared.id("network")), ("cidr_block", "10.0.2.0/24".into())])
}

fn gateway(prepared: &Prepared) -> Value {
    object(vec![("vpc_id", prepared.id("network"))])
}

/// One that needs no public address: the emulator never frees the address of one that is gone.
fn nat(prepared: &Prepared) -> Value {
    object(vec![("subnet_id", prepared.id("subnet")), ("connectivity_type", "private".into())])
}

fn addresses(moto: &'static Moto, region: &'static str) -> Fixture {
    Fixture::new("aws_eip", |_| object(vec![("domain", "vpc".into()), ("tags", map(&[("Name", "a")]))]))
        .update(|_| object(vec![("domain", "vpc".into()), ("tags", map(&[("Name", "b"), ("x", "y")]))]))
        .replace(|_| object(vec![("domain", "vpc".into()), ("address", "203.0.113.9".into())]))
        .drift(move |value| tagged(moto, region, value))
        .vanish(move |value| call(moto, region, "ReleaseAddress", vec![("AllocationId", id(&value))]))
}

fn nats(moto: &'static Moto, region: &'static str) -> Fixture {
    let with_tags = |prepared: &Prepared, tags: &[(&str, &str)]| nat(prepared).with("tags", map(tags));
    Fixture::new("aws_nat_gateway", move |prepared| with_tags(prepared, &[("Name", "a")]))
        .needs("network", "aws_vpc", vpc)
        .needs("subnet", "aws_subnet", subnet)
        .needs("neighbour", "aws_subnet", neighbour)
        .update(move |prepared| with_tags(prepared, &[("Name", "b"), ("x", "y")]))
        .replace(|prepared| nat(prepared).with("subnet_id", prepared.id("neighbour")))
        .drift(move |value| tagged(moto, region, value))
        .vanish(move |value| call(moto, region, "DeleteNatGateway", vec![("NatGatewayId", id(&value))]))
}

/// A route in a table's own block, as an expression gives it: every attribute is there.
fn inline(destination: &str, kind: &str, target: Value) -> Value {
    let names = [
        "cidr_block",
        "ipv6_cidr_block",
        "destination_prefix_list_id",
        "gateway_id",
        "nat_gateway_id",
        "egress_only_gateway_id",
        "transit_gateway_id",
        "vpc_endpoint_id",
        "vpc_peering_connection_id",
        "carrier_gateway_id",
        "local_gateway_id",
        "core_network_arn",
        "network_interface_id",
    ];
    let empty = Value::object(names.map(|name| (name, Value::NULL)));
    empty.with("cidr_block", destination.into()).with(kind, target)
}

fn tables(moto: &'static Moto, region: &'static str) -> Fixture {
    let table = |prepared: &Prepared, more: Entries| {
        let mut entries = vec![("vpc_id", prepared.id("network"))];
        entries.extend(more);
        object(entries)
    };
    Fixture::new("aws_route_table", move |prepared| {
        let routes = vec![
            inline("0.0.0.0/0", "gateway_id", prepared.id("gateway")),
            inline("192.168.0.0/16", "nat_gateway_id", prepared.id("nat")),
        ];
        table(prepared, vec![("route", Value::tuple(routes)), ("tags", map(&[("Name", "a")]))])
    })
    .needs("network", "aws_vpc", vpc)
    .needs("other", "aws_vpc", |_| object(vec![("cidr_block", "10.9.0.0/16".into())]))
    .needs("gateway", "aws_internet_gateway", gateway)
    .needs("subnet", "aws_subnet", subnet)
    .needs("nat", "aws_nat_gateway", nat)
    .update(move |prepared| {
        let routes = vec![
            inline("0.0.0.0/0", "nat_gateway_id", prepared.id("nat")),
            inline("172.16.0.0/12", "nat_gateway_id", prepared.id("nat")),
        ];
        table(prepared, vec![("route", Value::tuple(routes))])
    })
    .update(move |prepared| table(prepared, vec![("tags", map(&[("Name", "b")]))]))
    .replace(|prepared| object(vec![("vpc_id", prepared.id("other"))]))
    .drift(move |value| {
        let parameters = vec![("RouteTableId", id(&value)), ("DestinationCidrBlock", "0.0.0.0/0".into())];
        call(moto, region, "DeleteRoute", parameters)
    })
    .vanish(move |value| call(moto, region, "DeleteRouteTable", vec![("RouteTableId", id(&value))]))
}

fn routes(moto: &'static Moto, region: &'static str) -> Fixture {
    let route = |prepared: &Prepared, block: &str, kind: &'static str, target: &str| {
        object(vec![
            ("route_table_id", prepared.id("table")),
            ("destination_cidr_block", block.into()),
            (kind, prepared.id(target)),
        ])
    };
    let of = |value: &Value, attribute: &str| value.get_str(attribute).unwrap_or_default().to_owned();
    Fixture::new("aws_route", move |prepared| route(prepared, "0.0.0.0/0", "gateway_id", "gateway"))
        .without_owner()
        .needs("network", "aws_vpc", vpc)
        .needs("table", "aws_route_table", |prepared| object(vec![("vpc_id", prepared.id("network"))]))
        .needs("gateway", "aws_internet_gateway", gateway)
        .needs("subnet", "aws_subnet", subnet)
        .needs("nat", "aws_nat_gateway", nat)
        .update(move |prepared| route(prepared, "0.0.0.0/0", "nat_gateway_id", "nat"))
        .replace(move |prepared| route(prepared, "172.16.0.0/12", "gateway_id", "gateway"))
        .drift(move |value| async move {
            let other = first(&moto.ec2(region, "CreateInternetGateway", &[]).await?, "internetGatewayId")?;
            let parameters = vec![
                ("RouteTableId", of(&value, "route_table_id")),
                ("DestinationCidrBlock", of(&value, "destination_cidr_block")),
                ("GatewayId", other),
            ];
            call(moto, region, "ReplaceRoute", parameters).await
        })
        .vanish(move |value| {
            let parameters = vec![
                ("RouteTableId", of(&value, "route_table_id")),
                ("DestinationCidrBlock", of(&value, "destination_cidr_block")),
            ];
            call(moto, region, "DeleteRoute", parameters)
        })
}

fn associations(moto: &'static Moto, region: &'static str) -> Fixture {
    let association = |prepared: &Prepared, subnet: &str, table: &str| {
        object(vec![("subnet_id", prepared.id(subnet)), ("route_table_id", prepared.id(table))])
    };
    let table = |prepared: &Prepared| object(vec![("vpc_id", prepared.id("network"))]);
    let found = move |value: Value| async move {
        let filters = [("Filter.1.Name", "association.subnet-id"), ("Filter.1.Value.1", &*id(&value))];
        moto.ec2(region, "DescribeRouteTables", &filters).await
    };
    Fixture::new("aws_route_table_association", move |prepared| association(prepared, "subnet", "table"))
        .without_owner()
        .needs("network", "aws_vpc", vpc)
        .needs("subnet", "aws_subnet", subnet)
        .needs("neighbour", "aws_subnet", neighbour)
        .needs("table", "aws_route_table", table)
        .needs("other", "aws_route_table", table)
        .update(move |prepared| association(prepared, "subnet", "other"))
        .replace(move |prepared| association(prepared, "neighbour", "table"))
        .drift(move |value| async move {
            let answer = found(value).await?;
            let network = first(&answer, "vpcId")?;
            let main = [
                ("Filter.1.Name", "vpc-id"),
                ("Filter.1.Value.1", network.as_str()),
                ("Filter.2.Name", "association.main"),
                ("Filter.2.Value.1", "true"),
            ];
            let main = moto.ec2(region, "DescribeRouteTables", &main).await?;
            let parameters = vec![
                ("AssociationId", first(&answer, "routeTableAssociationId")?),
                ("RouteTableId", first(&main, "routeTableId")?),
            ];
            call(moto, region, "ReplaceRouteTableAssociation", parameters).await
        })
        .vanish(move |value| async move {
            let association = first(&found(value).await?, "routeTableAssociationId")?;
            call(moto, region, "DisassociateRouteTable", vec![("AssociationId", association)]).await
        })
}
