/* Tests of the queue: turns, leases, attempts, cancelling; several processes that take items at
 * once; and workers that are killed at any moment, with one result for each item all the same.
 */
#include "both.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

enum { MANY = 200 };

static const char *inputs[MANY];

static vl_job_order order_of(const char *id, const char *owner, size_t count) {
    for (size_t i = 0; i < MANY; i++)
        inputs[i] = "{\"file\":1}";
    return (vl_job_order){.id = id,
                          .owner = owner,
                          .kind = "ocr",
                          .options = "{\"format\":\"text\"}",
                          .inputs = inputs,
                          .count = count,
                          .max_attempts = 3,
                          .bytes = 10 * count};
}

static void migrate(vl_db *db) {
    int moved;
    need(vl_db_migrate(db, 0, &moved, &error));
}

static void enqueue(vl_db *db, const char *owner, size_t count, int priority,
                    vl_job_info *job) {
    char id[VL_JOB_ID_SIZE];
    bool was_there;
    vl_job_id_new(id);
    vl_job_order order = order_of(id, owner, count);
    order.priority = priority;
    need(vl_job_enqueue(db, &order, job, &was_there, &error));
    assert_false(was_there);
    assert_string_equal(job->id, id);
    assert_true(vl_job_id_is(id));
}

static bool claim(vl_db *db, double seconds, vl_job_task *task) {
    bool found;
    need(vl_job_claim(db, NULL, seconds, task, &found, &error));
    return found;
}

static vl_job_info job_now(vl_db *db, const vl_job_info *job) {
    vl_job_info now;
    need(vl_job_get(db, job->id, NULL, &now, NULL, &error));
    return now;
}

static void check_job(vl_db *db, const vl_job_info *job, vl_job_state state, int64_t done,
                      int64_t failed) {
    vl_job_info now = job_now(db, job);
    assert_string_equal(vl_job_state_name(now.state), vl_job_state_name(state));
    assert_int_equal(now.done, done);
    assert_int_equal(now.failed, failed);
    assert_int_equal(now.finished_ms > 0, state >= VL_JOB_DONE);
}

static void ready_now(vl_db *db) {
    need(run(db, "UPDATE job_items SET ready_ms = 0"));
}

/* ---- one worker -------------------------------------------------------------------------- */

typedef struct seen {
    char text[1024];
} seen;

static vl_status note_item(const vl_job_item *item, void *to, vl_error *why) {
    seen *s = to;
    size_t used = strlen(s->text);
    (void)why;
    snprintf(s->text + used, sizeof s->text - used, "%d:%s:%s%s:%d ", (int)item->number,
             vl_job_state_name(item->state), item->result, item->problem, (int)item->ended);
    return VL_OK;
}

