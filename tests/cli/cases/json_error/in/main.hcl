output "a" {
  value = var.nothing
}
