variable "password" {
  sensitive = true
  default   = "planted-secret"
}

output "a" {
  value = 1 + var.password
}
