variable "secret" {
  default   = "planted"
  ephemeral = true
}

resource "terraform_data" "many" {
  count = length(var.secret)
}

resource "terraform_data" "named" {
  for_each = toset([var.secret])
}
