# The logging component on AWS: groups of CloudWatch Logs, one for each source and one for everything else.
#
# CloudWatch keeps what it is sent: the least level is for those who send, and is told them as the tag `level`. What is sent
# on from here, by forward.hcl, is chosen by it.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  partition = data.aws_partition.current.partition
  account   = data.aws_caller_identity.current.account_id
  region    = data.aws_region.current.name
  tags      = merge({ component = "logging", level = var.level }, var.tags)
  key       = var.encrypted ? aws_kms_key.logs[0].arn : null
  all       = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/factory/${var.name}*"
}

resource "aws_kms_key" "logs" {
  count = var.encrypted ? 1 : 0

  description             = "Logs of ${var.name}"
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
        Principal = { Service = "logs.${local.region}.${data.aws_partition.current.dns_suffix}" }
        Action    = ["kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
        Resource  = "*"
        Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = local.all } }
      },
    ]
  })
}

resource "aws_kms_alias" "logs" {
  count = var.encrypted ? 1 : 0

  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.logs[0].key_id
}

resource "aws_cloudwatch_log_group" "main" {
  name              = "/factory/${var.name}"
  retention_in_days = var.retention_days
  kms_key_id        = local.key
  tags              = local.tags
}

resource "aws_cloudwatch_log_group" "source" {
  for_each = var.sources

  name              = "/factory/${var.name}/${each.key}"
  retention_in_days = var.retention_days
  kms_key_id        = local.key
  tags              = merge(local.tags, { source = each.value })
}

# Services of AWS that deliver logs by themselves may write to these groups, on behalf of this account.
resource "aws_cloudwatch_log_resource_policy" "delivery" {
  policy_name = "factory-${var.name}"
  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Delivery"
      Effect    = "Allow"
      Principal = { Service = "delivery.logs.amazonaws.com" }
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = "${local.all}:*"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

output "id" {
  value       = aws_cloudwatch_log_group.main.id
  description = "What other components name the store by."
}

output "endpoint" {
  value       = "https://logs.${local.region}.${data.aws_partition.current.dns_suffix}"
  description = "Where logs are sent to."
}

output "forwarder_ids" {
  value       = { for name, group in aws_cloudwatch_log_group.source : name => group.id }
  description = "The log group of each source, by the name of the source."
}
