resource "sandbox_network" "a" {
  name = "n"
}
