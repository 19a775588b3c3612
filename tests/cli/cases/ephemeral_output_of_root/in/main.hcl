variable "secret" {
  default   = "planted"
  ephemeral = true
}

output "declared" {
  value     = var.secret
  ephemeral = true
}
