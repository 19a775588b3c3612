resource "sandbox_registry" "main" {
  name = "images"
}

resource "terraform_data" "user" {
  input = sandbox_registry.main.id
}

resource "terraform_data" "apart" {
  input = 1
}
