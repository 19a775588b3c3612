# The mesh component on AWS: what a mesh needs outside of the cluster. That is a key which signs its identities and never
# leaves KMS, and a role by which its control plane, and nothing else in the cluster, may use that key.
#
# What stands inside the cluster (the control plane, mutual TLS, who may call whom) takes a provider for Kubernetes, which
# is not there yet: until then `mtls`, `default_action` and `allow_from` have no effect here, and the names of identities are
# what they will be.
#
# No port has to be opened: by EKS's own security group of a cluster the API server and the nodes reach each other on all
# of them, webhooks of the mesh too.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_eks_cluster" "main" {
  name = var.cluster_id
}

locals {
  issuer   = replace(data.aws_eks_cluster.main.identity[0].oidc[0].issuer, "https://", "")
  iam      = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}"
  tags     = merge({ component = "mesh", cluster = var.cluster_id }, var.tags)
  identity = "spiffe://${var.trust_domain}"
}

resource "aws_kms_key" "identities" {
  description              = "Signs the identities of the mesh in ${var.cluster_id}"
  key_usage                = "SIGN_VERIFY"
  customer_master_key_spec = "ECC_NIST_P256"
  deletion_window_in_days  = 30
  tags                     = local.tags
}

resource "aws_kms_alias" "identities" {
  name          = "alias/${var.cluster_id}-mesh"
  target_key_id = aws_kms_key.identities.key_id
}

resource "aws_iam_role" "control_plane" {
  name = "${var.cluster_id}-mesh"
  tags = local.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = "${local.iam}:oidc-provider/${local.issuer}" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${local.issuer}:aud" = "sts.${data.aws_partition.current.dns_suffix}"
          "${local.issuer}:sub" = "system:serviceaccount:mesh-system:mesh-control-plane"
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "sign" {
  name = "sign"
  role = aws_iam_role.control_plane.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign"]
      Resource = aws_kms_key.identities.arn
    }]
  })
}

output "id" {
  value       = aws_iam_role.control_plane.arn
  description = "What other components name the mesh by."
}

output "root_identity" {
  value       = "${local.identity}/mesh"
  description = "The SPIFFE id of the mesh itself."
}

output "identities" {
  value       = { for name, member in var.members : name => "${local.identity}/workload/${name}" }
  description = "The SPIFFE id of each member, by its name."
}
