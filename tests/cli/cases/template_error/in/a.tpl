Hello ${nmae}!
