package factory.public_test

import data.factory.plan_test.creating
import data.factory.plan_test.creating_unknown
import data.factory.public

denied(document) := found if {
	found := {entry.msg | some entry in public.deny} with input as document
}

test_a_public_endpoint_is_denied if {
	denied(creating("sandbox_cluster", {"public_endpoint": true})) == {"`public_endpoint` makes it public"}
	count(denied(creating("aws_db_instance", {"publicly_accessible": true}))) == 1
	count(denied(creating("azurerm_storage_account", {"allow_nested_items_to_be_public": true}))) == 1
}

test_a_closed_endpoint_is_not if {
	count(denied(creating("sandbox_cluster", {"public_endpoint": false}))) == 0
	count(denied(creating("sandbox_cluster", {}))) == 0
}

test_the_resource_is_named if {
	addresses := {entry.address | some entry in public.deny} with input as creating("sandbox_cluster", {"public_endpoint": true})
	addresses == {"sandbox_cluster.main"}
}

test_a_bucket_must_block_everything_public if {
	closed := {
		"block_public_acls": true,
		"block_public_policy": true,
		"ignore_public_acls": true,
		"restrict_public_buckets": true,
	}
	count(denied(creating("aws_s3_bucket_public_access_block", closed))) == 0
	count(denied(creating("aws_s3_bucket_public_access_block", {}))) == 4
	unknown := {"block_public_acls": true, "block_public_policy": true}
	count(denied(creating_unknown("aws_s3_bucket_public_access_block", {}, unknown))) == 2
}

test_a_public_acl_is_denied if {
	count(denied(creating("aws_s3_bucket", {"acl": "public-read"}))) == 1
	count(denied(creating("aws_s3_bucket_acl", {"acl": "private"}))) == 0
}

test_the_endpoint_of_eks if {
	open := {"vpc_config": [{"endpoint_public_access": true, "public_access_cidrs": ["0.0.0.0/0"]}]}
	count(denied(creating("aws_eks_cluster", open))) == 1
	silent := {"vpc_config": [{"endpoint_public_access": true}]}
	count(denied(creating("aws_eks_cluster", silent))) == 1
	office := {"vpc_config": [{"endpoint_public_access": true, "public_access_cidrs": ["192.0.2.0/24"]}]}
	count(denied(creating("aws_eks_cluster", office))) == 0
}

test_rules_of_aws_that_let_everybody_in if {
	count(denied(creating("aws_security_group", {"ingress": [{"cidr_blocks": ["0.0.0.0/0"]}]}))) == 1
	count(denied(creating("aws_security_group", {"ingress": [{"cidr_blocks": ["10.0.0.0/8"]}]}))) == 0
	count(denied(creating("aws_security_group_rule", {"type": "ingress", "ipv6_cidr_blocks": ["::/0"]}))) == 1
	count(denied(creating("aws_security_group_rule", {"type": "egress", "cidr_blocks": ["0.0.0.0/0"]}))) == 0
	count(denied(creating("aws_vpc_security_group_ingress_rule", {"cidr_ipv4": "0.0.0.0/0"}))) == 1
}

test_rules_of_others_that_let_everybody_in if {
	azure := {"direction": "Inbound", "access": "Allow", "source_address_prefix": "*"}
	count(denied(creating("azurerm_network_security_rule", azure))) == 1
	outbound := {"direction": "Outbound", "access": "Allow", "source_address_prefix": "*"}
	count(denied(creating("azurerm_network_security_rule", outbound))) == 0
	google := {"allow": [{"protocol": "tcp"}], "source_ranges": ["0.0.0.0/0"]}
	count(denied(creating("google_compute_firewall", google))) == 1
	forbidding := {"deny": [{"protocol": "tcp"}], "source_ranges": ["0.0.0.0/0"]}
	count(denied(creating("google_compute_firewall", forbidding))) == 0
}

test_everybody_as_a_member if {
	count(denied(creating("google_storage_bucket_iam_member", {"member": "allUsers"}))) == 1
	count(denied(creating("google_storage_bucket_iam_binding", {"members": ["allAuthenticatedUsers"]}))) == 1
	count(denied(creating("google_storage_bucket_iam_member", {"member": "user:a@example.org"}))) == 0
}
