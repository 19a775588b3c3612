provider "sandbox" {}
