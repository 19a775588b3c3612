module "a" {
  source = "./m"
  nmae   = "x"
}
