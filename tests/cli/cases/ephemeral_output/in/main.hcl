variable "secret" {
  default   = "planted"
  ephemeral = true
}

output "secret" {
  value = "is ${var.secret}"
}
