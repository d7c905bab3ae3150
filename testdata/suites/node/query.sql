select $1::int + 1 as n, $$a file$$ as t
