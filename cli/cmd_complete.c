/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord __complete: what the last of some words could become, one candidate
 * a line with a tab and a word of help, for the scripts of `overlord
 * completion` (cli.md 6.1). ":files" with extensions means that the shell
 * knows. What a command takes comes from the command table; names of chains and
 * projects come from the servers of the file that the words name, if they
 * answer at once, or did a moment ago. Never says what is wrong, never changes
 * anything.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/complete_cache.h"
#include "cli/targets.h"
#include "lib/event/loop.h"

#define PATIENCE_MS 250
#define CANDIDATES_MAX ((size_t)1024 * 1024)

struct completion {
	struct session *session;
	/* The words so far, as a command would get them. */
	const struct cmd *cmd;
	size_t words_n;
	/* There is no such command. */
	bool lost;
	/* "--chain=" when that is a part of the word. */
	const char *prefix;
	const char *cur;
	/* What servers are asked for, and what they have said: lines as they
	 * are printed, but all of them. */
	const struct source *source;
	struct strbuf found;
	struct targets targets;
	struct timer timer;
	bool late;
};

/* Values that servers know. */
struct source {
	/* NULL: any. */
	const char *cmd;
	const char *option;
	void (*start)(struct target *t);
	/* Of names in a list of logs: the list, and how deep. */
	enum route_id route;
	unsigned depth;
};

/* help may be NULL. */
static void
offer(struct completion *c, const char *word, const char *help)
{
	AUTO_STRBUF struct strbuf line;

	strbuf_init(&line, CANDIDATES_MAX);
	if (strncmp(word, c->cur, strlen(c->cur)) != 0 ||
	    strpbrk(word, "\t\r\n") != NULL)
		return;
	strbuf_adds(&line, c->prefix);
	strbuf_add_escaped(&line, word, strlen(word));
	out_addf(
	    &c->session->out, "%s\t%s\n", line.buf, help != NULL ? help : "");
}

static void
offer_all(struct completion *c, const char *const *words)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		offer(c, words[i], NULL);
}

static void
offer_files(struct completion *c, const char *extensions)
{
	out_addf(&c->session->out, ":files%s\n", extensions);
}

static void
offer_commands(struct completion *c)
{
	for (size_t i = 0; i < cmd_table_n; i++)
		if (cmd_table[i]->group != CMD_HIDDEN)
			offer(c, cmd_table[i]->name, cmd_table[i]->summary);
}

static void
offer_options(struct completion *c, const struct cmd_opt *opts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *s =
		    arena_printf(&c->session->arena, "--%s", opts[i].name);

		if (s != NULL)
			offer(c, s, opts[i].doc);
	}
}

/* Servers */

static void
on_deadline(struct timer *t)
{
	struct completion *c = container_of(t, struct completion, timer);

	c->late = true;
	targets_stop(&c->targets);
}

/* Once. */
static void
collect(struct completion *c, const char *word, const char *help)
{
	AUTO_STRBUF struct strbuf line;

	strbuf_init(&line, CANDIDATES_MAX);
	strbuf_addf(&line, "\n%s\t", word);
	if (word[0] == '\0' || strpbrk(word, "\t\r\n") != NULL ||
	    strbuf_check(&line, NULL) < 0 ||
	    (c->found.len > 0 && strstr(c->found.buf, line.buf) != NULL))
		return;
	strbuf_addf(
	    &c->found, "%s%s\t%s\n", c->found.len == 0 ? "\n" : "", word, help);
}

static void
on_projects(const struct client_reply *r, void *ctx)
{
	struct target *t = ctx;
	struct completion *c = t->all->rule.ctx;
	struct client_strs names;

	if (r->class == CLIENT_OK &&
	    client_get_strs(
		r->body, "projects", &c->session->arena, &names, NULL) == 0)
		for (size_t i = 0; i < names.n; i++)
			collect(c, names.items[i], "");
	target_done(t);
}

static void
collect_logs(struct completion *c, const struct node *n, unsigned depth)
{
	for (size_t i = 0;
	     n->type == NODE_LIST && depth == 0 && i < n->u.list.n; i++)
		if (node_text(n->u.list.items[i]) != NULL)
			collect(c, node_text(n->u.list.items[i]), "");
	for (size_t i = 0; n->type == NODE_MAP && i < n->u.map.n; i++) {
		const struct node_pair *p = &n->u.map.pairs[i];

		if (depth > 0)
			collect_logs(c, p->value, depth - 1);
		else if (node_text(p->key) != NULL)
			collect(c, node_text(p->key), "");
	}
}

static void
on_logs(const struct client_reply *r, void *ctx)
{
	struct target *t = ctx;
	struct completion *c = t->all->rule.ctx;
	const struct node *logs = node_get(r->body, "logs");

	if (r->class == CLIENT_OK && logs != NULL)
		collect_logs(c, logs, c->source->depth);
	target_done(t);
}

static void
ask(struct target *t, enum route_id route, client_done_fn *done)
{
	struct client_call call = {
		.server = t->server, .chain = t->chain, .route = route
	};

	if (!target_can_be_asked(t) ||
	    client_call(t->all->session->client, &call, done, t, NULL) < 0)
		target_done(t);
}

