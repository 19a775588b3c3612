variable "password" {
  sensitive = true
  default   = "planted-secret"
}

output "a" {
  value = var.password
}