static void one_worker(vl_db *db) {
    vl_job_info job;
    vl_job_task task;
    vl_buf options;
    bool ended;
    int64_t queued, running;
    migrate(db);
    vl_buf_init(&options, 1000);
    enqueue(db, "user:1", 3, 0, &job);
    check_job(db, &job, VL_JOB_QUEUED, 0, 0);
    assert_true(claim(db, 60, &task));
    assert_int_equal(task.number, 0);
    assert_int_equal(task.attempt, 1);
    assert_int_equal(task.max_attempts, 3);
    assert_string_equal(task.kind, "ocr");
    assert_string_equal(task.owner, "user:1");
    assert_string_equal(task.input.data, "{\"file\":1}");
    assert_string_equal(task.options.data, "{\"format\":\"text\"}");
    check_job(db, &job, VL_JOB_RUNNING, 0, 0);
    need(vl_job_depth(db, &queued, &running, &error));
    assert_int_equal(queued, 2);
    assert_int_equal(running, 1);
    need(vl_job_beat(db, &task, 60, &error));
    need(vl_job_release(db, &task, &error)); /* as if it had never been taken */
    assert_int_equal(vl_job_finish(db, &task, "{}", &error), VL_ERR_CANCELLED);
    vl_job_task_deinit(&task);
    assert_true(claim(db, 60, &task));
    assert_int_equal(task.number, 0);
    assert_int_equal(task.attempt, 1);
    need(vl_job_finish(db, &task, "{\"text\":\"ሰላም\"}", &error));
    assert_int_equal(vl_job_finish(db, &task, "{\"text\":\"late\"}", &error), VL_ERR_CANCELLED);
    vl_job_task_deinit(&task);
    assert_true(claim(db, 60, &task));
    assert_int_equal(task.number, 1);
    need(vl_job_fail(db, &task, "no picture", false, &ended, &error));
    assert_true(ended);
    vl_job_task_deinit(&task);
    for (int attempt = 1; attempt <= 3; attempt++) {
        assert_true(claim(db, 60, &task));
        assert_int_equal(task.number, 2);
        assert_int_equal(task.attempt, attempt);
        int64_t before = vl_db_now_ms();
        need(vl_job_fail(db, &task, "disk full", true, &ended, &error));
        vl_job_task_deinit(&task);
        assert_int_equal(ended, attempt == 3);
        assert_false(claim(db, 60, &task)); /* it waits */
        if (!ended)
            assert_true(number_of(db, "SELECT ready_ms FROM job_items WHERE number = 2") >=
                        before + 5000 * attempt);
        ready_now(db);
    }
    check_job(db, &job, VL_JOB_DONE, 1, 2);
    seen in_order = {""}, by_end = {""}, rest = {""};
    need(vl_job_items(db, job.id, false, -1, 10, note_item, &in_order, &error));
    assert_string_equal(in_order.text, "0:done:{\"text\":\"ሰላም\"}:1 1:failed:no picture:2 "
                                       "2:failed:disk full:3 ");
    need(vl_job_items(db, job.id, true, 1, 1, note_item, &by_end, &error));
    assert_string_equal(by_end.text, "1:failed:no picture:2 ");
    need(vl_job_items(db, job.id, false, 1, 10, note_item, &rest, &error));
    assert_string_equal(rest.text, "2:failed:disk full:3 ");
    need(vl_job_get(db, job.id, "user:1", &job, &options, &error));
    assert_string_equal(options.data, "{\"format\":\"text\"}");
    assert_int_equal(vl_job_get(db, job.id, "user:2", &job, NULL, &error), VL_ERR_DENIED);
    vl_buf_deinit(&options);
}

/* A private job's items go to those who ask for it by name, and to nobody else. */
static void private_job(vl_db *db) {
    vl_job_info open, hidden;
    vl_job_task task;
    bool found;
    migrate(db);
    enqueue(db, "user:1", 1, VL_JOB_PRIVATE, &hidden);
    assert_false(claim(db, 60, &task));
    enqueue(db, "user:1", 1, 0, &open);
    assert_true(claim(db, 60, &task));
    assert_string_equal(task.job, open.id);
    need(vl_job_finish(db, &task, "{}", &error));
    vl_job_task_deinit(&task);
    need(vl_job_claim(db, open.id, 60, &task, &found, &error));
    assert_false(found);
    need(vl_job_claim(db, hidden.id, 60, &task, &found, &error));
    assert_true(found);
    assert_string_equal(task.job, hidden.id);
    need(vl_job_finish(db, &task, "{}", &error));
    vl_job_task_deinit(&task);
    check_job(db, &hidden, VL_JOB_DONE, 1, 0);
}

static void test_one_worker(void **state) {
    (void)state;
    on_both(one_worker);
}

static void test_private_job(void **state) {
    (void)state;
    on_both(private_job);
}

/* ---- orders ------------------------------------------------------------------------------ */

