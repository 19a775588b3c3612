terraform {
  required_providers {
    gitlab = {
      source  = "gitlabhq/gitlab"
      version = "newest"
    }
  }
}
resource "sandbox_network" "a" {
  name       = "a"
  cidr_block = "10.0.0.0/16"
}
resource "terraform_data" "b" {}
