//! The data source `aws_ecr_authorization_token`: lets a client of registries sign in for twelve hours.

use async_trait::async_trait;
use aws_smithy_types::date_time::Format;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formwork_contract::{Attribute, Block, Type, Value};

use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{Fields, text};
use crate::resource::{Attributes, DataSource};

pub(super) struct AuthorizationToken;

#[async_trait]
impl DataSource for AuthorizationToken {
    fn type_name(&self) -> &'static str {
        "aws_ecr_authorization_token"
    }

    fn block(&self) -> Block {
        let told = |text: &str| Attribute::computed(Type::String).describe(text);
        let block = Block::new([
            ("id", told("The region.")),
            (
                "registry_id",
                Attribute::optional(Type::String)
                    .describe("The account whose registry is meant. The caller's by default."),
            ),
            (
                "authorization_token",
                told("User and password, as an `Authorization: Basic` header has them.").sensitive(),
            ),
            ("user_name", told("The user.")),
            ("password", told("The password.").sensitive()),
            (
                "proxy_endpoint",
                told("The registry, such as `https://123456789012.dkr.ecr.ca-central-1.amazonaws.com`."),
            ),
            ("expires_at", told("Until when it holds.")),
        ]);
        Block { description: "Lets a client of registries sign in for twelve hours.".into(), ..block }
    }

    async fn read(&self, cloud: &Cloud, config: &Value) -> Result<Attributes, Fault> {
        let registry = Fields(config).text("registry_id");
        #[expect(deprecated, reason = "Terraform's data source has the attribute, and ECR takes it still")]
        let answer = cloud.ecr.read("GetAuthorizationToken", |ecr| {
            ecr.get_authorization_token().set_registry_ids(registry.clone().map(|id| vec![id])).send()
        });
        let told = answer.await?.authorization_data.unwrap_or_default().into_iter().next();
        let token = told.as_ref().and_then(|told| told.authorization_token()).unwrap_or_default();
        let plain = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some((user, password)) = plain.as_deref().and_then(|plain| plain.split_once(':')) else {
            return Err(Fault::own("no token", "ECR gave no token that can be read"));
        };
        let expires = told.as_ref().and_then(|told| told.expires_at()?.fmt(Format::DateTime).ok());
        Ok(vec![
            ("id", Value::from(&*cloud.region.name)),
            ("authorization_token", token.into()),
            ("user_name", user.into()),
            ("password", password.into()),
            ("proxy_endpoint", text(told.as_ref().and_then(|told| told.proxy_endpoint()))),
            ("expires_at", text(expires.as_deref())),
        ])
    }
}
