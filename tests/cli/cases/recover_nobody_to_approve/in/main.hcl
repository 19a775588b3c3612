resource "sandbox_network" "main" {
  name       = "main"
  cidr_block = "10.0.0.0/16"
}
resource "sandbox_subnet" "nodes" {
  for_each   = toset(["a", "b"])
  network_id = sandbox_network.main.id
  cidr_block = each.key == "a" ? "10.0.1.0/24" : "10.0.2.0/24"
}
resource "terraform_data" "once" { input = 1 }
resource "sandbox_identity" "robot" {
  name                = "robot"
  password_wo         = "never told"
  password_wo_version = 1
}
output "network" { value = sandbox_network.main.id }
output "once" { value = terraform_data.once.id }
