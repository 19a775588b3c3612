//! What to do about AWS's error codes.

use super::fault::{Fault, Nature};

/// The end of a code, and what to do about it. The first that fits stands.
const BY_CODE: [(&str, &str); 47] = [
    (
        "UnauthorizedOperation",
        "allow the call in the policies of the identity that runs this; `aws sts decode-authorization-message \
         --encoded-message ...` tells which statement denied it",
    ),
    ("AccessDenied", "allow the call in the policies of the identity that runs this, and in those of the organisation"),
    (
        "AccessDeniedException",
        "allow the call in the policies of the identity that runs this, and in the key's or resource's own",
    ),
    ("AuthFailure", "check the access key, and that the region is switched on for the account"),
    ("InvalidClientTokenId", "check the access key: AWS does not know it in this partition"),
    ("SignatureDoesNotMatch", "check the secret key, and the clock of this machine"),
    ("ExpiredToken", "sign in again: the session is over"),
    ("ExpiredTokenException", "sign in again: the session is over"),
    ("RequestExpired", "sign in again, and check the clock of this machine"),
    ("OptInRequired", "accept the terms of the product, or switch the service on, in the account"),
    ("InvalidAMIID.NotFound", "choose an image of this region: ids of images differ by region"),
    ("InvalidAMIID.Malformed", "an image's id looks like `ami-0123456789abcdef0`"),
    (
        "DependencyViolation",
        "something that Formwork does not know of still uses it: look for network interfaces of load balancers and nodes",
    ),
    ("InvalidVpc.Range", "choose a block from /16 to /28"),
    ("InvalidSubnet.Range", "choose a block from /16 to /28 inside the network's own"),
    ("InvalidSubnet.Conflict", "choose a block that no other subnet of the network uses"),
    ("InvalidGroup.Duplicate", "choose another name, or take the group over with an `import` block"),
    (
        "InvalidPermission.Duplicate",
        "the group has this rule already: declare it once, or take it over with an `import` block",
    ),
    (
        "RouteAlreadyExists",
        "the table has a route to there already: declare it once, or take it over with an `import` block",
    ),
    ("Resource.AlreadyAssociated", "something else uses it already: declare that once, or take it apart first"),
    ("InvalidIPAddress.InUse", "something that Formwork does not know of still uses the address"),
    ("VolumeInUse", "detach the volume from its machine first: look for attachments that Formwork does not know of"),
    ("InsufficientInstanceCapacity", "choose another zone or instance type, or run it again later"),
    ("InvalidInstanceType", "choose an instance type that the region has"),
    ("Unsupported", "choose an instance type that the zone has, or another zone"),
    ("InvalidKeyPair.Duplicate", "choose another name, or take the key over with an `import` block"),
    ("InvalidKeyPair.NotFound", "declare the key as an `aws_key_pair` of this region"),
    ("InvalidKey.Format", "give the public key as OpenSSH writes it: `ssh-ed25519 AAAA... comment`"),
    ("InvalidSubnet.InUse", "something in the subnet still uses it: look for network interfaces"),
    ("no match", "check what is asked for, the region and the account"),
    ("many match", "ask for more, so that one is meant: a `filter` block or `tags`"),
    ("EntityAlreadyExists", "choose another name, or take the object over with an `import` block"),
    (
        "DeleteConflict",
        "something that Formwork does not know of still hangs on it: detach it, or set `force_detach_policies` for a role",
    ),
    (
        "MalformedPolicyDocument",
        "check the policy's JSON, and that the principals it names are there: IAM calls unknown ones malformed too",
    ),
    (
        "MalformedPolicyDocumentException",
        "check the policy's JSON, that the principals it names are there, and that it lets the caller change it again",
    ),
    (
        "KMSInvalidStateException",
        "the key is switched off or on its way to deletion: `aws kms describe-key --key-id ...` tells which",
    ),
    ("RepositoryNotEmptyException", "delete its images, or set `force_delete = true`"),
    ("BucketNotEmpty", "delete its objects and versions, or set `force_destroy = true`"),
    ("BucketAlreadyExists", "choose another name: another account has a bucket of this one"),
    ("BucketAlreadyOwnedByYou", "choose another name, or take the bucket over with an `import` block"),
    (
        "IllegalLocationConstraintException",
        "the bucket is in another region than the provider: use a provider with that `region`",
    ),
    ("PermanentRedirect", "the bucket is in another region than the provider: use a provider with that `region`"),
    (
        "InvalidTargetBucketForLogging",
        "let `logging.s3.amazonaws.com` put objects into the target bucket, with an `aws_s3_bucket_policy`",
    ),
    ("MalformedPolicy", "check the policy's JSON, and that the principals it names are there"),
    ("InvalidBucketAclWithObjectOwnership", "access lists need `object_ownership` other than `BucketOwnerEnforced`"),
    ("no credentials", "sign in (`aws sso login`), set a `profile`, or give the provider an `assume_role` block"),
    ("no connection", "check the endpoint, the proxy and the network from here to AWS"),
];

pub(super) fn of(fault: &Fault) -> Option<String> {
    if let Some((_, hint)) = BY_CODE.iter().find(|(end, _)| fault.code == *end) {
        return Some((*hint).into());
    }
    let quota =
        ["LimitExceeded", "LimitExceededException", "QuotaExceeded", "QuotaExceededException", "TooManyBuckets"];
    if fault.nature == Nature::Refused && quota.iter().any(|end| fault.code.ends_with(end)) {
        let service = fault.service;
        // Quotas of these are kept for the whole account.
        let place = if ["iam", "s3"].contains(&service) { "the account" } else { "this region" };
        return Some(format!(
            "ask for a higher quota of `{service}` in {place} (Service Quotas), or delete what is not needed"
        ));
    }
    if fault.code == "UnsupportedUpgrade" {
        return Some("set `version` to the next one up, apply, and go on from there".into());
    }
    if fault.code == "FixedAtCreation" {
        return Some("write the block as the cluster has it, or make another cluster".into());
    }
    if fault.code == "ResourceInUseException" && fault.action.starts_with("Delete") {
        return Some(
            "something that Formwork does not know of still stands in it: look for node groups and profiles".into(),
        );
    }
    if fault.code == "ResourceInUseException" && fault.action.starts_with("Update") {
        return Some("another change of it goes on: run it again when that is through".into());
    }
    if fault.is_taken() {
        return Some("choose another name, or take the object over with an `import` block".into());
    }
    match fault.nature {
        Nature::Throttled => {
            Some("run it again later, or with fewer steps at once: the account's calls are shared".into())
        }
        Nature::Transient if !fault.certain => Some("run it again: what became of the call is looked up first".into()),
        Nature::Transient => Some("run it again".into()),
        Nature::Refused => None,
    }
}
