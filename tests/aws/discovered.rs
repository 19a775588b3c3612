//! Objects that nobody owns are written as blocks, and taken over by them without a change.

use std::collections::BTreeSet;

use crate::cloud::Cloud;
use crate::shim::{Weather, is_change};

/// What somebody made by hand, years ago.
const BY_HAND: &str = r#"
ec2 = client("ec2")
def named(kind, name):
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]
vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16", TagSpecifications=named("vpc", "legacy"))["Vpc"]["VpcId"]
subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.8.1.0/24", AvailabilityZone="ca-central-1a")["Subnet"]["SubnetId"]
gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
group = ec2.create_security_group(GroupName="legacy", Description="by hand", VpcId=vpc)["GroupId"]
ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
    {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])
ec2.allocate_address(Domain="vpc")
ec2.create_volume(AvailabilityZone="ca-central-1a", Size=8, VolumeType="gp3")
ec2.run_instances(ImageId="ami-1e749f67", InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=subnet, SecurityGroupIds=[group])
iam = client("iam")
trust = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
iam.create_role(RoleName="legacy", AssumeRolePolicyDocument=json.dumps(trust))
iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
read = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
iam.create_policy(PolicyName="legacy", PolicyDocument=json.dumps(read))
client("kms").create_key(Description="legacy", KeyUsage="ENCRYPT_DECRYPT")
client("logs").create_log_group(logGroupName="/legacy")
client("ecr").create_repository(repositoryName="legacy")
client("s3").create_bucket(Bucket="legacy-records", CreateBucketConfiguration={"LocationConstraint": "ca-central-1"})
tell(vpc)
"#;

const NETWORK: &str = "resource \"aws_vpc\" \"own\" {\n  cidr_block = \"10.7.0.0/16\"\n}\n\nresource \"aws_security_group\" \
                       \"own\" {\n  name   = \"own\"\n  vpc_id = aws_vpc.own.id\n  ingress {\n    from_port   = 22\n    \
                       to_port     = 22\n    protocol    = \"tcp\"\n    cidr_blocks = [\"10.0.0.0/8\"]\n  }\n}\n";

#[test]
fn what_was_made_by_hand_is_taken_over_without_a_change() {
    let Some(cloud) = Cloud::start(Weather::default()) else { return };
    cloud.write("main.hcl", NETWORK);
    cloud.does(&["apply", "--auto-approve"]);
    let network = cloud.boto(BY_HAND);
    let network = network.as_str().expect("an id");
    cloud.does(&["import", "--discover", "-o", "found.hcl"]);
    let found = std::fs::read_to_string(cloud.path().join("found.hcl")).expect("it was written");
    let types: BTreeSet<&str> =
        found.lines().filter_map(|line| line.strip_prefix("resource \"")?.split('"').next()).collect();
    let wanted = [
        "aws_cloudwatch_log_group",
        "aws_ebs_volume",
        "aws_ecr_repository",
        "aws_eip",
        "aws_iam_policy",
        "aws_iam_role",
        "aws_instance",
        "aws_internet_gateway",
        "aws_kms_key",
        "aws_route_table",
        "aws_s3_bucket",
        "aws_security_group",
        "aws_subnet",
        "aws_vpc",
        "aws_vpc_security_group_egress_rule",
        "aws_vpc_security_group_ingress_rule",
    ];
    assert_eq!(types, BTreeSet::from(wanted), "{found}");
    // Once each: neither what AWS made by itself nor what the blueprint has.
    assert_eq!(found.matches("resource \"").count(), wanted.len(), "{found}");
    assert_eq!(found.matches(network).count(), 1, "others refer to the network: {found}");
    assert!(!found.contains("differs"), "{found}");

    cloud.shim.take();
    let told = cloud.does(&["plan"]);
    let summary = format!("0 to add, 0 to change, 0 to replace, 0 to destroy, {} to import.", wanted.len());
    assert!(told.contains(&summary), "{told}");
    let told = cloud.does(&["apply", "--auto-approve"]);
    assert!(told.contains("0 added, 0 changed, 0 destroyed"), "{told}");
    let changes: Vec<_> = cloud.shim.take().into_iter().filter(|call| is_change(&call.action)).collect();
    assert!(changes.is_empty(), "{changes:?}");
    cloud.assert_settled();
    std::fs::remove_file(cloud.path().join("found.hcl")).expect("it was written");
    let told = cloud.does(&["import", "--discover"]);
    assert!(!told.contains("resource \""), "the record has all of it: {told}");
}
