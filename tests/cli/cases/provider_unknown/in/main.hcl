resource "acme_thing" "a" {
}
