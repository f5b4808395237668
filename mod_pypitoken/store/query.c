/* query.c - the statements; see query.h for the dialect and the letters. */
#include "store/query.h"

#define QUERY_USER_COLUMNS                                                                         \
    "u.id, u.name, u.disabled, CASE WHEN u.password IS NULL THEN 0 ELSE 1 END, u.created, "        \
    "(SELECT COUNT(*) FROM totp t WHERE t.user_id = u.id AND t.confirmed = 1), "                   \
    "(SELECT COUNT(*) FROM recovery_codes r WHERE r.user_id = u.id AND r.used = 0)"
#define QUERY_USER_TYPES      "ttiiiii"
#define QUERY_TOTP_COLUMNS    "t.id, t.seed, t.hash, t.digits, t.period, t.counter"
#define QUERY_PROJECT_COLUMNS "p.id, p.name, p.norm, p.created, p.confirmed"

/* A token and its caveats, one row for each caveat, one row with NULLs when there are none: a
 * single statement sees a single state of the database. */
#define QUERY_TOKEN_COLUMNS                                                                        \
    "t.id, t.user_id, u.name, u.disabled, t.name, t.scope, t.created, t.expires, t.revoked, "      \
    "t.revoked_by, t.used, t.used_address, t.used_agent, t.used_file, c.caveat"
#define QUERY_TOKEN_TYPES "tttittiiiTiTTTB"
#define QUERY_TOKEN_FROM                                                                           \
    " FROM tokens t JOIN users u ON u.id = t.user_id "                                             \
    "LEFT JOIN token_caveats c ON c.token_id = t.id "
#define QUERY_TOKEN_ORDER "ORDER BY t.created DESC, t.id, c.seq"

/* The two statements of a table that is copied; marks: as many '?' as there are columns. */
#define QUERY_COPIED(copy, paste, table, columns, types, marks, key)                               \
    [copy] = {"copy_" table, "", types, "SELECT " columns " FROM " table " ORDER BY " key},        \
    [paste] = {"paste_" table, types, "",                                                          \
               "INSERT INTO " table " (" columns ") VALUES (" marks ")"}

#define QUERY_EVENT_INSERT                                                                         \
    "INSERT INTO events (at, kind, user_name, token_id, project, file, address, agent, verdict, "  \
    "detail, times) VALUES "
#define QUERY_EVENT_ROW   "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
#define QUERY_EVENT_TYPES "itTTTTTTTTi"
#define QUERY_EVENT_ROWS_4                                                                         \
    QUERY_EVENT_ROW ", " QUERY_EVENT_ROW ", " QUERY_EVENT_ROW ", " QUERY_EVENT_ROW
#define QUERY_EVENT_TYPES_4 QUERY_EVENT_TYPES QUERY_EVENT_TYPES QUERY_EVENT_TYPES QUERY_EVENT_TYPES
#define QUERY_EVENT_COLUMNS                                                                        \
    "id, at, kind, user_name, token_id, project, file, address, agent, verdict, detail, times"
#define QUERY_EVENT_READ   "iitTTTTTTTTi"
#define QUERY_EVENT_BEFORE "at <= ? AND (at < ? OR id < ?)"

