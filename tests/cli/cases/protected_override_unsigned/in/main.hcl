resource "sandbox_network" "net" {
  name       = "one"
  cidr_block = "10.0.0.0/16"
  lifecycle {
    protect = true
  }
}
