# The nodes of the cluster, and the add-ons that make them one.

locals {
  # The sizes of the interface as kinds of machines.
  kinds = {
    nano   = "t3.medium"
    small  = "m5.large"
    medium = "m5.xlarge"
    large  = "m5.2xlarge"
    xlarge = "m5.4xlarge"
  }
}

resource "aws_iam_role" "nodes" {
  name = "${var.name}-nodes"
  tags = local.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.${local.suffix}" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "nodes" {
  for_each = toset(["AmazonEC2ContainerRegistryReadOnly", "AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy"])

  role       = aws_iam_role.nodes.name
  policy_arn = "${local.policies}/${each.key}"
}

resource "aws_launch_template" "nodes" {
  name = "${var.name}-nodes"
  tags = local.tags

  # A session is asked for, and pods do not reach it: what a node may do is not theirs.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_size           = 50
      volume_type           = "gp3"
      encrypted             = "true"
      delete_on_termination = "true"
    }
  }
}

# These come before the nodes, which are not ready without them.
resource "aws_eks_addon" "base" {
  for_each = toset(["kube-proxy", "vpc-cni"])

  cluster_name                = aws_eks_cluster.main.name
  addon_name                  = each.key
  resolve_conflicts_on_update = "OVERWRITE"
  tags                        = local.tags
}

resource "aws_eks_node_group" "pool" {
  for_each = var.node_pools

  cluster_name    = aws_eks_cluster.main.name
  node_group_name = each.key
  node_role_arn   = aws_iam_role.nodes.arn
  subnet_ids      = aws_subnet.nodes[*].id
  instance_types  = [local.kinds[each.value.size]]
  labels          = each.value.labels
  tags            = local.tags

  scaling_config {
    min_size     = each.value.min_nodes
    desired_size = each.value.min_nodes
    max_size     = each.value.max_nodes
  }

  update_config {
    max_unavailable = 1
  }

  launch_template {
    id      = aws_launch_template.nodes.id
    version = tostring(aws_launch_template.nodes.latest_version)
  }

  # How many nodes there are is then decided in the cluster.
  lifecycle {
    ignore_changes = [scaling_config[0].desired_size]
  }

  depends_on = [
    aws_eks_addon.base,
    aws_iam_role_policy_attachment.nodes,
    aws_route.out,
    aws_route_table_association.nodes,
  ]
}

resource "aws_iam_role" "disks" {
  name = "${var.name}-disks"
  tags = local.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = aws_iam_openid_connect_provider.workloads.arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${replace(local.issuer, "https://", "")}:aud" = "sts.${local.suffix}"
          "${replace(local.issuer, "https://", "")}:sub" = "system:serviceaccount:kube-system:ebs-csi-controller-sa"
        }
      }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "disks" {
  role       = aws_iam_role.disks.name
  policy_arn = "${local.policies}/service-role/AmazonEBSCSIDriverPolicy"
}

# These run on nodes.
resource "aws_eks_addon" "dns" {
  cluster_name                = aws_eks_cluster.main.name
  addon_name                  = "coredns"
  resolve_conflicts_on_update = "OVERWRITE"
  tags                        = local.tags

  depends_on = [aws_eks_node_group.pool]
}

resource "aws_eks_addon" "disks" {
  cluster_name                = aws_eks_cluster.main.name
  addon_name                  = "aws-ebs-csi-driver"
  service_account_role_arn    = aws_iam_role.disks.arn
  resolve_conflicts_on_update = "OVERWRITE"
  tags                        = local.tags

  depends_on = [
    aws_eks_node_group.pool,
    aws_iam_role_policy_attachment.disks,
  ]
}
