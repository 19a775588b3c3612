resource "terraform_data" "web" {
  count = 2
  input = count.index
}
