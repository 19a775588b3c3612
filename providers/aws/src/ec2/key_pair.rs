//! `aws_key_pair`: a public key of one's own that machines let in. Its id is its name, as in Terraform.

use async_trait::async_trait;
use aws_sdk_ec2::primitives::Blob;
use aws_sdk_ec2::types;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Path, Type, Value};

use super::filters;
use super::tags::{self, Ec2TagsBy};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::text;
use crate::made_up;
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

pub(super) struct KeyPair;

#[async_trait]
impl Resource for KeyPair {
    fn describe(&self) -> Description {
        let told = |text: &str| Attribute::computed(Type::String).describe(text);
        let attributes = [
            ("id", told("The same as `key_name`.")),
            ("arn", told("What names the key across regions.")),
            ("key_pair_id", told("What AWS calls the key.")),
            ("fingerprint", told("Tells keys apart.")),
            ("key_type", told("`rsa` or `ed25519`.")),
            (
                "key_name",
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("Its name, once in a region. Made up by default."),
            ),
            (
                "key_name_prefix",
                Attribute::optional(Type::String)
                    .forces_replacement()
                    .describe("What a name that is made up begins with."),
            ),
            (
                "public_key",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("The public key, as OpenSSH writes it. The private one is not AWS's."),
            ),
        ];
        Description {
            can_rehearse: true,
            import_example: "deploy",
            ..Description::new("aws_key_pair", "A public key that machines let in.", attributes)
                .tagged(&Ec2TagsBy("key_pair_id"))
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.at_most_one(config, &["key_name", "key_name_prefix"]);
        if config.get_str("public_key").is_some_and(|key| key.contains("PRIVATE KEY")) {
            let told = "`public_key` holds a private key";
            problems.at("public_key", told, "give the public one; a private key that was in a blueprint is lost");
        }
    }

    fn refine(&self, request: &PlanRequest, change: &mut PlannedChange) {
        // A key that was taken over: whether its name was made up from the prefix shows in the name.
        let (prior, prefix) = (&request.prior, request.config.get_str("key_name_prefix"));
        let fits = prior.get("key_name_prefix").is_none_or(Value::is_null)
            && prefix.is_some_and(|prefix| prior.get_str("key_name").is_some_and(|name| name.starts_with(prefix)));
        if fits {
            change.requires_replace.retain(|path| *path != Path::attribute("key_name_prefix"));
        }
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        // AWS puts the key's name in the place of its comment.
        let key = |value: &Value| {
            let words: Vec<String> = value.as_str()?.split_whitespace().take(2).map(str::to_owned).collect();
            Some(words)
        };
        attribute == "public_key" && key(known).is_some() && key(known) == key(live)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let filters = filters(query, "key-name");
        // EC2 gives all of them in one page.
        let found = cloud.ec2.read("DescribeKeyPairs", |ec2| {
            ec2.describe_key_pairs().include_public_key(true).set_filters(Some(filters.clone())).send()
        });
        let found = found.await?.key_pairs.unwrap_or_default();
        let account = if found.is_empty() { "" } else { &*cloud.caller().await?.account };
        Ok(found.iter().map(|key| live(cloud, account, key)).filter(|live| query.admits(&live.tags)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let name = made_up::name_in(wanted, "key_name", "key_name_prefix", &call.token);
        let key = wanted.text("public_key").unwrap_or_default();
        let tags = tags::of_new(types::ResourceType::KeyPair, &call.tags);
        let made = cloud.ec2.call(Action::once("ImportKeyPair"), |ec2| {
            ec2.import_key_pair()
                .key_name(&name)
                .public_key_material(Blob::new(key.as_bytes()))
                .set_tag_specifications(Some(tags.clone()))
                .send()
        });
        Ok(made.await?.key_name.unwrap_or(name.clone()))
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let delete = Action::repeatable("DeleteKeyPair");
        cloud.ec2.call(delete, |ec2| ec2.delete_key_pair().key_name(call.id()).send()).await?;
        Ok(())
    }
}

fn live(cloud: &Cloud, account: &str, key: &types::KeyPairInfo) -> Live {
    let name = key.key_name().unwrap_or_default();
    let tags = tags::of_live(key.tags());
    Live {
        id: name.to_owned(),
        attributes: vec![
            ("arn", Value::from(cloud.region.arn("ec2", account, &format!("key-pair/{name}")))),
            ("key_pair_id", text(key.key_pair_id())),
            ("fingerprint", text(key.key_fingerprint())),
            ("key_type", text(key.key_type().map(types::KeyType::as_str))),
            ("key_name", text(Some(name))),
            ("key_name_prefix", made_up::prefix(name, &tags)),
            ("public_key", text(key.public_key().map(str::trim))),
        ],
        tags,
        state: State::Ready,
    }
}