static void orders(vl_db *db) {
    char id[VL_JOB_ID_SIZE], other[VL_JOB_ID_SIZE];
    vl_job_info job, again;
    bool was_there;
    migrate(db);
    vl_job_id_new(id);
    vl_job_id_new(other);
    vl_job_order order = order_of(id, "user:1", 2);
    order.key = "k-1";
    order.digest = "abc";
    need(vl_job_enqueue(db, &order, &job, &was_there, &error));
    assert_false(was_there);
    order.id = other;
    need(vl_job_enqueue(db, &order, &again, &was_there, &error));
    assert_true(was_there);
    assert_string_equal(again.id, id);
    order.digest = "abd";
    assert_int_equal(vl_job_enqueue(db, &order, &again, &was_there, &error), VL_ERR_USAGE);
    order.owner = "user:2"; /* another's key is another key */
    need(vl_job_enqueue(db, &order, &again, &was_there, &error));
    assert_false(was_there);
    assert_int_equal(number_of(db, "SELECT count(*) FROM job_items"), 4);

    char third[VL_JOB_ID_SIZE];
    vl_job_id_new(third);
    order = order_of(third, "user:1", 3);
    order.owner_items_max = 4;
    assert_int_equal(vl_job_enqueue(db, &order, &job, &was_there, &error), VL_ERR_LIMIT);
    order.owner_items_max = 5;
    order.all_bytes_max = 69;
    assert_int_equal(vl_job_enqueue(db, &order, &job, &was_there, &error), VL_ERR_LIMIT);
    order.all_bytes_max = 70;
    need(vl_job_enqueue(db, &order, &job, &was_there, &error));
    order.count = 0;
    assert_int_equal(vl_job_enqueue(db, &order, &job, &was_there, &error), VL_ERR_USAGE);
    order.count = 1;
    order.id = "no id";
    assert_int_equal(vl_job_enqueue(db, &order, &job, &was_there, &error), VL_ERR_INTERNAL);
}

static void test_orders(void **state) {
    (void)state;
    on_both(orders);
}

/* A small job after a large one has its turn among the first items of that one. */
static void turns(vl_db *db) {
    vl_job_info large, small, urgent;
    vl_job_task task;
    char order[16] = "";
    migrate(db);
    enqueue(db, "user:1", 6, 0, &large);
    enqueue(db, "user:2", 2, 0, &small);
    need(run(db, "UPDATE job_items SET turn_ms = turn_ms - 10 "
                 "WHERE job_id = (SELECT id FROM jobs WHERE owner = 'user:1')"));
    enqueue(db, "user:3", 1, 1, &urgent);
    while (claim(db, 60, &task)) {
        strcat(order, task.owner + strlen("user:"));
        need(vl_job_finish(db, &task, "{}", &error));
        vl_job_task_deinit(&task);
    }
    assert_string_equal(order, "312121111");
    check_job(db, &large, VL_JOB_DONE, 6, 0);
}

static void test_turns(void **state) {
    (void)state;
    on_both(turns);
}

/* ---- leases ------------------------------------------------------------------------------ */

static void leases(vl_db *db) {
    vl_job_info job;
    vl_job_task lost, task;
    vl_job_swept swept;
    migrate(db);
    enqueue(db, "user:1", 1, 0, &job);
    assert_true(claim(db, 0, &lost)); /* at once past its time */
    assert_false(claim(db, 60, &task));
    need(vl_job_sweep_leases(db, &swept, &error));
    assert_int_equal(swept.returned, 1);
    assert_true(claim(db, 60, &task));
    assert_int_equal(task.attempt, 2);
    assert_int_equal(vl_job_beat(db, &lost, 60, &error), VL_ERR_CANCELLED);
    assert_int_equal(vl_job_holds(db, &lost, &error), VL_ERR_CANCELLED);
    need(vl_job_holds(db, &task, &error));
    assert_int_equal(vl_job_finish(db, &lost, "{\"by\":\"lost\"}", &error), VL_ERR_CANCELLED);
    assert_int_equal(vl_job_release(db, &lost, &error), VL_ERR_CANCELLED);
    need(vl_job_sweep_leases(db, &swept, &error));
    assert_int_equal(swept.returned + swept.failed, 0);
    vl_job_task_deinit(&lost);
    need(vl_job_beat(db, &task, 0, &error));
    vl_job_task_deinit(&task);
    need(vl_job_sweep_leases(db, &swept, &error));
    assert_true(claim(db, 0, &task)); /* the third and last time */
    need(vl_job_sweep_leases(db, &swept, &error));
    assert_int_equal(swept.failed, 1);
    assert_int_equal(vl_job_finish(db, &task, "{}", &error), VL_ERR_CANCELLED);
    vl_job_task_deinit(&task);
    check_job(db, &job, VL_JOB_FAILED, 0, 1);
    seen items = {""};
    need(vl_job_items(db, job.id, false, -1, 1, note_item, &items, &error));
    assert_non_null(strstr(items.text, "its worker went away, every time"));
    /* A worker that was late and has still the lease is not too late. */
    enqueue(db, "user:1", 1, 0, &job);
    assert_true(claim(db, 0, &task));
    need(vl_job_finish(db, &task, "{}", &error));
    vl_job_task_deinit(&task);
    check_job(db, &job, VL_JOB_DONE, 1, 0);
}

