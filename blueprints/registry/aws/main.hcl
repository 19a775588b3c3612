# The registry component on AWS: a repository of ECR, encrypted with a key of its own.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"
  tags    = merge({ component = "registry" }, var.tags)
}

resource "aws_kms_key" "images" {
  description             = "Images of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  tags                    = local.tags
}

resource "aws_kms_alias" "images" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.images.key_id
}

resource "aws_ecr_repository" "main" {
  name                 = var.name
  image_tag_mutability = var.immutable_tags ? "IMMUTABLE" : "MUTABLE"
  tags                 = merge(local.tags, { credential_rotation = var.credential_rotation })

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.images.arn
  }

  image_scanning_configuration {
    scan_on_push = var.scan_on_push
  }
}

resource "aws_ecr_lifecycle_policy" "untagged" {
  count = var.untagged_days == null ? 0 : 1

  repository = aws_ecr_repository.main.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Images that no tag names go."
      selection = {
        tagStatus   = "untagged"
        countType   = "sinceImagePushed"
        countUnit   = "days"
        countNumber = var.untagged_days
      }
      action = { type = "expire" }
    }]
  })
}

# The account's own identities may pull as their policies say; nobody else may.
resource "aws_ecr_repository_policy" "pull" {
  repository = aws_ecr_repository.main.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PullFromTheAccount"
      Effect    = "Allow"
      Principal = { AWS = local.account }
      Action = [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
      ]
    }]
  })
}

output "id" {
  value       = aws_ecr_repository.main.id
  description = "What other components name the registry by."
}

output "url" {
  value       = aws_ecr_repository.main.repository_url
  description = "What image names start with."
}

output "pull_username" {
  value       = "AWS"
  description = "The user that may pull."
}

# ECR's passwords end after twelve hours, so that none is kept: nodes pull by their role, and people ask for one
# (`aws ecr get-login-password`, or the data source `aws_ecr_authorization_token`).
output "pull_password" {
  value       = null
  sensitive   = true
  description = "Always null: ECR gives passwords for twelve hours, to who asks."
}
