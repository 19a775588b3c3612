environment "default" {
  approval {
    allowed_signers = "allowed_signers"

    group "operators" {}
    require "operators" {}
  }
}

resource "terraform_data" "a" {
  input = "x"
}
