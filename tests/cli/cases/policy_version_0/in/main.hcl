resource "sandbox_log_store" "audit" {
  name           = "audit"
  retention_days = 7
}
