//! `aws_nat_gateway`: lets machines of private subnets out, and nobody in.

use async_trait::async_trait;
use aws_sdk_ec2::types;
use formwork_contract::{Attribute, Type, Value};

use super::tags::{self, Ec2Tags};
use super::{PAGE, filters};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::text;
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

pub(super) struct NatGateway;

#[async_trait]
impl Resource for NatGateway {
    fn describe(&self) -> Description {
        let told = |text: &str| Attribute::computed(Type::String).describe(text);
        let attributes = [
            (
                "subnet_id",
                Attribute::required(Type::String).forces_replacement().describe("The subnet that it stands in."),
            ),
            (
                "connectivity_type",
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("`public`, to the internet, or `private`, to other networks."),
            ),
            (
                "allocation_id",
                Attribute::optional(Type::String)
                    .forces_replacement()
                    .describe("The `aws_eip` that a public one is seen by."),
            ),
            (
                "private_ip",
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("Its address in the subnet. A free one by default."),
            ),
            ("association_id", told("What AWS calls the use of the public address.")),
            ("network_interface_id", told("Its network interface.")),
            ("public_ip", told("The address that it is seen by.")),
        ];
        let times = Description::new("", "", []).times;
        Description {
            defaults: vec![("connectivity_type", "public".into())],
            has_client_token: true,
            can_rehearse: true,
            lingers: true,
            import_example: "nat-0123456789abcdef0",
            ..Description::new("aws_nat_gateway", "A way out for private subnets.", attributes)
                .tagged(&Ec2Tags)
                .with_timeouts(times)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.one_of(config, "connectivity_type", &["public", "private"]);
        let is_private = config.get_str("connectivity_type") == Some("private");
        let has_address = config.get("allocation_id").is_some_and(|id| !id.is_null());
        if is_private && has_address {
            let told = "a private NAT gateway has no public address";
            problems.at("allocation_id", told, "leave `allocation_id` out, or make it `public`");
        }
        if !is_private && !has_address && config.get("connectivity_type").is_none_or(|kind| !kind.is_unknown()) {
            let told = "a public NAT gateway needs a public address";
            problems.at("allocation_id", told, "set it to the `id` of an `aws_eip`, or make the gateway `private`");
        }
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let filters = filters(query, "nat-gateway-id");
        let found = cloud.ec2.pages(
            "DescribeNatGateways",
            |ec2, token| {
                let call = ec2.describe_nat_gateways().set_filter(Some(filters.clone()));
                call.max_results(PAGE).set_next_token(token).send()
            },
            |page| (page.nat_gateways, page.next_token),
        );
        Ok(found.await?.iter().map(live).filter(|live| query.admits(&live.tags)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let tags = tags::of_new(types::ResourceType::Natgateway, &call.tags);
        let action = Action::repeatable("CreateNatGateway")
            .passing(&["InvalidSubnetID.NotFound", "InvalidAllocationID.NotFound"]);
        let made = cloud.ec2.call(action, |ec2| {
            ec2.create_nat_gateway()
                .client_token(&call.token)
                .set_subnet_id(wanted.text("subnet_id"))
                .set_connectivity_type(wanted.word("connectivity_type"))
                .set_allocation_id(wanted.text("allocation_id"))
                .set_private_ip_address(wanted.text("private_ip"))
                .set_tag_specifications(Some(tags.clone()))
                .send()
        });
        Ok(made.await?.nat_gateway.and_then(|gateway| gateway.nat_gateway_id).unwrap_or_default())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let delete = Action::repeatable("DeleteNatGateway");
        cloud.ec2.call(delete, |ec2| ec2.delete_nat_gateway().nat_gateway_id(call.id()).send()).await?;
        Ok(())
    }
}

fn live(gateway: &types::NatGateway) -> Live {
    let first = gateway.nat_gateway_addresses().iter().find(|address| address.is_primary().unwrap_or(true));
    let kind = gateway.connectivity_type().map_or("public", types::ConnectivityType::as_str);
    let why = || {
        let parts = [gateway.failure_code(), gateway.failure_message()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
    };
    Live {
        id: gateway.nat_gateway_id().unwrap_or_default().to_owned(),
        tags: tags::of_live(gateway.tags()),
        attributes: vec![
            ("subnet_id", text(gateway.subnet_id())),
            ("connectivity_type", text(Some(kind))),
            ("allocation_id", text(first.and_then(|address| address.allocation_id()))),
            ("private_ip", text(first.and_then(|address| address.private_ip()))),
            ("association_id", text(first.and_then(|address| address.association_id()))),
            ("network_interface_id", text(first.and_then(|address| address.network_interface_id()))),
            ("public_ip", text(first.and_then(|address| address.public_ip()))),
        ],
        state: match gateway.state() {
            Some(types::NatGatewayState::Pending) => State::Pending("pending".into()),
            Some(types::NatGatewayState::Deleting) => State::Pending("deleting".into()),
            Some(types::NatGatewayState::Failed) => State::Failed(why()),
            Some(types::NatGatewayState::Deleted) => State::Gone,
            _ => State::Ready,
        },
    }
}
