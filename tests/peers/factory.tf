variable "team" { default = "a" }
variable "size" { default = "medium" }
variable "image" { default = "debian-13" }
variable "level" { default = "warn" }
variable "callers" {
  type    = set(string)
  default = ["web"]
}
variable "pools" {
  type    = list(object({ name = string, max_nodes = number }))
  default = [{ name = "main", max_nodes = 3 }, { name = "spare", max_nodes = 1 }]
}
variable "untagged_days" {
  type    = number
  default = 14
}
variable "rotation" { default = "1" }

provider "sandbox" {
  region = "local-2"
  quota  = { sandbox_network = 2, sandbox_machine = 3 }
}

data "sandbox_region" "here" {}

data "sandbox_images" "debian" {
  filter      = "debian"
  most_recent = true
}

data "sandbox_network" "main" {
  name = sandbox_network.main.name
}

resource "sandbox_network" "main" {
  name       = "main"
  cidr_block = "10.0.0.0/16"
  tags       = { team = var.team }
}

resource "sandbox_subnet" "main" {
  network_id = sandbox_network.main.id
  cidr_block = "10.0.1.0/24"
}

resource "sandbox_machine" "web" {
  count     = 2
  name      = "web-${count.index}"
  subnet_id = sandbox_subnet.main.id
  size      = var.size
  image     = var.image
  user_data = "#!/bin/sh\necho ${data.sandbox_region.here.zones[0]}\n"
  tags      = { team = var.team, subnet = sandbox_subnet.main.id }
}

resource "sandbox_cluster" "main" {
  name       = "blue"
  network_id = sandbox_network.main.id
  subnet_ids = [sandbox_subnet.main.id]
  version    = "1.32"

  dynamic "node_pool" {
    for_each = var.pools
    content {
      name      = node_pool.value.name
      max_nodes = node_pool.value.max_nodes
      labels    = { zone = data.sandbox_region.here.zones[0] }
    }
  }
}

resource "sandbox_registry" "images" {
  name = "images"
  retention {
    untagged_days = var.untagged_days
  }
}

resource "sandbox_registry_credential" "nodes" {
  registry_id = sandbox_registry.images.id
  rotation    = var.rotation
}

resource "sandbox_log_store" "audit" {
  name           = "audit"
  retention_days = 90
}

resource "sandbox_log_forwarder" "registry" {
  source_id = sandbox_registry.images.id
  store_id  = sandbox_log_store.audit.id
  level     = var.level
}

resource "sandbox_mesh" "main" {
  cluster_id = sandbox_cluster.main.id
}

resource "sandbox_mesh_member" "api" {
  mesh_id    = sandbox_mesh.main.id
  workload   = "api"
  allow_from = var.callers
}

resource "sandbox_identity" "builder" {
  name = "builder"
}

resource "sandbox_policy" "push" {
  name = "push"
  document = jsonencode({
    Statement = [{ Effect = "Allow", Action = "push", Resource = sandbox_registry.images.path }]
  })
}

resource "sandbox_policy_attachment" "builder" {
  policy_id   = sandbox_policy.push.id
  identity_id = sandbox_identity.builder.id
}

output "password" {
  value     = sandbox_registry_credential.nodes.password
  sensitive = true
}

output "newest" { value = data.sandbox_images.debian.images[0].name }

output "cidr_block" { value = data.sandbox_network.main.cidr_block }
