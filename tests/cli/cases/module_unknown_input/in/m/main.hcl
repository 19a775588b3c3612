variable "name" {
  default = "y"
}
