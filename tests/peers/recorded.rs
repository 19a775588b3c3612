//! `random` and `tls` under real Terraform, in place of the providers that it would fetch.
//!
//! The configuration is one for those: what people have written goes on working.

use crate::terraform::Terraform;

const CONFIGURATION: &str = r#"
variable "turn" { default = "1" }

resource "random_pet" "name" { prefix = "factory" }
resource "random_id" "suffix" { byte_length = 4 }
resource "random_password" "admin" {
  length           = 20
  min_special      = 2
  override_special = "-_"
  keepers          = { turn = var.turn }
}
resource "random_integer" "port" {
  min = 20000
  max = 30000
}
resource "random_shuffle" "zones" {
  input        = ["a", "b", "c"]
  result_count = 2
}
resource "random_uuid" "tenant" {}
resource "random_bytes" "seed" { length = 16 }

resource "tls_private_key" "ca" {
  algorithm   = "ECDSA"
  ecdsa_curve = "P384"
}
resource "tls_self_signed_cert" "ca" {
  private_key_pem       = tls_private_key.ca.private_key_pem
  is_ca_certificate     = true
  validity_period_hours = 8760
  allowed_uses          = ["cert_signing", "crl_signing"]
  subject {
    common_name  = random_pet.name.id
    organization = "A Factory"
  }
}
resource "tls_private_key" "web" { algorithm = "RSA" }
resource "tls_cert_request" "web" {
  private_key_pem = tls_private_key.web.private_key_pem
  dns_names       = ["web.factory.example"]
  subject { common_name = "web" }
}
resource "tls_locally_signed_cert" "web" {
  cert_request_pem      = tls_cert_request.web.cert_request_pem
  ca_private_key_pem    = tls_private_key.ca.private_key_pem
  ca_cert_pem           = tls_self_signed_cert.ca.cert_pem
  validity_period_hours = 24
  early_renewal_hours   = 6
  allowed_uses          = ["digital_signature", "server_auth"]
}
data "tls_public_key" "web" { private_key_openssh = tls_private_key.web.private_key_openssh }
data "tls_certificate" "web" { content = tls_locally_signed_cert.web.cert_pem }

output "same" { value = data.tls_public_key.web.public_key_pem == tls_private_key.web.public_key_pem }
output "issuer" { value = data.tls_certificate.web.certificates[0].issuer }
output "name" { value = random_pet.name.id }
"#;

#[test]
fn terraform_drives_random_and_tls_as_it_does_the_ones_it_fetches() {
    let test = "terraform_drives_random_and_tls_as_it_does_the_ones_it_fetches";
    let Some(terraform) = Terraform::overriding(test, CONFIGURATION) else { return };
    terraform.succeeds(&["apply", "-auto-approve", "-no-color"]);
    assert_eq!(terraform.succeeds(&["output", "-raw", "same"]), "true");
    let name = terraform.succeeds(&["output", "-raw", "name"]);
    assert!(name.starts_with("factory-"), "{name}");
    let issuer = terraform.succeeds(&["output", "-raw", "issuer"]);
    assert!(issuer.contains(&format!("CN={name}")), "{issuer}");
    let told = terraform.succeeds(&["plan", "-detailed-exitcode", "-no-color"]);
    assert!(told.contains("No changes"), "{told}");
    let told = terraform.succeeds(&["apply", "-auto-approve", "-no-color", "-var", "turn=2"]);
    assert!(told.contains("1 added, 0 changed, 1 destroyed"), "{told}");
    terraform.succeeds(&["destroy", "-auto-approve", "-no-color"]);
}
