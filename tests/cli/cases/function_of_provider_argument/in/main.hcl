terraform {
  required_providers {
    sandbox = { source = "formwork/sandbox" }
  }
}

output "id" {
  value = provider::sandbox::parse_path("net-1").id
}

output "image" {
  value = provider::sandbox::image_reference("host", "app")
}
