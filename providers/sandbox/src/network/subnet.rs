//! `sandbox_subnet`: a part of a network, in which machines have their addresses.

use formwork_contract::{Attribute, Block, Type, Value};

use super::{cidr::Cidr, network};
use crate::fault::{Code, Fault};
use crate::resource::{Call, Computed, Description, Names, Problems, Reference, Resource};
use crate::store::{objects, ranges};

pub(crate) const TYPE: &str = "sandbox_subnet";

/// The network's own addresses in each subnet: network, router, name server, spare, broadcast.
const RESERVED_AT_START: u32 = 4;
const RESERVED_AT_END: u32 = 1;

pub(crate) struct Subnet;

impl Resource for Subnet {
    fn describe(&self) -> Description {
        let block = Block::new([
            ("id", Attribute::computed(Type::String).describe("The subnet's id, such as `subnet-0a1b...`.")),
            (
                "network_id",
                Attribute::required(Type::String).forces_replacement().describe("The network that it is a part of."),
            ),
            (
                "cidr_block",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("Its IPv4 block, from /8 to /29: inside the network's, apart from other subnets."),
            ),
            ("path", Attribute::computed(Type::String).describe("What names the subnet across regions.")),
            ("tags", Attribute::optional(Type::map(Type::String)).describe("Free keys and values.")),
        ]);
        Description {
            type_name: TYPE,
            id_prefix: "subnet",
            block: Block { description: "A part of a network's addresses.".into(), ..block },
            defaults: Vec::new(),
            references: &[Reference { attribute: "network_id", types: &[network::TYPE] }],
            names: Names::Free,
            recomputed: &[],
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        Cidr::check(config, "cidr_block", 8..=29, problems);
    }

    fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Computed, Fault> {
        let network_id = planned.get_str("network_id").unwrap_or_default();
        let block = block_of(planned)?;
        let network = objects::by_id(call.connection, network_id)?;
        let outer = network.as_ref().and_then(|network| Cidr::parse(network.attribute("cidr_block")?));
        if let Some(outer) = outer
            && !outer.contains(block)
        {
            let message = format!("The block `{block}` is not inside `{outer}`, the block of `{network_id}`.");
            return Err(Fault::new(Code::InvalidParameter, message)
                .attribute("cidr_block")
                .hint("choose a block inside the network's"));
        }
        if let Some(taken) = ranges::overlapping(call.connection, network_id, block)? {
            let message = format!("The block `{block}` overlaps with that of `{taken}` in `{network_id}`.");
            return Err(Fault::new(Code::Conflict, message)
                .attribute("cidr_block")
                .hint("choose a block that no other subnet of the network uses"));
        }
        ranges::claim(call.connection, network_id, block, call.id)?;
        Ok(vec![("path", call.path("subnet"))])
    }

    fn delete(&self, call: &Call<'_>, _live: &Value) -> Result<(), Fault> {
        ranges::release(call.connection, call.id)
    }
}

/// The addresses of a subnet that machines may have.
pub(crate) fn usable(block: Cidr) -> std::ops::RangeInclusive<u32> {
    block.first() + RESERVED_AT_START..=block.last() - RESERVED_AT_END
}

fn block_of(planned: &Value) -> Result<Cidr, Fault> {
    planned.get_str("cidr_block").and_then(Cidr::parse).ok_or_else(|| {
        Fault::new(Code::InvalidParameter, "The subnet has no valid IPv4 block.").attribute("cidr_block")
    })
}
