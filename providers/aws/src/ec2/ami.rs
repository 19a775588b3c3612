//! The data source `aws_ami`: an image that machines start from.

use async_trait::async_trait;
use aws_sdk_ec2::types;
use formwork_contract::{Attribute, Block, Type, Value};

use super::lookup;
use super::tags as ec2_tags;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{Fields, flag, text};
use crate::resource::{Attributes, DataSource};
use crate::tags;

pub(super) struct Ami;

/// What is told of the image.
const TOLD: [(&str, &str); 21] = [
    ("id", "The image."),
    ("image_id", "The same as `id`."),
    ("arn", "What names the image across regions."),
    ("name", "Its name."),
    ("description", "What it is for."),
    ("owner_id", "The account that owns it."),
    ("image_owner_alias", "The owner by a name, such as `amazon`."),
    ("image_location", "The owner and the name."),
    ("image_type", "`machine`, or a part of one."),
    ("creation_date", "When it was made."),
    ("deprecation_time", "From when on it is not listed."),
    ("architecture", "`x86_64`, `arm64` and others."),
    ("boot_mode", "How machines start: `uefi`, `legacy-bios` and others."),
    ("hypervisor", "What machines run on."),
    ("imds_support", "`v2.0` where machines ask for a session to be told of themselves."),
    ("platform", "`windows`, or nothing."),
    ("platform_details", "What is paid for, such as `Linux/UNIX`."),
    ("root_device_name", "What the first disk is called."),
    ("root_device_type", "`ebs` or `instance-store`."),
    ("state", "`available` and others."),
    ("virtualization_type", "`hvm` or `paravirtual`."),
];

#[async_trait]
impl DataSource for Ami {
    fn type_name(&self) -> &'static str {
        "aws_ami"
    }

    fn block(&self) -> Block {
        let strings = |text: &str| Attribute::optional(Type::list(Type::String)).describe(text);
        let mut block = Block::new([
            (
                "owners",
                strings(
                    "Whose images: accounts, `self`, `amazon`, `aws-marketplace`. Say it: anybody can name an image like another.",
                ),
            ),
            ("executable_users", strings("Images that these may use: accounts, `self` or `all`.")),
            (
                "most_recent",
                Attribute::optional(Type::Bool).describe("Of several the newest, where one alone is an error."),
            ),
            (
                "include_deprecated",
                Attribute::optional(Type::Bool).describe("Images that are not to be used any more too."),
            ),
            ("public", Attribute::computed(Type::Bool).describe("Anybody may use it.")),
            ("ena_support", Attribute::computed(Type::Bool).describe("Machines have the faster network.")),
            ("root_snapshot_id", Attribute::computed(Type::String).describe("The snapshot of the first disk.")),
            ("block_device_mappings", Attribute::computed(Type::set(disk_type())).describe("The disks.")),
            ("tags", Attribute::computed(Type::map(Type::String)).describe("Its tags.")),
        ]);
        let told = TOLD.map(|(name, text)| (name.into(), Attribute::computed(Type::String).describe(text)));
        block.attributes.extend(told);
        lookup::filterable(block, "An image that machines start from.")
    }

    async fn read(&self, cloud: &Cloud, config: &Value) -> Result<Attributes, Fault> {
        let config = Fields(config);
        let filters = lookup::filters(config);
        let list = |name: &str| Some(config.texts(name)).filter(|texts| !texts.is_empty());
        let (owners, users) = (list("owners"), list("executable_users"));
        let found = cloud.ec2.pages(
            "DescribeImages",
            |ec2, token| {
                ec2.describe_images()
                    .set_filters(lookup::some(&filters))
                    .set_owners(owners.clone())
                    .set_executable_users(users.clone())
                    .set_include_deprecated(config.flag("include_deprecated"))
                    .max_results(super::PAGE)
                    .set_next_token(token)
                    .send()
            },
            |page| (page.images, page.next_token),
        );
        let mut found = found.await?;
        if config.flag("most_recent").unwrap_or_default() {
            // The dates are written so that they sort as texts.
            found.sort_by(|a, b| (a.creation_date(), a.image_id()).cmp(&(b.creation_date(), b.image_id())));
            found = found.pop().into_iter().collect();
        }
        Ok(told(cloud, &lookup::one("image", found)?))
    }
}

