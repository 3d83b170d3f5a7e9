/* dataset_review.c — `vislang dataset review DATASET`: a page in the browser on which people
 * look at items; how far they agree (--agreement); what is learned of it (--fit, --teach). */
#include "cli/cli.h"

#include "dataset/review.h"
#include "dataset/review_fit.h"
#include "dataset/review_teach.h"

#include <vislang/serve.h>

#include <cJSON.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REVIEWERS = 32, JSON_MAX = 4 << 20, DRAIN_SECONDS = 5 };

/* ---- options ------------------------------------------------------------------------------
 */

static vl_status read_share(const cli_args *args, const char *flag, double *share,
                            vl_error *error) {
    const char *text = cli_value(args, flag);
    char *end;
    if (!text)
        return VL_OK;
    *share = strtod(text, &end);
    return end != text && !*end && *share >= 0 && *share <= 1
               ? VL_OK
               : vl_fail(error, VL_ERR_USAGE, "--%s is a share from 0 to 1, not '%s'", flag,
                         text);
}

static vl_status read_options(const cli_args *args, review_options *options, vl_error *error) {
    long seed = 1, limit = 0;
    *options = review_options_default();
    vl_status status = read_share(args, "overlap", &options->overlap, error);
    if (!status)
        status = read_share(args, "random", &options->random, error);
    if (!status)
        status = cli_value_int(args, "seed", 0, INT32_MAX, &seed, error);
    if (!status)
        status = cli_value_int(args, "limit", 1, INT32_MAX, &limit, error);
    options->seed = (uint64_t)seed;
    options->limit = (size_t)limit;
    const char *language = cli_value(args, "language");
    options->language = language ? vl_lang_code(language) : NULL;
    return status;
}

static vl_status read_reviewers(const cli_args *args, const char *names[REVIEWERS],
                                size_t *count, vl_error *error) {
    *count = 0;
    for (size_t i = 0; i < args->given_count; i++) {
        if (strcmp(args->given[i].flag->name, "reviewer") != 0)
            continue;
        if (*count == REVIEWERS)
            return vl_fail(error, VL_ERR_USAGE, "more than %d reviewers", REVIEWERS);
        names[(*count)++] = args->given[i].value;
    }
    const char *user = getenv("USER");
    if (!*count)
        names[(*count)++] = user && *user ? user : "reviewer";
    return VL_OK;
}

/* ---- the service --------------------------------------------------------------------------
 */

