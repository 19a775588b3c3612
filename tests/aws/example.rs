//! The example `aws-factory`, as a team keeps it: every change is planned, signed by another person and applied.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::cloud::{Cloud, REGION, Ran};
use crate::shim::Weather;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/aws-factory");

/// What somebody does by hand, and what of which object that changes.
const BY_HAND: [(&str, &str, &str); 16] = [
    (
        r#"ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})"#,
        "component.cluster.main.aws_vpc.main",
        "enable_dns_hostnames",
    ),
    (
        r#"ec2.modify_subnet_attribute(SubnetId=nodes, MapPublicIpOnLaunch={"Value": True})"#,
        "component.cluster.main.aws_subnet.nodes[0]",
        "map_public_ip_on_launch",
    ),
    (
        r#"ec2.create_tags(Resources=[gateway], Tags=[{"Key": "Name", "Value": "mine"}])"#,
        "component.cluster.main.aws_internet_gateway.main",
        "tags",
    ),
    (
        r#"iam.update_role(RoleName="prod-factory-nodes", MaxSessionDuration=7200)"#,
        "component.cluster.main.aws_iam_role.nodes",
        "max_session_duration",
    ),
    (
        r#"iam.put_role_policy(RoleName="prod-factory-flows", PolicyName="write", PolicyDocument=anything)"#,
        "component.cluster.main.aws_iam_role_policy.flows",
        "policy",
    ),
    (
        r#"iam.detach_role_policy(RoleName="prod-factory-nodes", PolicyArn="arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy")"#,
        "component.cluster.main.aws_iam_role_policy_attachment.nodes[\"AmazonEKS_CNI_Policy\"]",
        "",
    ),
    (
        r#"kms.disable_key_rotation(KeyId=key("alias/prod-images"))"#,
        "component.registry.images.aws_kms_key.images",
        "enable_key_rotation",
    ),
    (
        r#"kms.update_key_description(KeyId=key("alias/prod-logs"), Description="mine")"#,
        "component.logging.central.aws_kms_key.logs[0]",
        "description",
    ),
    (
        r#"logs.put_retention_policy(logGroupName="/factory/prod-logs", retentionInDays=1)"#,
        "component.logging.central.aws_cloudwatch_log_group.main",
        "retention_in_days",
    ),
    (
        r#"logs.put_resource_policy(policyName="factory-prod-logs", policyDocument=anything)"#,
        "component.logging.central.aws_cloudwatch_log_resource_policy.delivery",
        "policy_document",
    ),
    (
        r#"ecr.put_image_tag_mutability(repositoryName="prod-images", imageTagMutability="MUTABLE")"#,
        "component.registry.images.aws_ecr_repository.main",
        "image_tag_mutability",
    ),
    (
        r#"ecr.put_image_scanning_configuration(repositoryName="prod-images", imageScanningConfiguration={"scanOnPush": False})"#,
        "component.registry.images.aws_ecr_repository.main",
        "image_scanning_configuration",
    ),
    (
        r#"ecr.delete_lifecycle_policy(repositoryName="prod-images")"#,
        "component.registry.images.aws_ecr_lifecycle_policy.untagged[0]",
        "",
    ),
    (
        r#"settled(eks.update_cluster_config(name="prod-factory", resourcesVpcConfig={"endpointPublicAccess": True}))"#,
        "component.cluster.main.aws_eks_cluster.main",
        "vpc_config",
    ),
    (
        r#"settled(eks.update_nodegroup_config(clusterName="prod-factory", nodegroupName="work", scalingConfig={"minSize": 1, "desiredSize": 1, "maxSize": 9}), nodegroupName="work")"#,
        "component.cluster.main.aws_eks_node_group.pool[\"work\"]",
        "scaling_config",
    ),
    (
        r#"settled(eks.update_addon(clusterName="prod-factory", addonName="coredns", addonVersion="v0.0.1"), addonName="coredns")"#,
        "component.cluster.main.aws_eks_addon.dns",
        "addon_version",
    ),
];

