# The logging component in the sandbox.

resource "sandbox_log_store" "main" {
  name           = var.name
  retention_days = var.retention_days
  encrypted      = var.encrypted
  tags           = merge({ component = "logging" }, var.tags)
}

resource "sandbox_log_forwarder" "source" {
  for_each = var.sources

  source_id = each.value
  store_id  = sandbox_log_store.main.id
  level     = var.level
}

output "id" {
  value       = sandbox_log_store.main.id
  description = "What other components name the store by."
}

output "endpoint" {
  value       = sandbox_log_store.main.endpoint
  description = "Where logs are sent to."
}

output "forwarder_ids" {
  value       = { for name, forwarder in sandbox_log_forwarder.source : name => forwarder.id }
  description = "The id of each source's forwarder, by the name of the source."
}
