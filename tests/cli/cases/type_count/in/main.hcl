resource "terraform_data" "a" {
  count = "three"
}
