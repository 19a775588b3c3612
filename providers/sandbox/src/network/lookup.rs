//! The data source `sandbox_network`: an existing network by its name.

use formwork_contract::convert::convert;
use formwork_contract::{Attribute, Block, Type, Value, json};

use super::network;
use crate::fault::{Code, Fault};
use crate::resource::{DataSource, Lookup as Query};
use crate::store::objects::{self, Name};

pub(crate) struct Lookup;

impl DataSource for Lookup {
    fn type_name(&self) -> &'static str {
        network::TYPE
    }

    fn block(&self) -> Block {
        let block = Block::new([
            ("name", Attribute::required(Type::String).describe("The network's name in the provider's region.")),
            ("id", Attribute::computed(Type::String).describe("The network's id.")),
            ("cidr_block", Attribute::computed(Type::String).describe("The network's IPv4 block.")),
            ("path", Attribute::computed(Type::String).describe("What names the network across regions.")),
            ("tags", Attribute::computed(Type::map(Type::String)).describe("Its keys and values.")),
        ]);
        Block { description: "A network that exists already.".into(), ..block }
    }

    fn read(&self, query: &Query<'_>, config: &Value) -> Result<Value, Fault> {
        let name = config.get_str("name").unwrap_or_default();
        let region = &query.settings.region;
        let key = Name { scope: region.to_string(), name: name.into() };
        let Some(found) = objects::by_name(query.connection, network::TYPE, &key)? else {
            let message = format!("No network in the region `{region}` is named `{name}`.");
            return Err(Fault::new(Code::NotFound, message).attribute("name").hint("create the network first"));
        };
        convert(&json::from_plain(&found.attributes), &self.block().ty())
            .map_err(|error| Fault::new(Code::Internal, format!("The stored network is malformed: {error}.")))
    }
}
