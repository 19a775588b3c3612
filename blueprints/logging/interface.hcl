# Central logging: one encrypted store, and what is sent to it.

variable "name" {
  type        = string
  description = "The name of the store."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,38}[a-z0-9]$", var.name))
    error_message = "A store's name has 2 to 40 lower-case letters, digits and dashes, and starts with a letter."
  }
}

variable "retention_days" {
  type        = number
  default     = 90
  description = "How long logs are kept."

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 180, 365, 731, 2557], var.retention_days)
    error_message = "Logs are kept for 1, 3, 5, 7, 14, 30, 60, 90, 180, 365, 731 or 2557 days."
  }
}

variable "encrypted" {
  type        = bool
  default     = true
  description = "Whether the store is encrypted."
}

variable "sources" {
  type        = map(string)
  default     = {}
  description = "What is logged: ids of clusters, meshes, registries or machines, by a name of your own."
}

variable "level" {
  type        = string
  default     = "info"
  description = "The least level that is sent: debug, info, warn or error."
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "Keys and values that the store carries."
}

output "id" {
  type        = string
  description = "What other components name the store by."
}

output "endpoint" {
  type        = string
  description = "Where logs are sent to."
}

output "forwarder_ids" {
  type        = map(string)
  description = "The id of each source's forwarder, by the name of the source."
}