/// Names for what the scripts speak of.
const NAMES: &str = r#"
ec2, iam, kms, logs, ecr = (client(one) for one in ("ec2", "iam", "kms", "logs", "ecr"))
eks = boto3.client("eks", endpoint_url="SHIM")
vpc = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["prod-factory"]}])["Vpcs"][0]["VpcId"]
nodes = ec2.describe_subnets(Filters=[{"Name": "tag:Name", "Values": ["prod-factory-nodes-0"]}])["Subnets"][0]["SubnetId"]
gateway = ec2.describe_internet_gateways()["InternetGateways"][0]["InternetGatewayId"]
anything = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*", "Principal": "*"}]})
def key(alias):
    return [one["TargetKeyId"] for one in all_of("kms", "list_aliases", "Aliases") if one["AliasName"] == alias][0]
def settled(answer, **what):
    for _ in range(20):
        told = eks.describe_update(name="prod-factory", updateId=answer["update"]["id"], **what)["update"]
        if told["status"] == "Successful":
            return
    raise SystemExit("the update does not end")
"#;

/// What is left, without what every account has.
const LEFT: &str = r#"
eks = boto3.client("eks", endpoint_url="SHIM")
ec2 = lambda operation, key, **more: all_of("ec2", operation, key, **more)
networks = [one["VpcId"] for one in ec2("describe_vpcs", "Vpcs") if not one["IsDefault"]]
keys = [client("kms").describe_key(KeyId=one["KeyId"])["KeyMetadata"] for one in all_of("kms", "list_keys", "Keys")]
left = {
  "clusters": eks.list_clusters()["clusters"],
  "networks": networks,
  "subnets": [one["SubnetId"] for one in ec2("describe_subnets", "Subnets") if not one["DefaultForAz"]],
  "groups": [one["GroupId"] for one in ec2("describe_security_groups", "SecurityGroups") if one["GroupName"] != "default"],
  "gateways": [one["InternetGatewayId"] for one in ec2("describe_internet_gateways", "InternetGateways")],
  "ways out": [one["NatGatewayId"] for one in ec2("describe_nat_gateways", "NatGateways") if one["State"] != "deleted"],
  "addresses": [one["PublicIp"] for one in ec2("describe_addresses", "Addresses")],
  "templates": [one["LaunchTemplateName"] for one in ec2("describe_launch_templates", "LaunchTemplates")],
  "flow logs": [one["FlowLogId"] for one in ec2("describe_flow_logs", "FlowLogs")],
  "roles": [one["RoleName"] for one in all_of("iam", "list_roles", "Roles")],
  "identity providers": client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"],
  "keys": [one["KeyId"] for one in keys if one["KeyManager"] == "CUSTOMER" and one["KeyState"] != "PendingDeletion"],
  "aliases": [one["AliasName"] for one in all_of("kms", "list_aliases", "Aliases") if not one["AliasName"].startswith("alias/aws/")],
  "log groups": [one["logGroupName"] for one in all_of("logs", "describe_log_groups", "logGroups")],
  "log policies": [one["policyName"] for one in client("logs").describe_resource_policies()["resourcePolicies"]],
  "repositories": [one["repositoryName"] for one in all_of("ecr", "describe_repositories", "repositories")],
}
tell({name: found for name, found in left.items() if found})
"#;

/// The example in a cloud of its own, and a person who signs.
struct Team {
    cloud: Cloud,
}

impl Team {
    fn start() -> Option<Self> {
        let cloud = Cloud::start(Weather::default())?;
        let folder = cloud.path();
        fs::remove_file(folder.join("provider.hcl")).expect("the example has a provider of its own");
        fs::copy(Path::new(EXAMPLE).join("factory.hcl"), folder.join("factory.hcl")).expect("the example is there");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f"])
            .arg(folder.join("key"))
            .stdin(Stdio::null())
            .status();
        assert!(made.is_ok_and(|made| made.success()), "ssh-keygen makes a key");
        let public = fs::read_to_string(folder.join("key.pub")).expect("a key");
        cloud.write("allowed_signers", &format!("ada@ops.example {public}"));
        Some(Self { cloud })
    }

    fn formwork(&self, arguments: &[&str]) -> Ran {
        let path = std::env::var_os("PATH").unwrap_or_default();
        Command::new(env!("CARGO_BIN_EXE_formwork"))
            .args(arguments)
            .current_dir(self.cloud.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.cloud.path())
            .env("FORMWORK_ACTOR", "tester")
            .env("FORMWORK_ENV", "prod")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", REGION)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.cloud.shim.address))
            .stdin(Stdio::null())
            .output()
            .expect("the program runs")
            .into()
    }

