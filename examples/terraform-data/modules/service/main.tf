variable "name" {
  type = string
}

variable "port" {
  type = number
}

variable "replicas" {
  type = number

  validation {
    condition     = var.replicas >= 1
    error_message = "A service has at least one replica."
  }
}

variable "needs" {
  type    = set(string)
  default = []
}

variable "release" {
  type = string
}

resource "terraform_data" "service" {
  input = {
    name    = var.name
    port    = var.port
    release = var.release
  }
}

resource "terraform_data" "replica" {
  count = var.replicas

  input            = { service = terraform_data.service.id, index = count.index }
  triggers_replace = terraform_data.service.output.port
}

resource "terraform_data" "need" {
  for_each = var.needs

  input = "${var.name} needs ${each.key}"
}

output "replica_ids" {
  value = terraform_data.replica[*].id
}
