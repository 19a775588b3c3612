# Modules, for_each, count, unknown and sensitive values, with nothing but terraform_data.
# Formwork and Terraform plan it the same.

variable "services" {
  type = map(object({
    port     = number
    replicas = optional(number, 1)
    needs    = optional(set(string), [])
  }))
  default = {
    web  = { port = 80, replicas = 3, needs = ["api"] }
    api  = { port = 8080, replicas = 2, needs = ["data"] }
    data = { port = 5432 }
  }
}

variable "password" {
  type      = string
  default   = "not a real one"
  sensitive = true
}

locals {
  ports = { for name, service in var.services : name => service.port }
}

resource "terraform_data" "release" {
  input            = { version = "1.4.2", services = sort(keys(var.services)) }
  triggers_replace = [local.ports]
}

resource "terraform_data" "secret" {
  input = { user = "admin", password = var.password }
}

module "service" {
  source   = "./modules/service"
  for_each = var.services

  name     = each.key
  port     = each.value.port
  replicas = each.value.replicas
  needs    = each.value.needs
  release  = terraform_data.release.id
}

resource "terraform_data" "check" {
  for_each = local.ports

  input      = "${each.key}:${each.value}"
  depends_on = [module.service]

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = each.value < 65536
      error_message = "A port is a number below 65536."
    }
  }
}

output "replicas" {
  value = { for name, service in module.service : name => service.replica_ids }
}

output "release" {
  value = terraform_data.release.output
}

output "secret" {
  value     = terraform_data.secret.output.user
  sensitive = true
}
