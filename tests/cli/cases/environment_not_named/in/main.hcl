environment "dev" {
}
environment "prod" {
}
