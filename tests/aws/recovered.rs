//! The record is gone, and the machine with it: AWS and the environment's name are all there is.

use std::collections::BTreeSet;

use crate::cloud::Cloud;
use crate::factory;
use crate::shim::Weather;

/// Takes over what carries no tags, by what it joins.
const IMPORTS: &str = r#"
import {
  to = aws_route.out
  id = "TABLE_0.0.0.0/0"
}
import {
  to = aws_route_table_association.main
  id = "SUBNET/TABLE"
}
import {
  to = aws_volume_attachment.main
  id = "/dev/sdf:VOLUME:MACHINE"
}
import {
  to = aws_iam_role_policy.main
  id = "factory:read"
}
import {
  to = aws_iam_role_policy_attachment.main
  id = "factory/POLICY"
}
import {
  to = aws_kms_alias.main
  id = "alias/factory"
}
import {
  to = aws_cloudwatch_log_resource_policy.main
  id = "factory"
}
import {
  to = aws_ecr_lifecycle_policy.main
  id = "factory/web"
}
import {
  to = aws_ecr_repository_policy.main
  id = "factory/web"
}
import {
  to = aws_s3_bucket_versioning.main
  id = "factory-records"
}
import {
  to = aws_s3_bucket_server_side_encryption_configuration.main
  id = "factory-records"
}
import {
  to = aws_s3_bucket_public_access_block.main
  id = "factory-records"
}
import {
  to = aws_s3_bucket_policy.main
  id = "factory-records"
}
import {
  to = aws_s3_bucket_lifecycle_configuration.main
  id = "factory-records"
}
import {
  to = aws_s3_bucket_ownership_controls.main
  id = "factory-records"
}
"#;

/// The ids that stand in [`IMPORTS`] by their names.
const IDS: &str = r#"
tagged = {one["Key"] + " " + one["Value"]: one["ResourceId"] for one in all_of("ec2", "describe_tags", "Tags")}
of = lambda address: tagged["formwork:address " + address]
tell({"TABLE": of("aws_route_table.main"), "SUBNET": of("aws_subnet.main"), "VOLUME": of("aws_ebs_volume.main"),
      "MACHINE": of("aws_instance.main"), "POLICY": all_of("iam", "list_policies", "Policies", Scope="Local")[0]["Arn"]})
"#;

impl Cloud {
    /// The blocks that take over what carries no tags.
    fn imports(&self) -> String {
        let ids = self.boto(IDS);
        let ids = ids.as_object().expect("ids by their names");
        ids.iter().fold(IMPORTS.to_owned(), |text, (name, id)| text.replace(name, id.as_str().expect("an id")))
    }

    fn lose_the_record(&self) {
        std::fs::remove_dir_all(self.path().join(".formwork")).expect("there was one");
        assert!(!self.record().exists());
    }

    fn recover(&self) -> String {
        self.does(&["recover", "--auto-approve"])
    }
}

/// The types that carry no tags.
fn untagged() -> BTreeSet<&'static str> {
    let imports = IMPORTS.lines().filter_map(|line| line.trim().strip_prefix("to = "));
    imports.filter_map(|to| to.split('.').next()).collect()
}

/// The factory without what carries no tags.
fn tagged() -> String {
    let kept = |block: &&str| {
        let type_name = block.strip_prefix("resource \"").and_then(|rest| rest.split('"').next());
        type_name.is_none_or(|type_name| !untagged().contains(type_name))
    };
    factory::BLUEPRINT.split("\n\n").filter(kept).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn owner_tags_rebuild_the_record_and_the_plan_is_empty() {
    let Some(cloud) = Cloud::start(Weather::default()) else { return };
    cloud.write("main.hcl", &tagged());
    cloud.does(&["apply", "--auto-approve"]);
    let stood = factory::count(&cloud);
    cloud.lose_the_record();
    let told = cloud.recover();
    let blocks = factory::blocks() - IMPORTS.matches("import {").count();
    assert!(told.contains(&format!("{blocks} objects")), "{told}");
    cloud.assert_settled();
    assert_eq!(factory::count(&cloud), stood);
}

/// Routes, attachments and settings carry no tags: the rest is found, and they are imported.
#[test]
fn what_carries_no_tags_is_imported_beside_what_is_found() {
    let Some(cloud) = Cloud::start(Weather::default()) else { return };
    cloud.write("main.hcl", factory::BLUEPRINT);
    cloud.does(&["apply", "--auto-approve"]);
    cloud.lose_the_record();
    cloud.recover();
    let told = cloud.does(&["plan"]);
    let added: BTreeSet<&str> = told
        .lines()
        .filter_map(|line| line.trim().strip_prefix("+ ")?.split_once(" will be created")?.0.split('.').next())
        .collect();
    assert_eq!(added, untagged(), "{told}");
    cloud.write("imports.hcl", &cloud.imports());
    cloud.shim.take();
    let told = cloud.does(&["apply", "--auto-approve"]);
    assert!(told.contains(" 0 added, 0 changed, 0 destroyed"), "{told}");
    assert!(cloud.shim.take().iter().all(|call| !crate::shim::is_change(&call.action)), "nothing was changed");
    cloud.assert_settled();
    assert_eq!(factory::count(&cloud), factory::whole());
}
