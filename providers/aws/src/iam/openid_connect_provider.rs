//! `aws_iam_openid_connect_provider`: whose tokens are trusted, such as a cluster's for its workloads.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_iam::operation::get_open_id_connect_provider::GetOpenIdConnectProviderOutput;
use formwork_contract::{Attribute, Type, Value};

use super::BUSY;
use super::tags::{self, IamTags};
use crate::client::Action;
use crate::client::fault::{Fault, unless_gone};
use crate::client::several::each;
use crate::cloud::Cloud;
use crate::fields::{Fields, list, set, text};
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

pub(super) struct OpenIdConnectProvider;

#[async_trait]
impl Resource for OpenIdConnectProvider {
    fn describe(&self) -> Description {
        let attributes = [
            ("arn", Attribute::computed(Type::String).describe("What names the provider across accounts.")),
            (
                "url",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("The issuer of the tokens, an `https://` address."),
            ),
            (
                "client_id_list",
                Attribute::required(Type::set(Type::String))
                    .describe("For whom tokens are issued, such as `sts.amazonaws.com`."),
            ),
            (
                "thumbprint_list",
                Attribute::defaulted(Type::list(Type::String))
                    .describe("SHA-1 digests of the issuer's certificate authorities. IAM finds them by default."),
            ),
        ];
        Description {
            scans: true,
            import_example: "arn:aws:iam::123456789012:oidc-provider/oidc.eks.ca-central-1.amazonaws.com/id/0123456789ABCDEF",
            ..Description::new("aws_iam_openid_connect_provider", "Whose tokens are trusted.", attributes)
                .tagged(&IamTags::OpenIdConnectProvider)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        if let Some(url) = config.get_str("url").filter(|url| url.starts_with("http://")) {
            problems.at("url", format!("`{url}` is not safe"), "an issuer of tokens has an `https://` address");
        }
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        // IAM tells the address without its scheme.
        let digests = |list: &Value| {
            let digests = list.elements().unwrap_or_default().iter().filter_map(Value::as_str);
            digests.map(str::to_lowercase).collect::<Vec<_>>()
        };
        match attribute {
            "url" => known.as_str().map(issuer) == live.as_str().map(issuer),
            // Digests are written in hexadecimal digits, which have no case.
            "thumbprint_list" => digests(known) == digests(live),
            _ => false,
        }
    }

    async fn id_of_attempt(&self, cloud: &Cloud, planned: &Value, _token: &str) -> Result<Option<String>, Fault> {
        let Some(url) = Fields(planned).str("url") else { return Ok(None) };
        super::arn(cloud, &format!("oidc-provider/{}", issuer(url))).await.map(Some)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let arns: Vec<String> = match query {
            Query::Ids(arns) => arns.iter().filter(|arn| arn.starts_with("arn:")).cloned().collect(),
            // The list leaves tags out; an account has a hundred providers at most.
            _ => {
                let send = |iam: &aws_sdk_iam::Client| iam.list_open_id_connect_providers().send();
                let all = cloud.iam.read("ListOpenIDConnectProviders", send).await?;
                all.open_id_connect_provider_list().iter().filter_map(|entry| entry.arn.clone()).collect()
            }
        };
        let found = each(arns, |arn| async move {
            let send = |iam: &aws_sdk_iam::Client| {
                iam.get_open_id_connect_provider().open_id_connect_provider_arn(&arn).send()
            };
            let told = cloud.iam.read("GetOpenIDConnectProvider", send).await?;
            Ok(Some(live(&arn, &told)))
        });
        Ok(found.await?.into_iter().filter(|live| query.admits(&live.tags)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let thumbprints = wanted.texts("thumbprint_list");
        let create = Action::repeatable("CreateOpenIDConnectProvider").passing(&[BUSY]);
        let made = cloud.iam.call(create, |iam| {
            iam.create_open_id_connect_provider()
                .set_url(wanted.text("url"))
                .set_client_id_list(Some(wanted.texts("client_id_list")))
                .set_thumbprint_list((!thumbprints.is_empty()).then(|| thumbprints.clone()))
                .set_tags(Some(tags::to_sdk(&call.tags)))
                .send()
        });
        Ok(made.await?.open_id_connect_provider_arn.unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let id = call.id();
        if call.changes("client_id_list") {
            let of = |fields: Fields<'_>| fields.texts("client_id_list").into_iter().collect::<BTreeSet<_>>();
            let (found, wanted) = (of(call.found()), of(call.wanted()));
            for client in wanted.difference(&found) {
                let add = Action::repeatable("AddClientIDToOpenIDConnectProvider").passing(&[BUSY]);
                let send = |iam: &aws_sdk_iam::Client| {
                    let call = iam.add_client_id_to_open_id_connect_provider().open_id_connect_provider_arn(id);
                    call.client_id(client).send()
                };
                cloud.iam.call(add, send).await?;
            }
            for client in found.difference(&wanted) {
                let remove = Action::repeatable("RemoveClientIDFromOpenIDConnectProvider").passing(&[BUSY]);
                let send = |iam: &aws_sdk_iam::Client| {
                    let call = iam.remove_client_id_from_open_id_connect_provider().open_id_connect_provider_arn(id);
                    call.client_id(client).send()
                };
                unless_gone(cloud.iam.call(remove, send).await)?;
            }
        }
        if call.changes("thumbprint_list") {
            let thumbprints = call.wanted().texts("thumbprint_list");
            let update = Action::repeatable("UpdateOpenIDConnectProviderThumbprint").passing(&[BUSY]);
            let send = |iam: &aws_sdk_iam::Client| {
                let call = iam.update_open_id_connect_provider_thumbprint().open_id_connect_provider_arn(id);
                call.set_thumbprint_list(Some(thumbprints.clone())).send()
            };
            cloud.iam.call(update, send).await?;
        }
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let delete = Action::repeatable("DeleteOpenIDConnectProvider").passing(&[BUSY]);
        let send = |iam: &aws_sdk_iam::Client| {
            iam.delete_open_id_connect_provider().open_id_connect_provider_arn(call.id()).send()
        };
        cloud.iam.call(delete, send).await?;
        Ok(())
    }
}

/// The address of an issuer without its scheme.
fn issuer(url: &str) -> &str {
    url.strip_prefix("https://").unwrap_or(url)
}

fn live(arn: &str, provider: &GetOpenIdConnectProviderOutput) -> Live {
    Live {
        id: arn.to_owned(),
        tags: tags::of_live(provider.tags()),
        attributes: vec![
            ("arn", text(Some(arn))),
            // IAM tells the address without its scheme, which is always this one.
            ("url", Value::from(format!("https://{}", issuer(provider.url().unwrap_or_default())))),
            ("client_id_list", set(provider.client_id_list())),
            ("thumbprint_list", list(provider.thumbprint_list())),
        ],
        state: State::Ready,
    }
}
