module bifrost.example/native-go

go 1.19
