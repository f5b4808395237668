-- compatible: 1
-- People who log in: second factors, recovery codes, and what ends their sessions.

-- fold: the name in lower case, for what a directory takes for the same name. Programs of schema 1
-- leave it empty: their accounts are found by their very names alone, until one of ours touches them.
-- epoch counts "user logout"s.
ALTER TABLE users ADD COLUMN fold TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
UPDATE users SET fold = LOWER(name) WHERE fold = '';
CREATE INDEX users_fold ON users (fold);

-- confirmed: 0 while the first code is waited for. So there is one in force and one that waits.
-- seed is sealed, bound to id, user_id, hash (1: SHA-1, 2: SHA-256, 3: SHA-512), digits and period.
-- counter: of the last code that was spent.
CREATE TABLE totp (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    seed BLOB NOT NULL,
    hash INTEGER NOT NULL,
    digits INTEGER NOT NULL,
    period INTEGER NOT NULL,
    counter INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL,
    UNIQUE (user_id, confirmed)
);

-- hash: BLAKE2b-256. used: when it was burnt.
CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash BLOB NOT NULL,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, hash)
);
