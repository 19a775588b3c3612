# Sends lines of the sources on, to a store outside of CloudWatch.

variable "destination_arn" {
  type        = string
  default     = null
  description = "A stream or function that gets the lines of `level` and above, by its ARN."
}

variable "destination_role_arn" {
  type        = string
  default     = null
  description = "The role by which CloudWatch Logs writes to a stream. A function takes none."
}

locals {
  levels = ["debug", "info", "warn", "error"]
  sent   = slice(local.levels, index(local.levels, var.level), length(local.levels))
}

# A line is sent if it has the word of one of the levels, as most programs write it.
resource "aws_cloudwatch_log_subscription_filter" "source" {
  for_each = { for name in keys(var.sources) : name => var.destination_arn if var.destination_arn != null }

  name            = "${var.name}-${each.key}"
  log_group_name  = aws_cloudwatch_log_group.source[each.key].name
  destination_arn = each.value
  role_arn        = var.destination_role_arn
  filter_pattern  = join(" ", [for level in local.sent : "?${upper(level)}"])
}
