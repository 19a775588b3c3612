# Logs are kept long enough, and only as long as somebody decided.
package factory.logging

import data.factory.plan

# How the types call it.
retention := {
	"aws_cloudwatch_log_group": "retention_in_days",
	"azurerm_log_analytics_workspace": "retention_in_days",
	"google_logging_project_bucket_config": "retention_days",
	"sandbox_log_store": "retention_days",
}

default least := 30

least := data.settings.log_retention_days

deny contains {"msg": msg, "address": change.address} if {
	some change in plan.changed
	days := plan.value(change, retention[change.type])
	days > 0
	days < least
	msg := sprintf("logs are kept for %d days, and %d are the least", [days, least])
}

# Without a number AWS keeps logs for ever, and 0 says the same.
warn contains {"msg": msg, "address": change.address} if {
	some change in plan.changed
	name := retention[change.type]
	object.get(change.change.after, name, null) in {0, null}
	not plan.unknown(change, name)
	msg := sprintf("`%s` is not set: nobody decided how long logs are kept", [name])
}
