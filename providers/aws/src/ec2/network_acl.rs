//! `aws_network_acl`: what may go into subnets and out of them, whatever their machines say.
//!
//! A subnet always has one ACL: when it leaves this one, it goes back to the network's default one.

use async_trait::async_trait;
use aws_sdk_ec2::types;
use formwork_contract::{Attribute, Type, Value};

use super::network_acl_entry as entries;
use super::tags::{self, Ec2Tags};
use super::{PAGE, filter, filters};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{Fields, set, text};
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

pub(super) struct NetworkAcl;

/// The attribute and whether it is about what goes out.
const WAYS: [(&str, bool); 2] = [("ingress", false), ("egress", true)];

#[async_trait]
impl Resource for NetworkAcl {
    fn describe(&self) -> Description {
        let rules = |text: &str| Attribute::optional(entries::ty()).describe(text);
        let attributes = [
            ("arn", Attribute::computed(Type::String).describe("What names the ACL across regions.")),
            ("owner_id", Attribute::computed(Type::String).describe("The account that owns it.")),
            (
                "vpc_id",
                Attribute::required(Type::String).forces_replacement().describe("The network that it is a part of."),
            ),
            (
                "subnet_ids",
                Attribute::defaulted(Type::set(Type::String))
                    .describe("The subnets that it stands before. Those that leave get the network's default one."),
            ),
            (
                "ingress",
                rules(
                    "What may go in, and nothing else. Left out: rules are not looked at, or go if they stood here before.",
                ),
            ),
            ("egress", rules("What may go out, as `ingress` says what may go in.")),
        ];
        Description {
            only_if_set: &["ingress", "egress"],
            can_rehearse: true,
            import_example: "acl-0123456789abcdef0",
            ..Description::new("aws_network_acl", "What may go into subnets and out of them.", attributes)
                .tagged(&Ec2Tags)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        for (attribute, _) in WAYS {
            let mut numbers = Vec::new();
            for block in Fields(config).blocks(attribute).filter(|block| block.0.is_wholly_known()) {
                let Some(number) = block.whole("rule_no") else { continue };
                if !(1..=32766).contains(&number) {
                    let told = format!("`{number}` is not a rule's number");
                    problems.at(attribute, told, "choose one from 1 to 32766");
                }
                if numbers.contains(&number) {
                    let told = format!("two rules have the number {number}");
                    problems.at(attribute, told, "give each rule of a direction a number of its own");
                }
                numbers.push(number);
            }
        }
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        matches!(attribute, "ingress" | "egress") && entries::of_value(known) == entries::of_value(live)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let found = list(cloud, filters(query, "network-acl-id")).await?;
        let is_meant = |acl: &&types::NetworkAcl| !query.leaves_out(acl.is_default() == Some(true));
        Ok(found.iter().filter(is_meant).map(|acl| live(cloud, acl)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let tags = tags::of_new(types::ResourceType::NetworkAcl, &call.tags);
        let made = cloud.ec2.call(Action::once("CreateNetworkAcl").passing(&["InvalidVpcID.NotFound"]), |ec2| {
            let call = ec2.create_network_acl().set_vpc_id(wanted.text("vpc_id"));
            call.set_tag_specifications(Some(tags.clone())).send()
        });
        Ok(made.await?.network_acl.and_then(|acl| acl.network_acl_id).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let id = call.id();
        for (attribute, egress) in WAYS.into_iter().filter(|(attribute, _)| call.changes(attribute)) {
            let of = |value: &Value| value.get(attribute).filter(|rules| !rules.is_null()).map(entries::of_value);
            // Rules that nobody spoke of until now were not looked at.
            let found = match of(&call.live) {
                Some(found) => found,
                None => {
                    let acls = list(cloud, vec![filter("network-acl-id", [id.to_owned()])]).await?;
                    acls.first().map(|acl| entries::of_live(acl.entries(), egress)).unwrap_or_default()
                }
            };
            entries::bring(cloud, id, egress, &found, &of(&call.planned).unwrap_or_default()).await?;
        }
        if call.changes("subnet_ids") {
            let (found, wanted) = (call.found().texts("subnet_ids"), call.wanted().texts("subnet_ids"));
            let comes: Vec<String> = wanted.iter().filter(|subnet| !found.contains(subnet)).cloned().collect();
            give(cloud, id, comes).await?;
            let goes: Vec<String> = found.into_iter().filter(|subnet| !wanted.contains(subnet)).collect();
            give_back(cloud, call.wanted().str("vpc_id").unwrap_or_default(), goes).await?;
        }
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let found = call.found();
        give_back(cloud, found.str("vpc_id").unwrap_or_default(), found.texts("subnet_ids")).await?;
        let delete = Action::repeatable("DeleteNetworkAcl").passing(&["DependencyViolation"]);
        cloud.ec2.call(delete, |ec2| ec2.delete_network_acl().network_acl_id(call.id()).send()).await?;
        Ok(())
    }
}

async fn list(cloud: &Cloud, filters: Vec<types::Filter>) -> Result<Vec<types::NetworkAcl>, Fault> {
    let found = cloud.ec2.pages(
        "DescribeNetworkAcls",
        |ec2, token| {
            let call = ec2.describe_network_acls().set_filters(Some(filters.clone()));
            call.max_results(PAGE).set_next_token(token).send()
        },
        |page| (page.network_acls, page.next_token),
    );
    found.await
}

/// Puts the ACL before these subnets.
async fn give(cloud: &Cloud, acl: &str, subnets: Vec<String>) -> Result<(), Fault> {
    if subnets.is_empty() {
        return Ok(());
    }
    let acls = list(cloud, vec![filter("association.subnet-id", subnets.clone())]).await?;
    let standing = acls.iter().flat_map(|acl| acl.associations());
    let theirs = standing.filter(|association| {
        association.network_acl_id() != Some(acl)
            && association.subnet_id().is_some_and(|subnet| subnets.iter().any(|given| given == subnet))
    });
    for association in theirs.filter_map(|association| association.network_acl_association_id()) {
        let action = Action::once("ReplaceNetworkAclAssociation").passing(&["InvalidNetworkAclID.NotFound"]);
        let send = |ec2: &aws_sdk_ec2::Client| {
            ec2.replace_network_acl_association().association_id(association).network_acl_id(acl).send()
        };
        cloud.ec2.call(action, send).await?;
    }
    Ok(())
}

/// Puts the network's default ACL before these subnets. Those that are gone need none.
async fn give_back(cloud: &Cloud, vpc: &str, subnets: Vec<String>) -> Result<(), Fault> {
    if subnets.is_empty() {
        return Ok(());
    }
    let of_network = vec![filter("vpc-id", [vpc.to_owned()]), filter("default", ["true".to_owned()])];
    let default = list(cloud, of_network).await?.into_iter().next().and_then(|acl| acl.network_acl_id);
    match default {
        Some(default) => give(cloud, &default, subnets).await,
        None => Ok(()),
    }
}

fn live(cloud: &Cloud, acl: &types::NetworkAcl) -> Live {
    let id = acl.network_acl_id().unwrap_or_default();
    let owner = acl.owner_id().unwrap_or_default();
    let rules = |egress| entries::to_value(&entries::of_live(acl.entries(), egress));
    Live {
        id: id.to_owned(),
        tags: tags::of_live(acl.tags()),
        attributes: vec![
            ("arn", Value::from(cloud.region.arn("ec2", owner, &format!("network-acl/{id}")))),
            ("owner_id", text(Some(owner))),
            ("vpc_id", text(acl.vpc_id())),
            ("subnet_ids", set(acl.associations().iter().filter_map(|association| association.subnet_id()))),
            ("ingress", rules(false)),
            ("egress", rules(true)),
        ],
        state: State::Ready,
    }
}
