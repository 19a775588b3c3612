# A Kubernetes cluster in a network of its own.

variable "name" {
  type        = string
  description = "The name of the cluster and of its network: lower-case letters, digits and dashes."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,38}[a-z0-9]$", var.name))
    error_message = "A cluster's name has 2 to 40 lower-case letters, digits and dashes, and starts with a letter."
  }
}

variable "kubernetes_version" {
  type        = string
  default     = "1.34"
  description = "The minor version of Kubernetes. It can go up in place, never down."
}

variable "cidr_block" {
  type        = string
  default     = "10.0.0.0/16"
  description = "The IPv4 block of the cluster's network; it is divided among `subnet_count` subnets."

  validation {
    condition     = can(cidrhost(var.cidr_block, 0))
    error_message = "Write an IPv4 block such as 10.0.0.0/16."
  }
}

variable "subnet_count" {
  type        = number
  default     = 2
  description = "How many subnets the nodes are spread over, from 1 to 8."

  validation {
    condition     = var.subnet_count >= 1 && var.subnet_count <= 8 && floor(var.subnet_count) == var.subnet_count
    error_message = "A cluster has from 1 to 8 subnets."
  }
}

variable "node_pools" {
  type = map(object({
    size      = optional(string, "medium")
    min_nodes = optional(number, 1)
    max_nodes = number
    labels    = optional(map(string), {})
  }))
  default     = { main = { max_nodes = 3 } }
  description = "The groups of nodes, by name. A size is one of nano, small, medium, large and xlarge."

  validation {
    condition     = length(var.node_pools) > 0
    error_message = "A cluster needs at least one node pool."
  }
}

variable "public_endpoint" {
  type        = bool
  default     = false
  description = "Whether the API server is reached from outside the network."
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "Keys and values that everything in the cluster carries."
}

output "id" {
  type        = string
  description = "What other components name the cluster by."
}

output "name" {
  type        = string
  description = "The cluster's name."
}

output "endpoint" {
  type        = string
  description = "The address of the API server."
}

output "ca_certificate" {
  type        = string
  description = "The certificate that the API server is trusted by, as PEM."
}

output "kubeconfig" {
  type        = string
  sensitive   = true
  description = "The configuration of an administrator's client."
}

output "network_id" {
  type        = string
  description = "The network that the cluster stands in."
}

output "subnet_ids" {
  type        = list(string)
  description = "The subnets of its nodes, in the order of their addresses."
}
