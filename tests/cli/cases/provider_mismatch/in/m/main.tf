terraform {
  required_providers {
    cloud = { source = "acme/cloud" }
  }
}
resource "cloud_thing" "a" {}
