/*
 * query.h - every SQL statement of the program, written once for all engines.
 *
 * Keep to what SQLite and MySQL/MariaDB both read: '?' parameters, no upsert, no RETURNING, no
 * "RENAME", CASE instead of MAX(a, b). Where that is not possible, the driver gives its own text
 * for the id (db_driver_t.sql). An UPDATE counts the rows that it matched, changed or not (MySQL:
 * CLIENT_FOUND_ROWS). Names compare byte by byte (MySQL: a binary collation).
 *
 * Types of parameters and columns, one letter each: i integer, t text, b bytes; a capital letter
 * may be NULL as well. db.c holds both sides to them. Constant data; any thread.
 */
#ifndef PYPITOKEN_QUERY_H
#define PYPITOKEN_QUERY_H

typedef enum query_id_t {
    QUERY_SCHEMA_PRESENT, /* 1 when there is a table schema_version */
    QUERY_SCHEMA_VERSION,
    QUERY_SCHEMA_ADD,

    QUERY_USER_ADD,
    QUERY_USER_BY_NAME,
    QUERY_USER_LIST,
    QUERY_USER_SET_HASH,
    QUERY_USER_SET_DISABLED,
    QUERY_USER_OWNED,
    QUERY_USER_LIVE_TOKENS,
    QUERY_USER_DROP_ROLES,
    QUERY_USER_DROP_TOKENS,
    QUERY_USER_REMOVE,
    QUERY_USER_ALIKE, /* MySQL: waits for those that others are adding */
    QUERY_USER_REHASH,
    QUERY_USER_LOGOUT,
    QUERY_USER_FOLD,

    QUERY_PEOPLE_FIND,
    QUERY_TOTP_ADD,
    QUERY_TOTP_WAITING,
    QUERY_TOTP_DROP,
    QUERY_TOTP_CONFIRM,
    QUERY_TOTP_SPEND,
    QUERY_TOTP_REMOVE,
    QUERY_RECOVERY_ADD,
    QUERY_RECOVERY_KNOWN,
    QUERY_RECOVERY_SPEND,
    QUERY_RECOVERY_DROP,

    QUERY_PROJECT_ADD,
    QUERY_PROJECT_BY_NORM,
    QUERY_PROJECT_ROLE,
    QUERY_PROJECT_LIST,
    QUERY_PROJECT_OF,
    QUERY_PROJECT_REMOVE,
    QUERY_PROJECT_CONFIRM,
    QUERY_PROJECT_ABANDON,
    QUERY_PROJECT_HOLD,

    QUERY_ROLE_ADD,
    QUERY_ROLE_UPDATE,
    QUERY_ROLE_REMOVE,
    QUERY_ROLE_LIST,
    QUERY_ROLE_OWNERS,

    QUERY_TOKEN_ADD,
    QUERY_TOKEN_ADD_CAVEAT,
    QUERY_TOKEN_ADD_PROJECT,
    QUERY_TOKEN_FIND,
    QUERY_TOKEN_LIST,
    QUERY_TOKEN_LIST_USER,
    QUERY_TOKEN_LIST_PROJECT,
    QUERY_TOKEN_REACHING,
    QUERY_TOKEN_REVOKE,
    QUERY_TOKEN_NARROW,
    QUERY_TOKEN_USED,
    QUERY_TOKEN_SEALS,
    QUERY_TOKEN_RESEAL,
    QUERY_TOTP_SEALS,
    QUERY_TOTP_RESEAL,
    QUERY_TOTP_BY_ID,
    QUERY_USES_ADD,
    QUERY_USES_TAKE,
    QUERY_USES_GIVE,

    QUERY_EVENT_ADD,
    QUERY_EVENT_ADD_2,
    QUERY_EVENT_ADD_4,
    QUERY_EVENT_ADD_8,
    QUERY_EVENT_LIST,
    QUERY_EVENT_RECENT,
    QUERY_EVENT_RECENT_USER,
    QUERY_EVENT_RECENT_PROJECT,
    QUERY_EVENT_UPLOADS,
    QUERY_EVENT_NTH,
    QUERY_EVENT_PRUNE,

    QUERY_FRONT_SEEN,
    QUERY_FRONT_EXPIRE,
    QUERY_FRONT_ADD,
    QUERY_FRONT_GONE,
    QUERY_FRONT_LIST,

    /* pypitokenctl store copy: all rows of a table in the order of its key, and one to be added as
     * it is; each pair has the same columns */
    QUERY_COPY_USERS,
    QUERY_PASTE_USERS,
    QUERY_COPY_PROJECTS,
    QUERY_PASTE_PROJECTS,
    QUERY_COPY_ROLES,
    QUERY_PASTE_ROLES,
    QUERY_COPY_TOKENS,
    QUERY_PASTE_TOKENS,
    QUERY_COPY_TOKEN_CAVEATS,
    QUERY_PASTE_TOKEN_CAVEATS,
    QUERY_COPY_TOKEN_PROJECTS,
    QUERY_PASTE_TOKEN_PROJECTS,
    QUERY_COPY_TOKEN_USES,
    QUERY_PASTE_TOKEN_USES,
    QUERY_COPY_TOTP,
    QUERY_PASTE_TOTP,
    QUERY_COPY_RECOVERY_CODES,
    QUERY_PASTE_RECOVERY_CODES,
    QUERY_COPY_EVENTS,
    QUERY_PASTE_EVENTS,

    QUERY_COUNT
} query_id_t;

#define QUERY_COLUMNS_MAX 20

typedef struct query_t {
    const char *name;    /* for log lines */
    const char *params;  /* types, in the order of the '?' */
    const char *columns; /* types of a row; "" for statements without rows */
    const char *sql;
} query_t;

extern const query_t query_table[QUERY_COUNT];

#endif
