variable "size" {
  type    = number
  default = "many"
}
