locals {
  zones = ["a", "b"]
}

output "a" {
  value = local.zones[2]
}
