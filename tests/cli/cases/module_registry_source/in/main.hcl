module "a" {
  source = "acme/network/aws"
}
