environment "dev" {
  target = "moon"
}

component "cluster" "main" {
}
