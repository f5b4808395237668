/* trail.c - what a process has yet to write down; see trail.h. */
#include "store/trail.h"

#include "core/verdict.h"
#include "store/store_priv.h"

#include <apr_thread_mutex.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define TRAIL_ROWS_MAX STORE_COUNT(((trail_batch_t *)NULL)->events)
#define TRAIL_TEXTS    9 /* of an event */

/* ---- classes ---- */

/* By verdict; those that are not here are NAMED. */
static const unsigned char trail_classes[VERDICT_COUNT] = {
    [VERDICT_ALLOWED] = 1 + TRAIL_FACT,

    [VERDICT_CREDENTIALS_MALFORMED] = 1 + TRAIL_NOISE,
    [VERDICT_TLS_REQUIRED] = 1 + TRAIL_NOISE,
    [VERDICT_USER_NOT_TOKEN] = 1 + TRAIL_NOISE,
    [VERDICT_PASSWORD_REFUSED] = 1 + TRAIL_NOISE,
    [VERDICT_LOGIN_FAILED] = 1 + TRAIL_NOISE,
    [VERDICT_THROTTLED] = 1 + TRAIL_NOISE,
    [VERDICT_TOKEN_MALFORMED] = 1 + TRAIL_NOISE,
    [VERDICT_TOKEN_VERSION] = 1 + TRAIL_NOISE,
    [VERDICT_TOKEN_TOO_LONG] = 1 + TRAIL_NOISE,
    [VERDICT_TOKEN_UNKNOWN] = 1 + TRAIL_NOISE,
    [VERDICT_TOKEN_SIGNATURE] = 1 + TRAIL_NOISE,
    [VERDICT_TOKEN_UPLOADS_ONLY] = 1 + TRAIL_NOISE,
    [VERDICT_STORE_DOWN] = 1 + TRAIL_NOISE,
    [VERDICT_LOGIN_DOWN] = 1 + TRAIL_NOISE,
    [VERDICT_BUSY] = 1 + TRAIL_NOISE,

    [VERDICT_NO_CREDENTIALS] = 1 + TRAIL_NONE,
    [VERDICT_TLS_NEEDED] = 1 + TRAIL_NONE,
    [VERDICT_NOT_FOUND] = 1 + TRAIL_NONE,
    [VERDICT_MOVED] = 1 + TRAIL_NONE,
    [VERDICT_METHOD] = 1 + TRAIL_NONE,
};

trail_class_t trail_class(const char *verdict)
{
    verdict_code_t code = verdict ? verdict_of_word(verdict) : VERDICT_COUNT;

    if (code == VERDICT_COUNT) {
        return TRAIL_FACT;
    }
    return trail_classes[code] ? (trail_class_t)(trail_classes[code] - 1) : TRAIL_NAMED;
}

/* ---- entries ---- */

typedef struct trail_entry_t {
    apr_uint64_t key;
    store_event_t event; /* texts follow this struct */
} trail_entry_t;

struct trail_t {
    apr_thread_mutex_t *mutex;
    unsigned char secret[crypto_shorthash_KEYBYTES]; /* nobody chooses colliding texts */
    apr_uint64_t use_keys[TRAIL_USES_MAX], row_keys[TRAIL_ROWS_MAX];
    trail_entry_t *uses[TRAIL_USES_MAX], *rows[TRAIL_ROWS_MAX];
    apr_size_t n_uses, n_rows;
    apr_size_t n_class[TRAIL_NONE]; /* rows of NAMED and of NOISE, without the "others" */
};

/* Where an event keeps its texts. */
static const char **trail_text(store_event_t *event, int i)
{
    const char **const texts[TRAIL_TEXTS] = {
        &event->kind,    &event->user,  &event->token_id, &event->project, &event->file,
        &event->address, &event->agent, &event->verdict,  &event->detail,
    };

    return texts[i];
}

/* A copy in one piece, texts cut as the store would cut them. NULL without memory. */
static trail_entry_t *trail_copy(const store_event_t *event, apr_uint64_t key)
{
    store_event_t from = *event;
    apr_size_t n = sizeof(trail_entry_t);
    trail_entry_t *entry;
    db_value_t cut;
    char *p;
    int i;

    for (i = 0; i < TRAIL_TEXTS; i++) {
        n += store_cut(*trail_text(&from, i)).s.n + 1;
    }
    entry = malloc(n);
    if (!entry) {
        return NULL;
    }
    entry->key = key;
    entry->event = from;
    p = (char *)(entry + 1);
    for (i = 0; i < TRAIL_TEXTS; i++) {
        cut = store_cut(*trail_text(&from, i));
        if (cut.type == DB_NULL) {
            continue;
        }
        if (cut.s.n) {
            memcpy(p, cut.s.p, cut.s.n);
        }
        p[cut.s.n] = '\0';
        *trail_text(&entry->event, i) = p;
        p += cut.s.n + 1;
    }
    return entry;
}

