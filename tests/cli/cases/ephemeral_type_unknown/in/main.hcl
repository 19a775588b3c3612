ephemeral "sandbox_registry_tokn" "pull" {
  registry_id = "registry-0"
}

ephemeral "sandbox_network" "net" {
  name = "net"
}

