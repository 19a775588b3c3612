//! The data source `aws_caller_identity`: the account and identity of all calls.

use async_trait::async_trait;
use formwork_contract::{Attribute, Block, Type, Value};

use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::resource::{Attributes, DataSource};

pub(super) struct CallerIdentity;

#[async_trait]
impl DataSource for CallerIdentity {
    fn type_name(&self) -> &'static str {
        "aws_caller_identity"
    }

    fn block(&self) -> Block {
        let told = |text: &str| Attribute::computed(Type::String).describe(text);
        let block = Block::new([
            ("id", told("The account's id.")),
            ("account_id", told("The account's id.")),
            ("arn", told("The identity, across accounts.")),
            ("user_id", told("What AWS calls the identity.")),
        ]);
        Block { description: "Who calls.".into(), ..block }
    }

    async fn read(&self, cloud: &Cloud, _config: &Value) -> Result<Attributes, Fault> {
        let caller = cloud.caller().await?;
        Ok(vec![
            ("id", Value::from(caller.account.as_str())),
            ("account_id", Value::from(caller.account.as_str())),
            ("arn", Value::from(caller.arn.as_str())),
            ("user_id", Value::from(caller.user_id.as_str())),
        ])
    }
}
