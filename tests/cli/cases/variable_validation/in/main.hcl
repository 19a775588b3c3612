variable "size" {
  type    = number
  default = 1
  validation {
    condition     = var.size < 5
    error_message = "At most 4."
  }
}