const query_t query_table[QUERY_COUNT] = {
    [QUERY_SCHEMA_PRESENT] = {"schema_present", "", "i",
                              "SELECT COUNT(*) FROM information_schema.tables "
                              "WHERE table_schema = DATABASE() AND table_name = 'schema_version'"},
    [QUERY_SCHEMA_VERSION] = {"schema_version", "", "ii",
                              "SELECT COALESCE(MAX(version), 0), COALESCE(MAX(compatible), 0) "
                              "FROM schema_version"},
    [QUERY_SCHEMA_ADD] = {"schema_add", "iii", "",
                          "INSERT INTO schema_version (version, compatible, applied_at) "
                          "VALUES (?, ?, ?)"},

    [QUERY_USER_ADD] = {"user_add", "tttTi", "",
                        "INSERT INTO users (id, name, fold, password, disabled, created) "
                        "VALUES (?, ?, LOWER(?), ?, 0, ?)"},
    [QUERY_USER_BY_NAME] = {"user_by_name", "t", QUERY_USER_TYPES,
                            "SELECT " QUERY_USER_COLUMNS " FROM users u WHERE u.name = ?"},
    [QUERY_USER_LIST] = {"user_list", "", QUERY_USER_TYPES,
                         "SELECT " QUERY_USER_COLUMNS " FROM users u ORDER BY u.name"},
    [QUERY_USER_SET_HASH] = {"user_set_hash", "Tt", "",
                             "UPDATE users SET password = ?, fold = LOWER(name) WHERE id = ?"},
    [QUERY_USER_SET_DISABLED] = {"user_set_disabled", "it", "",
                                 "UPDATE users SET disabled = ?, fold = LOWER(name) WHERE id = ?"},
    [QUERY_USER_OWNED] = {"user_owned", "t", "i",
                          "SELECT COUNT(*) FROM roles WHERE user_id = ? AND role = 2"},
    [QUERY_USER_LIVE_TOKENS] = {"user_live_tokens", "ti", "i",
                                "SELECT COUNT(*) FROM tokens WHERE user_id = ? AND revoked = 0 "
                                "AND (expires = 0 OR expires > ?)"},
    [QUERY_USER_DROP_ROLES] = {"user_drop_roles", "t", "", "DELETE FROM roles WHERE user_id = ?"},
    [QUERY_USER_DROP_TOKENS] = {"user_drop_tokens", "t", "",
                                "DELETE FROM tokens WHERE user_id = ?"},
    [QUERY_USER_REMOVE] = {"user_remove", "t", "", "DELETE FROM users WHERE id = ?"},
    [QUERY_USER_ALIKE] = {"user_alike", "t", "i",
                          "SELECT COUNT(*) FROM users WHERE fold = LOWER(?)"},
    [QUERY_USER_REHASH] = {"user_rehash", "ttt", "",
                           "UPDATE users SET password = ? WHERE id = ? AND password = ?"},
    [QUERY_USER_LOGOUT] = {"user_logout", "t", "",
                           "UPDATE users SET epoch = epoch + 1 WHERE id = ?"},
    [QUERY_USER_FOLD] = {"user_fold", "t", "", "UPDATE users SET fold = LOWER(name) WHERE id = ?"},

    /* An account and what its login takes, seen in one state of the database. */
    [QUERY_PEOPLE_FIND] = {"people_find", "tt", "ttiTiTBIIII",
                           "SELECT u.id, u.name, u.disabled, u.password, "
                           "u.epoch, " QUERY_TOTP_COLUMNS " FROM users u "
                           "LEFT JOIN totp t ON t.user_id = u.id AND t.confirmed = 1 "
                           "WHERE u.name = ? OR u.fold = ?"},

    [QUERY_TOTP_ADD] = {"totp_add", "ttbiiii", "",
                        "INSERT INTO totp (id, user_id, confirmed, seed, hash, digits, period, "
                        "created) VALUES (?, ?, 0, ?, ?, ?, ?, ?)"},
    [QUERY_TOTP_WAITING] = {"totp_waiting", "t", "tbiiii",
                            "SELECT " QUERY_TOTP_COLUMNS " FROM totp t "
                            "WHERE t.user_id = ? AND t.confirmed = 0"},
    [QUERY_TOTP_DROP] = {"totp_drop", "ti", "",
                         "DELETE FROM totp WHERE user_id = ? AND confirmed = ?"},
    [QUERY_TOTP_CONFIRM] = {"totp_confirm", "itt", "",
                            "UPDATE totp SET confirmed = 1, counter = ? "
                            "WHERE id = ? AND user_id = ? AND confirmed = 0"},
    /* the verdict on a replay: of two at the same time, one meets a row */
    [QUERY_TOTP_SPEND] = {"totp_spend", "itti", "",
                          "UPDATE totp SET counter = ? "
                          "WHERE id = ? AND user_id = ? AND confirmed = 1 AND counter < ?"},
    [QUERY_TOTP_REMOVE] = {"totp_remove", "t", "", "DELETE FROM totp WHERE user_id = ?"},

    [QUERY_RECOVERY_ADD] = {"recovery_add", "tbi", "",
                            "INSERT INTO recovery_codes (user_id, hash, created) "
                            "VALUES (?, ?, ?)"},
    [QUERY_RECOVERY_KNOWN] = {"recovery_known", "tb", "i",
                              "SELECT COUNT(*) FROM recovery_codes "
                              "WHERE user_id = ? AND hash = ? AND used = 0"},
    [QUERY_RECOVERY_SPEND] = {"recovery_spend", "itb", "",
                              "UPDATE recovery_codes SET used = ? "
                              "WHERE user_id = ? AND hash = ? AND used = 0"},
    [QUERY_RECOVERY_DROP] = {"recovery_drop", "t", "",
                             "DELETE FROM recovery_codes WHERE user_id = ?"},

    [QUERY_PROJECT_ADD] = {"project_add", "tttii", "",
                           "INSERT INTO projects (id, name, norm, confirmed, created) "
                           "VALUES (?, ?, ?, ?, ?)"},
    [QUERY_PROJECT_BY_NORM] = {"project_by_norm", "t", "tttii",
                               "SELECT " QUERY_PROJECT_COLUMNS " FROM projects p WHERE p.norm = ?"},
    [QUERY_PROJECT_ROLE] = {"project_role", "Tt", "tttiii",
                            "SELECT " QUERY_PROJECT_COLUMNS ", COALESCE(r.role, 0) "
                            "FROM projects p "
                            "LEFT JOIN roles r ON r.project_id = p.id AND r.user_id = ? "
                            "WHERE p.norm = ?"},
    [QUERY_PROJECT_LIST] = {"project_list", "TT", "tttii",
                            "SELECT " QUERY_PROJECT_COLUMNS " FROM projects p "
                            "WHERE ? IS NULL OR EXISTS (SELECT 1 FROM roles r "
                            "WHERE r.project_id = p.id AND r.user_id = ? AND r.role = 2) "
                            "ORDER BY p.norm"},
    [QUERY_PROJECT_OF] = {"project_of", "t", "tttiii",
                          "SELECT " QUERY_PROJECT_COLUMNS ", r.role FROM roles r "
                          "JOIN projects p ON p.id = r.project_id "
                          "WHERE r.user_id = ? AND p.confirmed = 1 ORDER BY p.norm"},
    [QUERY_PROJECT_REMOVE] = {"project_remove", "t", "", "DELETE FROM projects WHERE id = ?"},
    [QUERY_PROJECT_CONFIRM] = {"project_confirm", "t", "",
                               "UPDATE projects SET confirmed = 1 WHERE id = ?"},
    /* uploads that were let through, less those that the back end has refused: no more than the one
     * that is over. Clocks of front ends may differ. */
    [QUERY_PROJECT_ABANDON] = {"project_abandon", "ti", "",
                               "DELETE FROM projects WHERE id = ? AND confirmed = 0 AND "
                               "(SELECT COALESCE(SUM(CASE WHEN e.kind = 'upload' THEN 1 "
                               "WHEN e.detail LIKE '4%' THEN -1 ELSE 0 END), 0) FROM events e "
                               "WHERE e.at >= projects.created - 3600 "
                               "AND e.kind IN ('upload', 'upload-failed') "
                               "AND e.project = projects.norm) <= ?"},

    /* locks its row: whoever changes who owns it does so one after the other */
    [QUERY_PROJECT_HOLD] = {"project_hold", "t", "",
                            "UPDATE projects SET confirmed = confirmed WHERE id = ?"},

    [QUERY_ROLE_ADD] = {"role_add", "tti", "",
                        "INSERT INTO roles (project_id, user_id, role) VALUES (?, ?, ?)"},
    [QUERY_ROLE_UPDATE] = {"role_update", "itt", "",
                           "UPDATE roles SET role = ? WHERE project_id = ? AND user_id = ?"},
    [QUERY_ROLE_REMOVE] = {"role_remove", "tt", "",
                           "DELETE FROM roles WHERE project_id = ? AND user_id = ?"},
    [QUERY_ROLE_LIST] = {"role_list", "t", "ti",
                         "SELECT u.name, r.role FROM roles r JOIN users u ON u.id = r.user_id "
                         "WHERE r.project_id = ? ORDER BY u.name"},

    [QUERY_ROLE_OWNERS] = {"role_owners", "t", "i",
                           "SELECT COUNT(*) FROM roles WHERE project_id = ? AND role = 2"},

    [QUERY_TOKEN_ADD] = {"token_add", "ttttbii", "",
                         "INSERT INTO tokens (id, user_id, name, scope, sealed_key, created, "
                         "expires) VALUES (?, ?, ?, ?, ?, ?, ?)"},
    [QUERY_TOKEN_ADD_CAVEAT] = {"token_add_caveat", "tib", "",
                                "INSERT INTO token_caveats (token_id, seq, caveat) "
                                "VALUES (?, ?, ?)"},
    [QUERY_TOKEN_ADD_PROJECT] = {"token_add_project", "tt", "",
                                 "INSERT INTO token_projects (token_id, project) VALUES (?, ?)"},
    /* in no order: to sort rows with a BLOB, MariaDB makes a table on disk each time */
    [QUERY_TOKEN_FIND] = {"token_find", "t", QUERY_TOKEN_TYPES "bI",
                          "SELECT " QUERY_TOKEN_COLUMNS ", t.sealed_key, c.seq" QUERY_TOKEN_FROM
                          "WHERE t.id = ?"},
    [QUERY_TOKEN_LIST] = {"token_list", "", QUERY_TOKEN_TYPES,
                          "SELECT " QUERY_TOKEN_COLUMNS QUERY_TOKEN_FROM QUERY_TOKEN_ORDER},
    [QUERY_TOKEN_LIST_USER] =
        {"token_list_user", "tTT", QUERY_TOKEN_TYPES,
         "SELECT " QUERY_TOKEN_COLUMNS QUERY_TOKEN_FROM
         "WHERE u.name = ? AND (? IS NULL OR EXISTS (SELECT 1 "
         "FROM token_projects p WHERE p.token_id = t.id AND p.project = ?)) " QUERY_TOKEN_ORDER},
    [QUERY_TOKEN_LIST_PROJECT] = {"token_list_project", "t", QUERY_TOKEN_TYPES,
                                  "SELECT " QUERY_TOKEN_COLUMNS QUERY_TOKEN_FROM
                                  "WHERE t.id IN (SELECT p.token_id FROM token_projects p "
                                  "WHERE p.project = ?) " QUERY_TOKEN_ORDER},
    /* by the roles on the project; a token for everything, or one that names it */
    [QUERY_TOKEN_REACHING] = {"token_reaching", "tt", QUERY_TOKEN_TYPES,
                              "SELECT " QUERY_TOKEN_COLUMNS QUERY_TOKEN_FROM
                              "WHERE t.revoked = 0 AND t.user_id IN (SELECT r.user_id FROM roles r "
                              "WHERE r.project_id = ?) AND (t.scope = '*' OR EXISTS (SELECT 1 "
                              "FROM token_projects p WHERE p.token_id = t.id AND p.project = ?)) "
                              "ORDER BY u.name, t.created DESC, t.id, c.seq"},
    [QUERY_TOKEN_REVOKE] = {"token_revoke", "iTt", "",
                            "UPDATE tokens SET revoked = ?, revoked_by = ? "
                            "WHERE id = ? AND revoked = 0"},
    [QUERY_TOKEN_NARROW] = {"token_narrow", "bitb", "",
                            "UPDATE tokens SET sealed_key = ?, expires = ? "
                            "WHERE id = ? AND sealed_key = ?"},
    [QUERY_TOKEN_USED] = {"token_used", "iTTTti", "",
                          "UPDATE tokens SET used = ?, used_address = ?, used_agent = ?, "
                          "used_file = ? WHERE id = ? AND used <= ?"},
    [QUERY_USES_ADD] = {"uses_add", "tt", "",
                        "INSERT INTO token_uses (id, token_id, used) VALUES (?, ?, 1)"},
    [QUERY_USES_TAKE] = {"uses_take", "ti", "",
                         "UPDATE token_uses SET used = used + 1 WHERE id = ? AND used < ?"},
    [QUERY_USES_GIVE] = {"uses_give", "t", "",
                         "UPDATE token_uses SET used = used - 1 WHERE id = ? AND used > 0"},

    [QUERY_TOKEN_SEALS] = {"token_seals", "ti", "tb",
                           "SELECT id, sealed_key FROM tokens WHERE id > ? ORDER BY id LIMIT ?"},
    [QUERY_TOKEN_RESEAL] = {"token_reseal", "btb", "",
                            "UPDATE tokens SET sealed_key = ? WHERE id = ? AND sealed_key = ?"},
    [QUERY_TOTP_SEALS] = {"totp_seals", "ti", "tb",
                          "SELECT id, seed FROM totp WHERE id > ? ORDER BY id LIMIT ?"},
    [QUERY_TOTP_RESEAL] = {"totp_reseal", "btb", "",
                           "UPDATE totp SET seed = ? WHERE id = ? AND seed = ?"},
    [QUERY_TOTP_BY_ID] = {"totp_by_id", "t", "tbiiiit",
                          "SELECT " QUERY_TOTP_COLUMNS ", t.user_id FROM totp t WHERE t.id = ?"},

    [QUERY_EVENT_ADD] = {"event_add", QUERY_EVENT_TYPES, "", QUERY_EVENT_INSERT QUERY_EVENT_ROW},
    /* the same for several at once */
    [QUERY_EVENT_ADD_2] = {"event_add_2", QUERY_EVENT_TYPES QUERY_EVENT_TYPES, "",
                           QUERY_EVENT_INSERT QUERY_EVENT_ROW ", " QUERY_EVENT_ROW},
    [QUERY_EVENT_ADD_4] = {"event_add_4", QUERY_EVENT_TYPES_4, "",
                           QUERY_EVENT_INSERT QUERY_EVENT_ROWS_4},
    [QUERY_EVENT_ADD_8] = {"event_add_8", QUERY_EVENT_TYPES_4 QUERY_EVENT_TYPES_4, "",
                           QUERY_EVENT_INSERT QUERY_EVENT_ROWS_4 ", " QUERY_EVENT_ROWS_4},
    /* Where to begin comes from the index on "at" (the '+' keeps SQLite from walking the table for
     * it instead), the rest goes by id. */
    [QUERY_EVENT_LIST] = {"event_list", "iiiTTTT", QUERY_EVENT_READ,
                          "SELECT " QUERY_EVENT_COLUMNS " FROM events "
                          "WHERE id >= (SELECT COALESCE(MIN(+id), 9223372036854775807) "
                          "FROM events WHERE +id > ? AND at >= ?) AND at >= ? "
                          "AND (? IS NULL OR user_name = ?) AND (? IS NULL OR project = ?) "
                          "ORDER BY id"},

    /* the last first, from a time and an id on backwards */
    [QUERY_EVENT_RECENT] = {"event_recent", "iiii", QUERY_EVENT_READ,
                            "SELECT " QUERY_EVENT_COLUMNS " FROM events WHERE " QUERY_EVENT_BEFORE
                            " ORDER BY at DESC, id DESC LIMIT ?"},
    [QUERY_EVENT_RECENT_USER] = {"event_recent_user", "tTTiiii", QUERY_EVENT_READ,
                                 "SELECT " QUERY_EVENT_COLUMNS " FROM events WHERE user_name = ? "
                                 "AND (? IS NULL OR project = ?) AND " QUERY_EVENT_BEFORE
                                 " ORDER BY at DESC, id DESC LIMIT ?"},
    [QUERY_EVENT_RECENT_PROJECT] = {"event_recent_project", "tiiii", QUERY_EVENT_READ,
                                    "SELECT " QUERY_EVENT_COLUMNS " FROM events WHERE project = ? "
                                    "AND " QUERY_EVENT_BEFORE " ORDER BY at DESC, id DESC LIMIT ?"},
    [QUERY_EVENT_UPLOADS] = {"event_uploads", "tiiii", QUERY_EVENT_READ,
                             "SELECT " QUERY_EVENT_COLUMNS " FROM events WHERE project = ? "
                             "AND kind IN ('upload', 'upload-failed') AND " QUERY_EVENT_BEFORE
                             " ORDER BY at DESC, id DESC LIMIT ?"},

    [QUERY_EVENT_NTH] = {"event_nth", "ii", "i",
                         "SELECT at FROM events WHERE at < ? ORDER BY at LIMIT 1 OFFSET ?"},
    [QUERY_EVENT_PRUNE] = {"event_prune", "i", "", "DELETE FROM events WHERE at < ?"},

    [QUERY_FRONT_SEEN] = {"front_seen", "it", "", "UPDATE front_ends SET seen = ? WHERE id = ?"},
    [QUERY_FRONT_EXPIRE] = {"front_expire", "i", "", "DELETE FROM front_ends WHERE seen < ?"},
    [QUERY_FRONT_ADD] = {"front_add", "ttitii", "",
                         "INSERT INTO front_ends (id, host, pid, key_ids, schema_want, seen) "
                         "VALUES (?, ?, ?, ?, ?, ?)"},
    [QUERY_FRONT_GONE] = {"front_gone", "t", "", "DELETE FROM front_ends WHERE id = ?"},
    [QUERY_FRONT_LIST] = {"front_list", "i", "titii",
                          "SELECT host, pid, key_ids, schema_want, seen FROM front_ends "
                          "WHERE seen >= ? ORDER BY host, pid, seen"},

    QUERY_COPIED(QUERY_COPY_USERS, QUERY_PASTE_USERS, "users",
                 "id, name, password, disabled, created, fold, epoch", "ttTiiti",
                 "?, ?, ?, ?, ?, ?, ?", "id"),
    QUERY_COPIED(QUERY_COPY_PROJECTS, QUERY_PASTE_PROJECTS, "projects",
                 "id, name, norm, confirmed, created", "tttii", "?, ?, ?, ?, ?", "id"),
    QUERY_COPIED(QUERY_COPY_ROLES, QUERY_PASTE_ROLES, "roles", "project_id, user_id, role", "tti",
                 "?, ?, ?", "project_id, user_id"),
    QUERY_COPIED(QUERY_COPY_TOKENS, QUERY_PASTE_TOKENS, "tokens",
                 "id, user_id, name, scope, sealed_key, created, expires, revoked, revoked_by, "
                 "used, used_address, used_agent, used_file",
                 "ttttbiiiTiTTT", "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?", "id"),
    QUERY_COPIED(QUERY_COPY_TOKEN_CAVEATS, QUERY_PASTE_TOKEN_CAVEATS, "token_caveats",
                 "token_id, seq, caveat", "tib", "?, ?, ?", "token_id, seq"),
    QUERY_COPIED(QUERY_COPY_TOKEN_PROJECTS, QUERY_PASTE_TOKEN_PROJECTS, "token_projects",
                 "token_id, project", "tt", "?, ?", "token_id, project"),
    QUERY_COPIED(QUERY_COPY_TOKEN_USES, QUERY_PASTE_TOKEN_USES, "token_uses", "id, token_id, used",
                 "tti", "?, ?, ?", "id"),
    QUERY_COPIED(QUERY_COPY_TOTP, QUERY_PASTE_TOTP, "totp",
                 "id, user_id, confirmed, seed, hash, digits, period, counter, created",
                 "ttibiiiii", "?, ?, ?, ?, ?, ?, ?, ?, ?", "id"),
    QUERY_COPIED(QUERY_COPY_RECOVERY_CODES, QUERY_PASTE_RECOVERY_CODES, "recovery_codes",
                 "user_id, hash, created, used", "tbii", "?, ?, ?, ?", "user_id, hash"),
    QUERY_COPIED(QUERY_COPY_EVENTS, QUERY_PASTE_EVENTS, "events",
                 "id, at, kind, user_name, token_id, project, file, address, agent, verdict, "
                 "detail, times",
                 "iitTTTTTTTTi", "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?", "id"),
};
