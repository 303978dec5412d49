-- The database of several nodes, made once by PostgreSQL's superuser: psql -v ON_ERROR_STOP=1 -f database.sql
-- The password is given afterwards, so that it is in no file and no log: \password zvpos
CREATE ROLE zvpos LOGIN;
-- A pooler refuses settings of a session, so they belong to the role.
ALTER ROLE zvpos SET synchronous_commit = on;
ALTER ROLE zvpos SET default_transaction_read_only = off;
-- The library makes its schema and tables at the first start.
CREATE DATABASE zvpos OWNER zvpos ENCODING 'UTF8' TEMPLATE template0;
