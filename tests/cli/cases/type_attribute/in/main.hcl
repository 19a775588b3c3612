resource "sandbox_network" "a" {
  name       = ["n"]
  cidr_block = "10.0.0.0/16"
}
