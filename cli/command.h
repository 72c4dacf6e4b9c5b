/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What a command is: a row with a name, a group, a summary, an option table,
 * examples and a function. Parsing, usage, help and usage faults come from the
 * row; there is no list of commands here (that is main.c's).
 *
 * The grammar is spec cli.md 1.2: options and arguments may be mixed, "--" ends
 * the options, no abbreviations, short flags may be bundled, the last of two
 * wins. Global options may stand anywhere, but "-e" only before the command.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/exitcode.h"

struct session;

struct cmd_strs {
	const char **items;
	size_t n;
};

/* The values of all options of all commands; a command looks at its own. */
struct cmd_args {
	/* Global. */
	const char *env_file;
	const char *color;
	int64_t verbose;
	int64_t parallel;
	bool quiet;
	bool strict;
	bool best_effort;
	bool help;
	bool version;

	/* Files and what narrows the targets. */
	const char *file;
	struct cmd_strs files;
	struct cmd_strs filter_chain;
	bool filter_root_chain;
	struct cmd_strs datacenter;
	struct cmd_strs chain;
	struct cmd_strs project;
	struct cmd_strs mako_directories;
	bool all;

	/* apply, destroy, cancel */
	bool restart;
	bool force;
	bool wait;
	const char *wait_for;
	int64_t timeout_ms;

	/* plan, apply */
	bool dry_run;
	bool destroy;
	bool diff;
	bool show_secrets;
	bool exit_zero;

	/* get-info */
	const char *type;
	struct cmd_strs jail_item;
	struct cmd_strs filter;
	bool all_labels;
	bool filter_per_project;
	bool autoscale_labels;

	/* get-project-log, get-jail-log (with type) */
	const char *date;
	const char *service;
	const char *entity;
	const char *subtype;
	const char *log;

	/* gen-token */
	struct cmd_strs metadata;
	int64_t expire;
	const char *expire_type;
	const char *scope;

	/* token */
	bool verify;

	/* print-config, validate */
	bool redact;
	bool config;

	/* jobs, status */
	struct cmd_strs state;
	int64_t limit;
	const char *output;
	bool no_headers;
	bool exit_code;
	bool watch;
	int64_t interval_ms;

	/* logs */
	bool follow;
	bool jails;
	bool timestamps;
	const char *tail;
	const char *since;
	bool no_prefix;
	bool until_done;

	/* tree */
	struct cmd_strs labels;
	bool ascii;

	/* poll-jail-extras */
	struct cmd_strs item;

	/* Positional. */
	struct cmd_strs words;
};

enum cmd_opt_type {
	/* bool */
	CMD_FLAG,
	/* int64_t: counts how often it is given. */
	CMD_COUNT,
	/* const char * */
	CMD_STR,
	/* struct cmd_strs */
	CMD_LIST,
	/* int64_t */
	CMD_INT,
	/* int64_t, milliseconds */
	CMD_DURATION,
};

struct cmd_opt {
	const char *name;
	/* NULL for flags. */
	const char *metavar;
	enum cmd_opt_type type;
	/* 0: none. */
	char letter;
	bool required;
	/* In struct cmd_args. */
	size_t offset;
	/* STR, LIST: NULL-terminated; NULL: anything. */
	const char *const *choices;
	/* What it is when not given, as text: "hours"; NULL: nothing. */
	const char *def;
	const char *doc;
};

enum cmd_group {
	CMD_DEPLOY,
	CMD_LOOK,
	CMD_JOBS,
	CMD_TOOLS,
	/* Accepted, but not shown. */
	CMD_HIDDEN,
};

enum cmd_flags {
	/* Needs neither environment file nor anything else. */
	CMD_BARE = 1,
	/* All that follows its name is a word, whatever it looks like. */
	CMD_RAW = 2,
};

struct cmd {
	const char *name;
	enum cmd_group group;
	unsigned flags;
	const char *summary;
	/* Two or three sentences. */
	const char *about;
	const struct cmd_opt *opts;
	size_t opts_n;
	/* "ENTRYPOINT", "[COMMAND]"; NULL: none. At most words_max are taken,
	 * at least words_min are needed. */
	const char *words;
	size_t words_min;
	size_t words_max;
	/* What the first word may be, when it is a verb; NULL-terminated. */
	const char *const *verbs;
	/* NULL-terminated command lines; NULL: none. */
	const char *const *examples;
	/* Exit codes of its own: "1  a deployment failed"; NULL-terminated. */
	const char *const *exits;
	enum exitcode (*run)(struct session *s);
};

/* The rows of main.c. */
extern const struct cmd *const cmd_table[];
extern const size_t cmd_table_n;

struct cmd_fault {
	char text[512];
	/* "" when there is none. */
	char hint[512];
};

/* Reads argv[1..]. *ret_cmd is NULL when no command was named, and is set also
 * when its options are faulty. -1: bad usage, described by f. What is bound
 * points into argv and the arena. */
int cmd_parse(int argc, char **argv, struct arena *a, struct cmd_args *ret,
    const struct cmd **ret_cmd, struct cmd_fault *f);
const struct cmd *cmd_find(const char *name);
/* The option of a command (NULL: none yet) that an argument like "--file",
 * "--file=x" or "-qf" names last; NULL: there is none. *ret_value is its value
 * if that is in the argument; *ret_next whether the next one is. */
const struct cmd_opt *cmd_find_opt(const struct cmd *c, const char *arg,
    const char **ret_value, bool *ret_next);
/* "did you mean 'apply'?", or NULL. */
const char *cmd_suggest(struct arena *a, const char *name);

/* The global options. */
extern const struct cmd_opt cmd_globals[];
extern const size_t cmd_globals_n;

/* Exits of commands that only look at servers. */
#define CMD_EXITS_LOOK                                                         \
  "65  the deployment file is faulty",                                         \
      "66  the file or a data center cannot be found",                         \
      "68  nothing matched (with --strict)",                                   \
      "69  no data center could be reached",                                   \
      "77  no data center accepts the token"

/* clang-format off */
#define CMD_AT(member) offsetof(struct cmd_args, member)
#define CMD_OPT_FILE                                                           \
	{ "file", "FILE", CMD_STR, 'f', true, CMD_AT(file), NULL, NULL,        \
	    "Deployment file; '-' is standard input." }
#define CMD_OPT_FILE_IF                                                        \
	{ "file", "FILE", CMD_STR, 'f', false, CMD_AT(file), NULL, NULL,       \
	    "Deployment file; without one this machine's server is asked." }
#define CMD_OPT_MAKO_DIRECTORIES                                               \
	{ "mako-directories", "DIR", CMD_LIST, 0, false,                       \
	    CMD_AT(mako_directories), NULL, ".",                               \
	    "Where templates include others from; repeatable." }
#define CMD_OPT_DATACENTER                                                     \
	{ "datacenter", "NAME", CMD_LIST, 0, false, CMD_AT(datacenter), NULL,  \
	    NULL, "Only this data center; repeatable." }
#define CMD_OPT_CHAIN                                                          \
	{ "chain", "PATTERN", CMD_LIST, 0, false, CMD_AT(chain), NULL, NULL,   \
	    "Only chains like this, '<root>' for the root; repeatable." }
#define CMD_OPT_PROJECT                                                        \
	{ "project", "NAME", CMD_LIST, 0, false, CMD_AT(project), NULL, NULL,  \
	    "Only this project; repeatable." }
/* clang-format on */
