variable "secret" {
  default   = "planted"
  ephemeral = true
}
