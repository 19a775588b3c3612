# What holds data is not lost by the way.
package factory.protection

import data.factory.plan

# In these environments data may be lost.
default disposable := []

disposable := data.settings.disposable_environments

stateful contains type if some type in data.settings.stateful

require_approval contains {"msg": msg, "address": change.address, "count": 1} if {
	some change in plan.removed
	change.type in stateful
	not input.formwork.environment in disposable
	msg := sprintf("%s goes, and what it holds goes with it", [change.address])
}

# Attributes that keep a service from deleting it.
guards := {
	"aws_db_instance": "deletion_protection",
	"aws_dynamodb_table": "deletion_protection_enabled",
	"aws_rds_cluster": "deletion_protection",
	"google_container_cluster": "deletion_protection",
	"google_sql_database_instance": "deletion_protection",
}

warn contains {"msg": msg, "address": change.address} if {
	some change in plan.changed
	name := guards[change.type]
	not plan.value(change, name)
	not plan.unknown(change, name)
	not input.formwork.environment in disposable
	msg := sprintf("`%s` is not true: whoever may delete it can do so by mistake", [name])
}
