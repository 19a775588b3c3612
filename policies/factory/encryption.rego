# What is kept is encrypted where it lies.
package factory.encryption

import data.factory.plan

# Attributes that must be true.
required := {
	"aws_db_instance": {"storage_encrypted"},
	"aws_ebs_volume": {"encrypted"},
	"aws_efs_file_system": {"encrypted"},
	"aws_rds_cluster": {"storage_encrypted"},
	"aws_redshift_cluster": {"encrypted"},
	"sandbox_log_store": {"encrypted"},
}

# Attributes that must name a key or a way.
named := {
	"aws_cloudwatch_log_group": {"kms_key_id"},
	"google_artifact_registry_repository": {"kms_key_name"},
}

# Blocks that must be there.
blocks := {
	"aws_eks_cluster": {"encryption_config"},
	"google_container_cluster": {"database_encryption"},
}

deny contains {"msg": msg, "address": change.address} if {
	some change in plan.changed
	some name in required[change.type]
	not plan.value(change, name)
	not plan.unknown(change, name)
	msg := sprintf("`%s` is not true: it is not encrypted where it lies", [name])
}

warn contains {"msg": msg, "address": change.address} if {
	some change in plan.changed
	some name in named[change.type]
	not plan.given(change, name)
	msg := sprintf("`%s` names no key of your own", [name])
}

deny contains {"msg": msg, "address": change.address} if {
	some change in plan.changed
	some name in blocks[change.type]
	count(plan.blocks(change, name)) == 0
	not plan.unknown(change, name)
	msg := sprintf("it has no `%s`: what it keeps is not encrypted with a key of your own", [name])
}

# A registry's encryption is a block with a default that is enough; only turning it off is not.
deny contains {"msg": msg, "address": change.address} if {
	some change in plan.changed
	change.type == "azurerm_storage_account"
	plan.value(change, "https_traffic_only_enabled") == false
	msg := "it takes requests that are not encrypted"
}
