/* test_shared_threads.c - many threads and processes on one shared block. Built again with
 * ThreadSanitizer by t/tsan.t. */
#include "tap.h"

#include "access/linger.h"
#include "access/throttle.h"

#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 8
#define ROUNDS  20000

static shared_t shared;
static void *memory;
static atomic_uint passed, lost, most, inside;

static int alive(apr_uint64_t holder)
{
    return kill((pid_t)slots_pid(holder), 0) == 0;
}

static void threads(void *(*run)(void *))
{
    pthread_t all[THREADS];
    long i;

    for (i = 0; i < THREADS; i++) {
        (void)pthread_create(&all[i], NULL, run, (void *)i);
    }
    for (i = 0; i < THREADS; i++) {
        (void)pthread_join(all[i], NULL);
    }
}

static void fresh(void)
{
    memory = mmap(NULL, shared_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || shared_make(memory, &seam_system, 0) ||
        shared_map(&shared, memory, shared_size(), 3, 4)) {
        tap_ok(0, "a block");
        _exit(1);
    }
}

static void old(void)
{
    munmap(memory, shared_size());
}

/* One account guessed at by all at the same moment. */
static void *guess(void *number)
{
    login_attempt_t attempt = {slice_of("alice"), "192.0.2.1", LOGIN_CHARGE_PASSWORD};
    throttle_ticket_t ticket;
    int i;

    (void)number;
    for (i = 0; i < ROUNDS / 10; i++) {
        if (throttle_charge(&shared, &throttle_defaults, &attempt, slice_of(NULL), 5, &ticket) ==
            0) {
            atomic_fetch_add(&passed, 1);
        }
    }
    return NULL;
}

static void guesses(void)
{
    fresh();
    atomic_store(&passed, 0);
    threads(guess);
    tap_ok(atomic_load(&passed) == 10, "%d threads guess at one account: ten pass (%u)", THREADS,
           atomic_load(&passed));
    old();
}

/* Taking and giving back, one key among threads: nothing is left over and nothing made up. */
static void *swing(void *number)
{
    tally_rate_t rate = {THREADS, 4800};
    int i;

    (void)number;
    for (i = 0; i < ROUNDS; i++) {
        if (tally_take(&shared.tables[SHARED_LOGIN], 77, rate, 5)) {
            atomic_fetch_add(&lost, 1);
        } else {
            tally_give(&shared.tables[SHARED_LOGIN], 77, rate, 5);
        }
    }
    return NULL;
}

static void swings(void)
{
    tally_rate_t rate = {THREADS, 4800};
    int n = 0;

    fresh();
    atomic_store(&lost, 0);
    threads(swing);
    while (n < 100 && tally_take(&shared.tables[SHARED_LOGIN], 77, rate, 5) == 0) {
        n++;
    }
    tap_ok(atomic_load(&lost) == 0 && n == THREADS,
           "taken and given back %d times: the allowance is as before (%u refused, %d left)",
           THREADS * ROUNDS, atomic_load(&lost), n);
    old();
}

/* Everything at once on few keys, for the race detector. */
static void *mix(void *number)
{
    long me = (long)number;
    apr_uint32_t i;

    for (i = 0; i < ROUNDS; i++) {
        const tally_t *t = &shared.tables[i % 2 ? SHARED_LOGIN : SHARED_LINGER];
        apr_uint64_t key = (apr_uint64_t)(i % 3) << 32 | (i * 7 + (apr_uint32_t)me) % 24;

        (void)tally_take(t, key, (tally_rate_t){5, 480}, i);
        tally_mark(t, key + 100, i + 50, i);
        (void)tally_left(t, key + 100, i);
        tally_give(t, key, (tally_rate_t){5, 480}, i);
    }
    return NULL;
}

/* Never more inside than there are places. */
static void *enter(void *number)
{
    apr_uint64_t me = slots_holder((apr_uint32_t)getpid(), 1);
    unsigned n;
    int i, place;

    (void)number;
    for (i = 0; i < ROUNDS; i++) {
        place = slots_take(&shared.hashes, me, alive);
        if (place >= 0) {
            n = atomic_fetch_add(&inside, 1) + 1;
            if (n > atomic_load(&most)) {
                atomic_store(&most, n);
            }
            atomic_fetch_add(&passed, 1);
            atomic_fetch_sub(&inside, 1);
            slots_leave(&shared.hashes, place, me);
        }
    }
    return NULL;
}

static void places(void)
{
    fresh();
    atomic_store(&most, 0);
    atomic_store(&passed, 0);
    threads(enter);
    tap_ok(atomic_load(&most) <= 3 && atomic_load(&passed) > ROUNDS,
           "three places: never more than three inside (%u), %u times", atomic_load(&most),
           atomic_load(&passed));
    tap_ok(slots_taken(&shared.hashes) == 0, "  and all are free at the end");
    old();
}

/* A child takes all places and is killed. */
static void killed(void)
{
    apr_uint64_t me = slots_holder((apr_uint32_t)getpid(), 1);
    int pipe_[2], i, got[4];
    pid_t child;
    char c;

    fresh();
    if (pipe(pipe_)) {
        tap_ok(0, "a pipe");
        return;
    }
    child = fork();
    if (child == 0) {
        apr_uint64_t it = slots_holder((apr_uint32_t)getpid(), 1);

        for (i = 0; i < 3; i++) {
            (void)slots_take(&shared.hashes, it, alive);
        }
        c = (char)(write(pipe_[1], "x", 1) == 1);
        for (;;) {
            pause();
        }
    }
    tap_ok(read(pipe_[0], &c, 1) == 1 && slots_take(&shared.hashes, me, alive) == -1,
           "all places are held by another process: none for us");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    for (i = 0; i < 4; i++) {
        got[i] = slots_take(&shared.hashes, me, alive);
    }
    tap_ok(got[0] >= 0 && got[1] >= 0 && got[2] >= 0 && got[3] == -1,
           "  it was killed: its places are ours, and there are no more of them");
    slots_leave(&shared.hashes, got[0], slots_holder((apr_uint32_t)child, 1));
    tap_ok(slots_taken(&shared.hashes) == 3, "  who does not hold a place cannot leave it");
    slots_leave(&shared.hashes, got[0], me);
    tap_ok(slots_taken(&shared.hashes) == 2, "  who does, can");
    close(pipe_[0]);
    close(pipe_[1]);
    old();
}

/* Two processes, one bucket. */
static void processes(void)
{
    login_attempt_t attempt = {slice_of("bob"), "192.0.2.2", LOGIN_CHARGE_PASSWORD};
    throttle_ticket_t ticket;
    int i, n = 0, status = 0;
    pid_t child;

    fresh();
    fflush(stdout);
    child = fork();
    for (i = 0; i < 10; i++) {
        n +=
            throttle_charge(&shared, &throttle_defaults, &attempt, slice_of(NULL), 5, &ticket) == 0;
    }
    if (child == 0) {
        _exit(n);
    }
    waitpid(child, &status, 0);
    tap_ok(n + WEXITSTATUS(status) == 10, "two processes share one bucket (%d and %d)", n,
           WEXITSTATUS(status));
    old();
}

int main(void)
{
    if (sodium_init() < 0) {
        return 1;
    }
    guesses();
    swings();
    fresh();
    threads(mix);
    old();
    places();
    killed();
    processes();
    return tap_done();
}
