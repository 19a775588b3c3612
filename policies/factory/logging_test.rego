package factory.logging_test

import data.factory.logging
import data.factory.plan_test.creating
import data.factory.plan_test.creating_unknown

denied(document) := found if {
	found := {entry.msg | some entry in logging.deny} with input as document
}

warned(document) := found if {
	found := count(logging.warn) with input as document
}

test_logs_must_be_kept if {
	messages := denied(creating("sandbox_log_store", {"retention_days": 7}))
	messages == {"logs are kept for 7 days, and 30 are the least"}
	count(denied(creating("sandbox_log_store", {"retention_days": 30}))) == 0
}

test_the_number_of_days_is_a_setting if {
	document := creating("aws_cloudwatch_log_group", {"retention_in_days": 90})
	count(logging.deny) == 0 with input as document
	count(logging.deny) == 1 with input as document with data.settings.log_retention_days as 365
}

test_no_number_is_no_decision if {
	warned(creating("aws_cloudwatch_log_group", {"retention_in_days": 0})) == 1
	warned(creating("aws_cloudwatch_log_group", {})) == 1
	count(denied(creating("aws_cloudwatch_log_group", {"retention_in_days": 0}))) == 0
	warned(creating_unknown("aws_cloudwatch_log_group", {}, {"retention_in_days": true})) == 0
}

test_others_keep_no_logs if warned(creating("aws_vpc", {})) == 0
