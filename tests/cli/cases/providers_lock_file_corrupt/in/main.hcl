terraform {
  required_providers {
    gitlab = {
      source  = "gitlabhq/gitlab"
      version = "~> 17.0"
    }
  }
}
resource "sandbox_network" "a" {
  name       = "a"
  cidr_block = "10.0.0.0/16"
}
resource "terraform_data" "b" {}
