output "a" {
  value = tera("a.tera", { name = "x" })
}