/* The service would share a port with another one of this user; two reviews may not. */
static bool is_free(const char *host, long port) {
    char text[16];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
    snprintf(text, sizeof text, "%ld", port);
    if (getaddrinfo(host, text, &hints, &found))
        return true; /* the service says what is wrong with it */
    int on = 1, fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool free_port = fd >= 0 && !bind(fd, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (fd >= 0)
        close(fd);
    return free_port;
}

/* The one that is asked for, else that of the last time: what a browser keeps for us it keeps
 * by port. 0: any. */
static vl_status choose_port(const cli_args *args, const char *host, vl_db *db, long *port,
                             vl_error *error) {
    int64_t last = 0;
    *port = 0;
    vl_status status = cli_value_int(args, "port", 0, 65535, port, error);
    if (status)
        return status;
    if (*port && !is_free(host, *port))
        return vl_fail(error, VL_ERR_USAGE, "port %ld is taken; choose another with --port",
                       *port);
    if (cli_has(args, "port"))
        return VL_OK;
    status = review_setting(db, "port", &last, error);
    if (last > 0 && last <= 65535 && is_free(host, (long)last))
        *port = (long)last;
    return status;
}

/* On every interface. */
static bool is_everywhere(const char *host) {
    return !*host || !strcmp(host, "0.0.0.0") || !strcmp(host, "::");
}

static vl_status make_config(const cli_args *args, const char *host, long port,
                             vl_config **config, vl_error *error) {
    char number[16], hosts[320] = "*"; /* by any of its names */
    snprintf(number, sizeof number, "%ld", port);
    if (!is_everywhere(host))
        snprintf(hosts, sizeof hosts, "127.0.0.1,localhost,%s", host);
    const vl_setting settings[] = {
        {"host", host},
        {"port", number},
        {"allowed_hosts", hosts},
        {"cors_origins", ""},
        {"workers", "1"},
        {"cache_size_mb", "0"},
        {"log_requests", "false"},
        {"max_upload_size", "8MB"},
    };
    return vl_config_load(cli_value(args, "config"), settings,
                          sizeof settings / sizeof *settings, config, error);
}

static vl_status print_addresses(vl_review *review, const char *const *names, size_t count,
                                 const char *scheme, const char *host, uint16_t port,
                                 vl_error *error) {
    vl_status status = VL_OK;
    bool any = is_everywhere(host);
    for (size_t i = 0; i < count && !status; i++) {
        char token[REVIEW_TOKEN_SIZE];
        status = review_token(review_db(review), names[i], token, error);
        if (!status)
            printf("%s: %s://%s:%u/#%s\n", names[i], scheme, any ? "127.0.0.1" : host, port,
                   token);
    }
    fflush(stdout);
    if (!status && any)
        fprintf(stderr, "others reach it by this machine's name on port %u%s\n", port,
                strcmp(scheme, "https") ? "; what they send can be read on the way (no "
                                          "tls_certificate)"
                                        : "");
    return status;
}

static void wait_for_stop(const sigset_t *signals) {
    int number;
    sigwait(signals, &number);
}

static vl_status serve(const cli_args *args, vl_review *review, vl_error *error) {
    const char *names[REVIEWERS], *host = cli_value(args, "host");
    size_t count;
    long port;
    vl_config *config = NULL;
    vl_server *server = NULL;
    sigset_t stop;
    host = host ? host : "127.0.0.1";
    vl_status status = read_reviewers(args, names, &count, error);
    if (!status)
        status = choose_port(args, host, review_db(review), &port, error);
    if (!status)
        status = make_config(args, host, port, &config, error);
    if (status)
        return status;
    cli_hold_signals(&stop);
    vl_log_set_level(VL_LOG_WARN);
    status = vl_server_start_review(config, review, names, count, &server, error);
    if (!status)
        status = review_set(review_db(review), "port", vl_server_port(server), error);
    if (!status)
        status =
            print_addresses(review, names, count,
                            *vl_config_string(config, "tls_certificate") ? "https" : "http",
                            host, vl_server_port(server), error);
    if (!status)
        fprintf(stderr, "%zu items to look at; Ctrl+C ends it, and nothing is lost\n",
                review_size(review));
    if (!status)
        wait_for_stop(&stop);
    if (server)
        vl_server_drain(server, DRAIN_SECONDS);
    vl_config_free(config);
    return status;
}

/* ---- what is made of it -------------------------------------------------------------------
 */

static void print_fit(const cli_args *args, const char *folder, const quality_fit *fit) {
    if (cli_has(args, "json"))
        printf("{\"cases\":%zu,\"loss_before\":%.6f,\"loss_after\":%.6f,\"taken\":%s}\n",
               fit->cases, fit->before, fit->after, fit->taken ? "true" : "false");
    else if (fit->taken)
        printf("%s/" REVIEW_QUALITY_FILE ": quality by %zu verdicts; log loss of verdicts left "
               "out %.3f → %.3f\n",
               folder, fit->cases, fit->before, fit->after);
    else
        printf("%zu verdicts do not make quality better known (log loss of those left out %.3f "
               "→ %.3f): the model stays\n",
               fit->cases, fit->before, fit->after);
}

static vl_status fit(const cli_args *args, const char *folder, vl_error *error) {
    vl_db *db = NULL;
    quality_fit found;
    quality_model model;
    vl_status status = review_db_open(folder, &db, error);
    if (!status)
        status = review_fit(folder, db, &found, &model, error);
    if (!status)
        print_fit(args, folder, &found);
    vl_db_close(db);
    return status;
}

static void print_lesson(const cli_args *args, const review_lesson *l) {
    if (cli_has(args, "json"))
        printf("{\"items\":%zu,\"lines\":%zu,\"known\":%zu,\"unfit\":%zu,\"broken\":%zu}\n",
               l->items, l->lines, l->known, l->unfit, l->broken);
    else
        printf("%zu lines of %zu items taught the engines' record; %zu items had done so "
               "before, %zu did not "
               "fit what is read there, %zu have no picture that can be read\n",
               l->lines, l->items, l->known, l->unfit, l->broken);
}

static vl_status teach(const cli_args *args, const char *folder, vl_error *error) {
    const review_options options = review_options_default();
    vl_answer_options answer;
    vl_config *config = NULL;
    cli_record record = {0};
    vl_review *opened = NULL;
    review_lesson lesson;
    vl_status status = cli_config(args, &config, error);
    if (!status)
        status = vl_answer_options_from_config(config, &answer, error);
    if (!status)
        status = cli_record_open(config, &record, error);
    if (!status && !record.record)
        status = vl_fail(error, VL_ERR_USAGE,
                         "no record is kept: the setting ocr_record is none (--set "
                         "ocr_record=store)");
    if (!status)
        status = review_open(folder, &options, &opened, error);
    if (!status)
        status = review_teach(opened, &answer.ocr, record.record, &lesson, error);
    if (!status)
        print_lesson(args, &lesson);
    review_close(opened);
    cli_record_close(&record);
    vl_config_free(config);
    return status;
}

static vl_status merge(const cli_args *args, const char *folder, vl_error *error) {
    const char *from = cli_value(args, "merge");
    vl_db *db = NULL;
    review_merged m;
    vl_status status = review_db_open(folder, &db, error);
    if (!status)
        status = review_merge(db, from, &m, error);
    if (!status && cli_has(args, "json"))
        printf("{\"taken\":%zu,\"known\":%zu,\"conflicts\":%zu}\n", m.taken, m.known,
               m.conflicts);
    else if (!status)
        printf(
            "%zu decisions of %s taken over; %zu were here, and in the place of %zu others\n",
            m.taken, from, m.known, m.conflicts);
    vl_db_close(db);
    return status;
}

static double number(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name)->valuedouble;
}

