//! `aws_ecr_repository`: where images of one name are kept.
//!
//! Repositories are listed a thousand a call; their tags are told one by one.

use async_trait::async_trait;
use aws_sdk_ecr::types;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Block, Contents, Nesting, Path, Type, Value};

use super::tags::{self, EcrTags};
use super::{HIDDEN, PAGE};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::client::several::each;
use crate::cloud::Cloud;
use crate::fields::{Fields, text};
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

pub(super) struct Repository;

const ENCRYPTION: &str = "encryption_configuration";
const SCANNING: &str = "image_scanning_configuration";

#[async_trait]
impl Resource for Repository {
    fn describe(&self) -> Description {
        let told = |text: &str| Attribute::computed(Type::String).describe(text);
        let attributes = [
            ("arn", told("What names the repository across regions.")),
            ("registry_id", told("The account whose registry it is in.")),
            ("repository_url", told("Where images are pushed to and pulled from.")),
            (
                "name",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("Its name, once in an account and region, such as `platform/web`."),
            ),
            (
                "image_tag_mutability",
                Attribute::defaulted(Type::String)
                    .describe("`MUTABLE` (the default), or `IMMUTABLE`: a tag never leads to another image."),
            ),
            (
                "force_delete",
                Attribute::defaulted(Type::Bool).describe("The repository is deleted with the images in it."),
            ),
        ];
        let encryption = Block::new([
            (
                "encryption_type",
                Attribute::optional(Type::String).describe("`AES256` (the default), `KMS` or `KMS_DSSE`."),
            ),
            ("kms_key", Attribute::optional(Type::String).describe("The ARN of the key. AWS's own by default.")),
        ]);
        let scanning = Block::new([(
            "scan_on_push",
            Attribute::required(Type::Bool).describe("Images are searched for known holes when they are pushed."),
        )]);
        let mut described = Description {
            defaults: vec![("image_tag_mutability", "MUTABLE".into()), ("force_delete", false.into())],
            kept: &["force_delete"],
            scans: true,
            contents: Contents::Data("container images".into()),
            import_example: "platform/web",
            ..Description::new("aws_ecr_repository", "Where images of one name are kept.", attributes).tagged(&EcrTags)
        };
        let block = described.block.with_block(ENCRYPTION, Nesting::List, encryption);
        described.block = block.with_block(SCANNING, Nesting::List, scanning);
        for name in [ENCRYPTION, SCANNING] {
            if let Some(nested) = described.block.blocks.get_mut(name) {
                nested.max = Some(1);
            }
        }
        described
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.one_of(config, "image_tag_mutability", &["MUTABLE", "IMMUTABLE"]);
        let Some(encryption) = Fields(config).block(ENCRYPTION) else { return };
        let kind = encryption.str("encryption_type");
        if kind.is_some_and(|kind| !["AES256", "KMS", "KMS_DSSE"].contains(&kind)) {
            let told = format!("`{}` is no `encryption_type`", kind.unwrap_or_default());
            problems.at(ENCRYPTION, told, "use one of `AES256`, `KMS`, `KMS_DSSE`");
        }
        if kind.is_none_or(|kind| kind == "AES256") && encryption.str("kms_key").is_some() {
            let told = "`kms_key` is a key of KMS, and `encryption_type` is not";
            problems.at(ENCRYPTION, told, "set `encryption_type = \"KMS\"`, or leave `kms_key` out");
        }
    }

