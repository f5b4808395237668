/*
 * login.h - who is this person: user name, password and second factor in, the account out.
 *
 * One check for every door: Basic authentication, the form, uploads with a password. The order:
 *
 *   1. account:  it is read (its password's place, second factor, epoch), by its name or the only
 *                one that a directory would take for the same (person_fold);
 *   2. linger:   the same typed secret, account, epoch, address and agent class were accepted a
 *                moment ago: neither hash nor code is looked at again (a password that is kept
 *                elsewhere is asked there all the same); a code that was good that way until its
 *                time was over is refused without a charge, for browsers repeat it;
 *   3. throttle: the attempt is charged before any work, or refused with the time to wait;
 *   4. hash:     a place among the machine's concurrent password hashes, or refused as busy;
 *   5. the password: ours by its hash, with the same work done when there is no such account, or
 *                elsewhere;
 *   6. the code: all candidates are compared, then it is spent in the database by one statement;
 *   7. event, settled throttle, linger. What lingered is no new login and has no new event.
 *
 * An unknown user, a wrong password, a missing, wrong or spent code and a disabled account get the
 * same verdict, LOGIN_FAILED, after the same work; only verdict_t.log and the event tell them
 * apart.
 *
 * What has to live in shared memory or in httpd is reached through login_hooks_t, so that this file
 * needs neither. Any thread; nothing is kept between calls.
 */
#ifndef PYPITOKEN_LOGIN_H
#define PYPITOKEN_LOGIN_H

#include "core/verdict.h"
#include "store/store.h"

/* PyPITokenSecondFactor */
typedef enum login_factor_t {
    LOGIN_FACTOR_OFF,         /* codes are not asked for, and not cut from the password */
    LOGIN_FACTOR_IF_ENROLLED, /* of those who have confirmed a second factor here */
    LOGIN_FACTOR_REQUIRED     /* of everybody: who has none does not get in */
} login_factor_t;

/* What somebody typed, and where. The slices need not be UTF-8. */
typedef struct login_typed_t {
    slice_t user;
    slice_t password;    /* with the code at its end, unless there is a field for that */
    slice_t code;        /* of a form's own field: digits or a recovery code, may be empty */
    int code_field;      /* code counts, and nothing is cut from password */
    const char *address; /* of the client, as mod_remoteip has it */
    const char *agent;   /* User-Agent as sent, or NULL */
    const char *door;    /* for the event: "basic", "form", "upload" */
} login_typed_t;

/* ---- hooks ---- */

/* What is charged for an attempt: a matter of what was typed, never of whose account it is, so that
 * a bucket that runs dry tells nobody whether a password was right. */
#define LOGIN_CHARGE_PASSWORD 1u /* always */
#define LOGIN_CHARGE_CODE     2u /* something in the form of a code was typed */

typedef struct login_attempt_t {
    slice_t user; /* as typed but for case and its like; there may be no such account */
    const char *address;
    unsigned charge; /* LOGIN_CHARGE_... */
} login_attempt_t;

typedef enum login_outcome_t {
    LOGIN_OUTCOME_GOOD, /* got in: what was charged is given back */
    LOGIN_OUTCOME_BAD,  /* the charge stays */
    LOGIN_OUTCOME_VOID  /* nothing was decided (store down, no memory, busy): given back */
} login_outcome_t;

/* What linger is keyed by. secret holds password and code as typed: only an HMAC of it under a key
 * that no disk holds may be kept. */
typedef struct login_linger_t {
    slice_t user;      /* name of the account */
    apr_int64_t epoch; /* see login_epoch */
    slice_t secret;    /* what was asked for, NUL, password, NUL, code */
    const char *address;
    const char *agent; /* whole; which agents are of one class is the hook's business */
} login_linger_t;

typedef enum login_elsewhere_t {
    LOGIN_ELSEWHERE_GOOD,
    LOGIN_ELSEWHERE_WRONG,
    LOGIN_ELSEWHERE_UNKNOWN, /* no such user there either */
    LOGIN_ELSEWHERE_DOWN
} login_elsewhere_t;

/* Every function may be NULL: then that step does not exist. No hook may block but hash_enter and
 * elsewhere. */
typedef struct login_hooks_t {
    void *baton;
    /* Seconds to wait (at least 1), or 0: then the attempt is charged as failed from this moment
     * on, so that attempts at the same time cannot slip through, until throttle_settle. */
    unsigned (*throttle_charge)(void *baton, const login_attempt_t *attempt);
    void (*throttle_settle)(void *baton, const login_attempt_t *attempt, login_outcome_t outcome);
    /* 0: there is a place, to be given back by hash_leave; anything else: all taken, queue full. */
    int (*hash_enter)(void *baton);
    void (*hash_leave)(void *baton);
    /* 1 when this was accepted within PyPITokenLinger; -1 when it was, and the time is over: what
     * has a code in it is then refused without a charge; 0 for what is not known. */
    int (*linger_find)(void *baton, const login_linger_t *what);
    void (*linger_keep)(void *baton, const login_linger_t *what);
    /* The other providers of AuthBasicProvider, asked with the password without its code, as typed
     * (no normalisation). user and password are C strings without NULs inside. On GOOD *name may be
     * set to what that provider calls the user, if not as typed. It has a baton of its own. */
    login_elsewhere_t (*elsewhere)(void *elsewhere_baton, const char *user, const char *password,
                                   const char **name);
    void *elsewhere_baton;
} login_hooks_t;

/* ---- the check ---- */

typedef struct login_policy_t {
    login_factor_t factor;
} login_policy_t;

typedef struct login_t {
    const char *user_id;   /* NULL: not an account of ours; only elsewhere said that it is good */
    const char *user_name; /* as the account has it, else as typed */
    apr_int64_t epoch;     /* for a session: login_epoch says whether it still holds */
    int factors;           /* 1: the password alone; 2: a code too */
    int enrolled;          /* has a confirmed second factor here, asked for or not */
    int lingered;          /* accepted before: no new event was written */
    int elsewhere;         /* the password is another provider's */
    int unknown;           /* with LOGIN_FAILED: neither we nor anybody else know the name */
} login_t;

/* VERDICT_ALLOWED and *out filled (copied into pool), or a verdict in *v: LOGIN_FAILED, THROTTLED,
 * BUSY, LOGIN_DOWN (no memory for a hash, a hash or seed that cannot be read, another provider that
 * does not answer), STORE_DOWN, TOKEN_UPLOADS_ONLY (a token, or __token__, was typed: no hook saw
 * it). hooks may be NULL. store NULL: it could not be opened, STORE_DOWN. */
verdict_code_t login_check(login_t *out, store_t *store, const seam_t *seam,
                           const login_typed_t *typed, const login_policy_t *policy,
                           const login_hooks_t *hooks, verdict_t *v, apr_pool_t *pool);

/* For sessions: *epoch is a number that stands for the account's password, second factor and "user
 * logout"s together. Whoever changes one of them, by whatever door or program, changes it.
 * VERDICT_ALLOWED; LOGIN_FAILED: no account of that name, or disabled; STORE_DOWN. One read. */
verdict_code_t login_epoch(apr_int64_t *epoch, store_t *store, slice_t user_name, apr_pool_t *pool);

#endif
