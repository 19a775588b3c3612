environment "dev" {
  protect {
    resource = ["sandbox_network"]
  }
}
