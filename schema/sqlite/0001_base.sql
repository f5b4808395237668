-- compatible: 1
-- What is remembered, first version. Names of tables and columns are the same for every engine.
-- Ids are lower-case UUID text, times Unix seconds (0: never).

-- "PyTk": tells this program's databases from others; db_sqlite.c looks for it.
PRAGMA application_id = 1350128747;

-- compatible: the oldest schema whose programs may go on working when this step is made.
CREATE TABLE schema_version (
    version INTEGER NOT NULL PRIMARY KEY,
    compatible INTEGER NOT NULL,
    applied_at INTEGER NOT NULL
);

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    password TEXT,
    disabled INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL
);

-- confirmed: 0 while the upload that made the project is still under way.
CREATE TABLE projects (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    norm TEXT NOT NULL UNIQUE,
    confirmed INTEGER NOT NULL,
    created INTEGER NOT NULL
);

-- role: 1 maintainer, 2 owner.
CREATE TABLE roles (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id),
    role INTEGER NOT NULL CHECK (role IN (1, 2)),
    PRIMARY KEY (project_id, user_id)
);
CREATE INDEX roles_user ON roles (user_id);

-- sealed_key is bound to id, user_id, created, expires and the caveats of the row: when one of them
-- is edited, the key does not open any more. The other columns are not bound.
CREATE TABLE tokens (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    sealed_key BLOB NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL DEFAULT 0,
    revoked INTEGER NOT NULL DEFAULT 0,
    revoked_by TEXT,
    used INTEGER NOT NULL DEFAULT 0,
    used_address TEXT,
    used_agent TEXT,
    used_file TEXT
);
CREATE INDEX tokens_user ON tokens (user_id);

-- Caveats that are enforced besides those within the token, in the order of seq.
CREATE TABLE token_caveats (
    token_id TEXT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    caveat BLOB NOT NULL,
    PRIMARY KEY (token_id, seq)
);

-- The normalised names of tokens.scope, one a row, for finding tokens by project.
CREATE TABLE token_projects (
    token_id TEXT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
    project TEXT NOT NULL,
    PRIMARY KEY (token_id, project)
);
CREATE INDEX token_projects_project ON token_projects (project);

-- Uses of tokens that are good for so many only, by the hash that access/bearer.c makes of the place
-- in the token where the limit stands.
CREATE TABLE token_uses (
    id TEXT NOT NULL PRIMARY KEY,
    token_id TEXT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
    used INTEGER NOT NULL
);
CREATE INDEX token_uses_token ON token_uses (token_id);

-- The audit trail: rows are only ever added, and in the end pruned. Names, not references: it
-- outlives what it tells of. times: how many alike this row stands for.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    user_name TEXT,
    token_id TEXT,
    project TEXT,
    file TEXT,
    address TEXT,
    agent TEXT,
    verdict TEXT,
    detail TEXT,
    times INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX events_at ON events (at);
CREATE INDEX events_project ON events (project, at);
CREATE INDEX events_user ON events (user_name, at);

-- The processes that serve from this database, one row each, so that nobody takes a key or a schema
-- away from them. key_ids: of their keyring, with spaces between, the sealing one first.
CREATE TABLE front_ends (
    id TEXT NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    key_ids TEXT NOT NULL,
    schema_want INTEGER NOT NULL,
    seen INTEGER NOT NULL
);
