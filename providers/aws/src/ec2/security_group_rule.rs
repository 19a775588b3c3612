//! `aws_vpc_security_group_ingress_rule` and `aws_vpc_security_group_egress_rule`: one rule, with tags of its own.

use std::collections::HashSet;

use async_trait::async_trait;
use aws_sdk_ec2::types;
use formwork_contract::{Attribute, Type, Value};

use super::security_group::SecurityGroup;
use super::tags::{self, Ec2Tags};
use super::{PAGE, filters};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{Fields, text, whole};
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

pub(super) struct SecurityGroupRule {
    type_name: &'static str,
    is_egress: bool,
}

/// What a rule lets through to or from: one of these.
const PEERS: [&str; 4] = ["cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"];

impl SecurityGroupRule {
    pub(super) const INGRESS: Self = Self { type_name: "aws_vpc_security_group_ingress_rule", is_egress: false };
    pub(super) const EGRESS: Self = Self { type_name: "aws_vpc_security_group_egress_rule", is_egress: true };
}

#[async_trait]
impl Resource for SecurityGroupRule {
    fn describe(&self) -> Description {
        let (description, peer) = match self.is_egress {
            true => ("One kind of traffic that a security group lets out.", "to"),
            false => ("One kind of traffic that a security group lets in.", "from"),
        };
        // EC2 changes the kind of peer by a new rule only; within a kind, in place.
        let peer = |what: &str| Attribute::optional(Type::String).describe(&format!("Traffic {peer} {what}."));
        let port = |which: &str| {
            Attribute::optional(Type::Number)
                .describe(&format!("The {which} port, or the type or code of ICMP. None for all protocols."))
        };
        let attributes = [
            ("arn", Attribute::computed(Type::String).describe("What names the rule across regions.")),
            ("security_group_rule_id", Attribute::computed(Type::String).describe("The same as `id`.")),
            (
                "security_group_id",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("The group that the rule is a part of."),
            ),
            (
                "ip_protocol",
                Attribute::required(Type::String).describe("`tcp`, `udp`, `icmp`, a number, or `-1` for all."),
            ),
            ("from_port", port("first")),
            ("to_port", port("last")),
            ("cidr_ipv4", peer("an IPv4 block")),
            ("cidr_ipv6", peer("an IPv6 block")),
            ("prefix_list_id", peer("the blocks of a prefix list")),
            ("referenced_security_group_id", peer("what is in a security group")),
            ("description", Attribute::optional(Type::String).describe("What the rule is for.")),
        ];
        Description {
            can_rehearse: true,
            import_example: "sgr-0123456789abcdef0",
            ..Description::new(self.type_name, description, attributes).tagged(&Ec2Tags)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.exactly_one(config, &PEERS);
        problems.cidr(config, "cidr_ipv4", 0..=32);
        problems.cidr(config, "cidr_ipv6", 0..=128);
        if config.get_str("ip_protocol") == Some("-1") {
            for port in ["from_port", "to_port"] {
                if Fields(config).whole(port).is_some_and(|port| port != -1) {
                    problems.at(
                        port,
                        format!("`{port}` means nothing for all protocols"),
                        "leave it out, or name a protocol",
                    );
                }
            }
        }
    }

    fn refine(
        &self,
        request: &formwork_contract::provider::PlanRequest,
        change: &mut formwork_contract::provider::PlannedChange,
    ) {
        let kind = |value: &Value| PEERS.iter().find(|peer| value.get(peer).is_some_and(|value| !value.is_null()));
        let (before, after) = (kind(&request.prior), kind(&request.proposed));
        if let (Some(_), Some(after)) = (before, after)
            && before != Some(after)
        {
            change.requires_replace.push(formwork_contract::Path::attribute(*after));
        }
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        match attribute {
            "ip_protocol" => match (known.as_str(), live.as_str()) {
                (Some(known), Some(live)) => {
                    super::security_group::protocol(known) == super::security_group::protocol(live)
                }
                _ => false,
            },
            // All ports are written as -1, or not at all.
            "from_port" | "to_port" => live.is_null() && known.as_number().and_then(|port| port.as_i64()) == Some(-1),
            _ => false,
        }
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let filters = filters(query, "security-group-rule-id");
        let found = cloud.ec2.pages(
            "DescribeSecurityGroupRules",
            |ec2, token| {
                let call = ec2.describe_security_group_rules().set_filters(Some(filters.clone()));
                call.max_results(PAGE).set_next_token(token).send()
            },
            |page| (page.security_group_rules, page.next_token),
        );
        let mut found = found.await?;
        found.retain(|rule| rule.is_egress() == Some(self.is_egress));
        if matches!(query, Query::Unowned) {
            // A rule within an owned group's own block carries no tag.
            let groups: HashSet<String> = SecurityGroup
                .find(cloud, query)
                .await?
                .into_iter()
                .filter(|group| query.admits(&group.tags))
                .map(|group| group.id)
                .collect();
            found.retain(|rule| rule.group_id().is_some_and(|group| groups.contains(group)));
        }
        Ok(found.iter().map(|rule| live(cloud, rule)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let tags = tags::of_new(types::ResourceType::SecurityGroupRule, &call.tags);
        let permission = permission(wanted);
        let passing: &[&str] = &["InvalidGroup.NotFound"];
        let rules = if self.is_egress {
            let action = Action::once("AuthorizeSecurityGroupEgress").passing(passing);
            let made = cloud.ec2.call(action, |ec2| {
                let call = ec2.authorize_security_group_egress().set_group_id(wanted.text("security_group_id"));
                call.ip_permissions(permission.clone()).set_tag_specifications(Some(tags.clone())).send()
            });
            made.await?.security_group_rules
        } else {
            let action = Action::once("AuthorizeSecurityGroupIngress").passing(passing);
            let made = cloud.ec2.call(action, |ec2| {
                let call = ec2.authorize_security_group_ingress().set_group_id(wanted.text("security_group_id"));
                call.ip_permissions(permission.clone()).set_tag_specifications(Some(tags.clone())).send()
            });
            made.await?.security_group_rules
        };
        let made = rules.unwrap_or_default().into_iter().next();
        Ok(made.and_then(|rule| rule.security_group_rule_id).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let wanted = call.wanted();
        let all = wanted.str("ip_protocol") == Some("-1");
        let port = |name: &str| wanted.whole(name).or(all.then_some(-1));
        let rule = types::SecurityGroupRuleRequest::builder()
            .set_ip_protocol(wanted.text("ip_protocol"))
            .set_from_port(port("from_port"))
            .set_to_port(port("to_port"))
            .set_cidr_ipv4(wanted.text("cidr_ipv4"))
            .set_cidr_ipv6(wanted.text("cidr_ipv6"))
            .set_prefix_list_id(wanted.text("prefix_list_id"))
            .set_referenced_group_id(wanted.text("referenced_security_group_id"))
            // An empty one removes what was there.
            .description(wanted.text("description").unwrap_or_default())
            .build();
        let update = types::SecurityGroupRuleUpdate::builder()
            .security_group_rule_id(call.id())
            .security_group_rule(rule)
            .build();
        let send = |ec2: &aws_sdk_ec2::Client| {
            let call = ec2.modify_security_group_rules().set_group_id(wanted.text("security_group_id"));
            call.security_group_rules(update.clone()).send()
        };
        cloud.ec2.call(Action::repeatable("ModifySecurityGroupRules"), send).await?;
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let group = call.found().text("security_group_id");
        if self.is_egress {
            let action = Action::repeatable("RevokeSecurityGroupEgress");
            let send = |ec2: &aws_sdk_ec2::Client| {
                let revoke = ec2.revoke_security_group_egress().set_group_id(group.clone());
                revoke.security_group_rule_ids(call.id()).send()
            };
            cloud.ec2.call(action, send).await.map(|_| ())
        } else {
            let action = Action::repeatable("RevokeSecurityGroupIngress");
            let send = |ec2: &aws_sdk_ec2::Client| {
                let revoke = ec2.revoke_security_group_ingress().set_group_id(group.clone());
                revoke.security_group_rule_ids(call.id()).send()
            };
            cloud.ec2.call(action, send).await.map(|_| ())
        }
    }
}

/// The rule as a call for its creation has it.
fn permission(wanted: Fields<'_>) -> types::IpPermission {
    let description = wanted.text("description");
    let permission = types::IpPermission::builder()
        .set_ip_protocol(wanted.text("ip_protocol"))
        .set_from_port(wanted.whole("from_port"))
        .set_to_port(wanted.whole("to_port"));
    if let Some(block) = wanted.str("cidr_ipv4") {
        permission.ip_ranges(types::IpRange::builder().cidr_ip(block).set_description(description).build())
    } else if let Some(block) = wanted.str("cidr_ipv6") {
        permission.ipv6_ranges(types::Ipv6Range::builder().cidr_ipv6(block).set_description(description).build())
    } else if let Some(id) = wanted.str("prefix_list_id") {
        permission
            .prefix_list_ids(types::PrefixListId::builder().prefix_list_id(id).set_description(description).build())
    } else {
        let group = types::UserIdGroupPair::builder().set_group_id(wanted.text("referenced_security_group_id"));
        permission.user_id_group_pairs(group.set_description(description).build())
    }
    .build()
}

fn live(cloud: &Cloud, rule: &types::SecurityGroupRule) -> Live {
    let id = rule.security_group_rule_id().unwrap_or_default();
    let built = |owner| Value::from(cloud.region.arn("ec2", owner, &format!("security-group-rule/{id}")));
    let arn = rule.group_owner_id().map_or_else(|| text(rule.security_group_rule_arn()), built);
    // EC2 answers -1 where a rule has no ports.
    let port = |port: Option<i32>| whole(port.filter(|_| rule.ip_protocol() != Some("-1")));
    Live {
        id: id.to_owned(),
        tags: tags::of_live(rule.tags()),
        attributes: vec![
            ("arn", arn),
            ("security_group_rule_id", text(Some(id))),
            ("security_group_id", text(rule.group_id())),
            ("ip_protocol", text(rule.ip_protocol())),
            ("from_port", port(rule.from_port())),
            ("to_port", port(rule.to_port())),
            ("cidr_ipv4", text(rule.cidr_ipv4())),
            ("cidr_ipv6", text(rule.cidr_ipv6())),
            ("prefix_list_id", text(rule.prefix_list_id())),
            ("referenced_security_group_id", text(rule.referenced_group_info().and_then(|group| group.group_id()))),
            ("description", text(rule.description())),
        ],
        state: State::Ready,
    }
}
