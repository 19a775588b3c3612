size = 
