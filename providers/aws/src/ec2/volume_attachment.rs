//! `aws_volume_attachment`: a disk at a machine. Its id is made of the device, the volume and the machine, as an import
//! has it.

use async_trait::async_trait;
use aws_sdk_ec2::types;
use formwork_contract::{Attribute, Type, Value};

use super::ebs_volume::list;
use super::filter;
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{Fields, text};
use crate::resource::{Call, Description, Live, Query, Resource, State};
use crate::tags::Tags;

pub(super) struct VolumeAttachment;

#[async_trait]
impl Resource for VolumeAttachment {
    fn describe(&self) -> Description {
        let fixed = |text: &str| Attribute::required(Type::String).forces_replacement().describe(text);
        let switch = |text: &str| Attribute::defaulted(Type::Bool).describe(text);
        let attributes = [
            ("device_name", fixed("What the machine is to call the disk, such as `/dev/sdf`.")),
            ("volume_id", fixed("The disk.")),
            ("instance_id", fixed("The machine.")),
            ("force_detach", switch("It is taken off even where the machine does not let go: files may be lost.")),
            ("skip_destroy", switch("It stays at the machine when this goes.")),
        ];
        Description {
            defaults: vec![("force_detach", false.into()), ("skip_destroy", false.into())],
            kept: &["force_detach", "skip_destroy"],
            can_rehearse: true,
            lingers: true,
            import_example: "/dev/sdf:vol-0123456789abcdef0:i-0123456789abcdef0",
            ..Description::new("aws_volume_attachment", "A disk at a machine.", attributes)
                .with_timeouts(Description::new("", "", []).times)
        }
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        let planned = Fields(planned);
        Some(id(planned.str("device_name")?, planned.str("volume_id")?, planned.str("instance_id")?))
    }

    fn recorded(&self, value: &Value) -> Option<String> {
        value.get_str("id").filter(|id| id.starts_with("vai-"))?;
        self.id_of(value)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let Query::Ids(ids) = query else { return Ok(Vec::new()) };
        let mut volumes: Vec<String> = ids.iter().filter_map(|id| Some(id.rsplit(':').nth(1)?.to_owned())).collect();
        volumes.sort();
        volumes.dedup();
        if volumes.is_empty() {
            return Ok(Vec::new());
        }
        let found = list(cloud, vec![filter("volume-id", volumes)]).await?;
        let lives = found.iter().flat_map(|volume| volume.attachments()).map(live);
        Ok(lives.filter(|live| ids.contains(&live.id)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        // A machine that is starting takes no disk yet.
        let action = Action::once("AttachVolume").passing(&["IncorrectState", "InvalidVolume.NotFound"]);
        let send = |ec2: &aws_sdk_ec2::Client| {
            ec2.attach_volume()
                .set_device(wanted.text("device_name"))
                .set_volume_id(wanted.text("volume_id"))
                .set_instance_id(wanted.text("instance_id"))
                .send()
        };
        cloud.ec2.call(action, send).await?;
        Ok(self.id_of(&call.planned).unwrap_or_default())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let found = call.found();
        let send = |ec2: &aws_sdk_ec2::Client| {
            ec2.detach_volume()
                .set_device(found.text("device_name"))
                .set_volume_id(found.text("volume_id"))
                .set_instance_id(found.text("instance_id"))
                .set_force(found.flag("force_detach").filter(|on| *on))
                .send()
        };
        match cloud.ec2.call(Action::repeatable("DetachVolume"), send).await {
            // It is at no machine, or leaves one already: what stands is looked at next.
            Err(fault) if fault.is(&["IncorrectState"]) => Ok(()),
            done => done.map(|_| ()),
        }
    }

    fn is_left(&self, live: &Value) -> bool {
        Fields(live).flag("skip_destroy").unwrap_or_default()
    }
}

fn id(device: &str, volume: &str, instance: &str) -> String {
    format!("{device}:{volume}:{instance}")
}

fn live(attachment: &types::VolumeAttachment) -> Live {
    let part = |part: Option<&str>| part.unwrap_or_default().to_owned();
    let (device, volume, instance) =
        (part(attachment.device()), part(attachment.volume_id()), part(attachment.instance_id()));
    Live {
        id: id(&device, &volume, &instance),
        tags: Tags::new(),
        attributes: vec![
            ("device_name", text(Some(&device))),
            ("volume_id", text(Some(&volume))),
            ("instance_id", text(Some(&instance))),
        ],
        state: match attachment.state() {
            Some(types::VolumeAttachmentState::Attaching) => State::Pending("attaching".into()),
            Some(types::VolumeAttachmentState::Detaching) => State::Pending("detaching".into()),
            Some(types::VolumeAttachmentState::Busy) => State::Pending("busy".into()),
            Some(types::VolumeAttachmentState::Detached) => State::Gone,
            _ => State::Ready,
        },
    }
}
