terraform {
  required_providers {
    null = { source = "https://registry.terraform.io/hashicorp/null" }
  }
}
