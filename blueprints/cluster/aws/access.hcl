# Who is let into the cluster, and from where.

variable "administrators" {
  type        = set(string)
  default     = []
  description = "Roles and users that may do everything in the cluster, by ARN, beside whoever makes it."
}

variable "public_access_cidrs" {
  type        = set(string)
  default     = null
  description = "From where the API server is reached, if `public_endpoint` is true. From everywhere by default."
}

resource "aws_eks_access_entry" "administrator" {
  for_each = var.administrators

  cluster_name  = aws_eks_cluster.main.name
  principal_arn = each.value
  tags          = local.tags
}

resource "aws_eks_access_policy_association" "administrator" {
  for_each = var.administrators

  cluster_name  = aws_eks_cluster.main.name
  principal_arn = aws_eks_access_entry.administrator[each.key].principal_arn
  policy_arn    = "arn:${local.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

  access_scope {
    type = "cluster"
  }
}

# EKS makes a group by which nodes and control plane reach each other. By this one other clients in the network, such as a
# machine of an administrator, reach the API server.
resource "aws_security_group" "api" {
  name        = "${var.name}-api"
  description = "The API server of ${var.name}"
  vpc_id      = aws_vpc.main.id
  tags        = merge(local.tags, { Name = "${var.name}-api" })
}

resource "aws_vpc_security_group_ingress_rule" "api" {
  security_group_id = aws_security_group.api.id
  description       = "Clients in the network"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = var.cidr_block
  tags              = local.tags
}
