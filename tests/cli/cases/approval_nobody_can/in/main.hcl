environment "default" {
  approval {
    allowed_signers = "allowed_signers"

    group "operators" {
      members = ["*@ops.example"]
    }
    require "operators" {
      count = 2
    }
  }
}
