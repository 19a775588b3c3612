variable "size" {
  type = numbr
}
