package logs

deny contains {"msg": msg, "address": change.address} if {
	some change in input.resource_changes
	change.change.after.retention_days < 30
	msg := sprintf("logs are kept for %d days", [change.change.after.retention_days])
}

warn contains "somebody should look at this"

require_approval contains {"msg": "logs are evidence", "group": "security", "count": 2}
