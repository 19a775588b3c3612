//! Updates of EKS: each goes on after its call was answered, and the next one is refused until it is through.

use std::time::Duration;

use aws_sdk_eks::types::{Update, UpdateStatus};

use super::issues;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::duration;
use crate::resource::Call;

/// What is updated.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub cluster: &'a str,
    pub node_group: Option<&'a str>,
    pub addon: Option<&'a str>,
    /// How long an update may take.
    pub at_most: Duration,
}

impl<'a> Subject<'a> {
    pub(super) fn cluster(cluster: &'a str, at_most: Duration) -> Self {
        Self { cluster, node_group: None, addon: None, at_most }
    }

    /// Waits until an update is through.
    ///
    /// # Errors
    /// It failed or was cancelled, or there is no time left.
    pub(super) async fn through(&self, cloud: &Cloud, update: Option<Update>) -> Result<(), Fault> {
        let Some(id) = update.and_then(|update| update.id) else { return Ok(()) };
        let look = || async {
            let send = |eks: &aws_sdk_eks::Client| {
                let call = eks.describe_update().name(self.cluster).update_id(&id);
                let (group, addon) = (self.node_group, self.addon);
                call.set_nodegroup_name(group.map(str::to_owned)).set_addon_name(addon.map(str::to_owned)).send()
            };
            let update = cloud.eks.read("DescribeUpdate", send).await?.update;
            tracing::info!(cluster = self.cluster, update = id, "waiting until the update is through");
            Ok(update.filter(|update| update.status() != Some(&UpdateStatus::InProgress)))
        };
        match cloud.eks.until(self.at_most, look).await? {
            Some(update) if update.status() == Some(&UpdateStatus::Successful) => Ok(()),
            Some(update) => {
                let told = update
                    .errors()
                    .iter()
                    .map(|error| (error.error_code().map(|code| code.as_str()), error.error_message()));
                let status = update.status().map_or("without a status", UpdateStatus::as_str);
                let why = issues(told);
                let why = if why.is_empty() { "EKS gives no reason".to_owned() } else { why };
                Err(Fault::own("UpdateFailed", format!("the update of `{}` ended as {status}: {why}", self.name())))
            }
            None => {
                let seconds = self.at_most.as_secs();
                let told = format!("the update of `{}` is not through after {seconds} s; it goes on", self.name());
                Err(Fault { certain: false, ..Fault::own("UpdateLate", told) })
            }
        }
    }

    fn name(&self) -> &str {
        self.node_group.or(self.addon).unwrap_or(self.cluster)
    }
}

/// What makes one update of two calls for the same thing, when the answer to the first one is lost.
pub(super) fn token(call: &Call, what: &str) -> String {
    format!("{}-{what}", call.token)
}

/// How long an update may take: as the block `timeouts` says, or by default.
pub(super) fn at_most(call: &Call, default: Duration) -> Duration {
    let said = call.planned.get("timeouts").and_then(|times| times.get_str("update")).and_then(duration::parse);
    said.unwrap_or(default)
}
