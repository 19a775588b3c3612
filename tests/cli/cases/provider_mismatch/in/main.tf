module "m" {
  source    = "./m"
  providers = { cloud = sandbox.west }
}
provider "sandbox" { alias = "west" }