/* What makes two events alike; two keys are never equal by chance, nor by intent. */
static apr_uint64_t trail_key(const trail_t *t, const store_event_t *event)
{
    const char *const texts[] = {event->kind,     event->verdict, event->user,
                                 event->token_id, event->project, event->address};
    unsigned char bytes[STORE_COUNT(texts) * crypto_shorthash_BYTES];
    unsigned char hash[crypto_shorthash_BYTES];
    apr_uint64_t key;
    apr_size_t i;

    for (i = 0; i < STORE_COUNT(texts); i++) {
        slice_t s = store_cut(texts[i]).s;

        (void)crypto_shorthash(bytes + i * sizeof(hash), (const unsigned char *)(s.p ? s.p : ""),
                               s.n, t->secret);
    }
    (void)crypto_shorthash(hash, bytes, sizeof(bytes), t->secret);
    memcpy(&key, hash, sizeof(key));
    return key;
}

/* The place of key, or n. */
static apr_size_t trail_find(const apr_uint64_t *keys, apr_size_t n, apr_uint64_t key)
{
    apr_size_t i;

    for (i = 0; i < n && keys[i] != key; i++) {
    }
    return i;
}

/* ---- under the mutex ---- */

static apr_int64_t trail_times(const store_event_t *event)
{
    return event->times > 1 ? event->times : 1;
}

/* A new row that stands for times (0: for none yet). NULL without memory or room. */
static trail_entry_t *trail_add(trail_t *t, const store_event_t *event, apr_uint64_t key,
                                apr_int64_t times)
{
    trail_entry_t *entry;

    if (t->n_rows == TRAIL_ROWS_MAX || !(entry = trail_copy(event, key))) {
        return NULL;
    }
    entry->event.times = times;
    t->row_keys[t->n_rows] = key;
    t->rows[t->n_rows++] = entry;
    return entry;
}

/* Where all go that no row of their own is left for. Without memory they are lost. */
static void trail_others(trail_t *t, const store_event_t *event, trail_class_t class)
{
    store_event_t others = {.at = event->at, .kind = "refused"};
    apr_uint64_t key;
    apr_size_t i;

    others.detail = class == TRAIL_NOISE ? "others: too many kinds to tell apart"
                                         : "others of known tokens: too many kinds to tell apart";
    others.address = others.detail; /* for the key alone */
    key = trail_key(t, &others);
    others.address = NULL;
    i = trail_find(t->row_keys, t->n_rows, key);
    if (i == t->n_rows) {
        (void)trail_add(t, &others, key, trail_times(event));
    } else {
        t->rows[i]->event.times += trail_times(event);
    }
}

static trail_class_t trail_class_of(const store_event_t *event)
{
    trail_class_t class = trail_class(event->verdict);

    return class == TRAIL_NAMED && !event->token_id && !event->user ? TRAIL_NOISE : class;
}

/* Counts the event. 1: it is the first of its like, and to be written at once. */
static int trail_count(trail_t *t, const store_event_t *event, trail_class_t class, int keep)
{
    static const apr_size_t most[] = {0, TRAIL_NAMED_MAX, TRAIL_NOISE_MAX};
    apr_uint64_t key = trail_key(t, event);
    apr_size_t i = trail_find(t->row_keys, t->n_rows, key);
    int now = class == TRAIL_NAMED && !keep;

    if (i < t->n_rows) {
        t->rows[i]->event.times += trail_times(event);
        return 0;
    }
    if (t->n_class[class] == most[class] ||
        !trail_add(t, event, key, now ? 0 : trail_times(event))) {
        trail_others(t, event, class);
        return 0;
    }
    t->n_class[class]++;
    return now;
}

/* ---- in and out ---- */

static apr_status_t trail_free(void *data)
{
    trail_t *t = data;

    while (t->n_uses) {
        free(t->uses[--t->n_uses]);
    }
    while (t->n_rows) {
        free(t->rows[--t->n_rows]);
    }
    return APR_SUCCESS;
}

