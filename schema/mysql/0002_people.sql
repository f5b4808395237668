-- compatible: 1
-- People who log in: second factors, recovery codes, and what ends their sessions.

-- fold: the name in lower case, for what a directory takes for the same name. Programs of schema 1
-- leave it empty: their accounts are found by their very names alone, until one of ours touches them.
-- epoch counts "user logout"s.
ALTER TABLE users ADD COLUMN fold VARCHAR(255) NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
UPDATE users SET fold = LOWER(name) WHERE fold = '';
CREATE INDEX users_fold ON users (fold);

-- confirmed: 0 while the first code is waited for. So there is one in force and one that waits.
-- seed is sealed, bound to id, user_id, hash (1: SHA-1, 2: SHA-256, 3: SHA-512), digits and period.
-- counter: of the last code that was spent.
CREATE TABLE totp (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    user_id VARCHAR(36) NOT NULL,
    confirmed INTEGER NOT NULL,
    seed VARBINARY(255) NOT NULL,
    hash INTEGER NOT NULL,
    digits INTEGER NOT NULL,
    period INTEGER NOT NULL,
    counter BIGINT NOT NULL DEFAULT 0,
    created BIGINT NOT NULL,
    UNIQUE KEY totp_user (user_id, confirmed),
    CONSTRAINT totp_confirmed_known CHECK (confirmed IN (0, 1)),
    CONSTRAINT totp_user_there FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

-- hash: BLAKE2b-256. used: when it was burnt.
CREATE TABLE recovery_codes (
    user_id VARCHAR(36) NOT NULL,
    hash VARBINARY(32) NOT NULL,
    created BIGINT NOT NULL,
    used BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, hash),
    CONSTRAINT recovery_codes_user_there FOREIGN KEY (user_id) REFERENCES users (id)
        ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
    COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;