static void test_leases(void **state) {
    (void)state;
    on_both(leases);
}

/* ---- cancelling, beginning again, listing ------------------------------------------------ */

static vl_status note_job(const vl_job_info *job, void *to, vl_error *why) {
    seen *s = to;
    (void)why;
    size_t used = strlen(s->text);
    snprintf(s->text + used, sizeof s->text - used, "%.4s ", job->id);
    return VL_OK;
}

static void cancelling(vl_db *db) {
    vl_job_info job, after;
    vl_job_task done, running, task;
    bool ended;
    migrate(db);
    enqueue(db, "user:1", 3, 0, &job);
    assert_true(claim(db, 60, &done));
    assert_true(claim(db, 60, &running));
    need(vl_job_finish(db, &done, "{}", &error));
    assert_int_equal(vl_job_cancel(db, job.id, "user:2", &after, &error), VL_ERR_DENIED);
    need(vl_job_cancel(db, job.id, "user:1", &after, &error));
    check_job(db, &job, VL_JOB_CANCELLED, 1, 0);
    assert_int_equal(vl_job_beat(db, &running, 60, &error), VL_ERR_CANCELLED);
    assert_int_equal(vl_job_holds(db, &running, &error), VL_ERR_CANCELLED);
    assert_int_equal(vl_job_finish(db, &running, "{}", &error), VL_ERR_CANCELLED);
    assert_int_equal(vl_job_fail(db, &running, "x", true, &ended, &error), VL_ERR_CANCELLED);
    assert_false(claim(db, 60, &task));
    assert_int_equal(vl_job_retry(db, job.id, NULL, &after, &error), VL_ERR_USAGE);
    vl_job_task_deinit(&done);
    vl_job_task_deinit(&running);

    enqueue(db, "user:1", 2, 0, &job);
    assert_int_equal(vl_job_retry(db, job.id, NULL, &after, &error), VL_ERR_USAGE);
    for (int i = 0; i < 2; i++) {
        assert_true(claim(db, 60, &task));
        need(i ? vl_job_finish(db, &task, "{}", &error)
               : vl_job_fail(db, &task, "x", false, &ended, &error));
        vl_job_task_deinit(&task);
    }
    check_job(db, &job, VL_JOB_DONE, 1, 1);
    need(vl_job_cancel(db, job.id, NULL, &after, &error)); /* it had ended */
    check_job(db, &job, VL_JOB_DONE, 1, 1);
    need(vl_job_retry(db, job.id, "user:1", &after, &error));
    check_job(db, &job, VL_JOB_RUNNING, 1, 0);
    assert_true(claim(db, 60, &task));
    assert_int_equal(task.number, 0);
    assert_int_equal(task.attempt, 1);
    need(vl_job_finish(db, &task, "{}", &error));
    vl_job_task_deinit(&task);
    check_job(db, &job, VL_JOB_DONE, 2, 0);
    assert_int_equal(job_now(db, &job).ended, 3);
    assert_int_equal(vl_job_cancel(db, "none", NULL, &after, &error), VL_ERR_DENIED);
}

static void test_cancelling(void **state) {
    (void)state;
    on_both(cancelling);
}

