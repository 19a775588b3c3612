//! The data source `aws_eks_cluster`: a cluster that somebody else keeps.

use async_trait::async_trait;
use formwork_contract::{Attribute, Block, Type, Value};

use super::cluster::{ACCESS, Cluster, ENCRYPTION, NETWORK, UPGRADE, VPC};
use super::cluster_live;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::resource::{Attributes, DataSource, Resource};
use crate::tags;

pub(super) struct ClusterLookup;

#[async_trait]
impl DataSource for ClusterLookup {
    fn type_name(&self) -> &'static str {
        "aws_eks_cluster"
    }

    fn block(&self) -> Block {
        // As the resource has it, all told by AWS; its blocks are attributes.
        let kept = ["bootstrap_self_managed_addons", "tags_all"];
        let resource = Cluster.describe().block;
        let told = |ty: Type, text: &str| Attribute::computed(ty.without_optional()).describe(text);
        let attributes = resource.attributes.iter().filter(|(name, _)| !kept.contains(&&***name));
        let mut block = Block::default();
        for (name, attribute) in attributes {
            block.attributes.insert(name.clone(), told(attribute.ty.clone(), &attribute.description));
        }
        for name in [VPC, ENCRYPTION, NETWORK, ACCESS, UPGRADE] {
            if let Some(nested) = resource.blocks.get(name) {
                block.attributes.insert(name.into(), told(nested.ty(), &nested.block.description));
            }
        }
        let name = Attribute::required(Type::String).describe("Its name.");
        block.attributes.insert("name".into(), name);
        Block { description: "A cluster that stands.".into(), ..block }
    }

    async fn read(&self, cloud: &Cloud, config: &Value) -> Result<Attributes, Fault> {
        let name = config.get_str("name").unwrap_or_default();
        let Some(cluster) = cluster_live::describe(cloud, name).await? else {
            return Err(Fault::own("no match", format!("there is no cluster `{name}`")));
        };
        let live = cluster_live::live(&cluster);
        let mut attributes = live.attributes;
        attributes.push(("id", Value::from(live.id)));
        attributes.push(("tags", tags::own(&live.tags)));
        Ok(attributes)
    }
}
