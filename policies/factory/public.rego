# Nothing is reachable for everybody unless somebody signed for it.
package factory.public

import data.factory.plan

# All addresses there are.
everywhere := {"0.0.0.0/0", "::/0", "*", "Internet", "Any"}

# Attributes that make an object public when they are true.
opens := {
	"aws_db_instance": {"publicly_accessible"},
	"aws_rds_cluster_instance": {"publicly_accessible"},
	"aws_redshift_cluster": {"publicly_accessible"},
	"azurerm_container_registry": {"anonymous_pull_enabled"},
	"azurerm_storage_account": {"allow_nested_items_to_be_public"},
	"sandbox_cluster": {"public_endpoint"},
}

# Attributes that keep an object closed, and must be true.
closes := {"aws_s3_bucket_public_access_block": {
	"block_public_acls",
	"block_public_policy",
	"ignore_public_acls",
	"restrict_public_buckets",
}}

deny contains {"msg": msg, "address": change.address} if {
	some change in plan.changed
	some name in opens[change.type]
	plan.value(change, name) == true
	msg := sprintf("`%s` makes it public", [name])
}

deny contains {"msg": msg, "address": change.address} if {
	some change in plan.changed
	some name in closes[change.type]
	not plan.value(change, name)
	not plan.unknown(change, name)
	msg := sprintf("`%s` is not true, so it may become public", [name])
}

deny contains {"msg": msg, "address": change.address} if {
	some change in plan.changed
	change.type in {"aws_s3_bucket", "aws_s3_bucket_acl"}
	acl := plan.value(change, "acl")
	startswith(acl, "public-")
	msg := sprintf("the ACL `%s` makes it public", [acl])
}

# Whole ports of a cluster's interface.
deny contains {"msg": msg, "address": change.address} if {
	some change in plan.changed
	change.type == "aws_eks_cluster"
	some config in plan.blocks(change, "vpc_config")
	config.endpoint_public_access == true
	some cidr in object.get(config, "public_access_cidrs", ["0.0.0.0/0"])
	cidr in everywhere
	msg := "its endpoint is public for all addresses"
}

# Security groups, firewalls and network rules that let everybody in.
deny contains {"msg": msg, "address": change.address} if {
	some change in plan.changed
	some cidr in admitted(change)
	cidr in everywhere
	msg := sprintf("it lets everybody in: `%s`", [cidr])
}

admitted(change) := cidrs if {
	change.type == "aws_security_group"
	cidrs := {cidr |
		some rule in plan.blocks(change, "ingress")
		some name in ["cidr_blocks", "ipv6_cidr_blocks"]
		some cidr in object.get(rule, name, [])
	}
} else := cidrs if {
	change.type == "aws_security_group_rule"
	change.change.after.type == "ingress"
	cidrs := {cidr |
		some name in ["cidr_blocks", "ipv6_cidr_blocks"]
		some cidr in plan.value(change, name)
	}
} else := cidrs if {
	change.type == "aws_vpc_security_group_ingress_rule"
	cidrs := {cidr |
		some name in ["cidr_ipv4", "cidr_ipv6"]
		cidr := plan.value(change, name)
	}
} else := cidrs if {
	change.type == "azurerm_network_security_rule"
	change.change.after.direction == "Inbound"
	change.change.after.access == "Allow"
	cidrs := {cidr |
		some name in ["source_address_prefix", "source_address_prefixes"]
		some cidr in plan.listed(plan.value(change, name))
	}
} else := cidrs if {
	change.type == "google_compute_firewall"
	object.get(change.change.after, "direction", "INGRESS") != "EGRESS"
	count(plan.blocks(change, "allow")) > 0
	cidrs := {cidr | some cidr in plan.value(change, "source_ranges")}
}

# Rights that Google gives to everybody.
deny contains {"msg": msg, "address": change.address} if {
	some change in plan.changed
	startswith(change.type, "google_")
	some name in ["member", "members"]
	some member in plan.listed(plan.value(change, name))
	member in {"allUsers", "allAuthenticatedUsers"}
	msg := sprintf("it gives rights to `%s`", [member])
}
