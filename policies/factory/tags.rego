# It is known whose an object is.
package factory.tags

import data.factory.plan

# What tags are called, and whether the type has them.
attributes := ["tags", "labels"]

required contains tag if some tag in data.settings.required_tags

# Tags that a provider adds by itself count.
present(change, name) := tags if {
	tags := plan.value(change, sprintf("%s_all", [name]))
} else := tags if {
	tags := plan.value(change, name)
} else := {}

deny contains {"msg": msg, "address": change.address} if {
	some change in plan.changed
	some name in attributes
	# It has the attribute, though nothing may be set.
	name in object.keys(change.change.after)
	is_tagged(change, name)
	not plan.unknown(change, name)
	missing := required - object.keys(present(change, name))
	count(missing) > 0
	msg := sprintf("`%s` has no %s", [name, concat(", ", sort([tag | some tag in missing]))])
}

# Some types call something else so. Labels of AWS's are those of Kubernetes.
is_tagged(change, name) if {
	not is_other(change, name)
	value := change.change.after[name]
	is_object(value)
}

is_tagged(change, name) if {
	not is_other(change, name)
	change.change.after[name] == null
}

is_other(change, name) if {
	name == "labels"
	startswith(change.type, "aws_")
}
