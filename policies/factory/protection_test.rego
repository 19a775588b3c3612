package factory.protection_test

import data.factory.plan_test.creating
import data.factory.plan_test.deleting
import data.factory.plan_test.planning
import data.factory.protection

demanded(document) := found if {
	found := count(protection.require_approval) with input as document
}

test_what_holds_data_needs_an_approval_to_go if {
	demanded(deleting("sandbox_registry", "prod")) == 1
	demanded(deleting("aws_db_instance", "prod")) == 1
}

test_what_holds_none_does_not if demanded(deleting("aws_security_group", "prod")) == 0

test_in_dev_data_may_be_lost if demanded(deleting("sandbox_registry", "dev")) == 0

test_making_is_not_losing if demanded(creating("sandbox_registry", {})) == 0

test_a_replacement_loses_data_too if {
	document := planning("aws_db_instance", "prod", {
		"actions": ["delete", "create"],
		"before": {"engine": "mysql"},
		"after": {"engine": "postgres"},
		"after_unknown": {},
	})
	demanded(document) == 1
}

test_a_service_should_guard_what_holds_data if {
	warned := count(protection.warn) with input as creating("aws_db_instance", {"deletion_protection": false})
	warned == 1
	quiet := count(protection.warn) with input as creating("aws_db_instance", {"deletion_protection": true})
	quiet == 0
}
