module bifrost.example/plugin

go 1.19
