artifact "agent" {
  source = "agent.bin"
}

artifact "image" {
  source = "oci:/media/usb/images:web"
}
