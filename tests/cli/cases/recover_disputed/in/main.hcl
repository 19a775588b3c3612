resource "sandbox_network" "net" {
  name       = "net"
  cidr_block = "10.0.0.0/16"
}
resource "sandbox_subnet" "sub" {
  network_id = sandbox_network.net.id
  cidr_block = "10.0.1.0/24"
}
resource "sandbox_subnet" "other" {
  network_id = sandbox_network.net.id
  cidr_block = "10.0.2.0/24"
}
