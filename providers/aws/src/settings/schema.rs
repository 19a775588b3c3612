//! The schema of the provider's configuration: the names are those of Terraform's AWS provider.

use formwork_contract::{Attribute, Block, Nesting, Type};

/// The services whose endpoint can be set, and the names that a blueprint may use for each.
pub(super) const ENDPOINTS: [(&str, &[&str]); 8] = [
    ("ec2", &["ec2"]),
    ("sts", &["sts"]),
    ("iam", &["iam"]),
    ("kms", &["kms"]),
    ("logs", &["logs", "cloudwatchlogs"]),
    ("ecr", &["ecr"]),
    ("eks", &["eks"]),
    ("s3", &["s3"]),
];

pub(crate) fn block() -> Block {
    let attributes = place().into_iter().chain(identity()).chain(network()).chain(behaviour());
    Block { description: "Amazon Web Services: one account and one region.".into(), ..Block::new(attributes) }
        .with_block("assume_role", Nesting::List, assume_role())
        .with_block("assume_role_with_web_identity", Nesting::Single, web_identity())
        .with_block("endpoints", Nesting::List, endpoints())
        .with_block(
            "default_tags",
            Nesting::Single,
            Block::new([("tags", map("Tags that every object carries, unless its own say otherwise."))]),
        )
        .with_block(
            "ignore_tags",
            Nesting::Single,
            Block::new([
                ("keys", set("Keys of tags of others, which are neither shown nor removed.")),
                ("key_prefixes", set("What such keys begin with.")),
            ]),
        )
}

fn place() -> Vec<(&'static str, Attribute)> {
    vec![
        ("region", text("Where objects are created. By default `AWS_REGION`, then that of the profile.")),
        ("sts_region", text("Whose STS gives sessions. By default the region.")),
        ("allowed_account_ids", set("The accounts that may be touched; any other is refused.")),
        ("forbidden_account_ids", set("Accounts that are never touched.")),
    ]
}

fn identity() -> Vec<(&'static str, Attribute)> {
    vec![
        ("profile", text("A profile of the shared configuration files.")),
        ("access_key", text("The id of an access key. A profile or a role is safer.")),
        ("secret_key", text("The secret of the access key.").sensitive()),
        ("token", text("The token of a session.").sensitive()),
        ("shared_config_files", list("Configuration files. By default `~/.aws/config`.")),
        ("shared_credentials_files", list("Files of credentials. By default `~/.aws/credentials`.")),
        ("skip_credentials_validation", flag("Accepted; credentials are checked by the first call anyway.")),
        (
            "skip_requesting_account_id",
            flag("Asks STS for the account only where something needs it, which is so anyway."),
        ),
        ("skip_metadata_api_check", flag("Takes no credentials from the metadata address of a machine on EC2.")),
        ("skip_region_validation", flag("Accepted: any region is taken, so that new ones work.")),
    ]
}

fn network() -> Vec<(&'static str, Attribute)> {
    vec![
        ("use_fips_endpoint", flag("Calls the endpoints that are validated by FIPS 140.")),
        ("use_dualstack_endpoint", flag("Calls endpoints that have IPv6 too.")),
        ("custom_ca_bundle", text("A PEM file of certificates that are trusted instead of the system's.")),
        ("http_proxy", text("The proxy of all calls. By default as the environment says.")),
        ("https_proxy", text("The proxy of calls by TLS, instead of `http_proxy`.")),
        ("no_proxy", text("Hosts that are called without a proxy, divided by commas.")),
        ("s3_use_path_style", flag("Names buckets in the path, not in the host.")),
    ]
}

fn behaviour() -> Vec<(&'static str, Attribute)> {
    vec![
        ("max_retries", Attribute::optional(Type::Number).describe("How often a call is tried again. 25 by default.")),
        (
            "retry_mode",
            text(
                "`adaptive` slows all calls of a service down when it refuses some; `standard` only those. `adaptive` by default.",
            ),
        ),
    ]
}

fn assume_role() -> Block {
    let block = Block::new([
        ("role_arn", Attribute::required(Type::String).describe("The role to take on.")),
        ("session_name", text("What the session is called in logs of AWS.")),
        ("external_id", text("What the role's trust policy asks for.")),
        ("policy", text("A policy, in JSON, that narrows what the session may do.")),
        ("policy_arns", set("Policies that narrow what the session may do.")),
        ("duration", text("How long a session lasts, such as `1h`.")),
        ("tags", map("Tags of the session.")),
    ]);
    Block { description: "A role to take on; several are taken on one after the other.".into(), ..block }
}

fn web_identity() -> Block {
    let block = Block::new([
        ("role_arn", Attribute::required(Type::String).describe("The role to take on.")),
        ("session_name", text("What the session is called in logs of AWS.")),
        ("policy", text("A policy, in JSON, that narrows what the session may do.")),
        ("policy_arns", set("Policies that narrow what the session may do.")),
        ("duration", text("How long a session lasts, such as `1h`.")),
        ("web_identity_token", text("The token of an OpenID Connect provider.").sensitive()),
        ("web_identity_token_file", text("A file with the token, read anew for each session.")),
    ]);
    Block { description: "A role to take on by a token of an OpenID Connect provider.".into(), ..block }
}

fn endpoints() -> Block {
    let names = ENDPOINTS.iter().flat_map(|(_, names)| names.iter().copied());
    let block = Block::new(names.map(|name| (name, text("Where the service is called."))));
    Block { description: "Where services are called, instead of AWS's own places.".into(), ..block }
}

fn text(description: &str) -> Attribute {
    Attribute::optional(Type::String).describe(description)
}

fn flag(description: &str) -> Attribute {
    Attribute::optional(Type::Bool).describe(description)
}

fn set(description: &str) -> Attribute {
    Attribute::optional(Type::set(Type::String)).describe(description)
}

fn list(description: &str) -> Attribute {
    Attribute::optional(Type::list(Type::String)).describe(description)
}

fn map(description: &str) -> Attribute {
    Attribute::optional(Type::map(Type::String)).describe(description)
}
