ephemeral "sandbox_registry_token" "pull" {
  registry_id = "registry-0"

  lifecycle {
    prevent_destroy = true
    ignore_changes  = [access]
  }
}
