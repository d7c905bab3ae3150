-- What an error, a notice, a number of rows or a length could tell.
SELECT array_to_tsvector(ARRAY[regexp_replace(password, '^CAN.*', '')]) FROM users
SELECT array_to_tsvector(ARRAY[replace(password, 'CANARYpw', '')]) FROM users
SELECT array_to_tsvector(ARRAY[substring(password FROM 'CAN')]) FROM users
SELECT array_to_tsvector(regexp_split_to_array(password, 'ARY')) FROM users
SELECT array_to_tsvector(string_to_array(password, 'C')) FROM users
SELECT pg_catalog.varchar(password, 46, false) FROM users WHERE id = 1
SELECT "varchar"(password::varchar, 46, false) FROM users WHERE id = 1
SELECT pg_catalog.varchar(regexp_replace(password, '^CAN.*', ''), 5, false) FROM users WHERE id = 1
SELECT pg_catalog.bpchar(password::bpchar, 46, false) FROM users WHERE id = 1
SELECT bpchar(password, 46, false) FROM users WHERE id = 1
SELECT jsonb_object_keys(jsonb_path_query_first(to_jsonb(password), '$ ? (@ like_regex "^CAN")')) FROM users WHERE id = 1
SELECT jsonb_object_keys(to_jsonb(substring(password FROM 'CAN'))) FROM users WHERE id = 1
SELECT jsonb_path_query_first(to_jsonb(password), '($ ? (@ like_regex "^CAN")).double()') FROM users WHERE id = 1
SELECT jsonb_path_query_array(to_jsonb(password), '($ ? (@ like_regex "^CAN")).double()') FROM users WHERE id = 1
SELECT jsonb_path_exists(to_jsonb(password), '($ ? (@ like_regex "^CAN")).double()') FROM users WHERE id = 1
SELECT jsonb_path_query_first(to_jsonb(password), '($ ? (@ starts with "CAN")) + 1') FROM users WHERE id = 1
SELECT jsonb_path_query_first(profile, '($.password ? (@ starts with "CAN")) + 1') FROM customers WHERE id = 1
SELECT jsonb_path_query_first(profile, '$.* ? (@ starts with "CAN").double()') FROM customers WHERE id = 1
SELECT jsonb_path_query_first(profile, '$.password.double()') FROM customers WHERE id = 1
SELECT jsonb_path_query_first(profile, 'strict $.password.a') FROM customers WHERE id = 1
SELECT jsonb_set(to_jsonb(substring(password FROM 'CAN')), '{a}', '1') FROM users WHERE id = 1
SELECT jsonb_set(jsonb_path_query_first(to_jsonb(password), '$ ? (@ like_regex "^CAN")'), '{a}', '1') FROM users WHERE id = 1
SELECT to_jsonb(substring(password FROM 'CAN')) || '{"a": 1}'::jsonb FROM users WHERE id = 1
SELECT '{"a": 1}'::jsonb || to_jsonb(substring(password FROM 'CAN')) FROM users WHERE id = 1
SELECT ARRAY[string_to_array(password, 'A'), ARRAY['x', 'y', 'z']] FROM users WHERE id = 1
SELECT ARRAY[ARRAY['x', 'y', 'z'], string_to_array(password, 'A')] FROM users WHERE id = 1
SELECT ARRAY[regexp_match(password, 'CAN'), ARRAY['x', 'y', 'z']] FROM users WHERE id = 1
SELECT array_agg(string_to_array(password, 'A')) FROM (SELECT password FROM users WHERE id = 1 UNION ALL SELECT 'xAyAz') u
SELECT array_agg(string_to_array(p, 'A')) FROM (SELECT password AS p FROM users WHERE id = 1 UNION ALL SELECT 'xAyAz') u
SELECT array_agg(regexp_split_to_array(password, 'A')) FROM users WHERE id < 3
SELECT array_agg(regexp_match(password, '^CAN')) FROM users WHERE id = 1
SELECT string_to_array(password, 'A') || ARRAY[['x', 'y', 'z']] FROM users WHERE id = 1
SELECT ARRAY[['x', 'y', 'z']] || string_to_array(password, 'A') FROM users WHERE id = 1
SELECT regexp_match(password, '^CAN') || ARRAY[[['x']]] FROM users WHERE id = 1
SELECT array_cat(regexp_match(password, '^CAN'), ARRAY[[['x']]]) FROM users WHERE id = 1
SELECT to_tsvector(password || repeat('x', 2006)) FROM users WHERE id = 1
SELECT to_tsvector('simple', password || repeat('x', 2006)) FROM users WHERE id = 1
SELECT to_tsvector(repeat(substring(password FROM 'CAN'), 1000)) FROM users WHERE id = 1
SELECT to_tsvector(regexp_replace(password, '^CAN.*', repeat('x', 3000))) FROM users WHERE id = 1
SELECT trim_array(string_to_array(password, 'A'), 3) FROM users WHERE id = 1
SELECT array_remove(secrets, 'x') FROM vault
SELECT array_position(ARRAY[string_to_array(password, 'A')], 'x') FROM users WHERE id = 1
SELECT to_char(length(password), 'RN') FROM users WHERE id = 1
SELECT lag(password, -1) OVER () FROM users
SELECT nth_value(password, 0) OVER () FROM users
SELECT encode(password::bytea, 'hex') FROM users WHERE id = 1
SELECT jsonb_strip_nulls(to_jsonb(substring(password FROM 'CAN'))) FROM users
SELECT jsonb_typeof(to_jsonb(substring(password FROM 'CAN'))) IS NULL FROM users
SELECT coalesce(substring(password FROM 'CAN'), 'x') FROM users
SELECT coalesce(substring(password FROM 'CAN')::int, 1) FROM users
SELECT coalesce(substring(password FROM 'CAN'), (1/0)::text) FROM users
SELECT nullif(password, 'x') || (1/0)::text FROM users
SELECT concat(substring(password FROM 'CAN'), (SELECT 1/0)) FROM users
SELECT lower(substring(password FROM 'CAN')) FROM users
SELECT unnest(string_to_array(password, 'A')) FROM users
SELECT unnest(regexp_match(password, 'CAN')) FROM users
SELECT regexp_matches(password, 'CAN') FROM users
SELECT regexp_split_to_table(password, 'A') FROM users
SELECT generate_subscripts(string_to_array(password, 'A'), 1) FROM users
SELECT generate_series(1, length(password)) FROM users
SELECT jsonb_array_elements(to_jsonb(string_to_array(password, 'A'))) FROM users
SELECT jsonb_array_elements(jsonb_path_query_array(to_jsonb(password), '$ ? (@ like_regex "^CAN")')) FROM users
SELECT jsonb_path_query(to_jsonb(password), '$ ? (@ like_regex "^CAN")') FROM users
SELECT (to_jsonb(password))['a'] FROM users
SELECT (string_to_array(password, 'A'))[2] FROM users
SELECT (string_to_array(password, 'A'))[2]::int FROM users
SELECT width_bucket(password, ARRAY['A', 'D', 'Z']) FROM users
SELECT pg_column_size(password) FROM users
SELECT xmlelement(name a, password) FROM users
SELECT xmlconcat(xmlcomment(password)) FROM users
SELECT xmlforest(password) FROM users
SELECT xmlelement(name a, xmlattributes(password AS b)) FROM users
SELECT xmlagg(xmlelement(name a, password)) FROM users
SELECT password LIKE 'CAN%' FROM users
SELECT password SIMILAR TO 'CAN%' FROM users
SELECT password LIKE 'CAN%' ESCAPE 'xx' FROM users
SELECT 'CAN' LIKE password FROM users
SELECT 'CAN' ~ password FROM users
SELECT password ~ password FROM users
SELECT regexp_replace(password, password, '') FROM users
SELECT GREATEST(password, 'D') FROM users
SELECT LEAST(password, 'D') FROM users
SELECT NULLIF(left(password, 1), 'C') FROM users
SELECT CASE WHEN password > 'D' THEN 1/0 END FROM users
SELECT row_to_json(ROW(substring(password FROM 'CAN'))) FROM users
SELECT count(substring(password FROM 'CAN')) FROM users
SELECT string_agg(password, ',') FROM users
SELECT string_agg(substring(password FROM 'CAN'), ',') FROM users
SELECT json_object_agg(name, password) FROM users
SELECT json_object_agg(password, name) FROM users
SELECT jsonb_object_agg_unique(password, name) FROM users
SELECT mode() WITHIN GROUP (ORDER BY password) FROM users
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY password) FROM users
SELECT percentile_disc(length(password)) WITHIN GROUP (ORDER BY id) FROM users GROUP BY password
SELECT rank('D') WITHIN GROUP (ORDER BY password) FROM users
SELECT abs(card) FROM customers
SELECT sum(card) FROM customers
SELECT avg(card) FROM customers
SELECT stddev(card) FROM customers
SELECT round(card, -2) FROM customers
SELECT card::numeric(5, 0) FROM customers
SELECT card::int FROM customers
SELECT sign(card) FROM customers
SELECT to_char(card, '999') FROM customers
SELECT to_char(card, repeat('9', 100)) FROM customers
SELECT ceil(card) FROM customers
SELECT to_hex(card) FROM customers
SELECT chr((card % 100)::int) FROM customers
SELECT phone::varchar(3) FROM customers
SELECT phone::name FROM customers
SELECT phone::"char" FROM customers
SELECT phone::char(3) FROM customers
SELECT password::xml FROM users
SELECT pairs -> 'k' FROM vault
SELECT (pairs || 'a=>b') FROM vault
SELECT pairs - 'k' FROM vault
SELECT akeys(pairs) || ARRAY[['x', 'y']] FROM vault
SELECT avals(pairs) FROM vault
SELECT hstore_to_json(pairs) FROM vault
SELECT hstore_to_json_loose(pairs) FROM vault
SELECT array_append(secrets, 'x') FROM vault
SELECT array_append(ARRAY[secrets], 'x') FROM vault
SELECT secrets || secrets FROM vault
SELECT ARRAY[secrets, secrets] FROM vault
SELECT ARRAY[secrets, array_remove(secrets, 'CANARYvb1')] FROM vault WHERE id = 1
SELECT ARRAY[array_replace(secrets, 'x', 'y'), secrets] FROM vault
SELECT array_agg(secrets) FROM vault
SELECT array_agg(array_remove(secrets, 'CANARYvb1')) FROM vault
SELECT secrets[1:(SELECT length(password) FROM users WHERE id = 1)] FROM vault
SELECT (secrets)[1] FROM vault
SELECT array_to_string(secrets, ',') FROM vault
SELECT array_to_tsvector(secrets) FROM vault
SELECT array_to_tsvector(array_replace(secrets, 'CANARYvb1', '')) FROM vault
SELECT array_to_tsvector(array_replace(secrets, 'CANARYvb1', NULL)) FROM vault
SELECT seed || '\x00'::bytea FROM vault
SELECT encode(seed, 'base64') FROM vault
SELECT get_byte(seed, 40) FROM vault
SELECT substr(seed, 1, 3) FROM vault
SELECT convert_from(seed, 'UTF8') FROM vault
SELECT md5(seed) FROM vault
SELECT length(seed, 'UTF8') FROM vault
SELECT set_byte(seed, 13, 1) FROM vault
SELECT (cred).secret FROM vault
SELECT cred::text FROM vault
SELECT row_to_json(cred) FROM vault
SELECT split_part(password, 'A', -1) FROM users
SELECT left(password, -1) FROM users
SELECT lpad(password, -1) FROM users
SELECT normalize(password) FROM users
SELECT password IS NORMALIZED FROM users
SELECT unistr(password) FROM users
SELECT unistr(regexp_replace(password, '^CAN', '\\')) FROM users
SELECT regexp_replace('x', 'x', password) FROM users
SELECT regexp_replace(password, '^CAN', '\9') FROM users
SELECT format('%s', password) FROM users
SELECT format('%1000s', password) FROM users
SELECT format('%1$s %3$s', 'a', substring(password FROM 'CAN')) FROM users
SELECT quote_ident(password) FROM users
SELECT quote_ident(substring(password FROM 'CAN')) FROM users
SELECT parse_ident(password) FROM users
SELECT to_regclass(password) FROM users
SELECT to_date(password, 'YYYY') FROM users
SELECT make_date(length(password), 1, 1) FROM users
SELECT to_timestamp(card) FROM customers
SELECT current_setting(password, true) FROM users
SELECT set_config('a.b', password, true) FROM users
SELECT pg_sleep(0) FROM users WHERE password IS NOT NULL
SELECT sha256(password::bytea) FROM users
SELECT convert_to(password, 'LATIN1') FROM users
SELECT password COLLATE "C" FROM users
SELECT to_json(password)::text::int FROM users
SELECT json_typeof(to_json(password)) FROM users
SELECT jsonb_pretty(to_jsonb(substring(password FROM 'CAN'))) FROM users
SELECT array_to_json(string_to_array(password, 'A'), true) FROM users
SELECT jsonb_exists(to_jsonb(password), 'x') FROM users
SELECT to_jsonb(password) - 'x' FROM users
SELECT to_jsonb(substring(password FROM 'CAN')) - 'x' FROM users
SELECT to_jsonb(substring(password FROM 'CAN')) - 1 FROM users
SELECT to_jsonb(string_to_array(password, 'A')) - 1 FROM users
SELECT to_jsonb(substring(password FROM 'CAN')) #- '{a}' FROM users
SELECT jsonb_insert(to_jsonb(substring(password FROM 'CAN')), '{a}', '1') FROM users
SELECT json_object(string_to_array(password, 'A')) FROM users
SELECT json_object(ARRAY['a', substring(password FROM 'CAN')]) FROM users
SELECT jsonb_object(ARRAY[substring(password FROM 'CAN'), 'a']) FROM users
SELECT hstore('k', password) FROM users
SELECT hstore(ARRAY[substring(password FROM 'CAN'), 'a']) FROM users
SELECT hstore(substring(password FROM 'CAN'), 'a') FROM users
SELECT jsonb_build_object(string_to_array(password, 'A'), 1) FROM users
SELECT jsonb_build_object(variadic string_to_array(password, 'A')) FROM users
SELECT json_build_object(variadic ARRAY['a', substring(password FROM 'CAN')]) FROM users
SELECT json_build_object(variadic ARRAY[substring(password FROM 'CAN'), 'a']) FROM users
SELECT format('%s %I', variadic ARRAY['a', substring(password FROM 'CAN')]) FROM users
SELECT format('%s %s %s', variadic string_to_array(password, 'A')) FROM users
SELECT concat(variadic string_to_array(password, 'A')) FROM users
SELECT num_nulls(variadic ARRAY[substring(password FROM 'CAN')]) FROM users
SELECT to_tsvector(password) @@ 'x' FROM users
SELECT password @@ 'x' FROM users
SELECT 'x' @@ password FROM users
SELECT to_tsquery(password) FROM users
SELECT setweight(to_tsvector(password), 'x') FROM users
SELECT ts_headline(password, 'x') FROM users
SELECT to_tsvector(to_jsonb(password)) FROM users
SELECT strip(to_tsvector(password)) FROM users
SELECT tsvector_to_array(to_tsvector(password)) FROM users
SELECT string_agg(password, ',' ORDER BY password) FROM users
SELECT DISTINCT left(password, 1) FROM users
SELECT first_value(substring(password FROM 'CAN')) OVER () FROM users
SELECT id FROM users WHERE substring(password FROM 'CAN') IS NULL
SELECT id, password IS NULL FROM users
SELECT id, substring(password FROM 'CAN') IS NULL FROM users
SELECT id, substring(password FROM 'CAN') IS DISTINCT FROM NULL FROM users
SELECT upper(substring(password FROM 'CAN')::char(2)) FROM users
SELECT EXISTS (SELECT regexp_matches(password, 'CAN')) FROM users
SELECT ARRAY(SELECT regexp_matches(password, 'CAN')) FROM users
SELECT (SELECT unnest(string_to_array(password, 'A'))) FROM users WHERE id = 1
SELECT (SELECT x FROM unnest(string_to_array(password, 'A')) x) FROM users WHERE id = 1
SELECT (SELECT x FROM regexp_split_to_table(password, 'A') x) FROM users WHERE id = 1
SELECT x FROM users, regexp_matches(password, 'CAN') x
SELECT x FROM users, unnest(secrets) x, vault
SELECT count(*) FROM users, LATERAL regexp_split_to_table(password, 'A')
SELECT 1 FROM users ORDER BY password LIMIT 1
SELECT id FROM users ORDER BY length(password), id
SELECT id FROM users LIMIT (SELECT length(password) FROM users WHERE id = 1) - 40
SELECT id FROM users OFFSET (SELECT ascii(password) FROM users WHERE id = 1) - 60
SELECT sum(id) OVER (ORDER BY id ROWS (SELECT length(password) - 42 FROM users WHERE id = 1) PRECEDING) FROM users
SELECT id FROM users TABLESAMPLE SYSTEM ((SELECT length(password) FROM users WHERE id = 1))
SELECT id FROM users TABLESAMPLE BERNOULLI (50) REPEATABLE ((SELECT length(password) FROM users WHERE id = 1))
SELECT (ARRAY['a','b'])[length(password) - 40] FROM users WHERE id = 1
SELECT xmlserialize(CONTENT xmlelement(name a, password) AS text) FROM users
SELECT extract(length(password) FROM now()) FROM users
SELECT now() AT TIME ZONE password FROM users
SELECT interval '1' * length(password) FROM users
SELECT date '2024-01-01' + length(password) FROM users
SELECT 1 / (length(password) - 43) FROM users WHERE id = 1
SELECT substr('abc', length(password)) FROM users
SELECT repeat('a', length(password)) FROM users
SELECT overlay(password PLACING 'x' FROM 50) FROM users
SELECT overlay('abc' PLACING password FROM 1) FROM users
SELECT substring(password FROM 'C' FOR '#') FROM users
SELECT substring(password SIMILAR 'C#"A#"%' ESCAPE '#') FROM users
SELECT regexp_substr(password, 'CAN', 1, 1, 'i', 1) FROM users
SELECT regexp_instr(password, 'CAN') FROM users
SELECT regexp_count(password, 'A') FROM users
SELECT levenshtein(password, 'CANARY') FROM users
SELECT similarity(password, 'CANARY') FROM users
SELECT password % 'CANARY' FROM users
SELECT password <-> 'CANARY' FROM users
SELECT show_trgm(password) FROM users
SELECT token::text::uuid FROM vault
SELECT uuid_send(token) FROM vault
SELECT textsend(password) FROM users
SELECT textin(textout(password)) FROM users
SELECT int4in(textout(substring(password FROM '^CAN'))) FROM users
SELECT unknownin(textout(password)) FROM users
SELECT bttextcmp(password, 'D') FROM users
SELECT texteq(password, 'D') FROM users
SELECT text_larger(password, 'D') FROM users
SELECT hashtextextended(password, 1) FROM users
SELECT name(password) FROM users
SELECT text(password) FROM users
SELECT citext(password) FROM users
SELECT array_fill(password, ARRAY[length(password)]) FROM users
SELECT array_ndims(string_to_array(password, 'A')) FROM users
SELECT array_lower(regexp_match(password, 'CAN'), 1) FROM users
SELECT cardinality(string_to_array(password, 'A')) FROM users
SELECT array_upper(ARRAY[string_to_array(password, 'A')], 2) FROM users
SELECT jsonb_array_length(to_jsonb(string_to_array(password, 'A'))) FROM users
SELECT pg_input_is_valid(password, 'int') FROM users
SELECT id, r FROM users, LATERAL (SELECT substring(password FROM 'CAN') AS r) x WHERE r IS NOT NULL
SELECT array_agg(ARRAY[x]) FROM (SELECT substring(password FROM 'CAN') x FROM users) y
SELECT array_agg(DISTINCT substring(password FROM 'C')) FROM users
SELECT string_agg(DISTINCT substring(password FROM 'C'), ',') FROM users
SELECT count(DISTINCT left(password, 3)) FROM users
WITH RECURSIVE r(n, p) AS (SELECT 1, password FROM users WHERE id = 1 UNION SELECT n + 1, left(p, 0) FROM r WHERE n < 3) SELECT n, p FROM r
WITH RECURSIVE r(p) AS (SELECT password FROM users WHERE id = 1 UNION SELECT regexp_replace(p, '.', '') FROM r) SELECT p FROM r
SELECT left(password, 1) FROM users UNION SELECT 'C'
SELECT left(password, 1) FROM users INTERSECT SELECT 'C'
SELECT left(password, 1) FROM users EXCEPT SELECT 'C'
SELECT left(password, 1), count(*) FROM users GROUP BY 1
SELECT lead(substring(password FROM 'CAN')) OVER (ORDER BY id) FROM users
SELECT ntile(length(password)) OVER () FROM users
SELECT password IN ('a', 'b') FROM users
SELECT password = ANY (string_to_array('a,b', ',')) FROM users
SELECT 'x' = ANY (string_to_array(password, 'A')) FROM users
SELECT 'x' = ALL (secrets) FROM vault
SELECT (1, password) < (1, 'D') FROM users
SELECT ROW(password, 1/(id-1)) = ROW('CANARY', 1) FROM users
SELECT (password = 'x' AND 1/(id-1) > 0) FROM users
SELECT (password > 'D' AND 1/(id-1) > 0) FROM users
SELECT bool_or(password > 'D' AND 1/(id-1) > 0) FROM users
SELECT jsonb_path_query_first(to_jsonb(password), '$.datetime()') FROM users
SELECT jsonb_path_query_first(to_jsonb(left(password, 3)), '$ ? (@ == "CAN").size()') FROM users
SELECT jsonb_path_query_first(to_jsonb(left(password, 3)), 'strict $ ? (@ == "CAN").a') FROM users
SELECT jsonb_path_query_first(to_jsonb(left(password, 3)), '$ ? (@ == $x)', to_jsonb(password)) FROM users
SELECT jsonb_extract_path(to_jsonb(password), 'a') FROM users
SELECT to_jsonb(password) @? '$ ? (@ starts with "C")' FROM users
SELECT to_jsonb(password) @@ '$ starts with "C"' FROM users
SELECT to_jsonb(password) @@ '$.double() > 1' FROM users
SELECT bit_length(password)::bit(4) FROM users
SELECT string_to_array(password, 'A') @> ARRAY[['x']] FROM users
SELECT array_position(string_to_array(password, 'A'), 'x', 5) FROM users
SELECT array_replace(regexp_match(password, 'CAN'), 'x', 'y') FROM users
SELECT jsonb_object_keys(profile) FROM customers
SELECT jsonb_object_keys(profile -> 'password') FROM customers
SELECT jsonb_each(profile -> 'prefs') FROM customers
SELECT jsonb_array_elements(profile #> '{prefs,codes}') FROM customers
SELECT jsonb_array_length(profile #> '{prefs,codes}') FROM customers
SELECT (profile -> 'age')::int FROM customers
SELECT (profile -> 'password')::int FROM customers
SELECT (profile ->> 'password')::int FROM customers
SELECT (profile ->> 'age')::int FROM customers
SELECT jsonb_set(profile, '{password,a}', '1') FROM customers
SELECT jsonb_to_record(profile) FROM customers
SELECT x FROM customers, jsonb_to_record(profile) AS x(password int)
SELECT x FROM customers, jsonb_to_record(profile) AS x(password text)
SELECT x.age FROM customers, jsonb_to_record(profile) AS x(age int)

-- Parts that run for some values only, and constants that are looked at for some only.
SELECT regexp_replace(substring(password FROM 'CAN'), '(', '') FROM users
SELECT split_part(substring(password FROM 'CAN'), 'x', 0) FROM users
SELECT substr(substring(password FROM 'CAN'), 1, -1) FROM users
SELECT encode(digest(substring(password FROM 'CAN'), 'bogus'), 'hex') FROM users
SELECT substring(password FROM 'CAN') ~ '(' FROM users
SELECT substring(password FROM 'CAN') LIKE '\' FROM users
SELECT substring(substring(password FROM 'CAN') FROM '(') FROM users
SELECT password LIKE 'CANARY\' FROM users
SELECT password ILIKE 'canary\' FROM users
SELECT password NOT LIKE 'CANARY\' FROM users
SELECT password LIKE 'CANARYz' ESCAPE 'z' FROM users
SELECT password ~~ 'CANARY\' FROM users
SELECT password LIKE '%ARY\' FROM users
SELECT password LIKE name || '\' FROM users
SELECT regexp_count(substring(password FROM 'CAN'), 'A', 0) FROM users
SELECT lpad(substring(password FROM 'CAN'), 1073741824) FROM users
SELECT to_char(ascii(substring(password FROM 'CAN')), repeat('9', 200)) FROM users
SELECT ascii(substring(password FROM 'CAN')) / 0 FROM users
SELECT jsonb_path_query_first(to_jsonb(substring(password FROM 'CAN')), 'strict $.a') FROM users
SELECT password IN ('CANARYpw16e6fdf956d04289354dcf1619e28fe77', (1/(id-1))::text) FROM users WHERE id = 1 -- deny
SELECT password NOT IN ('CANARYpw16e6fdf956d04289354dcf1619e28fe77', (1/(id-1))::text) FROM users WHERE id = 1 -- deny
SELECT password IN ('CANARYpw16e6fdf956d04289354dcf1619e28fe77', (1/(SELECT id-1 FROM orders WHERE id = 1))::text) FROM users WHERE id = 1
SELECT password BETWEEN 'D' AND (1/(id-1))::text FROM users WHERE id = 1
SELECT password NOT BETWEEN 'D' AND (1/(id-1))::text FROM users WHERE id = 1
SELECT password BETWEEN SYMMETRIC 'D' AND (1/(id-1))::text FROM users WHERE id = 1
SELECT ROW(password, 1/(id-1)) = ROW('CANARYpw16e6fdf956d04289354dcf1619e28fe77', 1) FROM users WHERE id = 1
SELECT (password, 1) = ('CANARYpw16e6fdf956d04289354dcf1619e28fe77', 1/(id-1)) FROM users WHERE id = 1
SELECT (password, 1) < ('CANARYpw16e6fdf956d04289354dcf1619e28fe77', 1/(id-1)) FROM users WHERE id = 1
SELECT (password, 1) IS DISTINCT FROM ('CANARYpw16e6fdf956d04289354dcf1619e28fe77', 1/(id-1)) FROM users WHERE id = 1
SELECT (password, 1) IN (('CANARYpw16e6fdf956d04289354dcf1619e28fe77', 1/(id-1))) FROM users WHERE id = 1
SELECT password IN (SELECT 'CANARYpw16e6fdf956d04289354dcf1619e28fe77' UNION ALL SELECT (1/(id-1))::text FROM orders WHERE id = 1) FROM users WHERE id = 1
SELECT password = ANY (SELECT 'CANARYpw16e6fdf956d04289354dcf1619e28fe77' UNION ALL SELECT (1/(id-1))::text FROM orders WHERE id = 1) FROM users WHERE id = 1
SELECT password < ANY (SELECT 'D' UNION ALL SELECT (1/(id-1))::text FROM orders WHERE id = 1) FROM users WHERE id = 1
SELECT password > ALL (SELECT 'D' UNION ALL SELECT (1/(id-1))::text FROM orders WHERE id = 1) FROM users WHERE id = 1
SELECT password = ALL (SELECT 'D' UNION ALL SELECT (1/(id-1))::text FROM orders WHERE id = 1) FROM users WHERE id = 1
SELECT (password, 1) = (SELECT 'CANARYpw16e6fdf956d04289354dcf1619e28fe77', 1/(id-1) FROM orders WHERE id = 1) FROM users WHERE id = 1
SELECT (password, 1) = (SELECT 'CANARYpw16e6fdf956d04289354dcf1619e28fe77'::text, 1) FROM users WHERE id = 1
SELECT password = 'CANARYpw16e6fdf956d04289354dcf1619e28fe77' AND 1/(id-1) > 0 FROM users WHERE id = 1 -- deny
SELECT (password > 'D') IS TRUE AND 1/(id-1) > 0 FROM users WHERE id = 1
SELECT CASE password WHEN 'CANARYpw16e6fdf956d04289354dcf1619e28fe77' THEN 1/(id-1) END FROM users WHERE id = 1 -- deny
SELECT nullif(password, 'CANARYpw16e6fdf956d04289354dcf1619e28fe77') IS NULL FROM users WHERE id = 1
SELECT coalesce(nullif(password, 'CANARYpw16e6fdf956d04289354dcf1619e28fe77'), (1/(id-1))::text) FROM users WHERE id = 1
SELECT upper(nullif(password, 'CANARYpw16e6fdf956d04289354dcf1619e28fe77')) FROM users WHERE id = 1
SELECT regexp_replace(nullif(password, 'CANARYpw16e6fdf956d04289354dcf1619e28fe77'), '(', '') FROM users WHERE id = 1
SELECT 1 FROM users WHERE id = 1 GROUP BY id HAVING max(password) > 'D'
SELECT bool_and(password > 'D') FROM users
SELECT count(*) FILTER (WHERE password > 'D') FROM users
SELECT count(NULLIF(password > 'D', true)) FROM users
SELECT count(nullif(password, 'CANARYpw16e6fdf956d04289354dcf1619e28fe77')) FROM users
SELECT num_nulls(nullif(password, 'CANARYpw16e6fdf956d04289354dcf1619e28fe77')) FROM users
SELECT array_length(array_remove(ARRAY[password], 'CANARYpw16e6fdf956d04289354dcf1619e28fe77'), 1) FROM users WHERE id = 1
SELECT array_to_string(array_remove(ARRAY[password], 'CANARYpw16e6fdf956d04289354dcf1619e28fe77'), 'x') FROM users WHERE id = 1
SELECT json_agg(nullif(password, 'CANARYpw16e6fdf956d04289354dcf1619e28fe77')) FROM users
SELECT json_strip_nulls(json_build_object('a', nullif(password, 'CANARYpw16e6fdf956d04289354dcf1619e28fe77'))) FROM users
SELECT x.* FROM users, LATERAL (VALUES (password > 'D')) x(b)
SELECT (SELECT 1 FROM orders WHERE id < 3 AND users.password > 'D') FROM users WHERE id = 1
SELECT (SELECT o.id FROM orders o WHERE id < 3 OFFSET (users.password > 'D')::int) FROM users WHERE id = 1
SELECT (SELECT o.id FROM orders o WHERE id < 3 LIMIT ascii(users.password)) FROM users WHERE id = 1
SELECT (ARRAY[1,2])[(password > 'D')::int] FROM users WHERE id = 1
SELECT date_trunc('bogus', created) FROM users WHERE length(password) > 50
SELECT GREATEST(password, name) FROM users
SELECT xmlelement(name a, substring(password FROM 'CAN')) FROM users
SELECT json_build_object('a', substring(password FROM 'CAN'))::text::json FROM users
SELECT (ROW(password)::text)::xml FROM users
SELECT row(password)::users FROM users
SELECT users::text::users FROM users
SELECT overlay(substring(password FROM 'CAN') PLACING 'x' FROM 0) FROM users
SELECT trim(substring(password FROM 'CAN')) FROM users
SELECT position('x' IN substring(password FROM 'CAN')) FROM users
SELECT substring(password FROM 'CAN') SIMILAR TO '(' FROM users
SELECT substring(password FROM 'CAN') COLLATE "nope" FROM users
SELECT encode(seed, 'bogus') FROM vault
SELECT encode(substring(seed FROM 1 FOR 3), 'hex') FROM vault
SELECT substring(seed FROM position('ANARY'::bytea IN seed)) FROM vault
SELECT string_to_array(password, 'A', 'x') FROM users
SELECT string_to_array(substring(password FROM 'CAN'), 'A', 'x') FROM users
SELECT cardinality(string_to_array(password, 'A')) / 0 FROM users
SELECT array_position(string_to_array(password, 'A'), NULL) FROM users
SELECT string_agg(password, 'x' ORDER BY id) FROM users
SELECT count(*), password > 'D' FROM users GROUP BY 2
SELECT DISTINCT password > 'D' FROM users
SELECT password > 'D' FROM users UNION SELECT NULL
SELECT (SELECT string_agg(p, '') FROM (SELECT password p UNION SELECT 'CANARYpw16e6fdf956d04289354dcf1619e28fe77') q) FROM users WHERE id = 1
SELECT jsonb_object_agg(password, 1) FROM (SELECT password FROM users WHERE id = 1 UNION ALL SELECT 'CANARYpw16e6fdf956d04289354dcf1619e28fe77') q
SELECT jsonb_build_object(password, 1, 'CANARYpw16e6fdf956d04289354dcf1619e28fe77', 2) FROM users WHERE id = 1
SELECT (jsonb_build_object(password, 1, 'CANARYpw16e6fdf956d04289354dcf1619e28fe77', 2))::text FROM users WHERE id = 1
SELECT json_object(ARRAY[password, 'a']) FROM users
SELECT jsonb_build_object('a', password) ? 'CANARYpw16e6fdf956d04289354dcf1619e28fe77' FROM users
SELECT hstore(ARRAY['a', password]) FROM users
SELECT max(password) OVER (ORDER BY id) FROM users
SELECT password || NULL FROM users
SELECT left(password, 9) = 'CANARYpw1' FROM users
SELECT left(password, 9) IS NOT DISTINCT FROM 'CANARYpw1' FROM users
SELECT format('%s', nullif(password, 'CANARYpw16e6fdf956d04289354dcf1619e28fe77')) FROM users
SELECT format('%s', password > 'D') FROM users
SELECT concat(password > 'D') FROM users
SELECT (password > 'D')::text::int FROM users
SELECT (password > 'D')::int FROM users
SELECT 1 / (password > 'D')::int FROM users
SELECT repeat('x', (password > 'D')::int) FROM users
SELECT count(*) FROM users u JOIN LATERAL (SELECT 1 WHERE u.password > 'D') x ON true
SELECT u.id FROM users u LEFT JOIN orders o ON u.password > 'D' AND o.id = 1
SELECT u.id FROM users u JOIN orders o ON o.id = ascii(u.password)
INSERT INTO notes (body) SELECT name FROM users WHERE password > 'D' RETURNING body
UPDATE users SET name = name WHERE password > 'D'
UPDATE users SET name = CASE WHEN password > 'D' THEN 'a' ELSE 'b' END
UPDATE users SET password = nullif(password, 'CANARYpw16e6fdf956d04289354dcf1619e28fe77') WHERE id = 1
UPDATE users SET password = substring(password FROM 'ARY') WHERE id = 1
UPDATE users SET password = left(password, 3) WHERE id = 1
UPDATE users SET api_key = password || repeat('x', 17) WHERE id = 1
UPDATE users SET api_key = api_key || repeat('x', 17) WHERE id = 1
UPDATE users SET email = replace(email, 'CAN', '@') WHERE id = 1
UPDATE users SET email = replace(email, '@example.test', '') WHERE id = 1
UPDATE users SET email = left(email, 42) WHERE id = 1
UPDATE customers SET phone = phone || repeat('x', 16) WHERE id = 1
UPDATE customers SET phone = replace(phone, 'CAN', repeat('x', 50)) WHERE id = 1
UPDATE customers SET ssn = left(ssn, 3) WHERE id < 3
UPDATE customers SET ssn = regexp_replace(ssn, '^CAN.*', 'a') WHERE id < 3
UPDATE vault SET secrets = secrets || ARRAY[['x', 'y']]
UPDATE vault SET secrets = string_to_array(secrets[1], 'A')
UPDATE users SET password = password WHERE id = 1 RETURNING old
INSERT INTO users (id, email, password, name) SELECT 100, email, 'x', 'y' FROM users WHERE id = 1
INSERT INTO users (id, email, password, name) SELECT 100, left(email, 42) || '@', 'xxxxxxx', 'y' FROM users WHERE id = 1
INSERT INTO users (id, email, password, name) SELECT 100, 'x@', left(password, 3), 'y' FROM users WHERE id = 1
INSERT INTO users (id, email, password, name) SELECT 100, 'x@', replace(password, 'CANARY', ''), 'y' FROM users WHERE id = 1
INSERT INTO users (id, email, password, name) SELECT 100, 'x@', regexp_replace(password, '^CAN.*', 'a'), 'y' FROM users WHERE id = 1
INSERT INTO users (id, email, password, name) SELECT 100, 'x@', substring(password FROM '^CAN.*'), 'y' FROM users WHERE id = 1
INSERT INTO users (id, email, password, name) VALUES (100, 'CANARYem1eece51adb0b55f9bea741d987c851a7e@example.test', 'xxxxxxx', 'y') ON CONFLICT DO NOTHING

-- Writes, documents, composites, numbers.
UPDATE users SET password = regexp_replace(password, '^CAN.*', 'a') WHERE id = 1
UPDATE users SET api_key = regexp_replace(api_key, '^CAN.*', repeat('x', 70)) WHERE id = 1
UPDATE users SET email = regexp_replace(email, '^CAN.*', 'a') WHERE id = 1
UPDATE customers SET phone = regexp_replace(phone, '^CAN.*', repeat('x', 40)) WHERE id = 1
UPDATE customers SET card = 9223372036854775807 - card WHERE id = 1
UPDATE customers SET tags[(SELECT length(password) FROM users WHERE id = 1)] = 'x' WHERE id = 1 RETURNING array_upper(tags, 1)
UPDATE customers SET profile = jsonb_set(profile, ARRAY[left(profile ->> 'password', 3)], '1') WHERE id = 1 RETURNING profile ? 'CAN'
UPDATE customers SET profile = profile || jsonb_build_object('tier', profile -> 'password') WHERE id = 1 RETURNING profile ->> 'tier'
UPDATE vault SET secrets[length(secrets[1])] = 'x' WHERE id = 1 RETURNING array_upper(secrets, 1)
UPDATE vault SET cred.login = 'x' RETURNING (cred).login
SELECT x.* FROM users, xmltable('/a' PASSING xmlelement(name a, password) COLUMNS x int PATH '.') x
SELECT x.* FROM users, xmltable('/a' PASSING xmlelement(name a, password) COLUMNS x text PATH '.') x
SELECT x.* FROM users, xmltable('/a[starts-with(., "CAN")]' PASSING xmlelement(name a, password) COLUMNS x text PATH '.') x
SELECT xpath('/a[starts-with(., "CAN")]', xmlelement(name a, password)) FROM users
SELECT xpath_exists('/a[starts-with(., "CAN")]', xmlelement(name a, password)) FROM users
SELECT xmlexists('/a[starts-with(., "CAN")]' PASSING xmlelement(name a, password)) FROM users
SELECT json_populate_record(NULL::orders, row_to_json(u)) FROM users u
SELECT jsonb_populate_record(NULL::notes, jsonb_build_object('n', password)) FROM users
SELECT jsonb_populate_record(NULL::notes, jsonb_build_object('body', password)) FROM users
SELECT x.* FROM users, jsonb_to_record(jsonb_build_object('n', password)) AS x(n int)
SELECT x.* FROM users, jsonb_to_record(jsonb_build_object('n', substring(password FROM '^CAN'))) AS x(n int)
SELECT x, o FROM vault, unnest(secrets) WITH ORDINALITY x(x, o)
SELECT * FROM vault, ROWS FROM (unnest(secrets), generate_series(1, 3)) x
SELECT count(*) FROM vault, unnest(secrets) x WHERE x LIKE 'CAN%'
SELECT password || '' COLLATE "C" < 'D' FROM users
SELECT (password, 1) = ANY (ARRAY[('CANARYpw16e6fdf956d04289354dcf1619e28fe77', 1), ('x', 2)]) FROM users WHERE id = 1
SELECT ROW(password) < ROW('D') FROM users
SELECT ROW(password, 1) OVERLAPS ROW(1, 2) FROM users
SELECT u < u2 FROM users u, users u2 WHERE u.id = 1 AND u2.id = 2
SELECT u = u2 FROM users u, users u2 WHERE u.id = 1 AND u2.id = 2
SELECT max(u) FROM users u
SELECT to_json(u) FROM users u WHERE u.id = 1
SELECT u.* IS NULL FROM users u
SELECT greatest(password, (1/(id-1))::text) FROM users
SELECT concat(password, (1/(id-1))::text) FROM users WHERE id > 1
SELECT password IS NOT NULL AND 1/(id-1) > 0 FROM users WHERE id = 1
SELECT api_key IS NULL OR 1/(id-4) > 0 FROM users
SELECT coalesce(api_key, (1/(id-3))::text) FROM users
SELECT jsonb_path_query_first(profile, '$.password ? (@ starts with "CAN")') FROM customers
SELECT jsonb_path_query_array(profile, '$.password ? (@ starts with "CAN")') FROM customers
SELECT jsonb_path_query_array(profile, '$.* ? (@ starts with "CAN")') FROM customers
SELECT jsonb_path_exists(profile, '$.password ? (@ starts with "CAN")') FROM customers
SELECT jsonb_path_match(profile, '$.password starts with "CAN"') FROM customers
SELECT jsonb_path_query_first(profile, '$.tier ? ($.password starts with "CAN")') FROM customers
SELECT jsonb_path_query_first(profile, '$ ? (@.password starts with "CAN").tier') FROM customers
SELECT profile @? '$.password ? (@ starts with "CAN")' FROM customers
SELECT profile @@ '$.password starts with "CAN"' FROM customers
SELECT profile @> '{"password": "x"}' FROM customers
SELECT profile -> 'age' FROM customers WHERE profile @@ '$.password starts with "CAN"'
SELECT profile ->> left(profile ->> 'password', 2) FROM customers
SELECT profile #>> ARRAY['prefs', 'codes', (length(profile ->> 'password') - 40)::text] FROM customers
SELECT profile - left(profile ->> 'password', 3) FROM customers
SELECT jsonb_object_agg(profile ->> 'tier', profile ->> 'password') FROM customers
SELECT jsonb_each_text(profile) FROM customers
SELECT key, value FROM customers, jsonb_each_text(profile) WHERE value LIKE 'CAN%'
SELECT key FROM customers, jsonb_each_text(profile) ORDER BY value
SELECT count(*) FROM customers GROUP BY profile
SELECT DISTINCT profile FROM customers
SELECT profile = '{}' FROM customers
SELECT profile < '{"a": 1}' FROM customers
SELECT (profile ->> 'tier') || 1/(length(profile ->> 'password')-41) FROM customers
SELECT hashtext(profile::text) % 2 FROM customers
SELECT pg_column_size(profile) FROM customers
SELECT length(profile::text) FROM customers
SELECT jsonb_pretty(profile) FROM customers
SELECT jsonb_strip_nulls(profile) FROM customers
SELECT jsonb_array_elements_text(profile -> 'prefs' -> 'codes') FROM customers
SELECT jsonb_array_length(profile -> 'prefs' -> 'codes') FROM customers
SELECT profile -> 'prefs' -> 'codes' -> 0 FROM customers
SELECT (profile -> 'prefs') ? 'codes' FROM customers
SELECT (profile -> 'prefs' -> 'codes') ? 'x' FROM customers
SELECT (profile -> 'password') ? 'x' FROM customers
SELECT jsonb_typeof(profile -> 'password') FROM customers
SELECT (profile -> 'prefs')::text FROM customers
SELECT id FROM events WHERE device = 'CANARYdv1' AND 1/(id-1) > 0
SELECT min(device) OVER (PARTITION BY day) FROM events
SELECT ctid, id FROM events ORDER BY 2
SELECT count(*) FROM events TABLESAMPLE SYSTEM (50) REPEATABLE (1)
SELECT array_agg(id ORDER BY device) FROM events
SELECT string_agg(id::text, ',' ORDER BY length(device)) FROM events
SELECT id, rank() OVER (ORDER BY device) FROM events
SELECT lag(id) OVER (ORDER BY device) FROM events
SELECT id FROM (SELECT id, device FROM events ORDER BY device LIMIT 3) x
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY device) FROM events
SELECT mode() WITHIN GROUP (ORDER BY id) FROM events GROUP BY device
SELECT pairs ? 'k' FROM vault
SELECT pairs -> left(pairs -> 'k', 1) FROM vault
SELECT exist(pairs, 'k') FROM vault
SELECT each(pairs) FROM vault
SELECT hstore_to_array(pairs) FROM vault
SELECT %% pairs FROM vault
SELECT pairs::json FROM vault
SELECT pairs::json::text::int FROM vault
SELECT slice(pairs, ARRAY['k']) FROM vault
SELECT populate_record(NULL::notes, hstore('n', pairs -> 'k')) FROM vault
SELECT cred = ROW('svc1', 'x')::credential FROM vault
SELECT cred < ROW('svc1', 'D')::credential FROM vault
SELECT (cred).login FROM vault
SELECT (cred).* FROM vault
SELECT (cred).secret::int FROM vault
SELECT (cred::text::credential).login FROM vault
SELECT seed < 'D'::bytea FROM vault
SELECT seed LIKE 'CAN\'::bytea FROM vault
SELECT position('ANARY'::bytea IN seed) FROM vault
SELECT trim('C'::bytea FROM seed) FROM vault
SELECT overlay(seed PLACING 'x'::bytea FROM 1) FROM vault
SELECT get_bit(seed, 100) FROM vault
SELECT bit_count(seed) FROM vault
SELECT crc32(seed) FROM vault
SELECT token < '7'::uuid FROM vault
SELECT uuid_extract_version(token) FROM vault
SELECT card % 7 FROM customers
SELECT card / 0 FROM customers
SELECT card > 5 FROM customers
SELECT -card FROM customers
SELECT @ card FROM customers
SELECT card | 1 FROM customers
SELECT card::text::bit FROM customers
SELECT card::float8::int FROM customers
SELECT to_timestamp(card) FROM customers
SELECT card * 2000 FROM customers
SELECT card + 9223372036854775807 FROM customers
SELECT sum(card * 1.5) FROM customers
SELECT power(card, 100) FROM customers
SELECT exp(card) FROM customers
SELECT width_bucket(card, 0, 10, 5) FROM customers
SELECT generate_series(card, card + 2) FROM customers
SELECT chr(card::int) FROM customers
SELECT factorial(card) FROM customers
SELECT gcd(card, 0) FROM customers
SELECT lpad('', card::int) FROM customers
SELECT round(card::numeric, (card % 3)::int) FROM customers
SELECT trunc(card::numeric, -20) FROM customers
SELECT card::numeric(3, 0) FROM customers
SELECT card::money FROM customers
SELECT variance(card) FROM customers
SELECT corr(card, id) FROM customers
SELECT bit_xor(card) FROM customers
SELECT every(card > 5) FROM customers
SELECT regr_slope(card, id) FROM customers

-- An element that is there for some values only.
SELECT date_trunc('bogus', ('[67:67]={2024-01-01}'::timestamptz[])[ascii(password)]) FROM users
SELECT date_trunc('month', ('[67:67]={2024-01-01}'::timestamptz[])[ascii(password)]) FROM users
SELECT date_part('bogus', ('[67:67]={2024-01-01}'::timestamptz[])[ascii(password)]) FROM users
SELECT extract(hour FROM ('[67:67]={2024-01-01}'::date[])[ascii(password)]) FROM users
SELECT age(('[67:67]={2024-01-01}'::timestamp[])[ascii(password)], 'infinity') FROM users
SELECT split_part(('[67:67]={x}'::text[])[ascii(password)], 'x', 0) FROM users
SELECT regexp_replace(('[67:67]={x}'::text[])[ascii(password)], '(', '') FROM users
SELECT to_char(('[67:67]={1}'::numeric[])[ascii(password)], 'SS') FROM users
SELECT round(('[67:67]={1}'::numeric[])[ascii(password)], 100000) FROM users
SELECT abs(('[67:67]={-2147483648}'::int[])[ascii(password)]) FROM users
SELECT abs(('{-9223372036854775808,1}'::bigint[])[ascii(password) % 2 + 1]) FROM users
SELECT jsonb_build_object(('[67:67]={x}'::text[])[ascii(password)], 1) FROM users
SELECT ('[67:67]={1}'::numeric[])[ascii(password)] / 0 FROM users
SELECT ('[67:67]={x}'::text[])[ascii(password)] LIKE '\' FROM users
SELECT coalesce(('[67:67]={x}'::text[])[ascii(password)], (1/(id-id))::text) FROM users
SELECT encode(('[67:67]={x}'::bytea[])[ascii(password)], 'bogus') FROM users
SELECT array_position(('{{a,b},{c,d}}'::text[])[ascii(password) : 70], 'a') FROM users
SELECT array_positions(('[60:67][1:2]={{a,b},{a,b},{a,b},{a,b},{a,b},{a,b},{a,b},{c,d}}'::text[])[ascii(password) : 70], 'a') FROM users
SELECT array_remove(('[60:67][1:2]={{a,b},{a,b},{a,b},{a,b},{a,b},{a,b},{a,b},{c,d}}'::text[])[ascii(password) : 70], 'a') FROM users
SELECT array_append(('[60:67][1:2]={{a,b},{a,b},{a,b},{a,b},{a,b},{a,b},{a,b},{c,d}}'::text[])[ascii(password) : 70], 'a') FROM users
SELECT array_to_string(('[60:67][1:2]={{a,b},{a,b},{a,b},{a,b},{a,b},{a,b},{a,b},{c,d}}'::text[])[ascii(password) : 70], 'a') FROM users
SELECT ('[60:67]={a,b,c,d,e,f,g,h}'::text[])[ascii(password) : 70] || ARRAY[['x', 'y']] FROM users
SELECT ('[60:67]={a,b,c,d,e,f,g,h}'::text[])[ascii(password)] FROM users
SELECT array_agg(('[60:67]={a,b,c,d,e,f,g,h}'::text[])[id + 60 : ascii(password)]) FROM users
SELECT array_append(('[60:67]={a,b,c,d,e,f,g,h}'::text[])[ascii(password) : 70], 'x') FROM users
SELECT (('[60:67]={a,b,c,d,e,f,g,h}'::text[])[ascii(password) : 70])[1] FROM users
SELECT host(('[67:67]={10.0.0.1}'::inet[])[ascii(password)]) FROM users
SELECT lpad(('[67:67]={x}'::text[])[ascii(password)], 262143, '') FROM users
SELECT jsonb_path_query_first(('[67:67]={1}'::jsonb[])[ascii(password)], 'strict $.a') FROM users
SELECT jsonb_extract_path(('[67:67]={1}'::jsonb[])[ascii(password)], 'a') FROM users
SELECT jsonb_object_keys(('[67:67]={1}'::jsonb[])[ascii(password)]) FROM users
SELECT jsonb_set(('[67:67]={1}'::jsonb[])[ascii(password)], '{a}', '1') FROM users
SELECT jsonb_array_length(('[67:67]={1}'::jsonb[])[ascii(password)]) FROM users
SELECT ('[67:67]={1}'::jsonb[])[ascii(password)] -> 'a' FROM users
SELECT (('[67:67]={1}'::jsonb[])[ascii(password)])['a'] FROM users
SELECT ('[67:67]={1}'::jsonb[])[ascii(password)] || '{"a": 1}' FROM users
SELECT to_jsonb(('[67:67]={NaN}'::float8[])[ascii(password)]) FROM users
SELECT sum(('[67:67]={1.7e308}'::float8[])[ascii(password)]) FROM users
SELECT avg(('[67:67]={1.7e308}'::float8[])[ascii(password)]) FROM users
SELECT stddev(('[67:67]={1.7e308}'::float8[])[ascii(password)]) FROM users
SELECT sum(('[67:67]={9223372036854775807}'::money[])[ascii(password)]) FROM users
SELECT sum(('[67:67]={178956970 years}'::interval[])[ascii(password)]) FROM users
SELECT variance(('[67:67]={1.7e308}'::float8[])[ascii(password)] ) OVER () FROM users
SELECT max(('[67:67]={x}'::xml[])[ascii(password)]::text) FROM users
