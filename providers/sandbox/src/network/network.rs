//! `sandbox_network`: a private network that subnets divide.

use formwork_contract::{Attribute, Block, Type, Value};

use super::cidr::Cidr;
use crate::fault::Fault;
use crate::resource::{Call, Computed, Description, Names, Problems, Resource};

pub(crate) const TYPE: &str = "sandbox_network";

pub(crate) struct Network;

impl Resource for Network {
    fn describe(&self) -> Description {
        let block = Block::new([
            ("id", Attribute::computed(Type::String).describe("The network's id, such as `net-0a1b...`.")),
            ("name", Attribute::required(Type::String).describe("A name that is unique in the region.")),
            (
                "cidr_block",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("The IPv4 block of the network, from /8 to /28."),
            ),
            ("path", Attribute::computed(Type::String).describe("What names the network across regions.")),
            ("tags", Attribute::optional(Type::map(Type::String)).describe("Free keys and values.")),
        ]);
        Description {
            type_name: TYPE,
            id_prefix: "net",
            block: Block { description: "A private network. It cannot be deleted while in use.".into(), ..block },
            defaults: Vec::new(),
            references: &[],
            names: Names::InRegion("name"),
            recomputed: &[],
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.name(config, "name");
        Cidr::check(config, "cidr_block", 8..=28, problems);
    }

    fn create(&self, call: &Call<'_>, _planned: &Value) -> Result<Computed, Fault> {
        Ok(vec![("path", call.path("network"))])
    }
}
