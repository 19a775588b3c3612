//! `sandbox_machine`: a virtual machine in a subnet.

use std::net::Ipv4Addr;

use formwork_contract::{Attribute, Block, Type, Value};

use super::images;
use crate::fault::{Code, Fault};
use crate::network::{cidr::Cidr, subnet};
use crate::resource::{Call, Computed, Description, Names, Problems, Reference, Resource};
use crate::store::{addresses, objects};

pub(crate) const TYPE: &str = "sandbox_machine";

pub(crate) const SIZES: [&str; 5] = ["nano", "small", "medium", "large", "xlarge"];

/// What is started when the configuration names no image.
const DEFAULT_IMAGE: &str = "debian-13";

const MAX_USER_DATA_BYTES: usize = 16 * 1024;

pub(crate) struct Machine;

impl Resource for Machine {
    fn describe(&self) -> Description {
        let block = Block::new([
            ("id", Attribute::computed(Type::String).describe("The machine's id, such as `machine-0a1b...`.")),
            ("name", Attribute::required(Type::String).describe("A name; several machines may share it.")),
            (
                "subnet_id",
                Attribute::required(Type::String).forces_replacement().describe("The subnet that it stands in."),
            ),
            (
                "size",
                Attribute::defaulted(Type::String)
                    .describe("`nano`, `small` (the default), `medium`, `large` or `xlarge`; changes in place."),
            ),
            (
                "image",
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("The image that it starts from, by name or id: see the data source `sandbox_images`."),
            ),
            (
                "user_data",
                Attribute::optional(Type::String)
                    .forces_replacement()
                    .describe("What the machine runs on its first start, at most 16 KiB."),
            ),
            ("private_ip", Attribute::computed(Type::String).describe("Its address in the subnet.")),
            ("path", Attribute::computed(Type::String).describe("What names the machine across regions.")),
            ("tags", Attribute::optional(Type::map(Type::String)).describe("Free keys and values.")),
        ]);
        Description {
            type_name: TYPE,
            id_prefix: "machine",
            block: Block { description: "A virtual machine.".into(), ..block },
            defaults: vec![("size", "small".into()), ("image", DEFAULT_IMAGE.into())],
            references: &[Reference { attribute: "subnet_id", types: &[subnet::TYPE] }],
            names: Names::Free,
            recomputed: &[],
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.name(config, "name");
        problems.one_of(config, "size", &SIZES);
        if let Some(image) = config.get_str("image")
            && !images::exists(image)
        {
            problems.at(
                "image",
                format!("there is no image `{image}`"),
                &format!("use one of {}, or the data source `sandbox_images`", images::names()),
            );
        }
        if config.get_str("user_data").is_some_and(|data| data.len() > MAX_USER_DATA_BYTES) {
            problems.at("user_data", "`user_data` is larger than 16 KiB", "fetch what is large from the machine");
        }
    }

    fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Computed, Fault> {
        let subnet_id = planned.get_str("subnet_id").unwrap_or_default();
        let subnet = objects::by_id(call.connection, subnet_id)?;
        let block = subnet.as_ref().and_then(|subnet| Cidr::parse(subnet.attribute("cidr_block")?));
        let Some(block) = block else {
            return Err(
                Fault::new(Code::NotFound, format!("The subnet `{subnet_id}` does not exist.")).attribute("subnet_id")
            );
        };
        let Some(address) = addresses::claim(call.connection, subnet_id, subnet::usable(block), call.id)? else {
            return Err(Fault::new(Code::Exhausted, format!("The subnet `{subnet_id}` has no free address."))
                .attribute("subnet_id")
                .hint("use another subnet, or one with a shorter prefix"));
        };
        let private_ip = Value::string(Ipv4Addr::from(address).to_string());
        Ok(vec![("private_ip", private_ip), ("path", call.path("machine"))])
    }

    fn delete(&self, call: &Call<'_>, _live: &Value) -> Result<(), Fault> {
        addresses::release(call.connection, call.id)
    }
}
