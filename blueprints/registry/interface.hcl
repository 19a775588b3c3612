# A container registry: tags stay what they were, and images are scanned when they come.

variable "name" {
  type        = string
  description = "A name that is unique wherever the registry's address is."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,38}[a-z0-9]$", var.name))
    error_message = "A registry's name has 2 to 40 lower-case letters, digits and dashes, and starts with a letter."
  }
}

variable "immutable_tags" {
  type        = bool
  default     = true
  description = "Whether a tag, once pushed, can never name another image."
}

variable "scan_on_push" {
  type        = bool
  default     = true
  description = "Whether images are scanned for known vulnerabilities when they come."
}

variable "untagged_days" {
  type        = number
  default     = 14
  description = "How many days an image without a tag is kept; null keeps it for ever."
}

variable "credential_rotation" {
  type        = string
  default     = "1"
  description = "Any text; a change makes a new pull credential."
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "Keys and values that the registry carries."
}

output "id" {
  type        = string
  description = "What other components name the registry by."
}

output "url" {
  type        = string
  description = "What image names start with."
}

output "pull_username" {
  type        = string
  description = "The user that may pull."
}

output "pull_password" {
  type        = string
  sensitive   = true
  description = "The password of the user that may pull."
}
