module example/guard

go 1.19
