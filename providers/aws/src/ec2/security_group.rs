//! `aws_security_group`: what may be reached, and from where.
//!
//! A new group of AWS lets everything out; as in Terraform that rule is taken away, so that a group lets out what its
//! blueprint says and nothing else. Rules are looked at only where the group's own block speaks of them.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Type, Value};

use super::inline_rules::{self, Rule};
use super::tags::{self, Ec2Tags};
use super::{PAGE, filters};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::text;
use crate::made_up;
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

pub(super) use super::inline_rules::protocol;

/// What AWS calls the group that each network has from the start.
const DEFAULT: &str = "default";

pub(super) struct SecurityGroup;

#[async_trait]
impl Resource for SecurityGroup {
    fn describe(&self) -> Description {
        let rules = |text: &str| Attribute::optional(inline_rules::ty()).describe(text);
        let attributes = [
            ("arn", Attribute::computed(Type::String).describe("What names the group across regions.")),
            ("owner_id", Attribute::computed(Type::String).describe("The account that owns it.")),
            (
                "name",
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("Its name, once in a network. Made up by default."),
            ),
            (
                "name_prefix",
                Attribute::optional(Type::String)
                    .forces_replacement()
                    .describe("What a name that is made up begins with."),
            ),
            (
                "description",
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("What the group is for. AWS never changes it."),
            ),
            (
                "vpc_id",
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("The network that it is a part of. The account's default one by default."),
            ),
            (
                "ingress",
                rules(
                    "What is let in, and nothing else. Left out: rules are not looked at, or go if they stood here before.",
                ),
            ),
            (
                "egress",
                rules(
                    "What is let out, as `ingress` says what is let in. AWS's own rule that lets all out goes in any case.",
                ),
            ),
            (
                "revoke_rules_on_delete",
                Attribute::defaulted(Type::Bool)
                    .describe("All rules go before the group, so that groups which name one another can go."),
            ),
        ];
        Description {
            defaults: vec![("description", "Managed by Formwork".into()), ("revoke_rules_on_delete", false.into())],
            kept: &["revoke_rules_on_delete"],
            only_if_set: &["ingress", "egress"],
            can_rehearse: true,
            import_example: "sg-0123456789abcdef0",
            ..Description::new("aws_security_group", "What may be reached, and from where.", attributes)
                .tagged(&Ec2Tags)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.at_most_one(config, &["name", "name_prefix"]);
        let taken = |name: &str| name.starts_with("sg-");
        for attribute in ["name", "name_prefix"] {
            if config.get_str(attribute).is_some_and(taken) {
                problems.at(attribute, format!("`{attribute}` begins with `sg-`, as ids do"), "choose another name");
            }
        }
    }

    fn refine(&self, request: &PlanRequest, change: &mut PlannedChange) {
        made_up::keep_taken_over(request, change);
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        matches!(attribute, "ingress" | "egress") && inline_rules::of_value(known) == inline_rules::of_value(live)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let filters = filters(query, "group-id");
        let found = cloud.ec2.pages(
            "DescribeSecurityGroups",
            |ec2, token| {
                let call = ec2.describe_security_groups().set_filters(Some(filters.clone()));
                call.max_results(PAGE).set_next_token(token).send()
            },
            |page| (page.security_groups, page.next_token),
        );
        let found = found.await?;
        let is_meant = |group: &&types::SecurityGroup| !query.leaves_out(group.group_name() == Some(DEFAULT));
        Ok(found.iter().filter(is_meant).map(|group| live(cloud, group)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let name = made_up::name(wanted, &call.token);
        let tags = tags::of_new(types::ResourceType::SecurityGroup, &call.tags);
        let made = cloud.ec2.call(Action::once("CreateSecurityGroup").passing(&["InvalidVpcID.NotFound"]), |ec2| {
            ec2.create_security_group()
                .group_name(&name)
                .set_description(wanted.text("description"))
                .set_vpc_id(wanted.text("vpc_id"))
                .set_tag_specifications(Some(tags.clone()))
                .send()
        });
        Ok(made.await?.group_id.unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        // The way out comes first: AWS's own rule of a new group, of which a blueprint is silent, shows in no later look.
        let changed = [Way::Out, Way::In].into_iter().filter(|way| call.changes(way.attribute()));
        for way in changed {
            let of =
                |value: &Value| value.get(way.attribute()).filter(|rules| !rules.is_null()).map(inline_rules::of_value);
            // Rules that nobody spoke of until now were not looked at.
            let found = match of(&call.live) {
                Some(found) => found,
                None => standing(cloud, call.id(), way).await?,
            };
            bring(cloud, call.id(), way, &found, &of(&call.planned).unwrap_or_default()).await?;
        }
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let id = call.id();
        if call.found().flag("revoke_rules_on_delete").unwrap_or_default() {
            for way in [Way::In, Way::Out] {
                bring(cloud, id, way, &standing(cloud, id, way).await?, &BTreeSet::new()).await?;
            }
        }
        let delete = Action::repeatable("DeleteSecurityGroup").passing(&["DependencyViolation"]);
        cloud.ec2.call(delete, |ec2| ec2.delete_security_group().group_id(id).send()).await?;
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Way {
    In,
    Out,
}

impl Way {
    fn attribute(self) -> &'static str {
        match self {
            Self::In => "ingress",
            Self::Out => "egress",
        }
    }
}

/// The rules that a group has now.
async fn standing(cloud: &Cloud, id: &str, way: Way) -> Result<BTreeSet<Rule>, Fault> {
    let answer = cloud.ec2.read("DescribeSecurityGroups", |ec2| ec2.describe_security_groups().group_ids(id).send());
    let answer = answer.await?;
    let rules = answer.security_groups().iter().flat_map(|group| {
        let permissions = match way {
            Way::In => group.ip_permissions(),
            Way::Out => group.ip_permissions_egress(),
        };
        inline_rules::of_live(permissions, id, group.owner_id().unwrap_or_default())
    });
    Ok(rules.collect())
}

/// Makes the rules of a group those that are wanted: what is new comes first, so that nothing is cut off between.
async fn bring(
    cloud: &Cloud,
    id: &str,
    way: Way,
    found: &BTreeSet<Rule>,
    wanted: &BTreeSet<Rule>,
) -> Result<(), Fault> {
    let is_among = |rules: &BTreeSet<Rule>, rule: &Rule| {
        rules.iter().any(|other| (&other.traffic, &other.peer) == (&rule.traffic, &rule.peer))
    };
    let (described, new): (Vec<&Rule>, Vec<&Rule>) = wanted.difference(found).partition(|rule| is_among(found, rule));
    let old: Vec<&Rule> = found.difference(wanted).filter(|rule| !is_among(wanted, rule)).collect();
    for (rules, change) in [(new, Change::Add), (described, Change::Describe), (old, Change::Remove)] {
        if !rules.is_empty() {
            send(cloud, id, way, change, inline_rules::to_sdk(rules, id)).await?;
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Change {
    Add,
    Describe,
    Remove,
}

async fn send(cloud: &Cloud, id: &str, way: Way, change: Change, rules: Vec<types::IpPermission>) -> Result<(), Fault> {
    let rules = || Some(rules.clone());
    let ec2 = &cloud.ec2;
    match (change, way) {
        (Change::Add, Way::In) => {
            let action = Action::once("AuthorizeSecurityGroupIngress").passing(&["InvalidGroup.NotFound"]);
            let send =
                |ec2: &Client| ec2.authorize_security_group_ingress().group_id(id).set_ip_permissions(rules()).send();
            ec2.call(action, send).await.map(|_| ())
        }
        (Change::Add, Way::Out) => {
            let action = Action::once("AuthorizeSecurityGroupEgress").passing(&["InvalidGroup.NotFound"]);
            let send =
                |ec2: &Client| ec2.authorize_security_group_egress().group_id(id).set_ip_permissions(rules()).send();
            ec2.call(action, send).await.map(|_| ())
        }
        (Change::Describe, Way::In) => {
            let action = Action::repeatable("UpdateSecurityGroupRuleDescriptionsIngress");
            let send = |ec2: &Client| {
                ec2.update_security_group_rule_descriptions_ingress().group_id(id).set_ip_permissions(rules()).send()
            };
            ec2.call(action, send).await.map(|_| ())
        }
        (Change::Describe, Way::Out) => {
            let action = Action::repeatable("UpdateSecurityGroupRuleDescriptionsEgress");
            let send = |ec2: &Client| {
                ec2.update_security_group_rule_descriptions_egress().group_id(id).set_ip_permissions(rules()).send()
            };
            ec2.call(action, send).await.map(|_| ())
        }
        (Change::Remove, Way::In) => {
            let action = Action::repeatable("RevokeSecurityGroupIngress");
            let send =
                |ec2: &Client| ec2.revoke_security_group_ingress().group_id(id).set_ip_permissions(rules()).send();
            ec2.call(action, send).await.map(|_| ())
        }
        (Change::Remove, Way::Out) => {
            let action = Action::repeatable("RevokeSecurityGroupEgress");
            let send =
                |ec2: &Client| ec2.revoke_security_group_egress().group_id(id).set_ip_permissions(rules()).send();
            ec2.call(action, send).await.map(|_| ())
        }
    }
}

fn live(cloud: &Cloud, group: &types::SecurityGroup) -> Live {
    let id = group.group_id().unwrap_or_default();
    let owner = group.owner_id().unwrap_or_default();
    let rules = |permissions| inline_rules::to_value(&inline_rules::of_live(permissions, id, owner));
    let tags = tags::of_live(group.tags());
    Live {
        id: id.to_owned(),
        attributes: vec![
            ("arn", Value::from(cloud.region.arn("ec2", owner, &format!("security-group/{id}")))),
            ("owner_id", text(Some(owner))),
            ("name", text(group.group_name())),
            ("name_prefix", made_up::prefix(group.group_name().unwrap_or_default(), &tags)),
            ("description", text(group.description())),
            ("vpc_id", text(group.vpc_id())),
            ("ingress", rules(group.ip_permissions())),
            ("egress", rules(group.ip_permissions_egress())),
        ],
        tags,
        state: State::Ready,
    }
}
