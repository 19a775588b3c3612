output "a" {
  value = local.nothing
}
