locals {
  parts = provider::sandbox::parse_pth("sandbox:local-1:network/net-1")
}

resource "sandbox_network" "net" {
  name       = local.parts.id
  cidr_block = "10.0.0.0/16"
}
