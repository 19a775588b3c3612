# The cluster component on AWS: EKS in a network of its own. Names, keys and logs of the control plane are here, the
# network is in network.hcl, the nodes are in nodes.hcl, and who is let in is in access.hcl.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  partition = data.aws_partition.current.partition
  suffix    = data.aws_partition.current.dns_suffix
  account   = data.aws_caller_identity.current.account_id
  region    = data.aws_region.current.name
  policies  = "arn:${local.partition}:iam::aws:policy"
  tags      = merge({ component = "cluster", cluster = var.name }, var.tags)
  issuer    = aws_eks_cluster.main.identity[0].oidc[0].issuer
  groups    = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group"
}

resource "aws_kms_key" "main" {
  description             = "Secrets and logs of the cluster ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  tags                    = local.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "CloudWatchLogs"
        Effect    = "Allow"
        Principal = { Service = "logs.${local.region}.${local.suffix}" }
        Action    = ["kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        Resource  = "*"
        Condition = {
          ArnLike = {
            "kms:EncryptionContext:aws:logs:arn" = ["${local.groups}:/aws/eks/${var.name}/*", "${local.groups}:/aws/vpc/${var.name}/*"]
          }
        }
      },
    ]
  })
}

resource "aws_kms_alias" "main" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.main.key_id
}

# EKS would make this group itself, without an end and without a key.
resource "aws_cloudwatch_log_group" "control_plane" {
  name              = "/aws/eks/${var.name}/cluster"
  retention_in_days = 365
  kms_key_id        = aws_kms_key.main.arn
  tags              = local.tags
}

resource "aws_iam_role" "control_plane" {
  name = "${var.name}-control-plane"
  tags = local.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "eks.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "control_plane" {
  role       = aws_iam_role.control_plane.name
  policy_arn = "${local.policies}/AmazonEKSClusterPolicy"
}

resource "aws_eks_cluster" "main" {
  name                          = var.name
  role_arn                      = aws_iam_role.control_plane.arn
  version                       = var.kubernetes_version
  enabled_cluster_log_types     = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
  bootstrap_self_managed_addons = false
  tags                          = local.tags

  vpc_config {
    subnet_ids              = aws_subnet.nodes[*].id
    security_group_ids      = [aws_security_group.api.id]
    endpoint_private_access = true
    endpoint_public_access  = var.public_endpoint
    public_access_cidrs     = var.public_endpoint ? var.public_access_cidrs : null
  }

  encryption_config {
    resources = ["secrets"]
    provider {
      key_arn = aws_kms_key.main.arn
    }
  }

  access_config {
    authentication_mode = "API"
  }

  lifecycle {
    precondition {
      condition     = var.subnet_count >= 2
      error_message = "EKS wants subnets in two zones at least: set subnet_count to 2 or more."
    }
  }

  depends_on = [
    aws_cloudwatch_log_group.control_plane,
    aws_iam_role_policy_attachment.control_plane,
  ]
}

# Workloads take roles of IAM by the tokens that the cluster gives them.
resource "aws_iam_openid_connect_provider" "workloads" {
  url            = local.issuer
  client_id_list = ["sts.${local.suffix}"]
  tags           = local.tags
}

output "id" {
  value       = aws_eks_cluster.main.id
  description = "What other components name the cluster by."
}

output "name" {
  value       = aws_eks_cluster.main.name
  description = "The cluster's name."
}

output "endpoint" {
  value       = aws_eks_cluster.main.endpoint
  description = "The address of the API server."
}

output "ca_certificate" {
  value       = base64decode(aws_eks_cluster.main.certificate_authority[0].data)
  description = "The certificate that the API server is trusted by, as PEM."
}

# No secret is in it: the client asks AWS for a token.
output "kubeconfig" {
  sensitive   = true
  description = "The configuration of an administrator's client."
  value = yamlencode({
    apiVersion      = "v1"
    kind            = "Config"
    current-context = var.name
    clusters = [{
      name = var.name
      cluster = {
        server                     = aws_eks_cluster.main.endpoint
        certificate-authority-data = aws_eks_cluster.main.certificate_authority[0].data
      }
    }]
    contexts = [{ name = var.name, context = { cluster = var.name, user = var.name } }]
    users = [{
      name = var.name
      user = {
        exec = {
          apiVersion      = "client.authentication.k8s.io/v1beta1"
          command         = "aws"
          args            = ["eks", "get-token", "--cluster-name", var.name, "--region", local.region]
          interactiveMode = "Never"
        }
      }
    }]
  })
}

output "network_id" {
  value       = aws_vpc.main.id
  description = "The network that the cluster stands in."
}

output "subnet_ids" {
  value       = aws_subnet.nodes[*].id
  description = "The subnets of its nodes, in the order of their addresses."
}
