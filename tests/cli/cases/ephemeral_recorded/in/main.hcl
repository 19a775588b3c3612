variable "secret" {
  default   = "planted"
  ephemeral = true
}

locals {
  setting = { password = var.secret }
}

resource "terraform_data" "kept" {
  input = "password=${local.setting.password}"
}

resource "sandbox_network" "net" {
  name       = "net"
  cidr_block = "10.0.0.0/16"
  tags       = { (var.secret) = "yes" }
}

data "sandbox_network" "net" {
  name = var.secret
}
