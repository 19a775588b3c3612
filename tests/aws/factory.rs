//! TEST CODE: a factory with an object of nearly every type, and what AWS has of it.

use serde_json::Value;

use crate::cloud::Cloud;

/// As `formwork` reads it.
pub(crate) const BLUEPRINT: &str = include_str!("factory.hcl");

/// How many blocks it has.
pub(crate) fn blocks() -> usize {
    BLUEPRINT.lines().filter(|line| line.starts_with("resource ")).count()
}

/// Counts what stands, by the words of boto3: AWS's own defaults, which are in each region, are left out.
const COUNT: &str = r#"
ec2 = lambda operation, key, **arguments: all_of("ec2", operation, key, **arguments)
vpcs = [one["VpcId"] for one in ec2("describe_vpcs", "Vpcs") if not one["IsDefault"]]
inside = [{"Name": "vpc-id", "Values": vpcs or ["none"]}]
groups = ec2("describe_security_groups", "SecurityGroups", Filters=inside)
tables = ec2("describe_route_tables", "RouteTables", Filters=inside)
joins = [join for one in tables for join in one["Associations"] if not join["Main"]]
routes = [route for one in tables for route in one["Routes"] if route.get("GatewayId", "local") != "local"]
routes = [route for route in routes if not route["GatewayId"].startswith("vpce-")]
acls = [one for one in ec2("describe_network_acls", "NetworkAcls", Filters=inside) if not one["IsDefault"]]
machines = [one for set in ec2("describe_instances", "Reservations") for one in set["Instances"]]
machines = [one for one in machines if one["State"]["Name"] != "terminated"]
volumes = ec2("describe_volumes", "Volumes")
roots = {disk["Ebs"]["VolumeId"] for one in machines for disk in one["BlockDeviceMappings"] if disk["DeviceName"] == one["RootDeviceName"]}
volumes = [one for one in volumes if one["VolumeId"] not in roots]
nats = [one for one in ec2("describe_nat_gateways", "NatGateways") if one["State"] != "deleted"]
keys = [client("kms").describe_key(KeyId=one["KeyId"])["KeyMetadata"] for one in all_of("kms", "list_keys", "Keys")]
keys = [one for one in keys if one["KeyManager"] == "CUSTOMER" and one["KeyState"] == "Enabled"]
rules = [rule for one in groups for way in ("IpPermissions", "IpPermissionsEgress") for rule in one[way]]
rules = [rule for rule in rules if rule["IpRanges"]]
named = [one for one in groups if one["GroupName"] != "default"]
rules = [ip for one in named for way in ("IpPermissions", "IpPermissionsEgress") for rule in one[way] for ip in rule["IpRanges"]]
iam = lambda operation, key, **arguments: all_of("iam", operation, key, **arguments)
roles = iam("list_roles", "Roles")
s3 = client("s3")
buckets = [one["Name"] for one in s3.list_buckets()["Buckets"]]
tell({
  "vpcs": len(vpcs),
  "subnets": len(ec2("describe_subnets", "Subnets", Filters=inside)),
  "gateways": len(ec2("describe_internet_gateways", "InternetGateways")),
  "addresses": len(ec2("describe_addresses", "Addresses")),
  "nats": len(nats),
  "tables": len(tables),
  "routes": len(routes),
  "joins": len(joins),
  "acls": len(acls),
  "groups": len(named),
  "rules": len(rules),
  "endpoints": len(ec2("describe_vpc_endpoints", "VpcEndpoints")),
  "keys of machines": len(ec2("describe_key_pairs", "KeyPairs")),
  "templates": len(ec2("describe_launch_templates", "LaunchTemplates")),
  "versions": len(ec2("describe_launch_template_versions", "LaunchTemplateVersions", Versions=["$Latest"])),
  "machines": len(machines),
  "volumes": len(volumes),
  "attached": len([one for one in volumes if one["Attachments"]]),
  "flow logs": len(ec2("describe_flow_logs", "FlowLogs")),
  "roles": len(roles),
  "policies of roles": sum(len(iam("list_role_policies", "PolicyNames", RoleName=one["RoleName"])) for one in roles),
  "attached policies": sum(len(iam("list_attached_role_policies", "AttachedPolicies", RoleName=one["RoleName"])) for one in roles),
  "policies": len(iam("list_policies", "Policies", Scope="Local")),
  "profiles": len(iam("list_instance_profiles", "InstanceProfiles")),
  "identity providers": len(iam("list_open_id_connect_providers", "OpenIDConnectProviderList")),
  "keys": len(keys),
  "aliases": len([one for one in all_of("kms", "list_aliases", "Aliases") if not one["AliasName"].startswith("alias/aws/")]),
  "log groups": len(all_of("logs", "describe_log_groups", "logGroups")),
  "log policies": len(all_of("logs", "describe_resource_policies", "resourcePolicies")),
  "repositories": len(all_of("ecr", "describe_repositories", "repositories")),
  "buckets": len(buckets),
})
"#;

/// How many of each kind there are: what a person would count in the console.
pub(crate) fn count(cloud: &Cloud) -> Value {
    cloud.boto(COUNT)
}

/// What [`count`] is where exactly the factory stands, each object once.
pub(crate) fn whole() -> Value {
    serde_json::json!({
        "vpcs": 1, "subnets": 1, "gateways": 1, "addresses": 1, "nats": 1, "routes": 1, "joins": 1, "acls": 1,
        // One comes with the network.
        "tables": 2,
        "groups": 2, "rules": 3, "endpoints": 1, "keys of machines": 1, "templates": 1, "versions": 1, "machines": 1,
        "volumes": 1, "attached": 1, "flow logs": 1, "roles": 1, "policies of roles": 1, "attached policies": 1,
        "policies": 1, "profiles": 1, "identity providers": 1, "keys": 1, "aliases": 1, "log groups": 1,
        "log policies": 1, "repositories": 1, "buckets": 1,
    })
}
