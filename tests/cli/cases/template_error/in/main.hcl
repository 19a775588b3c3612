output "a" {
  value = templatefile("a.tpl", { name = "x" })
}
