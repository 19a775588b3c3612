//! The data source `sandbox_region`: where the provider creates things.

use formwork_contract::{Attribute, Block, Type, Value};

use crate::fault::Fault;
use crate::resource::{DataSource, Lookup};

pub(crate) struct Region;

impl DataSource for Region {
    fn type_name(&self) -> &'static str {
        "sandbox_region"
    }

    fn block(&self) -> Block {
        let block = Block::new([
            ("id", Attribute::computed(Type::String).describe("The region's name.")),
            ("name", Attribute::computed(Type::String).describe("The region's name, such as `local-1`.")),
            ("zones", Attribute::computed(Type::list(Type::String)).describe("The zones in it, in order.")),
        ]);
        Block { description: "The region of the provider's configuration.".into(), ..block }
    }

    fn read(&self, lookup: &Lookup<'_>, config: &Value) -> Result<Value, Fault> {
        let region = &lookup.settings.region;
        let zones = ["a", "b", "c"].map(|zone| Value::string(format!("{region}{zone}")));
        let name = Value::String(region.clone());
        Ok(config.with("id", name.clone()).with("name", name).with("zones", Value::list(Type::String, zones.to_vec())))
    }
}
