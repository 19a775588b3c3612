resource "terraform_data" "web" {
}

output "a" {
  value = terraform_data.web.ouptut
}
