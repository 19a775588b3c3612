artifact "agent" {
  source = "./agent"
}

resource "terraform_data" "agent" {
  input = artifact.agent.id
}
