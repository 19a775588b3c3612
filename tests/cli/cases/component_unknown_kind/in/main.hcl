environment "dev" {
  target = "sandbox"
}

component "clutser" "main" {
}
