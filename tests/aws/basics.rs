//! A life of a network: made, seen, changed, taken away.

use crate::cloud::Cloud;
use crate::shim::Weather;

const NETWORK: &str = r#"
resource "aws_vpc" "main" {
  cidr_block = "10.7.0.0/16"
  tags       = { Name = "NAME" }
}
"#;

const NAMES: &str = r#"
networks = all_of("ec2", "describe_vpcs", "Vpcs", Filters=[{"Name": "cidr", "Values": ["10.7.0.0/16"]}])
tell([tag["Value"] for one in networks for tag in one["Tags"] if tag["Key"] == "Name"])
"#;

#[test]
fn a_network_lives_as_the_blueprint_says() {
    let Some(cloud) = Cloud::start(Weather::default()) else { return };
    cloud.write("main.hcl", &NETWORK.replace("NAME", "first"));
    let told = cloud.does(&["apply", "--auto-approve"]);
    assert!(told.contains("1 added"), "{told}");
    cloud.assert_settled();
    assert_eq!(cloud.boto(NAMES), serde_json::json!(["first"]));
    assert!(cloud.record().exists());
    cloud.write("main.hcl", &NETWORK.replace("NAME", "second"));
    let told = cloud.does(&["apply", "--auto-approve"]);
    assert!(told.contains("1 changed"), "{told}");
    assert_eq!(cloud.boto(NAMES), serde_json::json!(["second"]));
    cloud.does(&["destroy", "--auto-approve"]);
    assert_eq!(cloud.boto(NAMES), serde_json::json!([]));
}
