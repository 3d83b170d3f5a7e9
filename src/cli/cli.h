/* cli.h — the table every command stands in, and what is shared between commands.
 *
 * One table (commands.c) drives parsing, `vislang help`, shell completion and the man page.
 * A command returns the process's exit code (vl_status_exit_code). */
#ifndef VISLANG_CLI_H
#define VISLANG_CLI_H

#include <vislang/answer.h>
#include <vislang/base.h>
#include <vislang/store.h>

#include <signal.h>

typedef struct cli_flag {
    const char *name;     /* "languages" for --languages */
    char letter;          /* 'l' for -l, 0 for none */
    const char *argument; /* "LANGS" in help; NULL for a switch */
    const char *help;
} cli_flag;

typedef struct cli_args cli_args;

typedef struct cli_command {
    const char *name;
    const char *summary;
    const char *operands;  /* "FILE…" */
    const char *examples;  /* two or three lines, shown first in help */
    const cli_flag *flags; /* ends with {0} */
    int (*run)(const cli_args *args);
} cli_command;

extern const cli_command cli_commands[];  /* ends with {0} */
extern const cli_flag cli_common_flags[]; /* every command takes these */

/* ---- parsing -------------------------------------------------------------------- */

enum { CLI_MAX_FLAGS = 64, CLI_MAX_COMMANDS = 64 };
struct cli_args {
    const cli_command *command;
    struct {
        const cli_flag *flag;
        const char *value; /* "" for a switch */
    } given[CLI_MAX_FLAGS];
    size_t given_count;
    const char **operands; /* point into argv */
    size_t operand_count;
};
/* `argv[0]` is the command's name. Free with cli_args_deinit. */
vl_status cli_parse(const cli_command *command, int argc, char **argv, cli_args *args,
                    vl_error *error);
void cli_args_deinit(cli_args *args);
bool cli_has(const cli_args *args, const char *flag);
/* The last value given, or NULL. */
const char *cli_value(const cli_args *args, const char *flag);
vl_status cli_value_int(const cli_args *args, const char *flag, long low, long high,
                        long *value, vl_error *error);

/* ---- shared by commands ----------------------------------------------------------- */

/* Configuration from --config, the environment, --set and the flags that are settings. */
vl_status cli_config(const cli_args *args, vl_config **config, vl_error *error);
/* Prints "vislang COMMAND: message" and returns the exit code. */
int cli_fail(const cli_args *args, const vl_error *error);
/* From here SIGTERM, SIGINT and SIGHUP are held for sigwait in this thread, whichever thread
 * they reach. Before it starts others, which inherit that. */
void cli_hold_signals(sigset_t *held);
/* The whole standard output was written, or the exit code says that it was not. */
int cli_finish_stdout(const cli_args *args, int exit_code);
const cli_command *cli_command_find(const char *name, vl_error *error);

void cli_print_help(const cli_command *command, vl_buf *out);
void cli_print_overview(vl_buf *out);
void cli_print_man(vl_buf *out);
vl_status cli_print_completion(const char *shell, vl_buf *out, vl_error *error);

/* ---- the engines' track record -------------------------------------------------- */

typedef struct cli_record {
    vl_db *db;
    vl_ocr_record *record; /* NULL: the setting ocr_record is none, or it cannot be had */
} cli_record;
/* In the database of the settings. The caller closes it, when nobody reads with it any more. */
vl_status cli_record_open(const vl_config *config, cli_record *record, vl_error *error);
/* For commands that do without it: then a warning says so. */
void cli_record_try(const vl_config *config, cli_record *record);
void cli_record_close(cli_record *record);

/* ---- commands ------------------------------------------------------------------- */

int cli_predict(const cli_args *args);
int cli_ocr(const cli_args *args);
int cli_ocr_record(const cli_args *args);  /* `vislang ocr --record` */
int cli_ocr_correct(const cli_args *args); /* `vislang ocr --correct` */
int cli_caption(const cli_args *args);
int cli_ask(const cli_args *args);
int cli_scene(const cli_args *args);
int cli_search(const cli_args *args);
int cli_serve(const cli_args *args);
int cli_eval(const cli_args *args);
int cli_eval_ocr(const cli_args *args);   /* `vislang eval ocr` */
int cli_eval_align(const cli_args *args); /* `vislang eval align` */
/* The flags of `vislang eval` that only `ocr` or `align` takes, ending with NULL; and the first
 * of a list that was given, or NULL. */
extern const char *const cli_eval_ocr_only[], *const cli_eval_align_only[];
const char *cli_eval_misplaced(const cli_args *args, const char *const *flags);
int cli_export(const cli_args *args);
int cli_quantize(const cli_args *args);
int cli_train(const cli_args *args);
int cli_dataset(const cli_args *args); /* dataset.c: which flag belongs to which of these */
int cli_dataset_synth_lines(const cli_args *args);
int cli_dataset_scan_lines(const cli_args *args);
int cli_dataset_parts(const cli_args *args);
int cli_dataset_export(const cli_args *args);
int cli_dataset_build(const cli_args *args);
int cli_dataset_review(const cli_args *args);
int cli_dataset_check(const cli_args *args);
int cli_dataset_stats(const cli_args *args);
int cli_align(const cli_args *args); /* align.c: which flag belongs to which of these */
int cli_align_embed(const cli_args *args);
int cli_align_build(const cli_args *args);
int cli_align_map(const cli_args *args);
int cli_align_lexicon(const cli_args *args);
int cli_align_sentences(const cli_args *args);
int cli_align_words(const cli_args *args);
int cli_harvest(const cli_args *args);
int cli_admin(const cli_args *args);
int cli_db(const cli_args *args);
int cli_doctor(const cli_args *args);
int cli_help(const cli_args *args);

#endif
