package a_test

import data.a

test_good if a.allowed with input as {"ok": true}

test_bad if {
	print("input is empty")
	a.allowed with input as {}
}

test_broken if to_number("x") == 1

todo_test_later if false
