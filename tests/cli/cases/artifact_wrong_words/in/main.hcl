artifact "agent" {
  source = "./agent"
  sha256 = "ABC"
  kind   = "binary"
  digest = "none"
}

artifact "debs" {
  source = "./debs"
  kind   = "deb"
}

artifact "dynamic" {
  source = "./${var.name}"
}
