variable "name" {
  type = string
}

output "url" {
  type = string
}
