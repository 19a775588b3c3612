//! `aws_ebs_volume`: a disk of a zone, which machines come and go at.

use async_trait::async_trait;
use aws_sdk_ec2::types;
use formwork_contract::{Attribute, Contents, Type, Value};

use super::tags::{self, Ec2Tags};
use super::volume_change::VolumeChange;
use super::{PAGE, filters};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{Fields, flag, text, whole};
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

/// Where AWS attaches the disk that a machine starts from, and no other.
const FIRST_DEVICES: [&str; 2] = ["/dev/sda1", "/dev/xvda"];

pub(super) struct EbsVolume;

#[async_trait]
impl Resource for EbsVolume {
    fn describe(&self) -> Description {
        let fixed = |ty: Type, text: &str| Attribute::defaulted(ty).forces_replacement().describe(text);
        let given = |ty: Type, text: &str| Attribute::defaulted(ty).describe(text);
        let attributes = [
            ("arn", Attribute::computed(Type::String).describe("What names the volume across regions.")),
            ("create_time", Attribute::computed(Type::String).describe("When it was made.")),
            (
                "availability_zone",
                Attribute::required(Type::String).forces_replacement().describe("The zone that it is in."),
            ),
            ("size", given(Type::Number, "Its size in GiB, the snapshot's by default. It grows in place.")),
            ("type", given(Type::String, "`gp3`, `io2` and others. AWS takes `gp2` by default.")),
            ("iops", given(Type::Number, "Operations a second, where the type lets one choose.")),
            ("throughput", given(Type::Number, "MiB a second, for `gp3`.")),
            ("encrypted", fixed(Type::Bool, "It is encrypted. The account says whether it is by default.")),
            ("kms_key_id", fixed(Type::String, "The key that it is encrypted with, by its ARN.")),
            ("snapshot_id", fixed(Type::String, "The snapshot that it starts from.")),
            ("multi_attach_enabled", fixed(Type::Bool, "Several machines may use it at once: `io1` and `io2`.")),
        ];
        Description {
            contents: Contents::Data("files".into()),
            moves: &[("iops", &["size", "type"]), ("throughput", &["type"])],
            has_client_token: true,
            can_rehearse: true,
            lingers: true,
            import_example: "vol-0123456789abcdef0",
            ..Description::new("aws_ebs_volume", "A disk of a zone.", attributes)
                .tagged(&Ec2Tags)
                .with_timeouts(Description::new("", "", []).times)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        let silent = |name: &str| config.get(name).is_none_or(Value::is_null);
        if silent("size") && silent("snapshot_id") {
            let told = "a volume needs a size, or a snapshot to start from";
            problems.at("size", told, "set `size` in GiB, or `snapshot_id`");
        }
        if !silent("kms_key_id") && Fields(config).flag("encrypted") == Some(false) {
            problems.at("kms_key_id", "`kms_key_id` means nothing without encryption", "set `encrypted = true`");
        }
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let mut found = list(cloud, filters(query, "volume-id")).await?;
        // A disk that goes with its machine, or that it starts from, is a part of it.
        let starts = |device: &str| FIRST_DEVICES.contains(&device);
        let is_part = |join: &types::VolumeAttachment| {
            join.delete_on_termination() == Some(true) || join.device().is_some_and(starts)
        };
        found.retain(|volume| !query.leaves_out(volume.attachments().iter().any(is_part)));
        let account = if found.is_empty() { "" } else { &*cloud.caller().await?.account };
        Ok(found.iter().map(|volume| live(cloud, account, volume)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let tags = tags::of_new(types::ResourceType::Volume, &call.tags);
        let made = cloud.ec2.call(Action::repeatable("CreateVolume"), |ec2| {
            ec2.create_volume()
                .client_token(&call.token)
                .set_availability_zone(wanted.text("availability_zone"))
                .set_size(wanted.whole("size"))
                .set_volume_type(wanted.word("type"))
                .set_iops(wanted.whole("iops"))
                .set_throughput(wanted.whole("throughput"))
                .set_encrypted(wanted.flag("encrypted"))
                .set_kms_key_id(wanted.text("kms_key_id"))
                .set_snapshot_id(wanted.text("snapshot_id"))
                .set_multi_attach_enabled(wanted.flag("multi_attach_enabled").filter(|on| *on))
                .set_tag_specifications(Some(tags.clone()))
                .send()
        });
        Ok(made.await?.volume_id.unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let (wanted, config) = (call.wanted(), Fields(&call.config));
        // What AWS chose for the old size and type is not asked for again.
        let said = |name: &str| config.whole(name).filter(|_| call.changes(name));
        let change = VolumeChange {
            size: wanted.whole("size").filter(|_| call.changes("size")),
            kind: wanted.text("type").filter(|_| call.changes("type")),
            iops: said("iops"),
            throughput: said("throughput"),
        };
        let is_one = ["size", "type", "iops", "throughput"].iter().any(|name| call.changes(name));
        if is_one { change.make(cloud, call.id(), self.describe().times.update).await } else { Ok(()) }
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let delete = Action::repeatable("DeleteVolume").passing(&["VolumeInUse"]);
        cloud.ec2.call(delete, |ec2| ec2.delete_volume().volume_id(call.id()).send()).await?;
        Ok(())
    }
}

/// All volumes that the filters let through.
pub(super) async fn list(cloud: &Cloud, filters: Vec<types::Filter>) -> Result<Vec<types::Volume>, Fault> {
    let found = cloud.ec2.pages(
        "DescribeVolumes",
        |ec2, token| {
            let call = ec2.describe_volumes().set_filters(Some(filters.clone()));
            call.max_results(PAGE).set_next_token(token).send()
        },
        |page| (page.volumes, page.next_token),
    );
    found.await
}

fn live(cloud: &Cloud, account: &str, volume: &types::Volume) -> Live {
    let id = volume.volume_id().unwrap_or_default();
    Live {
        id: id.to_owned(),
        tags: tags::of_live(volume.tags()),
        attributes: vec![
            ("arn", Value::from(cloud.region.arn("ec2", account, &format!("volume/{id}")))),
            ("create_time", text(volume.create_time().map(ToString::to_string).as_deref())),
            ("availability_zone", text(volume.availability_zone())),
            ("size", whole(volume.size())),
            ("type", text(volume.volume_type().map(types::VolumeType::as_str))),
            ("iops", whole(volume.iops())),
            ("throughput", whole(volume.throughput())),
            ("encrypted", flag(Some(volume.encrypted().unwrap_or_default()))),
            ("kms_key_id", text(volume.kms_key_id())),
            ("snapshot_id", text(volume.snapshot_id())),
            ("multi_attach_enabled", flag(Some(volume.multi_attach_enabled().unwrap_or_default()))),
        ],
        state: match volume.state() {
            Some(types::VolumeState::Creating) => State::Pending("creating".into()),
            Some(types::VolumeState::Deleting) => State::Pending("deleting".into()),
            Some(types::VolumeState::Deleted) => State::Gone,
            Some(types::VolumeState::Error) => State::Failed("the volume is in the state `error`".into()),
            _ => State::Ready,
        },
    }
}
