-- mysql-grants.sql - database and accounts for "PyPITokenStore mysql://..." on MySQL or MariaDB.
--
-- Run it as an administrator of the server after changing the passwords, and again after an upgrade
-- of mod_pypitoken (it repeats without harm). Replace '%' by the hosts of your front ends.
--
--   pypitoken        httpd's: reads and writes rows, defines nothing. It may not change or remove an
--                    event, so that the audit trail outlives a front end that was taken over.
--   pypitoken_admin  pypitokenctl's: "init", "schema migrate", "events prune" need it.

CREATE DATABASE IF NOT EXISTS pypitoken CHARACTER SET utf8mb4;

CREATE USER IF NOT EXISTS 'pypitoken_admin'@'%' IDENTIFIED BY 'change-me-admin' REQUIRE SSL;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES
    ON pypitoken.* TO 'pypitoken_admin'@'%';

-- The tables must be there before the rest: run "pypitokenctl init" as pypitoken_admin here.

CREATE USER IF NOT EXISTS 'pypitoken'@'%' IDENTIFIED BY 'change-me' REQUIRE SSL;
GRANT SELECT ON pypitoken.schema_version TO 'pypitoken'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON pypitoken.users TO 'pypitoken'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON pypitoken.projects TO 'pypitoken'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON pypitoken.roles TO 'pypitoken'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON pypitoken.tokens TO 'pypitoken'@'%';
GRANT SELECT, INSERT, DELETE ON pypitoken.token_caveats TO 'pypitoken'@'%';
GRANT SELECT, INSERT, DELETE ON pypitoken.token_projects TO 'pypitoken'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON pypitoken.token_uses TO 'pypitoken'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON pypitoken.totp TO 'pypitoken'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON pypitoken.recovery_codes TO 'pypitoken'@'%';
GRANT SELECT, INSERT ON pypitoken.events TO 'pypitoken'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON pypitoken.front_ends TO 'pypitoken'@'%';
