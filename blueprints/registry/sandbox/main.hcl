# The registry component in the sandbox.

resource "sandbox_registry" "main" {
  name           = var.name
  immutable_tags = var.immutable_tags
  scan_on_push   = var.scan_on_push
  tags           = merge({ component = "registry" }, var.tags)

  dynamic "retention" {
    for_each = var.untagged_days == null ? [] : [var.untagged_days]
    content {
      untagged_days = retention.value
    }
  }
}

resource "sandbox_registry_credential" "pull" {
  registry_id = sandbox_registry.main.id
  access      = "pull"
  rotation    = var.credential_rotation
  description = "Pulls images for ${var.name}."
}

output "id" {
  value       = sandbox_registry.main.id
  description = "What other components name the registry by."
}

output "url" {
  value       = sandbox_registry.main.url
  description = "What image names start with."
}

output "pull_username" {
  value       = sandbox_registry_credential.pull.username
  description = "The user that may pull."
}

output "pull_password" {
  value       = sandbox_registry_credential.pull.password
  sensitive   = true
  description = "The password of the user that may pull."
}
