output "a" {
  value = file("nothing.txt")
}
