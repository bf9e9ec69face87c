module weir.dev/tests/web

go 1.21