static void
start_project(struct target *t)
{
	ask(t, ROUTE_PROJECTS, on_projects);
}

static void
start_logs(struct target *t)
{
	const struct completion *c = t->all->rule.ctx;

	ask(t, c->source->route, on_logs);
}

static void
start_chain(struct target *t)
{
	collect(t->all->rule.ctx, servers_chain(t->chain), t->server->name);
	target_done(t);
}

static void
start_entrypoint(struct target *t)
{
	struct completion *c = t->all->rule.ctx;
	const char *s = t->chain == NULL
	    ? t->server->name
	    : arena_printf(
		  &c->session->arena, "%s.%s", t->server->name, t->chain);

	if (s != NULL)
		collect(c, s, t->server->url);
	target_done(t);
}

/* What the answer depends on. */
static void
make_key(struct strbuf *key, const struct source *source,
    const struct tree_entry *entries, size_t n)
{
	strbuf_addf(key, "%s\n%s\n%d\n%u\n",
	    source->cmd != NULL ? source->cmd : "", source->option,
	    (int)source->route, source->depth);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(key, "%s\n%s\n%s\n%s\n", entries[i].server->name,
		    entries[i].server->url, entries[i].server->token,
		    servers_chain(entries[i].chain));
}

static void
run_targets(struct completion *c, const struct tree_entry *entries, size_t n)
{
	struct session *s = c->session;
	struct targets_rule rule = { .start = c->source->start,
		.flags = TARGETS_ALL | TARGETS_GIVE_FAULTS,
		.ctx = c };
	struct error e = ERROR_INIT;

	if (session_start(s) != EXIT_CODE_OK ||
	    timer_init(&c->timer, s->loop, on_deadline, "complete", &e) < 0)
		return;
	timer_arm(&c->timer, PATIENCE_MS);
	(void)targets_run(s, entries, n, &rule, &c->targets);
	timer_fini(&c->timer);
}

static void
offer_found(struct completion *c, const char *lines)
{
	AUTO_STRBUF struct strbuf word;

	strbuf_init(&word, CANDIDATES_MAX);
	while (lines != NULL && *lines != '\0') {
		const char *tab = strchr(lines, '\t'), *help;

		if (*lines == '\n') {
			lines++;
			continue;
		}
		if (tab == NULL || (help = strchr(tab, '\n')) == NULL)
			return;
		strbuf_reset(&word);
		strbuf_add(&word, lines, (size_t)(tab - lines));
		offer(c, word.buf,
		    arena_strndup(
			&c->session->arena, tab + 1, (size_t)(help - tab - 1)));
		lines = help + 1;
	}
}

static void
offer_source(struct completion *c, const struct source *source)
{
	struct session *s = c->session;
	AUTO_FREE char *known = NULL;
	AUTO_STRBUF struct strbuf key;
	struct tree_entry *entries = NULL;
	size_t n = 0;
	enum exitcode rc = s->spec != NULL
	    ? servers_of_spec(s, SERVERS_MERGE | SERVERS_WHOLE, &entries, &n)
	    : servers_local(s, &entries, &n);

	strbuf_init(&key, CANDIDATES_MAX);
	if (rc != EXIT_CODE_OK)
		return;
	make_key(&key, source, entries, n);
	if (strbuf_check(&key, NULL) == 0)
		known = complete_cache_get(key.buf, key.len);
	if (known != NULL) {
		offer_found(c, known);
		return;
	}
	strbuf_init(&c->found, CANDIDATES_MAX);
	c->source = source;
	run_targets(c, entries, n);
	if (c->found.len > 0 && strbuf_check(&c->found, NULL) == 0) {
		offer_found(c, c->found.buf);
		if (!c->late)
			complete_cache_put(key.buf, key.len, c->found.buf);
	}
	strbuf_fini(&c->found);
}

static void
offer_datacenters(struct completion *c)
{
	const struct spec *spec = c->session->spec;

	if (spec == NULL)
		offer(c, "local", NULL);
	for (size_t i = 0; spec != NULL && i < spec->datacenters.n; i++)
		offer(c, spec->datacenters.keys[i], NULL);
}

/* What an option takes */

