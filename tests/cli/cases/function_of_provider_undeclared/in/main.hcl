terraform {
  required_providers {
    sandbox = { source = "formwork/sandbox" }
  }
}

output "id" {
  value = provider::sandbx::parse_path("sandbox:local-1:network/net-1").id
}

output "arn" {
  value = provider::aws::arn_parse("arn:aws:iam::1:user/a").account_id
}
