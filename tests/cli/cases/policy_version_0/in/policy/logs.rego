package logs

deny[msg] {
	msg = "x"
}
