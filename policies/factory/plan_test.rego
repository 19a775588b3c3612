package factory.plan_test

import data.factory.plan

# A plan of one change.
planning(type, environment, change) := {
	"formwork": {"environment": environment},
	"resource_changes": [{
		"address": sprintf("%s.main", [type]),
		"mode": "managed",
		"type": type,
		"change": change,
	}],
}

# A plan that creates one object.
creating(type, after) := creating_unknown(type, after, {})

# The same, of which some attributes are known only after the apply.
creating_unknown(type, after, unknown) := planning(type, "prod", {
	"actions": ["create"],
	"before": null,
	"after": after,
	"after_unknown": unknown,
})

# A plan that takes one object away.
deleting(type, environment) := planning(type, environment, {
	"actions": ["delete"],
	"before": {"name": "x"},
	"after": null,
	"after_unknown": {},
})

test_what_is_created_is_changed if {
	count(plan.changed) == 1 with input as creating("aws_vpc", {})
	count(plan.removed) == 0 with input as creating("aws_vpc", {})
}

test_what_is_deleted_is_not_changed if {
	count(plan.changed) == 0 with input as deleting("aws_vpc", "prod")
	count(plan.removed) == 1 with input as deleting("aws_vpc", "prod")
}

test_data_sources_are_nothing_to_judge if {
	document := {"resource_changes": [{"mode": "data", "type": "x", "change": {"actions": ["create"]}}]}
	count(plan.changed) == 0 with input as document
}

test_blocks_are_lists_however_they_are_kept if {
	plan.blocks({"change": {"after": {"b": {"x": 1}}}}, "b") == [{"x": 1}]
	plan.blocks({"change": {"after": {"b": [{"x": 1}]}}}, "b") == [{"x": 1}]
	plan.blocks({"change": {"after": {"b": null}}}, "b") == []
	plan.blocks({"change": {"after": {}}}, "b") == []
}

test_what_is_false_is_given_too if {
	plan.given({"change": {"after": {"a": false}, "after_unknown": {}}}, "a")
	plan.given({"change": {"after": {}, "after_unknown": {"a": true}}}, "a")
	not plan.given({"change": {"after": {"a": null}, "after_unknown": {}}}, "a")
}