static void print_alpha(const char *of, const char *what, const cJSON *alpha) {
    printf("%-10s %-9s ", of, what);
    if (cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(alpha, "alpha")))
        printf("  none: nothing varies");
    else
        printf("%6.3f", number(alpha, "alpha"));
    if (!cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(alpha, "low")))
        printf("  (%.3f … %.3f)", number(alpha, "low"), number(alpha, "high"));
    printf("  %.0f items with two verdicts or more\n", number(alpha, "units"));
}

static void print_estimate(const char *of, const cJSON *estimate) {
    if (number(estimate, "items") < 1)
        return;
    printf("%-10s %.1f %% accepted (%.1f … %.1f), %.1f %% corrected, %.1f %% rejected, of %.0f "
           "items\n",
           of, 100 * number(estimate, "accepted"), 100 * number(estimate, "low"),
           100 * number(estimate, "high"), 100 * number(estimate, "corrected"),
           100 * number(estimate, "rejected"), number(estimate, "items"));
}

static void print_estimates(const cJSON *root) {
    const cJSON *one, *overall = cJSON_GetObjectItemCaseSensitive(root, "overall");
    printf("\nThe whole dataset, by the items that were drawn by chance (95 %% interval)\n");
    print_estimate("all", cJSON_GetObjectItemCaseSensitive(overall, "estimate"));
    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(root, "languages"))
        print_estimate(one->string, cJSON_GetObjectItemCaseSensitive(one, "estimate"));
}

static void print_agreement(const char *json) {
    cJSON *root = cJSON_Parse(json);
    const cJSON *one, *overall = cJSON_GetObjectItemCaseSensitive(root, "overall");
    printf("Krippendorff's alpha, with a 95 %% interval over resampled items\n");
    print_alpha("all", "verdicts", cJSON_GetObjectItemCaseSensitive(overall, "verdicts"));
    print_alpha("all", "texts", cJSON_GetObjectItemCaseSensitive(overall, "texts"));
    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(root, "languages")) {
        print_alpha(one->string, "verdicts", cJSON_GetObjectItemCaseSensitive(one, "verdicts"));
        print_alpha(one->string, "texts", cJSON_GetObjectItemCaseSensitive(one, "texts"));
    }
    print_estimates(root);
    cJSON_Delete(root);
}

static vl_status agreement(const cli_args *args, const char *folder, vl_error *error) {
    vl_db *db = NULL;
    vl_buf json;
    vl_buf_init(&json, JSON_MAX);
    vl_status status = review_db_open(folder, &db, error);
    if (!status)
        status = review_agreement(db, &json, error);
    if (!status && cli_has(args, "json"))
        printf("%s\n", json.data);
    else if (!status)
        print_agreement(json.data);
    vl_db_close(db);
    vl_buf_deinit(&json);
    return status;
}

/* ---- the command ----------------------------------------------------------------------------
 */

static vl_status review(const cli_args *args, const char *folder, vl_error *error) {
    review_options options;
    vl_review *opened = NULL;
    review_counts counts;
    vl_status status = read_options(args, &options, error);
    if (!status)
        status = review_open(folder, &options, &opened, error);
    if (!status)
        status = serve(args, opened, error);
    if (!status)
        status = review_count(review_db(opened), NULL, &counts, error);
    review_close(opened);
    if (status)
        return status;
    vl_error why;
    int64_t verdicts = counts.by_verdict[REVIEW_ACCEPTED] +
                       counts.by_verdict[REVIEW_CORRECTED] + counts.by_verdict[REVIEW_REJECTED];
    if (verdicts >= QUALITY_CASES_LEAST && fit(args, folder, &why))
        fprintf(stderr, "the quality model stays: %s\n", why.message);
    return VL_OK;
}

int cli_dataset_review(const cli_args *args) {
    vl_error error = {0};
    vl_dataset *dataset = NULL;
    vl_status status =
        args->operand_count == 2
            ? VL_OK
            : vl_fail(&error, VL_ERR_USAGE, "which dataset? vislang dataset review DATASET");
    const char *folder = args->operands[1];
    if (!status)
        status = vl_dataset_open(folder, &dataset, &error);
    vl_dataset_close(dataset);
    if (!status && cli_has(args, "agreement"))
        status = agreement(args, folder, &error);
    else if (!status && cli_has(args, "merge"))
        status = merge(args, folder, &error);
    else if (!status && cli_has(args, "fit"))
        status = fit(args, folder, &error);
    else if (!status && cli_has(args, "teach"))
        status = teach(args, folder, &error);
    else if (!status)
        status = review(args, folder, &error);
    return cli_finish_stdout(args, status ? cli_fail(args, &error) : 0);
}
