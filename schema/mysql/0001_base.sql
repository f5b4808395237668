-- compatible: 1
-- What is remembered, first version. Names of tables and columns are the same for every engine.
-- Ids are lower-case UUID text, times Unix seconds (0: never).
--
-- Every table says InnoDB, utf8mb4 and the collation that compares byte by byte without padding (as
-- SQLite does: "alice " is not "alice"); MariaDB and MySQL call that one by different names, so each
-- gets its own in a comment that only it reads. Ids are text and not BINARY(16): the statements are
-- the same for every engine, an operator can read the rows, and 20 bytes more in an index of this
-- size are nothing. One collation for all, so that no comparison ever mixes two.

-- compatible: the oldest schema whose programs may go on working when this step is made.
CREATE TABLE schema_version (
    version INTEGER NOT NULL PRIMARY KEY,
    compatible INTEGER NOT NULL,
    applied_at BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

CREATE TABLE users (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    password VARCHAR(255),
    disabled INTEGER NOT NULL DEFAULT 0,
    created BIGINT NOT NULL,
    UNIQUE KEY users_name (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

-- confirmed: 0 while the upload that made the project is still under way.
CREATE TABLE projects (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    norm VARCHAR(255) NOT NULL,
    confirmed INTEGER NOT NULL,
    created BIGINT NOT NULL,
    UNIQUE KEY projects_norm (norm)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

-- role: 1 maintainer, 2 owner.
CREATE TABLE roles (
    project_id VARCHAR(36) NOT NULL,
    user_id VARCHAR(36) NOT NULL,
    role INTEGER NOT NULL,
    PRIMARY KEY (project_id, user_id),
    KEY roles_user (user_id),
    CONSTRAINT roles_role_known CHECK (role IN (1, 2)),
    CONSTRAINT roles_project_there FOREIGN KEY (project_id) REFERENCES projects (id)
        ON DELETE CASCADE,
    CONSTRAINT roles_user_there FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

-- sealed_key is bound to id, user_id, created, expires and the caveats of the row: when one of them
-- is edited, the key does not open any more. The other columns are not bound.
CREATE TABLE tokens (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    user_id VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    scope MEDIUMTEXT NOT NULL,
    sealed_key VARBINARY(255) NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL DEFAULT 0,
    revoked BIGINT NOT NULL DEFAULT 0,
    revoked_by VARCHAR(255),
    used BIGINT NOT NULL DEFAULT 0,
    used_address VARCHAR(255),
    used_agent VARCHAR(255),
    used_file VARCHAR(255),
    KEY tokens_user (user_id),
    CONSTRAINT tokens_user_there FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

-- Caveats that are enforced besides those within the token, in the order of seq.
CREATE TABLE token_caveats (
    token_id VARCHAR(36) NOT NULL,
    seq INTEGER NOT NULL,
    caveat MEDIUMBLOB NOT NULL,
    PRIMARY KEY (token_id, seq),
    CONSTRAINT token_caveats_token_there FOREIGN KEY (token_id) REFERENCES tokens (id)
        ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

-- The normalised names of tokens.scope, one a row, for finding tokens by project.
CREATE TABLE token_projects (
    token_id VARCHAR(36) NOT NULL,
    project VARCHAR(255) NOT NULL,
    PRIMARY KEY (token_id, project),
    KEY token_projects_project (project),
    CONSTRAINT token_projects_token_there FOREIGN KEY (token_id) REFERENCES tokens (id)
        ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

-- Uses of tokens that are good for so many only, by the hash that access/bearer.c makes of the place
-- in the token where the limit stands.
CREATE TABLE token_uses (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    token_id VARCHAR(36) NOT NULL,
    used BIGINT NOT NULL,
    KEY token_uses_token (token_id),
    CONSTRAINT token_uses_token_there FOREIGN KEY (token_id) REFERENCES tokens (id)
        ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

-- The audit trail: rows are only ever added, and in the end pruned. Names, not references: it
-- outlives what it tells of. times: how many alike this row stands for.
CREATE TABLE events (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    at BIGINT NOT NULL,
    kind VARCHAR(255) NOT NULL,
    user_name VARCHAR(255),
    token_id VARCHAR(255),
    project VARCHAR(255),
    file VARCHAR(255),
    address VARCHAR(255),
    agent VARCHAR(255),
    verdict VARCHAR(255),
    detail VARCHAR(255),
    times BIGINT NOT NULL DEFAULT 1,
    KEY events_at (at),
    KEY events_project (project, at),
    KEY events_user (user_name, at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

-- The processes that serve from this database, one row each, so that nobody takes a key or a schema
-- away from them. key_ids: of their keyring, with spaces between, the sealing one first.
CREATE TABLE front_ends (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    host VARCHAR(255) NOT NULL,
    pid BIGINT NOT NULL,
    key_ids TEXT NOT NULL,
    schema_want INTEGER NOT NULL,
    seen BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;
