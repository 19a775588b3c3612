environment "dev" {
}
environment "dev" {
}
