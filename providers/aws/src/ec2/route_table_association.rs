//! `aws_route_table_association`: which table the traffic of a subnet, or into a gateway, goes by.
//!
//! A subnet has one table of its own at most, so the association is known by the subnet's id. AWS's own name for it changes
//! with the table and is looked up.

use async_trait::async_trait;
use aws_sdk_ec2::types::{self, RouteTableAssociationStateCode as Code};
use formwork_contract::{Attribute, Type, Value};

use super::filter;
use super::route_table::list;
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{Fields, text};
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};
use crate::tags::Tags;

pub(super) struct RouteTableAssociation;

#[async_trait]
impl Resource for RouteTableAssociation {
    fn describe(&self) -> Description {
        let fixed = |text: &str| Attribute::optional(Type::String).forces_replacement().describe(text);
        let attributes = [
            ("id", Attribute::computed(Type::String).describe("The id of the subnet or the gateway.")),
            ("route_table_id", Attribute::required(Type::String).describe("The table.")),
            ("subnet_id", fixed("The subnet whose traffic goes by the table.")),
            ("gateway_id", fixed("The gateway whose traffic into the network goes by the table.")),
        ];
        Description {
            // EC2 answers with the association that stands, as if it had made it.
            overwrites: true,
            can_rehearse: true,
            import_example: "subnet-0123456789abcdef0/rtb-0123456789abcdef0",
            ..Description::new("aws_route_table_association", "Which table traffic goes by.", attributes)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.exactly_one(config, &["subnet_id", "gateway_id"]);
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        let planned = Fields(planned);
        planned.text("subnet_id").or_else(|| planned.text("gateway_id"))
    }

    fn imported(&self, given: &str) -> String {
        given.split('/').next().unwrap_or(given).to_owned()
    }

    fn recorded(&self, value: &Value) -> Option<String> {
        value.get_str("id").filter(|id| id.starts_with("rtbassoc-"))?;
        self.id_of(value)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let Query::Ids(ids) = query else { return Ok(Vec::new()) };
        let (subnets, gateways): (Vec<_>, Vec<_>) = ids.iter().cloned().partition(|id| id.starts_with("subnet-"));
        let mut lives = Vec::new();
        for (name, users) in [("association.subnet-id", subnets), ("association.gateway-id", gateways)] {
            if users.is_empty() || (name == "association.gateway-id" && !users.iter().any(|id| is_gateway(id))) {
                continue;
            }
            let tables = list(cloud, vec![filter(name, users)]).await?;
            let found = tables.iter().flat_map(|table| table.associations()).filter_map(live);
            lives.extend(found.filter(|live| ids.contains(&live.id)));
        }
        Ok(lives)
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let action = Action::once("AssociateRouteTable").passing(&[
            "InvalidRouteTableID.NotFound",
            "InvalidSubnetID.NotFound",
            "InvalidGatewayID.NotFound",
        ]);
        let send = |ec2: &aws_sdk_ec2::Client| {
            ec2.associate_route_table()
                .set_route_table_id(wanted.text("route_table_id"))
                .set_subnet_id(wanted.text("subnet_id"))
                .set_gateway_id(wanted.text("gateway_id"))
                .send()
        };
        cloud.ec2.call(action, send).await?;
        Ok(self.id_of(&call.planned).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        if !call.changes("route_table_id") {
            return Ok(());
        }
        let association = association(cloud, call.found()).await?;
        let table = call.wanted().text("route_table_id");
        let action = Action::once("ReplaceRouteTableAssociation").passing(&["InvalidRouteTableID.NotFound"]);
        let send = |ec2: &aws_sdk_ec2::Client| {
            let call = ec2.replace_route_table_association().set_association_id(association.clone());
            call.set_route_table_id(table.clone()).send()
        };
        cloud.ec2.call(action, send).await?;
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let Some(association) = association(cloud, call.found()).await? else { return Ok(()) };
        let action = Action::repeatable("DisassociateRouteTable");
        cloud.ec2.call(action, |ec2| ec2.disassociate_route_table().association_id(&association).send()).await?;
        Ok(())
    }
}

fn is_gateway(id: &str) -> bool {
    id.starts_with("igw-") || id.starts_with("vgw-")
}

/// What AWS calls the association now.
async fn association(cloud: &Cloud, found: Fields<'_>) -> Result<Option<String>, Fault> {
    let (name, user) = match (found.text("subnet_id"), found.text("gateway_id")) {
        (Some(subnet), _) => ("association.subnet-id", subnet),
        (None, Some(gateway)) => ("association.gateway-id", gateway),
        (None, None) => return Ok(None),
    };
    let tables = list(cloud, vec![filter(name, [user.clone()])]).await?;
    let mut all = tables.iter().flat_map(|table| table.associations());
    let its =
        all.find(|association| live(association).is_some_and(|live| live.id == user && live.state != State::Gone));
    Ok(its.and_then(|association| association.route_table_association_id.clone()))
}

/// `None` for the association of a network's main table with whatever has none.
fn live(association: &types::RouteTableAssociation) -> Option<Live> {
    let user = association.subnet_id().or_else(|| association.gateway_id()).filter(|user| !user.is_empty())?;
    let state = association.association_state();
    Some(Live {
        id: user.to_owned(),
        tags: Tags::new(),
        attributes: vec![
            ("route_table_id", text(association.route_table_id())),
            ("subnet_id", text(association.subnet_id())),
            ("gateway_id", text(association.gateway_id())),
        ],
        state: match state.and_then(|state| state.state()) {
            Some(Code::Associating) => State::Pending("associating".into()),
            Some(Code::Disassociating) => State::Pending("disassociating".into()),
            Some(Code::Disassociated) => State::Gone,
            Some(Code::Failed) => {
                State::Failed(state.and_then(|state| state.status_message()).unwrap_or("it failed").to_owned())
            }
            _ => State::Ready,
        },
    })
}
