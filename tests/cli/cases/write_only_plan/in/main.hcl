variable "secret" {
  default   = "planted"
  ephemeral = true
}

resource "sandbox_identity" "builder" {
  name                = "builder"
  kind                = "person"
  password_wo         = var.secret
  password_wo_version = 1
}
