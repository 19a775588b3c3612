variable "secret" {
  default   = "planted"
  ephemeral = true
}

module "inner" {
  source = "./inner"
  given  = upper(var.secret)
}
