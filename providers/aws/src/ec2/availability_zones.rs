//! The data source `aws_availability_zones`: the zones of the region.

use async_trait::async_trait;
use aws_sdk_ec2::types::AvailabilityZone;
use formwork_contract::{Attribute, Block, Type, Value};

use super::lookup;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{Fields, list, set};
use crate::resource::{Attributes, DataSource};

pub(super) struct AvailabilityZones;

#[async_trait]
impl DataSource for AvailabilityZones {
    fn type_name(&self) -> &'static str {
        "aws_availability_zones"
    }

    fn block(&self) -> Block {
        let strings = || Type::list(Type::String);
        let names = || Attribute::optional(Type::set(Type::String));
        let block = Block::new([
            ("id", Attribute::computed(Type::String).describe("The region.")),
            ("state", Attribute::optional(Type::String).describe("Only zones in this state, such as `available`.")),
            (
                "all_availability_zones",
                Attribute::optional(Type::Bool).describe("Local zones and others that are switched off too."),
            ),
            ("exclude_names", names().describe("Zones to leave out, by name.")),
            ("exclude_zone_ids", names().describe("Zones to leave out, by id.")),
            ("names", Attribute::computed(strings()).describe("The zones' names, sorted.")),
            ("zone_ids", Attribute::computed(strings()).describe("The zones' ids, in the order of the names.")),
            ("group_names", Attribute::computed(Type::set(Type::String)).describe("The groups of the zones.")),
        ]);
        lookup::filterable(block, "The availability zones of the region.")
    }

    async fn read(&self, cloud: &Cloud, config: &Value) -> Result<Attributes, Fault> {
        let config = Fields(config);
        let mut filters = lookup::filters(config);
        filters.extend(lookup::by_attributes(config, &[("state", "state")]));
        let answer = cloud.ec2.read("DescribeAvailabilityZones", |ec2| {
            let call = ec2.describe_availability_zones().set_filters(lookup::some(&filters));
            call.set_all_availability_zones(config.flag("all_availability_zones")).send()
        });
        let (names, ids) = (config.texts("exclude_names"), config.texts("exclude_zone_ids"));
        let is_wanted = |zone: &AvailabilityZone| {
            let is_in = |list: &[String], one: Option<&str>| list.iter().any(|item| Some(item.as_str()) == one);
            !is_in(&names, zone.zone_name()) && !is_in(&ids, zone.zone_id())
        };
        let mut zones = answer.await?.availability_zones.unwrap_or_default();
        zones.retain(is_wanted);
        zones.sort_by(|a, b| a.zone_name.cmp(&b.zone_name));
        Ok(vec![
            ("id", Value::from(&*cloud.region.name)),
            ("names", list(zones.iter().filter_map(AvailabilityZone::zone_name))),
            ("zone_ids", list(zones.iter().filter_map(AvailabilityZone::zone_id))),
            ("group_names", set(zones.iter().filter_map(AvailabilityZone::group_name))),
        ])
    }
}
