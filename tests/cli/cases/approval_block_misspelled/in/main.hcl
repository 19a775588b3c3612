environment "default" {
  aproval {
    auto_approve = false
  }
}
