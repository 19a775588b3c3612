environment "dev" {
  target = "sandbox"
}

component "queue" "main" {
  name = "q"
}
