# Nobody may do everything.
package factory.identity

import data.factory.plan

# Documents of rights, as each type keeps them.
documents := {
	"aws_iam_group_policy": "policy",
	"aws_iam_policy": "policy",
	"aws_iam_role_policy": "policy",
	"aws_iam_user_policy": "policy",
	"sandbox_policy": "document",
}

statements(change) := found if {
	text := plan.value(change, documents[change.type])
	json.is_valid(text)
	found := plan.listed(object.get(json.unmarshal(text), "Statement", []))
} else := []

# Every action there is, or every one of a service.
is_wildcard(action) if action == "*"

is_wildcard(action) if endswith(action, ":*")

deny contains {"msg": msg, "address": change.address} if {
	some change in plan.changed
	some statement in statements(change)
	statement.Effect == "Allow"
	some action in plan.listed(object.get(statement, "Action", []))
	is_wildcard(action)
	"*" in plan.listed(object.get(statement, "Resource", []))
	msg := sprintf("it allows `%s` on everything", [action])
}

deny contains {"msg": msg, "address": change.address} if {
	some change in plan.changed
	some statement in statements(change)
	statement.Effect == "Allow"
	some action in plan.listed(object.get(statement, "Action", []))
	action == "*"
	not "*" in plan.listed(object.get(statement, "Resource", []))
	msg := "it allows every action"
}

# Roles that clouds have for those who may do everything.
deny contains {"msg": msg, "address": change.address} if {
	some change in plan.changed
	some [type, attribute, roles] in almighty
	change.type == type
	role := plan.value(change, attribute)
	role in roles
	msg := sprintf("it gives the role `%s`", [role])
}

almighty := [
	["aws_iam_role_policy_attachment", "policy_arn", {"arn:aws:iam::aws:policy/AdministratorAccess"}],
	["aws_iam_user_policy_attachment", "policy_arn", {"arn:aws:iam::aws:policy/AdministratorAccess"}],
	["azurerm_role_assignment", "role_definition_name", {"Owner", "User Access Administrator"}],
	["google_project_iam_member", "role", {"roles/owner", "roles/editor"}],
	["google_project_iam_binding", "role", {"roles/owner", "roles/editor"}],
]