static void
offer_values(struct completion *c, const struct cmd_opt *o)
{
	static const struct source sources[] = {
		{ NULL, "project", start_project, 0, 0 },
		{ NULL, "chain", start_chain, 0, 0 },
		{ NULL, "filter-chain", start_chain, 0, 0 },
		{ "logs", "date", start_logs, ROUTE_PROJECTS_LOGS, 0 },
		{ "logs", "service", start_logs, ROUTE_PROJECTS_LOGS, 1 },
		{ "logs", "log", start_logs, ROUTE_PROJECTS_LOGS, 2 },
		{ "get-project-log", "date", start_logs, ROUTE_PROJECTS_LOGS,
		    0 },
		{ "get-project-log", "service", start_logs, ROUTE_PROJECTS_LOGS,
		    1 },
		{ "get-project-log", "log", start_logs, ROUTE_PROJECTS_LOGS,
		    2 },
		{ "get-jail-log", "type", start_logs, ROUTE_JAILS_LOGS, 0 },
		{ "get-jail-log", "entity", start_logs, ROUTE_JAILS_LOGS, 1 },
		{ "get-jail-log", "subtype", start_logs, ROUTE_JAILS_LOGS, 2 },
		{ "get-jail-log", "log", start_logs, ROUTE_JAILS_LOGS, 3 },
	};

	if (o->choices != NULL)
		offer_all(c, o->choices);
	else if (strcmp(o->metavar, "FILE") == 0)
		offer_files(
		    c, strcmp(o->name, "env-file") == 0 ? "" : " yml yaml");
	else if (strcmp(o->metavar, "DIR") == 0)
		offer_files(c, "");
	else if (strcmp(o->name, "datacenter") == 0)
		offer_datacenters(c);
	for (size_t i = 0; i < ARRAY_LEN(sources); i++)
		if (strcmp(o->name, sources[i].option) == 0 &&
		    (sources[i].cmd == NULL ||
			(c->cmd != NULL &&
			    strcmp(c->cmd->name, sources[i].cmd) == 0)))
			offer_source(c, &sources[i]);
}

/* The command's own words: a verb, then what its row says. */
static void
offer_word(struct completion *c)
{
	static const struct source entrypoints = { NULL, "ENTRYPOINT",
		start_entrypoint, 0, 0 };
	static const struct source names = { NULL, "project", start_project, 0,
		0 };
	const char *words = c->cmd->words;
	bool first = c->words_n == 0;

	if (words == NULL || c->words_n >= c->cmd->words_max)
		return;
	if (first && c->cmd->verbs != NULL)
		offer_all(c, c->cmd->verbs);
	else if (strstr(words, "[COMMAND]") != NULL)
		offer_commands(c);
	else if (strstr(words, "FILE") != NULL)
		offer_files(c, " yml yaml");
	else if (strstr(words, "ENTRYPOINT") != NULL &&
	    c->words_n == (c->cmd->verbs != NULL))
		offer_source(c, &entrypoints);
	else if (strstr(words, "[NAME]") != NULL)
		offer_source(c, &names);
}

/* Reads what comes before the word; the option whose value it is, or NULL. */
static const struct cmd_opt *
read_words(struct completion *c, const struct cmd_strs *words)
{
	struct session *s = c->session;
	const struct cmd_opt *o = NULL;
	const char *value = NULL, *file = NULL;
	bool next = false;

	for (size_t i = 0; i + 1 < words->n; i++) {
		const char *w = words->items[i];

		if (next) {
			value = w;
			next = false;
		} else if (w[0] == '-' && w[1] != '\0') {
			o = cmd_find_opt(c->cmd, w, &value, &next);
		} else if (c->cmd == NULL) {
			c->cmd = cmd_find(w);
			c->lost |= c->cmd == NULL;
		} else {
			c->words_n++;
		}
		if (o != NULL && value != NULL && strcmp(o->name, "file") == 0)
			file = value;
		if (o != NULL && value != NULL &&
		    strcmp(o->name, "env-file") == 0)
			s->args.env_file = value;
		value = NULL;
	}
	(void)session_load_env(s);
	if (file != NULL && strcmp(file, "-") != 0)
		(void)session_load_spec(s, file);
	return next ? o : NULL;
}

static void
complete(struct completion *c, const struct cmd_opt *pending)
{
	const char *eq = strchr(c->cur, '=');
	const struct cmd_opt *o;
	const char *value;
	bool next;

	if (pending != NULL) {
		offer_values(c, pending);
	} else if (strncmp(c->cur, "--", 2) == 0 && eq != NULL) {
		o = cmd_find_opt(c->cmd, c->cur, &value, &next);
		c->prefix = arena_strndup(
		    &c->session->arena, c->cur, (size_t)(eq + 1 - c->cur));
		c->cur = eq + 1;
		if (o != NULL && o->metavar != NULL && c->prefix != NULL)
			offer_values(c, o);
	} else if (c->cur[0] == '-') {
		if (c->cmd != NULL)
			offer_options(c, c->cmd->opts, c->cmd->opts_n);
		offer_options(c, cmd_globals, cmd_globals_n);
	} else if (c->cmd == NULL) {
		offer_commands(c);
	} else {
		offer_word(c);
	}
}

static enum exitcode
run(struct session *s)
{
	const struct cmd_strs *words = &s->args.words;
	struct completion c = { .session = s, .prefix = "", .cur = "" };
	const struct cmd_opt *pending;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	/* Whoever presses a key wants to hear nothing. */
	if (null >= 0)
		(void)dup2(null, STDERR_FILENO);
	s->out.level = OUT_QUIET;
	if (words->n > 0)
		c.cur = words->items[words->n - 1];
	pending = read_words(&c, words);
	if (!c.lost)
		complete(&c, pending);
	return EXIT_CODE_OK;
}

const struct cmd cmd_complete = {
	.name = "__complete",
	.group = CMD_HIDDEN,
	.flags = CMD_BARE | CMD_RAW,
	.summary = "Say what a word could become",
	.words = "[WORD]...",
	.words_max = 1024,
	.run = run,
};
