variable "given" {
  type = string
}
