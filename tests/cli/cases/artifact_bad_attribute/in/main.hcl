artifact "agent" {
  source = "./main.hcl"
}

output "path" {
  value = artifact.agent.path
}
