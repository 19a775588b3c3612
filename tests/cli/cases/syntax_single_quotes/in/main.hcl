locals {
  a = 'one'
}
