artifact "agent" {
  source = "./agent"
}