static void listing(vl_db *db) {
    vl_job_info jobs[5];
    char expected[64] = "", all[64] = "";
    seen his = {""}, older = {""}, anyones = {""};
    migrate(db);
    for (int i = 0; i < 5; i++) {
        enqueue(db, i == 3 ? "user:2" : "user:1", 1, 0, &jobs[i]);
        usleep(2000); /* another millisecond */
    }
    for (int i = 4; i >= 0; i--) {
        snprintf(all + strlen(all), 6, "%.4s ", jobs[i].id);
        if (i != 3 && i != 0)
            snprintf(expected + strlen(expected), 6, "%.4s ", jobs[i].id);
    }
    need(vl_job_list(db, "user:1", NULL, 3, note_job, &his, &error));
    assert_string_equal(his.text, expected);
    need(vl_job_list(db, "user:1", jobs[1].id, 3, note_job, &older, &error));
    assert_int_equal(strlen(older.text), 5);
    assert_memory_equal(older.text, jobs[0].id, 4);
    need(vl_job_list(db, NULL, NULL, 9, note_job, &anyones, &error));
    assert_string_equal(anyones.text, all);
    assert_int_equal(vl_job_list(db, "user:1", jobs[3].id, 3, note_job, &his, &error),
                     VL_ERR_DENIED);
}

static void test_listing(void **state) {
    (void)state;
    on_both(listing);
}

static void sweeping(vl_db *db) {
    vl_job_info ended, waiting;
    vl_job_task task;
    vl_job_swept swept;
    migrate(db);
    enqueue(db, "user:1", 1, 0, &ended);
    assert_true(claim(db, 60, &task));
    need(vl_job_finish(db, &task, "{}", &error));
    vl_job_task_deinit(&task);
    enqueue(db, "user:1", 1, 0, &waiting);
    need(vl_job_sweep(db, 60, NULL, &swept, &error));
    assert_int_equal(swept.expired + swept.removed, 0);
    need(run(db, "UPDATE jobs SET created_ms = created_ms - 100000, "
                 "finished_ms = finished_ms - 100000"));
    need(run(db, "UPDATE job_items SET ready_ms = ready_ms - 100000"));
    need(vl_job_sweep(db, 60, NULL, &swept, &error));
    assert_int_equal(swept.expired, 1);
    assert_int_equal(swept.removed, 1);
    check_job(db, &waiting, VL_JOB_CANCELLED, 0, 0);
    assert_int_equal(number_of(db, "SELECT count(*) FROM job_items"), 1);
    /* One that is old and was begun again is in use. */
    vl_job_info again;
    bool failed;
    enqueue(db, "user:1", 1, 0, &again);
    assert_true(claim(db, 60, &task));
    need(vl_job_fail(db, &task, "{}", false, &failed, &error));
    vl_job_task_deinit(&task);
    need(run(db, "UPDATE jobs SET created_ms = created_ms - 100000"));
    need(run(db, "UPDATE job_items SET ready_ms = ready_ms - 100000"));
    need(vl_job_retry(db, again.id, NULL, &again, &error));
    need(vl_job_sweep(db, 60, NULL, &swept, &error));
    assert_int_equal(swept.expired, 0);
    check_job(db, &again, VL_JOB_RUNNING, 0, 0);
    ready_now(db);
    need(vl_job_sweep(db, 60, NULL, &swept, &error));
    assert_int_equal(swept.expired, 1);
}

static void test_sweeping(void **state) {
    (void)state;
    on_both(sweeping);
}

/* ---- several processes ------------------------------------------------------------------- */

/* What a worker says, in one write that cannot be torn. */
typedef struct word {
    int64_t number;
    int32_t worker;
    bool finished; /* that is written; else: claimed */
} word;

static bool say(int out, int32_t worker, int64_t number, bool finished) {
    word w = {number, worker, finished};
    return write(out, &w, sizeof w) == sizeof w;
}

/* Works until nothing is left, or, when it is to be killed, for ever: then it holds each item
 * for a moment, so that it is at work most of the time. */
