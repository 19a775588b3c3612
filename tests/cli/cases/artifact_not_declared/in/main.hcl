artifact "agent" {
  source = "./main.hcl"
}

output "id" {
  value = artifact.agnet.id
}
