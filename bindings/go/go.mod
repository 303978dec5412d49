module zvpos

go 1.19
