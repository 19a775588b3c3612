# What the other packages of the set ask a plan: which objects will stand, and what they will be.
package factory.plan

# Managed objects that are made or changed, each as its entry in `resource_changes`.
changed contains change if {
	some change in input.resource_changes
	change.mode == "managed"
	some action in change.change.actions
	action in {"create", "update"}
}

# Managed objects that are deleted, or replaced by another.
removed contains change if {
	some change in input.resource_changes
	change.mode == "managed"
	"delete" in change.change.actions
}

# The value of an attribute after the plan. Undefined where it is unknown, withheld, or not there.
value(change, name) := found if {
	found := change.change.after[name]
	found != null
}

# It will be known only after the apply.
unknown(change, name) if change.change.after_unknown[name] == true

# It is set, or will be.
given(change, name) if value(change, name)

given(change, name) if value(change, name) == false

given(change, name) if unknown(change, name)

# The blocks of a name. Providers keep a single one as an object or as a list of one.
blocks(change, name) := found if {
	found := change.change.after[name]
	is_array(found)
} else := [found] if {
	found := change.change.after[name]
	is_object(found)
} else := []

# A value that may be one or many, as a list.
listed(value) := value if {
	is_array(value)
} else := [value]