static int work(const char *url, double lease, bool is_to_be_killed, int32_t worker, int out) {
    enum { HOLD_US = 4000 };
    uint64_t chance = (uint64_t)getpid();
    vl_db *db;
    vl_job_task task;
    bool found = false;
    while (vl_db_open(url, NULL, &db, NULL)) /* the killed ones' places are not free at once */
        usleep(1000);
    do {
        vl_status status = vl_job_claim(db, NULL, lease, &task, &found, NULL);
        if (!status && found) {
            if (!say(out, worker, task.number, false))
                return 3;
            if (is_to_be_killed)
                usleep((useconds_t)vl_random_below(&chance, HOLD_US));
            status = vl_job_finish(db, &task, "{\"done\":true}", NULL);
            if (!status && !say(out, worker, task.number, true))
                return 3;
            vl_job_task_deinit(&task);
        } else if (!status) {
            usleep(1000);
        }
        if (status && status != VL_ERR_CANCELLED)
            return 2;
    } while (found || is_to_be_killed);
    vl_db_close(db);
    return 0;
}

/* A program of its own: what SQLite knows of its files does not survive a fork. */
static pid_t start_worker(const char *url, double lease, bool is_to_be_killed, int worker,
                          int out) {
    char seconds[32], index[16], pipe_end[16];
    snprintf(seconds, sizeof seconds, "%g", lease);
    snprintf(index, sizeof index, "%d", worker);
    snprintf(pipe_end, sizeof pipe_end, "%d", out);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        execl("/proc/self/exe", "worker", url, seconds, is_to_be_killed ? "killed" : "spared",
              index, pipe_end, (char *)NULL);
        _exit(127);
    }
    return child;
}

static void check_each_once(vl_db *db, const vl_job_info *job, const int *times,
                            int64_t items) {
    char sql[160];
    for (int64_t i = 0; i < items; i++)
        assert_true(times[i] <= 1);
    check_job(db, job, VL_JOB_DONE, items, 0);
    assert_int_equal(job_now(db, job).ended, items);
    snprintf(sql, sizeof sql,
             "SELECT count(DISTINCT ended) FROM job_items WHERE job_id = '%s' AND ended <= %d "
             "AND state = 'done' AND result IS NOT NULL",
             job->id, (int)items);
    assert_int_equal(number_of(db, sql), items);
}

static void at_once(const char *url) {
    enum { PROCESSES = 5 };
    vl_db *db = open_empty(url, NULL);
    vl_job_info job;
    int pipes[2], status, times[MANY] = {0}, said = 0;
    word w;
    migrate(db);
    enqueue(db, "user:1", MANY, 0, &job);
    assert_int_equal(pipe(pipes), 0);
    for (int i = 0; i < PROCESSES; i++)
        start_worker(url, 60, false, i, pipes[1]);
    close(pipes[1]);
    while (read(pipes[0], &w, sizeof w) == sizeof w) {
        times[w.number] += w.finished;
        said += w.finished;
    }
    close(pipes[0]);
    for (int i = 0; i < PROCESSES; i++) {
        wait(&status);
        assert_int_equal(status, 0);
    }
    assert_int_equal(said, MANY);
    check_each_once(db, &job, times, MANY);
    vl_db_close(db);
}

static void test_at_once(void **state) {
    (void)state;
    at_once(sqlite_url());
    at_once(postgres_url());
}

/* Workers of which one after the other is killed. */
enum { KILLS = 60, WORKERS = 2, ITEMS = 300, PATIENCE_MS = 20000 };
static const double LEASE = 0.02;
typedef struct siege {
    const char *url;
    int in, out; /* what is said */
    pid_t workers[WORKERS];
    bool at_work[WORKERS]; /* an item was claimed, by what was last said */
    int times[ITEMS];      /* that each was said to be finished */
} siege;

