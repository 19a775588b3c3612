# The mesh component in the sandbox.

resource "sandbox_mesh" "main" {
  cluster_id     = var.cluster_id
  mtls           = var.mtls
  default_action = var.default_action
  trust_domain   = var.trust_domain
  tags           = merge({ component = "mesh" }, var.tags)
}

resource "sandbox_mesh_member" "workload" {
  for_each = var.members

  mesh_id    = sandbox_mesh.main.id
  workload   = each.key
  allow_from = each.value.allow_from
}

output "id" {
  value       = sandbox_mesh.main.id
  description = "What other components name the mesh by."
}

output "root_identity" {
  value       = sandbox_mesh.main.root_identity
  description = "The SPIFFE id of the mesh itself."
}

output "identities" {
  value       = { for name, member in sandbox_mesh_member.workload : name => member.identity }
  description = "The SPIFFE id of each member, by its name."
}
