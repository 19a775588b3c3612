# A service mesh in a cluster: nothing is reached that is not allowed, and nothing in plain text.

variable "cluster_id" {
  type        = string
  description = "The cluster whose workloads it joins: the output `id` of a cluster."
}

variable "mtls" {
  type        = string
  default     = "strict"
  description = "strict: mutual TLS only; permissive: plain text too, while workloads move in."

  validation {
    condition     = contains(["strict", "permissive"], var.mtls)
    error_message = "Mutual TLS is either strict or permissive."
  }
}

variable "default_action" {
  type        = string
  default     = "deny"
  description = "What becomes of a call that no member allows: deny or allow."

  validation {
    condition     = contains(["deny", "allow"], var.default_action)
    error_message = "The default action is either deny or allow."
  }
}

variable "trust_domain" {
  type        = string
  default     = "cluster.local"
  description = "What the identities of workloads start with."
}

variable "members" {
  type = map(object({
    allow_from = optional(set(string), [])
  }))
  default     = {}
  description = "The workloads in the mesh, by name, and the workloads that may call each."

  validation {
    condition = alltrue([
      for member in var.members : alltrue([for caller in member.allow_from : contains(keys(var.members), caller)])
    ])
    error_message = "Every workload in allow_from must be a member of the mesh itself."
  }
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "Keys and values that the mesh carries."
}

output "id" {
  type        = string
  description = "What other components name the mesh by."
}

output "root_identity" {
  type        = string
  description = "The SPIFFE id of the mesh itself."
}

output "identities" {
  type        = map(string)
  description = "The SPIFFE id of each member, by its name."
}
