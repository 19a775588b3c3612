package logs

deny contains msg if {
	msg = 
}
