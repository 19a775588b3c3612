ephemeral "sandbox_registry_token" "pull" {
  registry_id = "registry-0"
}

locals {
  password = ephemeral.sandbox_registry_token.pul.password
}
