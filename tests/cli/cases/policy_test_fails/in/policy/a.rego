package a

allowed if input.ok

other if input.other
