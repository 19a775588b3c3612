variable "secret" {
  default   = "planted"
  ephemeral = true
}

resource "sandbox_identity" "builder" {
  name                = "builder"
  password_wo_version = length(var.secret)
}
