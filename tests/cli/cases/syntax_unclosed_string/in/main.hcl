locals {
  a = "one
  b = 2
}