/* True: something was said within that time. */
static bool listen_once(siege *s, int wait_ms) {
    struct pollfd ready = {.fd = s->in, .events = POLLIN};
    word w;
    if (poll(&ready, 1, wait_ms) <= 0)
        return false;
    assert_int_equal(read(s->in, &w, sizeof w), sizeof w);
    assert_in_range(w.number, 0, ITEMS - 1);
    s->times[w.number] += w.finished;
    s->at_work[w.worker] = !w.finished;
    return true;
}

static void start_in_place(siege *s, int worker) {
    s->at_work[worker] = false;
    s->workers[worker] = start_worker(s->url, LEASE, true, worker, s->out);
}

/* Once it is at work, at some moment. True: that was while an item was its own. */
static bool kill_one(siege *s, int worker, uint64_t *chance) {
    int status;
    while (!s->at_work[worker])
        assert_true(listen_once(s, PATIENCE_MS));
    usleep((useconds_t)vl_random_below(chance, 6000));
    kill(s->workers[worker], SIGKILL);
    waitpid(s->workers[worker], &status, 0);
    assert_true(WIFSIGNALED(status));
    while (listen_once(s, 0))
        ;
    return s->at_work[worker];
}

static void enqueue_all(vl_db *db, vl_job_info *job) {
    static const char *many[ITEMS];
    char id[VL_JOB_ID_SIZE];
    bool was_there;
    for (int i = 0; i < ITEMS; i++)
        many[i] = "{}";
    vl_job_id_new(id);
    vl_job_order order = order_of(id, "user:1", ITEMS);
    order.inputs = many;
    order.max_attempts = 1000;
    need(vl_job_enqueue(db, &order, job, &was_there, &error));
}

static void killed(const char *url) {
    static siege s;
    vl_db *db = open_empty(url, NULL);
    uint64_t chance = 5;
    int pipes[2], hits = 0;
    vl_job_info job;
    vl_job_swept swept;
    s = (siege){.url = url};
    migrate(db);
    enqueue_all(db, &job);
    assert_int_equal(pipe(pipes), 0);
    s.in = pipes[0];
    s.out = pipes[1];
    for (int i = 0; i < WORKERS; i++)
        start_in_place(&s, i);
    for (int deaths = 0; deaths < KILLS; deaths++) {
        hits += kill_one(&s, deaths % WORKERS, &chance);
        need(vl_job_sweep_leases(db, &swept, &error));
        start_in_place(&s, deaths % WORKERS);
    }
    while (job_now(db, &job).done < ITEMS) {
        need(vl_job_sweep_leases(db, &swept, &error));
        listen_once(&s, 5);
        while (listen_once(&s, 0))
            ;
    }
    for (int i = 0; i < WORKERS; i++) {
        kill(s.workers[i], SIGKILL);
        waitpid(s.workers[i], NULL, 0);
    }
    while (listen_once(&s, 0))
        ;
    check_each_once(db, &job, s.times, ITEMS);
    /* Many died while an item was theirs, and it was lent again; or nothing was shown. */
    assert_true(hits >= KILLS / 2);
    assert_true(number_of(db, "SELECT CAST(sum(attempts) AS BIGINT) FROM job_items") > ITEMS);
    close(pipes[0]);
    close(pipes[1]);
    vl_db_close(db);
}

static void test_killed_sqlite(void **state) {
    (void)state;
    killed(sqlite_url());
}

static void test_killed_postgres(void **state) {
    (void)state;
    killed(postgres_url());
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_worker),      cmocka_unit_test(test_private_job),
        cmocka_unit_test(test_orders),          cmocka_unit_test(test_turns),
        cmocka_unit_test(test_leases),          cmocka_unit_test(test_cancelling),
        cmocka_unit_test(test_listing),         cmocka_unit_test(test_sweeping),
        cmocka_unit_test(test_at_once),         cmocka_unit_test(test_killed_sqlite),
        cmocka_unit_test(test_killed_postgres),
    };
    vl_log_set_level(VL_LOG_ERROR);
    if (argc == 6) /* as start_worker does */
        return work(argv[1], atof(argv[2]), !strcmp(argv[3], "killed"), atoi(argv[4]),
                    atoi(argv[5]));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