    fn refine(&self, request: &PlanRequest, change: &mut PlannedChange) {
        // AWS encrypts a repository once and for all.
        let (before, after) = (request.prior.get(ENCRYPTION), request.proposed.get(ENCRYPTION));
        if let (Some(before), Some(after)) = (before, after)
            && !request.prior.is_null()
            && before.deep_unmarked() != after.deep_unmarked()
        {
            change.requires_replace.push(Path::attribute(ENCRYPTION));
        }
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        match attribute {
            ENCRYPTION => {
                let (known, live) = (Encryption::of(known), Encryption::of(live));
                // Where no key is named, AWS names its own.
                known.kind == live.kind && (known.key == live.key || known.key.is_none() || live.key.is_none())
            }
            SCANNING => scans_on_push(known) == scans_on_push(live),
            _ => false,
        }
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        planned.get_str("name").map(str::to_owned)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let repositories = match query {
            // One that is not there fails the whole call, so that only one can be asked for by name.
            Query::Ids(names) if names.len() == 1 => {
                let send = |ecr: &aws_sdk_ecr::Client| {
                    ecr.describe_repositories().set_repository_names(Some(names.clone())).send()
                };
                match cloud.ecr.read("DescribeRepositories", send).await {
                    Err(fault) if fault.is(&[HIDDEN, "InvalidParameterException"]) => Vec::new(),
                    told => told?.repositories.unwrap_or_default(),
                }
            }
            Query::Ids(names) => {
                let is_wanted = |repository: &types::Repository| {
                    names.iter().any(|name| repository.repository_name() == Some(name))
                };
                list(cloud).await?.into_iter().filter(is_wanted).collect()
            }
            _ => list(cloud).await?,
        };
        let found = each(repositories, |repository| async move { live(cloud, &repository).await.map(Some) }).await?;
        Ok(found.into_iter().filter(|live| query.admits(&live.tags)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let encryption = Encryption::of(call.planned.get(ENCRYPTION).unwrap_or(&Value::NULL));
        let scanning = types::ImageScanningConfiguration::builder()
            .scan_on_push(scans_on_push(call.planned.get(SCANNING).unwrap_or(&Value::NULL)))
            .build();
        let create = Action::repeatable("CreateRepository");
        let made = cloud.ecr.call(create, |ecr| {
            ecr.create_repository()
                .set_repository_name(wanted.text("name"))
                .set_image_tag_mutability(wanted.word("image_tag_mutability"))
                .image_scanning_configuration(scanning.clone())
                .set_encryption_configuration(encryption.to_sdk())
                .set_tags(Some(tags::to_sdk(&call.tags)))
                .send()
        });
        Ok(made.await?.repository.and_then(|repository| repository.repository_name).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let (id, wanted) = (call.id(), call.wanted());
        if call.changes("image_tag_mutability") {
            let put = Action::repeatable("PutImageTagMutability").passing(&[HIDDEN]);
            let send = |ecr: &aws_sdk_ecr::Client| {
                let call = ecr.put_image_tag_mutability().repository_name(id);
                call.set_image_tag_mutability(wanted.word("image_tag_mutability")).send()
            };
            cloud.ecr.call(put, send).await?;
        }
        if call.changes(SCANNING) {
            let on = scans_on_push(call.planned.get(SCANNING).unwrap_or(&Value::NULL));
            let scanning = types::ImageScanningConfiguration::builder().scan_on_push(on).build();
            let put = Action::repeatable("PutImageScanningConfiguration").passing(&[HIDDEN]);
            let send = |ecr: &aws_sdk_ecr::Client| {
                let call = ecr.put_image_scanning_configuration().repository_name(id);
                call.image_scanning_configuration(scanning.clone()).send()
            };
            cloud.ecr.call(put, send).await?;
        }
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let force = call.found().flag("force_delete").unwrap_or_default();
        let delete = Action::repeatable("DeleteRepository");
        cloud.ecr.call(delete, |ecr| ecr.delete_repository().repository_name(call.id()).force(force).send()).await?;
        Ok(())
    }
}

/// How images are encrypted.
struct Encryption {
    kind: String,
    key: Option<String>,
}

impl Encryption {
    /// That of a block; AWS's default where there is none.
    fn of(block: &Value) -> Self {
        let first = block.elements().and_then(<[Value]>::first).map(Fields);
        let kind = first.and_then(|fields| fields.text("encryption_type")).unwrap_or_else(|| "AES256".into());
        Self { kind, key: first.and_then(|fields| fields.text("kms_key")) }
    }

    fn to_sdk(&self) -> Option<types::EncryptionConfiguration> {
        let kind = types::EncryptionType::from(self.kind.as_str());
        // It builds: its kind is there.
        types::EncryptionConfiguration::builder().encryption_type(kind).set_kms_key(self.key.clone()).build().ok()
    }
}

fn scans_on_push(block: &Value) -> bool {
    let first = block.elements().and_then(<[Value]>::first).map(Fields);
    first.and_then(|fields| fields.flag("scan_on_push")).unwrap_or_default()
}

async fn list(cloud: &Cloud) -> Result<Vec<types::Repository>, Fault> {
    let found = cloud.ecr.pages(
        "DescribeRepositories",
        |ecr, token| ecr.describe_repositories().max_results(PAGE).set_next_token(token).send(),
        |page| (page.repositories, page.next_token),
    );
    found.await
}

async fn live(cloud: &Cloud, repository: &types::Repository) -> Result<Live, Fault> {
    let tags = tags::of_live(cloud, repository.repository_arn().unwrap_or_default()).await?;
    let block = |parts: Vec<(&str, Value)>| Value::tuple(vec![Value::object(parts)]);
    // What every repository has is not shown: a blueprint that is silent means the same.
    let encryption = repository.encryption_configuration().filter(|found| found.encryption_type().as_str() != "AES256");
    let encryption = encryption.map_or_else(
        || Value::tuple(Vec::new()),
        |found| {
            let kind = text(Some(found.encryption_type().as_str()));
            block(vec![("encryption_type", kind), ("kms_key", text(found.kms_key()))])
        },
    );
    let scanning = repository.image_scanning_configuration().filter(|found| found.scan_on_push);
    let scanning = scanning
        .map_or_else(|| Value::tuple(Vec::new()), |found| block(vec![("scan_on_push", found.scan_on_push.into())]));
    Ok(Live {
        id: repository.repository_name().unwrap_or_default().to_owned(),
        tags,
        attributes: vec![
            ("arn", text(repository.repository_arn())),
            ("registry_id", text(repository.registry_id())),
            ("repository_url", text(repository.repository_uri())),
            ("name", text(repository.repository_name())),
            ("image_tag_mutability", text(repository.image_tag_mutability().map(types::ImageTagMutability::as_str))),
            (ENCRYPTION, encryption),
            (SCANNING, scanning),
        ],
        state: State::Ready,
    })
}
