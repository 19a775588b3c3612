//! TEST CODE: what moto takes and EC2 refuses, and lists that moto cuts short or filters by other names.
//!
//! The codes and messages are those of EC2's reference of error codes.

use std::net::SocketAddr;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{HeaderMap, Request, StatusCode};

use crate::dialect::Dialect;
use crate::moto::{Answer, forward};
use crate::shim::Call;

/// Lists of which moto gives a few where none is asked for; the shim itself cuts them into pages.
const SHORT: [&str; 3] = ["DescribeInstances", "DescribeLaunchTemplates", "DescribeLaunchTemplateVersions"];

/// Filters of EC2's that moto does not know: it calls them all `id`.
const UNKNOWN: [&str; 2] = ["Name=network-acl-id", "Name=vpc-endpoint-id"];

/// A call as moto takes it: it is asked for the whole of a list.
pub(crate) fn translated(action: &str, body: String) -> String {
    let body = UNKNOWN.iter().fold(body, |body, name| body.replace(name, "Name=id"));
    if SHORT.contains(&action) { format!("{body}&MaxResults=1000000") } else { body }
}

/// EC2's refusal of what moto would do.
pub(crate) async fn refusal(moto: SocketAddr, headers: &HeaderMap, action: &str, call: &Call) -> Option<Answer> {
    if action == "AttachVolume" {
        let volume = call.parameter("VolumeId")?;
        let told = ask(moto, headers, &format!("Action=DescribeVolumes&VolumeId.1={volume}")).await?;
        if told.contains("<status>in-use</status>") {
            let text = format!("{volume} is already attached to an instance");
            return Some(Dialect::of(headers).error(StatusCode::BAD_REQUEST, "VolumeInUse", &text));
        }
    }
    if action == "DeleteSecurityGroup" {
        let group = call.parameter("GroupId")?;
        let filter = format!("Filter.1.Name=instance.group-id&Filter.1.Value.1={group}");
        let standing = "Filter.2.Name=instance-state-name&Filter.2.Value.1=running&Filter.2.Value.2=stopped";
        let told = ask(moto, headers, &format!("Action=DescribeInstances&{filter}&{standing}")).await?;
        if told.contains("<instanceId>") {
            let text = format!("resource {group} has a dependent object");
            return Some(Dialect::of(headers).error(StatusCode::BAD_REQUEST, "DependencyViolation", &text));
        }
    }
    None
}

/// A question in the name of who called.
async fn ask(moto: SocketAddr, headers: &HeaderMap, question: &str) -> Option<String> {
    let mut request = Request::post("/");
    for (name, value) in headers.iter().filter(|(name, _)| *name != "content-length") {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(format!("{question}&Version=2016-11-15")))).ok()?;
    let answer = forward(moto, request).await.ok()?;
    Some(String::from_utf8_lossy(&answer.body).into_owned())
}
