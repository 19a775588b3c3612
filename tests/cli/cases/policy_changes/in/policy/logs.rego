package logs

warn contains "first"
