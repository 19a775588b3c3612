release { on_failure = "rollback" }
resource "sandbox_network" "net" {
  name       = "net"
  cidr_block = "10.0.0.0/16"
}
resource "sandbox_subnet" "sub" {
  network_id = sandbox_network.net.id
  cidr_block = cidrsubnet(sandbox_network.net.cidr_block, 8, 1)
}
resource "sandbox_log_store" "logs" {
  name       = "logs"
  depends_on = [sandbox_subnet.sub]
}
