environment "default" {
  approval {
    auto_aprove = false
    expires     = "3 days"
    branch      = var.branch

    group "operators" {
      members = ["*@ops.example"]
    }
    require "operator" {
      risk = "huge"
    }
    require "operators" {
      count = 0
    }
  }
}
variable "branch" {}
