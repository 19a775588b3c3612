//! The data source `aws_region`: the provider's region, or another.

use async_trait::async_trait;
use formwork_contract::{Attribute, Block, Type, Value};

use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::Fields;
use crate::region::Region as Place;
use crate::resource::{Attributes, DataSource};

pub(super) struct Region;

#[async_trait]
impl DataSource for Region {
    fn type_name(&self) -> &'static str {
        "aws_region"
    }

    fn block(&self) -> Block {
        let name = |text: &str| Attribute::defaulted(Type::String).describe(text);
        let block = Block::new([
            ("id", Attribute::computed(Type::String).describe("The region's name.")),
            ("name", name("The region's name. The provider's by default.")),
            ("region", name("The same as `name`.")),
            ("endpoint", Attribute::computed(Type::String).describe("Where EC2 is called in the region.")),
        ]);
        Block { description: "A region.".into(), ..block }
    }

    async fn read(&self, cloud: &Cloud, config: &Value) -> Result<Attributes, Fault> {
        let config = Fields(config);
        let name = config.str("name").or_else(|| config.str("region")).unwrap_or(&cloud.region.name);
        let suffix = Place::new(name).partition.dns_suffix;
        Ok(vec![
            ("id", name.into()),
            ("name", name.into()),
            ("region", name.into()),
            ("endpoint", format!("ec2.{name}.{suffix}").into()),
        ])
    }
}
