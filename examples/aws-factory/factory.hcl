# A software factory on AWS in two environments: a cluster, what a mesh in it needs, a registry, and central logging.

environment "dev" {
  target = "aws"

  variables = {
    name = "dev"
  }
}

environment "prod" {
  target = "aws"

  variables = {
    name           = "prod"
    cidr_block     = "10.1.0.0/16"
    subnet_count   = 3
    node_count     = 6
    node_size      = "large"
    retention_days = 365
  }

  # Put the keys of your own people into `allowed_signers` before the first apply.
  approval {
    auto_approve    = false
    allowed_signers = "allowed_signers"
    expires         = "72h"

    group "operators" {}

    require "operators" { count = 1 }
  }
}

variable "region" {
  type        = string
  default     = "ca-central-1"
  description = "The region of AWS."
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

variable "subnet_count" {
  type        = number
  default     = 2
  description = "How many zones the nodes are spread over."
}

variable "node_count" {
  type        = number
  default     = 3
  description = "The most nodes that the cluster grows to."
}

variable "node_size" {
  type        = string
  default     = "small"
  description = "The size of each node."
}

variable "kubernetes_version" {
  type        = string
  default     = "1.34"
  description = "The version of Kubernetes: one step up at a time."
}

variable "retention_days" {
  type        = number
  default     = 30
  description = "How long logs are kept."
}

variable "scan_on_push" {
  type        = bool
  default     = true
  description = "Whether images are scanned when they are pushed."
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      factory = "aws-factory"
      stage   = var.name
    }
  }
}

component "cluster" "main" {
  name               = "${var.name}-factory"
  cidr_block         = var.cidr_block
  subnet_count       = var.subnet_count
  kubernetes_version = var.kubernetes_version

  node_pools = {
    work = { size = var.node_size, max_nodes = var.node_count, labels = { pool = "work" } }
  }
}

component "mesh" "main" {
  cluster_id = component.cluster.main.id

  members = {
    web    = {}
    api    = { allow_from = ["web"] }
    runner = { allow_from = ["api"] }
  }
}

component "registry" "images" {
  name         = "${var.name}-images"
  scan_on_push = var.scan_on_push
}

component "logging" "central" {
  name           = "${var.name}-logs"
  retention_days = var.retention_days

  sources = {
    cluster  = component.cluster.main.id
    mesh     = component.mesh.main.id
    registry = component.registry.images.id
  }
}

output "endpoint" {
  value       = component.cluster.main.endpoint
  description = "The address of the cluster's API server, which is reached from within the network."
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
  description = "An administrator's access to the cluster, without a secret in it."
}
