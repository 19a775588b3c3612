# A software factory in two environments: a cluster, a mesh in it, a registry, and central logging.

environment "dev" {
  target = "sandbox"

  variables = {
    name       = "dev"
    node_count = 2
  }
}

environment "prod" {
  target = "sandbox"

  variables = {
    name           = "prod"
    cidr_block     = "10.1.0.0/16"
    node_count     = 6
    node_size      = "large"
    retention_days = 365
  }
}

variable "name" {
  type        = string
  description = "What the names of everything in the factory start with."
}

variable "cidr_block" {
  type        = string
  default     = "10.0.0.0/16"
  description = "The addresses of the cluster's network."
}

variable "node_count" {
  type        = number
  default     = 3
  description = "The most nodes that the cluster grows to."

  validation {
    condition     = var.node_count >= 1
    error_message = "A cluster needs at least one node."
  }
}

variable "node_size" {
  type        = string
  default     = "medium"
  description = "The size of each node."
}

variable "retention_days" {
  type        = number
  default     = 30
  description = "How long logs are kept."
}

locals {
  tags = { factory = "quickstart", stage = var.name }
}

component "cluster" "main" {
  name       = "${var.name}-factory"
  cidr_block = var.cidr_block
  tags       = local.tags

  node_pools = {
    work = { size = var.node_size, max_nodes = var.node_count }
  }
}

component "mesh" "main" {
  cluster_id = component.cluster.main.id
  tags       = local.tags

  members = {
    web    = {}
    api    = { allow_from = ["web"] }
    runner = { allow_from = ["api"] }
  }
}

component "registry" "images" {
  name = "${var.name}-images"
  tags = local.tags
}

component "logging" "central" {
  name           = "${var.name}-logs"
  retention_days = var.retention_days
  tags           = local.tags

  sources = {
    cluster  = component.cluster.main.id
    mesh     = component.mesh.main.id
    registry = component.registry.images.id
  }
}

output "endpoint" {
  value       = component.cluster.main.endpoint
  description = "The address of the cluster's API server."
}

output "registry" {
  value       = component.registry.images.url
  description = "What image names start with."
}

output "identities" {
  value       = component.mesh.main.identities
  description = "The identity of each workload in the mesh."
}

output "kubeconfig" {
  value       = component.cluster.main.kubeconfig
  sensitive   = true
  description = "An administrator's access to the cluster."
}
