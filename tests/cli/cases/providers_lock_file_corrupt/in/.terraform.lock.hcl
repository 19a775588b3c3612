provider "gitlabhq/gitlab" {
  version = "newest"
}
