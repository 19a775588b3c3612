terraform {
  required_providers {
    sandbox = { source = "formwork/sandbox" }
  }
}

output "id" {
  value = provider::sandbx::parse_path("sandbox:local-1:network/net-1").id
}

output "project" {
  value = provider::google::project_from_id("projects/factory/zones/a")
}
