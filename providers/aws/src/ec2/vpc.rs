//! `aws_vpc`: a network of one's own.
//!
//! Three of its attributes are told one by one, a call each; AWS has no list of them. What comes with each network
//! (its main route table, its default security group and list of rules) is listed for all networks together.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_ec2::types;
use formwork_contract::{Attribute, Type, Value};

use super::tags::{self, Ec2Tags};
use super::{PAGE, filter, filters, switch};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{flag, text};
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

pub(super) struct Vpc;

/// Attributes that EC2 tells one by one, and sets one by one.
const SWITCHES: [(&str, types::VpcAttributeName); 3] = [
    ("enable_dns_support", types::VpcAttributeName::EnableDnsSupport),
    ("enable_dns_hostnames", types::VpcAttributeName::EnableDnsHostnames),
    ("enable_network_address_usage_metrics", types::VpcAttributeName::EnableNetworkAddressUsageMetrics),
];

#[async_trait]
impl Resource for Vpc {
    fn describe(&self) -> Description {
        let id = |text: &str| Attribute::computed(Type::String).describe(text);
        let switch = |text: &str| Attribute::defaulted(Type::Bool).describe(text);
        let attributes = [
            ("arn", id("What names the network across regions.")),
            ("owner_id", id("The account that owns it.")),
            (
                "cidr_block",
                Attribute::required(Type::String).forces_replacement().describe("Its IPv4 block, from /16 to /28."),
            ),
            (
                "instance_tenancy",
                Attribute::defaulted(Type::String).describe("`default`, or `dedicated` for machines of its own."),
            ),
            ("enable_dns_support", switch("Names are answered inside the network. On by default.")),
            ("enable_dns_hostnames", switch("Machines with public addresses have names.")),
            ("enable_network_address_usage_metrics", switch("The use of addresses is measured.")),
            ("assign_generated_ipv6_cidr_block", switch("The network has an IPv6 block of Amazon's, a /56.")),
            ("ipv6_cidr_block", id("Its IPv6 block.")),
            ("ipv6_association_id", id("What AWS calls the use of the IPv6 block.")),
            ("dhcp_options_id", id("The options that machines get with their addresses.")),
            ("main_route_table_id", id("The route table of subnets that name none.")),
            ("default_route_table_id", id("The route table that came with the network.")),
            ("default_network_acl_id", id("The network ACL that came with the network.")),
            ("default_security_group_id", id("The security group that came with the network.")),
        ];
        Description {
            defaults: vec![
                ("instance_tenancy", "default".into()),
                ("enable_dns_support", true.into()),
                ("enable_dns_hostnames", false.into()),
                ("enable_network_address_usage_metrics", false.into()),
                ("assign_generated_ipv6_cidr_block", false.into()),
            ],
            moves: &[
                ("ipv6_cidr_block", &["assign_generated_ipv6_cidr_block"]),
                ("ipv6_association_id", &["assign_generated_ipv6_cidr_block"]),
            ],
            can_rehearse: true,
            import_example: "vpc-0123456789abcdef0",
            ..Description::new("aws_vpc", "A network of one's own.", attributes).tagged(&Ec2Tags)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.cidr(config, "cidr_block", 16..=28);
        problems.one_of(config, "instance_tenancy", &["default", "dedicated"]);
    }

    fn refine(
        &self,
        request: &formwork_contract::provider::PlanRequest,
        change: &mut formwork_contract::provider::PlannedChange,
    ) {
        // EC2 turns dedicated tenancy off in place, but never on.
        let tenancy = |value: &Value| value.get_str("instance_tenancy").map(str::to_owned);
        if !request.prior.is_null()
            && tenancy(&request.prior) == Some("default".into())
            && tenancy(&request.proposed) == Some("dedicated".into())
        {
            change.requires_replace.push(formwork_contract::Path::attribute("instance_tenancy"));
        }
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let filters = filters(query, "vpc-id");
        let found = cloud.ec2.pages(
            "DescribeVpcs",
            |ec2, token| {
                let call = ec2.describe_vpcs().set_filters(Some(filters.clone()));
                call.max_results(PAGE).set_next_token(token).send()
            },
            |page| (page.vpcs, page.next_token),
        );
        let mut vpcs = found.await?;
        vpcs.retain(|vpc| !query.leaves_out(vpc.is_default() == Some(true)));
        let companions = Companions::of(cloud, &vpcs).await?;
        let mut lives = Vec::with_capacity(vpcs.len());
        for vpc in &vpcs {
            if let Some(live) = live(cloud, vpc, &companions).await? {
                lives.push(live);
            }
        }
        Ok(lives)
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let tags = tags::of_new(types::ResourceType::Vpc, &call.tags);
        let made = cloud.ec2.call(Action::once("CreateVpc"), |ec2| {
            ec2.create_vpc()
                .set_cidr_block(wanted.text("cidr_block"))
                .set_instance_tenancy(wanted.word("instance_tenancy"))
                .set_amazon_provided_ipv6_cidr_block(wanted.flag("assign_generated_ipv6_cidr_block"))
                .set_tag_specifications(Some(tags.clone()))
                .send()
        });
        Ok(made.await?.vpc.and_then(|vpc| vpc.vpc_id).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let id = call.id();
        if call.changes("instance_tenancy") {
            let send = |ec2: &aws_sdk_ec2::Client| {
                ec2.modify_vpc_tenancy().vpc_id(id).instance_tenancy(types::VpcTenancy::Default).send()
            };
            cloud.ec2.call(Action::repeatable("ModifyVpcTenancy"), send).await?;
        }
        for (name, attribute) in &SWITCHES {
            let Some(on) = call.wanted().flag(name).filter(|_| call.changes(name)) else { continue };
            let modify = Action::repeatable("ModifyVpcAttribute").passing(&["InvalidVpcID.NotFound"]);
            cloud
                .ec2
                .call(modify, |ec2| {
                    let call = ec2.modify_vpc_attribute().vpc_id(id);
                    match attribute {
                        types::VpcAttributeName::EnableDnsSupport => call.enable_dns_support(switch(on)),
                        types::VpcAttributeName::EnableDnsHostnames => call.enable_dns_hostnames(switch(on)),
                        _ => call.enable_network_address_usage_metrics(switch(on)),
                    }
                    .send()
                })
                .await?;
        }
        if call.changes("assign_generated_ipv6_cidr_block") {
            match call.found().str("ipv6_association_id") {
                Some(association) => {
                    let action = Action::repeatable("DisassociateVpcCidrBlock");
                    cloud
                        .ec2
                        .call(action, |ec2| ec2.disassociate_vpc_cidr_block().association_id(association).send())
                        .await?;
                }
                None => {
                    let send = |ec2: &aws_sdk_ec2::Client| {
                        ec2.associate_vpc_cidr_block().vpc_id(id).amazon_provided_ipv6_cidr_block(true).send()
                    };
                    cloud.ec2.call(Action::once("AssociateVpcCidrBlock"), send).await?;
                }
            }
        }
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let delete = Action::repeatable("DeleteVpc").passing(&["DependencyViolation"]);
        cloud.ec2.call(delete, |ec2| ec2.delete_vpc().vpc_id(call.id()).send()).await?;
        Ok(())
    }
}

/// What came with networks, by the networks' ids.
#[derive(Default)]
struct Companions {
    route_tables: HashMap<String, String>,
    network_acls: HashMap<String, String>,
    security_groups: HashMap<String, String>,
}

/// As many ids as a filter takes.
const FILTER: usize = 200;

impl Companions {
    async fn of(cloud: &Cloud, vpcs: &[types::Vpc]) -> Result<Self, Fault> {
        let mut all = Self::default();
        let ids: Vec<String> = vpcs.iter().filter_map(|vpc| vpc.vpc_id().map(str::to_owned)).collect();
        for some in ids.chunks(FILTER) {
            let within = |also: &str, value: &str| vec![filter("vpc-id", some), filter(also, [value.to_owned()])];
            let main = within("association.main", "true");
            let tables = cloud.ec2.pages(
                "DescribeRouteTables",
                |ec2, token| ec2.describe_route_tables().set_filters(Some(main.clone())).set_next_token(token).send(),
                |page| (page.route_tables, page.next_token),
            );
            all.route_tables
                .extend(tables.await?.into_iter().filter_map(|table| table.vpc_id.zip(table.route_table_id)));
            let default = within("default", "true");
            let acls = cloud.ec2.pages(
                "DescribeNetworkAcls",
                |ec2, token| {
                    ec2.describe_network_acls().set_filters(Some(default.clone())).set_next_token(token).send()
                },
                |page| (page.network_acls, page.next_token),
            );
            all.network_acls.extend(acls.await?.into_iter().filter_map(|acl| acl.vpc_id.zip(acl.network_acl_id)));
            let named = within("group-name", "default");
            let groups = cloud.ec2.pages(
                "DescribeSecurityGroups",
                |ec2, token| {
                    ec2.describe_security_groups().set_filters(Some(named.clone())).set_next_token(token).send()
                },
                |page| (page.security_groups, page.next_token),
            );
            all.security_groups.extend(groups.await?.into_iter().filter_map(|group| group.vpc_id.zip(group.group_id)));
        }
        Ok(all)
    }
}

/// `None` where the network went while it was looked at.
async fn live(cloud: &Cloud, vpc: &types::Vpc, companions: &Companions) -> Result<Option<Live>, Fault> {
    let id = vpc.vpc_id().unwrap_or_default();
    let owner = vpc.owner_id().unwrap_or_default();
    let ipv6 = vpc.ipv6_cidr_block_association_set().iter().find(|association| {
        let state = association.ipv6_cidr_block_state().and_then(|state| state.state());
        matches!(state, Some(types::VpcCidrBlockStateCode::Associated | types::VpcCidrBlockStateCode::Associating))
    });
    let companion = |of: &HashMap<String, String>| text(of.get(id).map(String::as_str));
    let mut attributes = vec![
        ("arn", Value::from(cloud.region.arn("ec2", owner, &format!("vpc/{id}")))),
        ("owner_id", text(Some(owner))),
        ("cidr_block", text(vpc.cidr_block())),
        ("instance_tenancy", text(vpc.instance_tenancy().map(|tenancy| tenancy.as_str()))),
        ("assign_generated_ipv6_cidr_block", flag(Some(ipv6.is_some()))),
        ("ipv6_cidr_block", text(ipv6.and_then(|association| association.ipv6_cidr_block()))),
        ("ipv6_association_id", text(ipv6.and_then(|association| association.association_id()))),
        ("dhcp_options_id", text(vpc.dhcp_options_id())),
        ("main_route_table_id", companion(&companions.route_tables)),
        ("default_route_table_id", companion(&companions.route_tables)),
        ("default_network_acl_id", companion(&companions.network_acls)),
        ("default_security_group_id", companion(&companions.security_groups)),
    ];
    for (name, attribute) in &SWITCHES {
        let told = cloud.ec2.read("DescribeVpcAttribute", |ec2| {
            ec2.describe_vpc_attribute().vpc_id(id).attribute(attribute.clone()).send()
        });
        let told = match told.await {
            Err(fault) if fault.is_not_found() => return Ok(None),
            told => told?,
        };
        let value = match attribute {
            types::VpcAttributeName::EnableDnsSupport => told.enable_dns_support,
            types::VpcAttributeName::EnableDnsHostnames => told.enable_dns_hostnames,
            _ => told.enable_network_address_usage_metrics,
        };
        attributes.push((name, flag(value.and_then(|value| value.value))));
    }
    let state = match vpc.state() {
        Some(types::VpcState::Pending) => State::Pending("pending".into()),
        _ => State::Ready,
    };
    Ok(Some(Live { id: id.to_owned(), tags: tags::of_live(vpc.tags()), attributes, state }))
}
