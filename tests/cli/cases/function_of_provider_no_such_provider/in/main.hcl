terraform {
  required_providers {
    clouds = { source = "formwork/clouds" }
  }
}

output "id" {
  value = provider::clouds::parse_path("net-1").id
}