fn disk_type() -> Type {
    Type::object([
        ("device_name", Type::String),
        ("no_device", Type::String),
        ("virtual_name", Type::String),
        ("ebs", Type::map(Type::String)),
    ])
}

fn told(cloud: &Cloud, image: &types::Image) -> Attributes {
    let id = image.image_id().unwrap_or_default();
    let root = image.root_device_name();
    let disk = image.block_device_mappings().iter().find(|disk| disk.device_name() == root);
    let snapshot = disk.and_then(|disk| disk.ebs()).and_then(|ebs| ebs.snapshot_id());
    let disks = image.block_device_mappings().iter().map(disk_value).collect();
    vec![
        ("id", Value::from(id)),
        ("image_id", Value::from(id)),
        ("arn", Value::from(cloud.region.arn("ec2", "", &format!("image/{id}")))),
        ("name", text(image.name())),
        ("description", text(image.description())),
        ("owner_id", text(image.owner_id())),
        ("image_owner_alias", text(image.image_owner_alias())),
        ("image_location", text(image.image_location())),
        ("image_type", text(image.image_type().map(|kind| kind.as_str()))),
        ("creation_date", text(image.creation_date())),
        ("deprecation_time", text(image.deprecation_time())),
        ("architecture", text(image.architecture().map(|kind| kind.as_str()))),
        ("boot_mode", text(image.boot_mode().map(|kind| kind.as_str()))),
        ("hypervisor", text(image.hypervisor().map(|kind| kind.as_str()))),
        ("imds_support", text(image.imds_support().map(|kind| kind.as_str()))),
        ("platform", text(image.platform().map(|kind| kind.as_str()))),
        ("platform_details", text(image.platform_details())),
        ("root_device_name", text(root)),
        ("root_device_type", text(image.root_device_type().map(|kind| kind.as_str()))),
        ("state", text(image.state().map(|state| state.as_str()))),
        ("virtualization_type", text(image.virtualization_type().map(|kind| kind.as_str()))),
        ("public", flag(Some(image.public().unwrap_or_default()))),
        ("ena_support", flag(Some(image.ena_support().unwrap_or_default()))),
        ("root_snapshot_id", text(snapshot)),
        ("block_device_mappings", Value::set(disk_type(), disks)),
        ("tags", tags::own(&ec2_tags::of_live(image.tags()))),
    ]
}

fn disk_value(disk: &types::BlockDeviceMapping) -> Value {
    let ebs = disk.ebs().map(|ebs| {
        let number = |part: Option<i32>| part.map(|number| number.to_string());
        let switch = |part: Option<bool>| part.map(|on| on.to_string());
        [
            ("delete_on_termination", switch(ebs.delete_on_termination())),
            ("encrypted", switch(ebs.encrypted())),
            ("iops", number(ebs.iops())),
            ("snapshot_id", ebs.snapshot_id().map(str::to_owned)),
            ("throughput", number(ebs.throughput())),
            ("volume_size", number(ebs.volume_size())),
            ("volume_type", ebs.volume_type().map(|kind| kind.as_str().to_owned())),
        ]
    });
    let ebs = ebs.into_iter().flatten().filter_map(|(name, part)| Some((name.into(), Value::from(part?))));
    Value::object([
        ("device_name", text(disk.device_name())),
        ("no_device", text(disk.no_device())),
        ("virtual_name", text(disk.virtual_name())),
        ("ebs", Value::map(Type::String, ebs.collect())),
    ])
}
