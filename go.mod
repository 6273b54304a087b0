module collimator

go 1.26
