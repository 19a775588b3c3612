//! What people read when AWS says no: what, where in the blueprint, why, and what to do.

use std::collections::{BTreeMap, BTreeSet};

use crate::cloud::Cloud;
use crate::shim::Weather;

const NETWORK: &str = r#"resource "aws_vpc" "main" {
  cidr_block = "10.7.0.0/16"
}
"#;

impl Cloud {
    /// What a run says that comes to nothing.
    fn refused(&self, blueprint: &str, arguments: &[&str]) -> String {
        self.write("main.hcl", blueprint);
        let ran = self.formwork(arguments);
        assert_eq!(ran.code, Some(1), "{ran}");
        format!("{}{}", ran.stdout, ran.stderr)
    }
}

/// All of these parts are told.
fn assert_tells(told: &str, parts: &[&str]) {
    for part in parts {
        assert!(told.contains(part), "`{part}` is missing in:\n{told}");
    }
}

#[test]
fn a_permission_that_is_missing() {
    let weather = Weather { denied: BTreeSet::from(["CreateVpc"]), ..Weather::default() };
    let Some(cloud) = Cloud::start(weather) else { return };
    let told = cloud.refused(NETWORK, &["apply", "--auto-approve"]);
    assert_tells(
        &told,
        &[
            "AWS refused `ec2:CreateVpc`: `UnauthorizedOperation`",
            "main.hcl:1",
            "resource \"aws_vpc\" \"main\"",
            "You are not authorized to perform this operation.",
            "decode-authorization-message",
        ],
    );
}

#[test]
fn a_quota_that_is_used_up() {
    let refused = BTreeMap::from([("CreateVpc", ("VpcLimitExceeded", "The maximum number of VPCs has been reached."))]);
    let Some(cloud) = Cloud::start(Weather { refused, ..Weather::default() }) else { return };
    let told = cloud.refused(NETWORK, &["apply", "--auto-approve"]);
    assert_tells(
        &told,
        &[
            "AWS refused `ec2:CreateVpc`: `VpcLimitExceeded`",
            "main.hcl:1",
            "The maximum number of VPCs",
            "Service Quotas",
        ],
    );
}

/// Refusals of the emulator's own.
#[test]
fn images_blocks_and_uses_that_do_not_fit() {
    let Some(cloud) = Cloud::start(Weather::default()) else { return };
    let machine = "\nresource \"aws_instance\" \"main\" {\n  ami           = \"ami-0123456789abcdef0\"\n  instance_type = \
                   \"t3.micro\"\n}\n";
    let told = cloud.refused(&format!("{NETWORK}{machine}"), &["apply", "--auto-approve"]);
    assert_tells(
        &told,
        &[
            "AWS refused `ec2:RunInstances`: `InvalidAMIID.NotFound`",
            "main.hcl:5",
            "ami-0123456789abcdef0",
            "an image of this region",
        ],
    );

    let subnets = r#"
resource "aws_subnet" "first" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.7.1.0/24"
}

resource "aws_subnet" "second" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.7.1.0/25"
  depends_on = [aws_subnet.first]
}
"#;
    let told = cloud.refused(&format!("{NETWORK}{subnets}"), &["apply", "--auto-approve"]);
    assert_tells(
        &told,
        &["AWS refused `ec2:CreateSubnet`: `InvalidSubnet.Conflict`", "main.hcl:10", "no other subnet"],
    );

    let group = "\nresource \"aws_security_group\" \"main\" {\n  name   = \"used\"\n  vpc_id = aws_vpc.main.id\n}\n";
    cloud.write("main.hcl", &format!("{NETWORK}{group}"));
    cloud.does(&["apply", "--auto-approve"]);
    cloud.boto(
        r#"
group = all_of("ec2", "describe_security_groups", "SecurityGroups", Filters=[{"Name": "group-name", "Values": ["used"]}])[0]
subnet = client("ec2").create_subnet(VpcId=group["VpcId"], CidrBlock="10.7.9.0/24")["Subnet"]["SubnetId"]
client("ec2").run_instances(ImageId="ami-1e749f67", InstanceType="t3.micro", MinCount=1, MaxCount=1,
    SubnetId=subnet, SecurityGroupIds=[group["GroupId"]])
"#,
    );
    let told = cloud.refused(NETWORK, &["apply", "--auto-approve"]);
    assert_tells(
        &told,
        &[
            "AWS refused `ec2:DeleteSecurityGroup`: `DependencyViolation`",
            "aws_security_group.main",
            "has a dependent object",
            "network interfaces",
        ],
    );
}

/// What never gets better is not tried for long.
#[test]
fn a_malformed_policy_is_told_at_once() {
    let refused = BTreeMap::from([("CreateRole", ("MalformedPolicyDocument", "Syntax errors in policy."))]);
    let Some(cloud) = Cloud::start(Weather { refused, ..Weather::default() }) else { return };
    let role =
        "resource \"aws_iam_role\" \"main\" {\n  name               = \"wrong\"\n  assume_role_policy = \"{}\"\n}\n";
    let told = cloud.refused(role, &["apply", "--auto-approve"]);
    assert_tells(
        &told,
        &["AWS refused `iam:CreateRole`: `MalformedPolicyDocument`", "main.hcl:1", "Syntax errors in policy."],
    );
    let tries = cloud.shim.take().into_iter().filter(|call| call.action == "CreateRole").count();
    assert_eq!(tries, 1);
}
