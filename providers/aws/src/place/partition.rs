//! The data source `aws_partition`: the part of AWS that the provider's region is in.

use async_trait::async_trait;
use formwork_contract::{Attribute, Block, Type, Value};

use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::resource::{Attributes, DataSource};

pub(super) struct Partition;

#[async_trait]
impl DataSource for Partition {
    fn type_name(&self) -> &'static str {
        "aws_partition"
    }

    fn block(&self) -> Block {
        let told = |text: &str| Attribute::computed(Type::String).describe(text);
        let block = Block::new([
            ("id", told("As ARNs begin: `aws`, `aws-us-gov`, `aws-cn` and so on.")),
            ("partition", told("The same as `id`.")),
            ("dns_suffix", told("What names of hosts end with, such as `amazonaws.com`.")),
            ("reverse_dns_prefix", told("The suffix, backwards.")),
        ]);
        Block { description: "A part of AWS that is apart from the others.".into(), ..block }
    }

    async fn read(&self, cloud: &Cloud, _config: &Value) -> Result<Attributes, Fault> {
        let partition = cloud.region.partition;
        let backwards: Vec<&str> = partition.dns_suffix.rsplit('.').collect();
        Ok(vec![
            ("id", partition.id.into()),
            ("partition", partition.id.into()),
            ("dns_suffix", partition.dns_suffix.into()),
            ("reverse_dns_prefix", backwards.join(".").into()),
        ])
    }
}
