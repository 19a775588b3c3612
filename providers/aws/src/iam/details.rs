//! What IAM tells of all roles or policies of an account in one list, with what hangs on them.

use aws_sdk_iam::types::{EntityType, ManagedPolicyDetail, RoleDetail};

use super::PAGE;
use crate::client::fault::Fault;
use crate::cloud::Cloud;

/// All roles, with tags, inline policies and attachments; without descriptions and the length of sessions.
///
/// # Errors
/// IAM refuses the list.
pub(super) async fn roles(cloud: &Cloud) -> Result<Vec<RoleDetail>, Fault> {
    let found = cloud.iam.pages(
        "GetAccountAuthorizationDetails",
        |iam, marker| {
            let call = iam.get_account_authorization_details().filter(EntityType::Role);
            call.max_items(PAGE).set_marker(marker).send()
        },
        |page| (page.role_detail_list, page.marker),
    );
    found.await
}

/// All policies that are the account's own, with their documents; without tags.
///
/// # Errors
/// IAM refuses the list.
pub(super) async fn policies(cloud: &Cloud) -> Result<Vec<ManagedPolicyDetail>, Fault> {
    let found = cloud.iam.pages(
        "GetAccountAuthorizationDetails",
        |iam, marker| {
            let call = iam.get_account_authorization_details().filter(EntityType::LocalManagedPolicy);
            call.max_items(PAGE).set_marker(marker).send()
        },
        |page| (page.policies, page.marker),
    );
    found.await
}