trail_t *trail_make(apr_pool_t *pool)
{
    trail_t *t = apr_pcalloc(pool, sizeof(*t));

    if (apr_thread_mutex_create(&t->mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS) {
        return NULL;
    }
    randombytes_buf(t->secret, sizeof(t->secret));
    apr_pool_cleanup_register(pool, t, trail_free, apr_pool_cleanup_null);
    return t;
}

int trail_event(trail_t *t, const store_event_t *event)
{
    trail_class_t class = trail_class_of(event);
    int now = class == TRAIL_FACT;

    if (class == TRAIL_NAMED || class == TRAIL_NOISE) {
        apr_thread_mutex_lock(t->mutex);
        now = trail_count(t, event, class, 0);
        apr_thread_mutex_unlock(t->mutex);
    }
    return now;
}

void trail_event_keep(trail_t *t, const store_event_t *event)
{
    trail_class_t class = trail_class_of(event);

    apr_thread_mutex_lock(t->mutex);
    (void)trail_count(t, event, class == TRAIL_NOISE ? class : TRAIL_NAMED, 1);
    apr_thread_mutex_unlock(t->mutex);
}

/* Under the mutex. The later use stays; of two in the same second the one that came last, which is
 * not this one if older is 1. */
static int trail_use_keep(trail_t *t, const store_event_t *use, int older)
{
    apr_uint64_t key;
    apr_size_t i;
    trail_entry_t *entry;
    store_event_t only = {.token_id = use->token_id};

    key = trail_key(t, &only);
    i = trail_find(t->use_keys, t->n_uses, key);
    if (i < t->n_uses && use->at < t->uses[i]->event.at + older) {
        return 0;
    }
    only.at = use->at;
    only.address = use->address;
    only.agent = use->agent;
    only.file = use->file;
    if (i == TRAIL_USES_MAX || !(entry = trail_copy(&only, key))) {
        return 1;
    }
    if (i == t->n_uses) {
        t->use_keys[t->n_uses++] = key;
    } else {
        free(t->uses[i]);
    }
    t->uses[i] = entry;
    return 0;
}

int trail_idle(trail_t *t)
{
    if (apr_thread_mutex_trylock(t->mutex) != APR_SUCCESS) {
        return 0;
    }
    apr_thread_mutex_unlock(t->mutex);
    return 1;
}

int trail_use(trail_t *t, const store_event_t *use)
{
    int now;

    apr_thread_mutex_lock(t->mutex);
    now = trail_use_keep(t, use, 0);
    apr_thread_mutex_unlock(t->mutex);
    return now;
}

static int trail_by_token(const void *a, const void *b)
{
    return strcmp((*(const store_event_t *const *)a)->token_id,
                  (*(const store_event_t *const *)b)->token_id);
}

/* Rows that stand for nothing beyond what was written at once are forgotten. */
static void trail_empty(trail_t *t, trail_batch_t *batch)
{
    apr_size_t i;

    for (i = 0; i < t->n_uses; i++) {
        batch->uses[batch->n_uses++] = &t->uses[i]->event;
    }
    for (i = 0; i < t->n_rows; i++) {
        if (t->rows[i]->event.times) {
            batch->events[batch->n_events++] = &t->rows[i]->event;
        } else {
            free(t->rows[i]);
        }
    }
    t->n_uses = t->n_rows = 0;
    memset(t->n_class, 0, sizeof(t->n_class));
}

trail_batch_t *trail_take(trail_t *t)
{
    trail_batch_t *batch = NULL;

    apr_thread_mutex_lock(t->mutex);
    if (t->n_uses + t->n_rows && (batch = calloc(1, sizeof(*batch)))) {
        trail_empty(t, batch);
    }
    apr_thread_mutex_unlock(t->mutex);
    if (batch && !(batch->n_uses + batch->n_events)) {
        free(batch);
        batch = NULL;
    }
    if (batch) {
        qsort(batch->uses, batch->n_uses, sizeof(batch->uses[0]), trail_by_token);
    }
    return batch;
}

static void trail_discard(const store_event_t *event)
{
    free((char *)event - offsetof(trail_entry_t, event));
}

void trail_give(trail_t *t, trail_batch_t *batch, int written)
{
    apr_size_t i;

    if (!batch) {
        return;
    }
    for (i = 0; i < batch->n_uses; i++) {
        if (!written) {
            apr_thread_mutex_lock(t->mutex);
            (void)trail_use_keep(t, batch->uses[i], 1);
            apr_thread_mutex_unlock(t->mutex);
        }
        trail_discard(batch->uses[i]);
    }
    for (i = 0; i < batch->n_events; i++) {
        if (!written) {
            trail_event_keep(t, batch->events[i]);
        }
        trail_discard(batch->events[i]);
    }
    free(batch);
}
