environment "default" {
  approval {
    allowed_signers = "approvers/allowed_signers"
    revoked_keys    = "approvers/revoked"
  }
}
