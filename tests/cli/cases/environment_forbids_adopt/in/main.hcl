environment "default" {
  approval {
    auto_approve = false
  }
}

resource "terraform_data" "a" {
}