    /// Runs the program, which has to go well.
    fn does(&self, arguments: &[&str]) -> String {
        let ran = self.formwork(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran}");
        ran.stdout
    }

    /// Plans with these arguments, has the plan signed, and applies it; answers what the plan and the run said.
    fn carries_out(&self, plan: &[&str]) -> String {
        let file = self.cloud.path().join("next.plan");
        let planned = self.does(&[plan, &["-o", "next.plan"]].concat());
        assert!(planned.contains("Approval needed: 1 of `operators`"), "{planned}");
        assert_eq!(self.formwork(&["apply", "next.plan"]).code, Some(1), "nobody signed yet");
        self.does(&["approve", "next.plan", "--key", "key", "--yes"]);
        let applied = self.does(&["apply", "next.plan", "--accept-loss", "all"]);
        fs::remove_file(file).expect("the plan is there");
        fs::remove_file(self.cloud.path().join("next.plan.ada@ops.example.sig")).expect("the signature too");
        format!("{planned}\n{applied}")
    }

    fn assert_settled(&self) {
        let told = self.formwork(&["plan", "--detailed-exitcode"]);
        assert_eq!(told.code, Some(0), "{told}");
        assert!(told.stdout.contains("No changes: `prod` is as the blueprint says."), "{told}");
    }

    fn boto(&self, script: &str) -> Value {
        self.cloud.boto(&script.replace("SHIM", &format!("http://{}", self.cloud.shim.address)))
    }

    /// What drifted, as the program tells programs: the address, and the attributes before and after.
    fn drifted(&self) -> Vec<(String, Value, Value)> {
        let told = self.formwork(&["drift", "--json"]);
        let told: Value = serde_json::from_str(&told.stdout).unwrap_or_else(|_| panic!("{told}"));
        let drift = told["resource_drift"].as_array().cloned().unwrap_or_default();
        let one = |change: Value| {
            let address = change["address"].as_str().unwrap_or_default().to_owned();
            (address, change["change"]["before"].clone(), change["change"]["after"].clone())
        };
        drift.into_iter().map(one).collect()
    }
}

#[test]
fn the_example_is_made_mended_changed_taken_back_and_taken_down() {
    let Some(team) = Team::start() else { return };
    let told = team.carries_out(&["plan"]);
    assert!(told.contains("Applied: revision 1 of `prod`"), "{told}");
    team.assert_settled();

    // Somebody is busy in the console.
    for (script, address, attribute) in BY_HAND {
        team.boto(&format!("{NAMES}\n{script}"));
        let drifted = team.drifted();
        let found = drifted.iter().find(|(there, _, _)| there == address);
        let Some((_, before, after)) = found else { panic!("{script}: no drift of {address} in {drifted:?}") };
        if attribute.is_empty() {
            assert!(after.is_null(), "{script}: {address} is gone: {after}");
        } else {
            assert_ne!(before[attribute], after[attribute], "{script}: {address} drifted in {attribute}");
        }
    }
    let told = team.carries_out(&["plan"]);
    assert!(told.contains("Applied: revision 2 of `prod`"), "{told}");
    team.assert_settled();
    assert_eq!(team.drifted(), [], "all is mended");

    // In place, and by another object.
    let update = ["plan", "--var", "retention_days=731", "--var", "kubernetes_version=1.35", "--var", "node_count=8"];
    let told = team.carries_out(&update);
    assert!(told.contains("0 to replace"), "{told}");
    let told = team.carries_out(&[&update[..], &["--var", "node_size=medium"]].concat());
    assert!(told.contains("1 to replace"), "{told}");

    // Kubernetes does not go down, so what comes back is what was before the last run.
    let told = team.carries_out(&["rollback"]);
    assert!(told.contains("Applied: revision 5 of `prod`"), "{told}");
    let kinds = team.boto(
        r#"
eks = boto3.client("eks", endpoint_url="SHIM")
tell(eks.describe_nodegroup(clusterName="prod-factory", nodegroupName="work")["nodegroup"]["instanceTypes"])
"#,
    );
    assert_eq!(kinds, json!(["m5.2xlarge"]));

    let told = team.carries_out(&["plan", "--destroy"]);
    assert!(told.contains("Applied: revision 6 of `prod`"), "{told}");
    assert_eq!(team.boto(LEFT), json!({}), "nothing is left");
}
