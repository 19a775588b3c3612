//! `aws_eip`: a public address that stays, whatever it is given to.

use async_trait::async_trait;
use aws_sdk_ec2::types;
use formwork_contract::{Attribute, Type, Value};

use super::filters;
use super::tags::{self, Ec2Tags};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::text;
use crate::region::Region;
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

pub(super) struct Eip;

/// What says whose traffic the address is.
const USERS: [&str; 3] = ["instance", "network_interface", "associate_with_private_ip"];

#[async_trait]
impl Resource for Eip {
    fn describe(&self) -> Description {
        let told = |text: &str| Attribute::computed(Type::String).describe(text);
        let fixed = |text: &str| Attribute::defaulted(Type::String).forces_replacement().describe(text);
        let given = |text: &str| Attribute::defaulted(Type::String).describe(text);
        let attributes = [
            ("arn", told("What names the address across regions.")),
            ("allocation_id", told("The same as `id`.")),
            ("association_id", told("What AWS calls the use of the address, while there is one.")),
            ("public_ip", told("The address.")),
            ("public_dns", told("The name of the address.")),
            ("private_ip", told("The address inside the network that it stands for.")),
            ("private_dns", told("The name of the address inside the network.")),
            ("domain", fixed("`vpc`, which is the only one there is.")),
            (
                "address",
                Attribute::optional(Type::String)
                    .forces_replacement()
                    .describe("An address of one's own pool, or one that was given back shortly before."),
            ),
            ("public_ipv4_pool", fixed("The pool that it comes from; Amazon's by default.")),
            ("network_border_group", fixed("Where it is announced; in the region by default.")),
            ("instance", given("The machine that it is given to.")),
            ("network_interface", given("The network interface that it is given to.")),
            (
                "associate_with_private_ip",
                Attribute::optional(Type::String).describe("Which of the interface's addresses it stands for."),
            ),
        ];
        Description {
            kept: &["address", "associate_with_private_ip"],
            moves: &[
                ("association_id", &USERS),
                ("private_ip", &USERS),
                ("private_dns", &USERS),
                ("network_interface", &["instance"]),
                ("instance", &["network_interface"]),
            ],
            can_rehearse: true,
            import_example: "eipalloc-0123456789abcdef0",
            ..Description::new("aws_eip", "A public address that stays.", attributes).tagged(&Ec2Tags)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.at_most_one(config, &["instance", "network_interface"]);
        problems.one_of(config, "domain", &["vpc"]);
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let filters = filters(query, "allocation-id");
        // EC2 gives all of them in one page.
        let send = |ec2: &aws_sdk_ec2::Client| ec2.describe_addresses().set_filters(Some(filters.clone())).send();
        let found = cloud.ec2.read("DescribeAddresses", send).await?.addresses.unwrap_or_default();
        let account = if found.is_empty() { "" } else { &*cloud.caller().await?.account };
        Ok(found.iter().map(|address| live(&cloud.region, account, address)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let tags = tags::of_new(types::ResourceType::ElasticIp, &call.tags);
        let made = cloud.ec2.call(Action::once("AllocateAddress"), |ec2| {
            ec2.allocate_address()
                .domain(types::DomainType::Vpc)
                .set_address(wanted.text("address"))
                .set_public_ipv4_pool(wanted.text("public_ipv4_pool"))
                .set_network_border_group(wanted.text("network_border_group"))
                .set_tag_specifications(Some(tags.clone()))
                .send()
        });
        Ok(made.await?.allocation_id.unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        if !USERS.iter().any(|user| call.changes(user)) {
            return Ok(());
        }
        let wanted = call.wanted();
        // What is new was said; the other stands as it was until the address moves.
        let pick = |name: &str| wanted.text(name).filter(|_| call.changes(name));
        let (instance, interface) = match (pick("instance"), pick("network_interface")) {
            (None, None) => (None, wanted.text("network_interface")),
            (instance, None) => (instance, None),
            (_, interface) => (None, interface),
        };
        if instance.is_none() && interface.is_none() {
            return release(cloud, call).await;
        }
        let passing = &["InvalidInstanceID.NotFound", "InvalidNetworkInterfaceID.NotFound", "InvalidInstanceID"];
        let send = |ec2: &aws_sdk_ec2::Client| {
            ec2.associate_address()
                .allocation_id(call.id())
                .set_instance_id(instance.clone())
                .set_network_interface_id(interface.clone())
                .set_private_ip_address(wanted.text("associate_with_private_ip"))
                .allow_reassociation(true)
                .send()
        };
        cloud.ec2.call(Action::repeatable("AssociateAddress").passing(passing), send).await?;
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        release(cloud, call).await?;
        let action = Action::repeatable("ReleaseAddress").passing(&["InvalidIPAddress.InUse"]);
        cloud.ec2.call(action, |ec2| ec2.release_address().allocation_id(call.id()).send()).await?;
        Ok(())
    }
}

/// Takes the address from whoever has it.
async fn release(cloud: &Cloud, call: &Call) -> Result<(), Fault> {
    let Some(association) = call.found().str("association_id") else { return Ok(()) };
    let action = Action::repeatable("DisassociateAddress");
    match cloud.ec2.call(action, |ec2| ec2.disassociate_address().association_id(association).send()).await {
        // What used it is gone, a NAT gateway for example.
        Err(fault) if fault.is_not_found() => Ok(()),
        done => done.map(|_| ()),
    }
}

fn live(region: &Region, account: &str, address: &types::Address) -> Live {
    let id = address.allocation_id().unwrap_or_default();
    let standard = region.name.as_ref() == "us-east-1";
    let name = |ip: Option<&str>, start: &str, end: &str| {
        text(ip.map(|ip| format!("{start}-{}.{end}", ip.replace('.', "-"))).as_deref())
    };
    let suffix = region.partition.dns_suffix;
    let public = if standard { format!("compute-1.{suffix}") } else { format!("{}.compute.{suffix}", region.name) };
    let private = if standard { "ec2.internal".to_owned() } else { format!("{}.compute.internal", region.name) };
    let private_ip = address.private_ip_address().filter(|ip| !ip.is_empty());
    Live {
        id: id.to_owned(),
        tags: tags::of_live(address.tags()),
        attributes: vec![
            ("arn", Value::from(region.arn("ec2", account, &format!("elastic-ip/{id}")))),
            ("allocation_id", text(Some(id))),
            ("association_id", text(address.association_id())),
            ("public_ip", text(address.public_ip())),
            ("public_dns", name(address.public_ip(), "ec2", &public)),
            ("private_ip", text(private_ip)),
            ("private_dns", name(private_ip, "ip", &private)),
            ("domain", text(address.domain().map(types::DomainType::as_str))),
            ("public_ipv4_pool", text(address.public_ipv4_pool())),
            ("network_border_group", text(address.network_border_group())),
            ("instance", text(address.instance_id())),
            ("network_interface", text(address.network_interface_id())),
        ],
        state: State::Ready,
    }
}
