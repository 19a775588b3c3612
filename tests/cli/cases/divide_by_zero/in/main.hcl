output "a" {
  value = 1 / 0
}
