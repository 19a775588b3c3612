resource "sandbox_netwrok" "a" {
}
