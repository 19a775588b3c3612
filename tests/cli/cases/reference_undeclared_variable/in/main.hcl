variable "size" {
  default = 1
}

output "a" {
  value = var.siez
}
