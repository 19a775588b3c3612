//! Changes of volumes in place: asked for by one call, and carried out by AWS while the volume is in use.

use std::time::Duration;

use aws_sdk_ec2::types::VolumeModificationState as State;

use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;

/// What a volume is to become; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct VolumeChange {
    /// In GiB.
    pub size: Option<i32>,
    pub kind: Option<String>,
    pub iops: Option<i32>,
    /// In MiB a second.
    pub throughput: Option<i32>,
}

impl VolumeChange {
    /// Asks for the change, and waits until the volume is what was asked for; AWS may go on moving its data.
    ///
    /// # Errors
    /// AWS refuses, or gives up.
    pub(super) async fn make(&self, cloud: &Cloud, volume: &str, at_most: Duration) -> Result<(), Fault> {
        let send = |ec2: &aws_sdk_ec2::Client| {
            ec2.modify_volume()
                .volume_id(volume)
                .set_size(self.size)
                .set_volume_type(self.kind.as_deref().map(Into::into))
                .set_iops(self.iops)
                .set_throughput(self.throughput)
                .send()
        };
        cloud.ec2.call(Action::once("ModifyVolume"), send).await?;
        let look = || async {
            let told = cloud.ec2.read("DescribeVolumesModifications", |ec2| {
                ec2.describe_volumes_modifications().volume_ids(volume).send()
            });
            let told = told.await?.volumes_modifications.unwrap_or_default();
            let last = told.into_iter().max_by_key(|change| change.start_time.map(|time| time.as_nanos()));
            Ok(match last.as_ref().and_then(|change| change.modification_state()) {
                Some(State::Modifying) => None,
                Some(State::Failed) => {
                    let why = last.and_then(|change| change.status_message).unwrap_or_default();
                    Some(Err(Fault::own("modification failed", format!("AWS gave up changing `{volume}`: {why}"))))
                }
                _ => Some(Ok(())),
            })
        };
        cloud.ec2.until(at_most, look).await?.unwrap_or_else(|| {
            Err(Fault::own("modification late", format!("`{volume}` is still being changed after {at_most:?}")))
        })
    }
}
