# The cluster component in the sandbox.

locals {
  tags = merge({ component = "cluster", cluster = var.name }, var.tags)
}

resource "sandbox_network" "main" {
  name       = var.name
  cidr_block = var.cidr_block
  tags       = local.tags
}

resource "sandbox_subnet" "nodes" {
  count = var.subnet_count

  network_id = sandbox_network.main.id
  cidr_block = cidrsubnet(var.cidr_block, 4, count.index)
  tags       = local.tags
}

resource "sandbox_cluster" "main" {
  name            = var.name
  network_id      = sandbox_network.main.id
  subnet_ids      = sandbox_subnet.nodes[*].id
  version         = var.kubernetes_version
  public_endpoint = var.public_endpoint
  tags            = local.tags

  dynamic "node_pool" {
    for_each = var.node_pools
    content {
      name      = node_pool.key
      size      = node_pool.value.size
      min_nodes = node_pool.value.min_nodes
      max_nodes = node_pool.value.max_nodes
      labels    = node_pool.value.labels
    }
  }
}

output "id" {
  value       = sandbox_cluster.main.id
  description = "What other components name the cluster by."
}

output "name" {
  value       = sandbox_cluster.main.name
  description = "The cluster's name."
}

output "endpoint" {
  value       = sandbox_cluster.main.endpoint
  description = "The address of the API server."
}

output "ca_certificate" {
  value       = sandbox_cluster.main.ca_certificate
  description = "The certificate that the API server is trusted by, as PEM."
}

output "kubeconfig" {
  value       = sandbox_cluster.main.kubeconfig
  sensitive   = true
  description = "The configuration of an administrator's client."
}

output "network_id" {
  value       = sandbox_network.main.id
  description = "The network that the cluster stands in."
}

output "subnet_ids" {
  value       = sandbox_subnet.nodes[*].id
  description = "The subnets of its nodes, in the order of their addresses."
}
