package factory.identity_test

import data.factory.identity
import data.factory.plan_test.creating
import data.factory.plan_test.creating_unknown

denied(document) := found if {
	found := count(identity.deny) with input as document
}

allowing(action, resource) := creating("sandbox_policy", {"document": json.marshal({"Statement": [{
	"Effect": "Allow",
	"Action": action,
	"Resource": resource,
}]})})

test_everything_on_everything_is_denied if {
	denied(allowing("*", "*")) == 1
	denied(allowing(["logs:*"], ["*"])) == 1
}

test_every_action_is_denied_on_one_thing_too if denied(allowing("*", "path/one")) == 1

test_a_service_on_one_thing_is_not if denied(allowing("logs:*", "path/one")) == 0

test_one_action_on_everything_is_not if denied(allowing("logs:Read", "*")) == 0

test_what_is_denied_may_be_everything if {
	document := json.marshal({"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
	denied(creating("aws_iam_policy", {"policy": document})) == 0
}

test_a_single_statement_needs_no_list if {
	document := json.marshal({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
	denied(creating("aws_iam_role_policy", {"policy": document})) == 1
}

test_what_cannot_be_read_yet_is_not_denied if {
	denied(creating_unknown("aws_iam_policy", {}, {"policy": true})) == 0
	denied(creating("aws_iam_policy", {"policy": "{"})) == 0
}

test_roles_for_everything if {
	denied(creating("azurerm_role_assignment", {"role_definition_name": "Owner"})) == 1
	denied(creating("google_project_iam_member", {"role": "roles/editor"})) == 1
	denied(creating("google_project_iam_member", {"role": "roles/logging.viewer"})) == 0
	administrator := "arn:aws:iam::aws:policy/AdministratorAccess"
	denied(creating("aws_iam_role_policy_attachment", {"policy_arn": administrator})) == 1
}
