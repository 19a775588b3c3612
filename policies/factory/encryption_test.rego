package factory.encryption_test

import data.factory.encryption
import data.factory.plan_test.creating
import data.factory.plan_test.creating_unknown

denied(document) := found if {
	found := count(encryption.deny) with input as document
}

warned(document) := found if {
	found := count(encryption.warn) with input as document
}

test_what_is_kept_must_be_encrypted if {
	denied(creating("sandbox_log_store", {"encrypted": false})) == 1
	denied(creating("aws_db_instance", {})) == 1
	denied(creating("aws_ebs_volume", {"encrypted": true})) == 0
}

test_what_is_not_known_yet_is_not_denied if {
	denied(creating_unknown("aws_ebs_volume", {}, {"encrypted": true})) == 0
}

test_blocks_that_must_be_there if {
	denied(creating("aws_eks_cluster", {"encryption_config": []})) == 1
	denied(creating("aws_eks_cluster", {"encryption_config": [{"resources": ["secrets"]}]})) == 0
	denied(creating("google_container_cluster", {})) == 1
}

test_a_key_of_your_own_is_better if {
	warned(creating("aws_cloudwatch_log_group", {"kms_key_id": null})) == 1
	warned(creating("aws_cloudwatch_log_group", {"kms_key_id": "arn:aws:kms:::key/1"})) == 0
	warned(creating_unknown("aws_cloudwatch_log_group", {}, {"kms_key_id": true})) == 0
}

test_requests_are_encrypted_too if {
	denied(creating("azurerm_storage_account", {"https_traffic_only_enabled": false})) == 1
	denied(creating("azurerm_storage_account", {"https_traffic_only_enabled": true})) == 0
}
