package factory.tags_test

import data.factory.plan_test.creating
import data.factory.plan_test.creating_unknown
import data.factory.tags

denied(document) := found if {
	found := {entry.msg | some entry in tags.deny} with input as document
		with data.settings.required_tags as ["owner", "environment"]
}

test_tags_must_be_there if {
	denied(creating("aws_vpc", {"tags": null})) == {"`tags` has no environment, owner"}
	denied(creating("aws_vpc", {"tags": {"owner": "a"}})) == {"`tags` has no environment"}
	denied(creating("aws_vpc", {"tags": {"owner": "a", "environment": "prod"}})) == set()
}

test_labels_are_tags_too if {
	denied(creating("google_compute_disk", {"labels": {}})) == {"`labels` has no environment, owner"}
}

test_labels_of_kubernetes_are_no_tags if {
	nodes := {"labels": {"pool": "work"}, "tags": {"owner": "a", "environment": "prod"}}
	denied(creating("aws_eks_node_group", nodes)) == set()
}

test_what_has_no_tags_needs_none if denied(creating("aws_route", {"route_table_id": "x"})) == set()

test_tags_that_a_provider_adds_count if {
	document := creating("aws_vpc", {"tags": null, "tags_all": {"owner": "a", "environment": "prod"}})
	denied(document) == set()
}

test_what_is_not_known_yet_is_not_denied if {
	denied(creating_unknown("aws_vpc", {"tags": null}, {"tags": true})) == set()
}

test_nothing_is_required_where_nothing_is_set if {
	entries := tags.deny with input as creating("aws_vpc", {"tags": null})
		with data.settings.required_tags as []
	entries == set()
}
