/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The socket to syslogd: see log_syslog.h. Both kinds are connected, so that
 * a syslogd that has gone shows as an error of send(2); then the socket is made
 * anew, which never waits, and the message sent once more.
 */
#include "lib/base/log_syslog.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"

/* What every syslogd takes, and FreeBSD's local sockets carry. */
#define MESSAGE_LEN 2000
#define HOST_LEN 256

/* By the numbers of RFC 3164, under the names of syslog.conf(5). */
const char *const log_facilities[LOG_FACILITY_COUNT + 1] = { "kern", "user",
	"mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron",
	"authpriv", "ftp", "ntp", "security", "console", "solaris-cron",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6",
	"local7", NULL };

static const int severities[LOG_LEVEL_COUNT] = {
	[LOG_LEVEL_CRITICAL] = LOG_CRIT,
	[LOG_LEVEL_ERROR] = LOG_ERR,
	[LOG_LEVEL_WARN] = LOG_WARNING,
	[LOG_LEVEL_NOTICE] = LOG_NOTICE,
	[LOG_LEVEL_INFO] = LOG_INFO,
	[LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

struct log_syslog {
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	} to;
	socklen_t to_len;
	int fd;
	int facility;
	char *ident;
	/* With a blank behind it; empty where syslogd knows. */
	char host[HOST_LEN + 1];
	/* Since the last message that was sent. */
	uint64_t lost;
};

int
log_facility_from_string(const char *name)
{
	int i;

	for (i = 0; log_facilities[i] != NULL; i++)
		if (strcmp(log_facilities[i], name) == 0)
			return i;
	return -1;
}

static int
set_path(struct log_syslog *s, const char *path, struct error *e)
{
	if (strlen(path) >= sizeof(s->to.un.sun_path))
		return error_set(
		    e, OVE_INVALID, "the path '%s' is too long", path);
	s->to.un.sun_family = AF_UNIX;
	memcpy(s->to.un.sun_path, path, strlen(path) + 1);
	s->to_len = sizeof(s->to.un);
	return 0;
}

static int
set_host(
    struct log_syslog *s, const struct log_syslog_config *c, struct error *e)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM,
		.ai_flags = c->may_wait ? 0 : AI_NUMERICHOST };
	struct addrinfo *found = NULL;
	char port[8];
	int r;

	(void)snprintf(port, sizeof(port), "%u", (unsigned)c->port);
	r = getaddrinfo(
	    strcmp(c->host, "localhost") == 0 ? "127.0.0.1" : c->host, port,
	    &hints, &found);
	if (r == EAI_NONAME && !c->may_wait)
		return error_set(e, OVE_INVALID,
		    "'%s' is not an address, and names are looked up at a "
		    "start only",
		    c->host);
	if (r != 0)
		return error_set(
		    e, OVE_INVALID, "'%s': %s", c->host, gai_strerror(r));
	memcpy(&s->to, found->ai_addr, found->ai_addrlen);
	s->to_len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static int
set_address(struct log_syslog *s, const struct log_syslog_config *c,
    const struct log_syslog *known, struct error *e)
{
	size_t len;

	if (c->host == NULL)
		return set_path(s, c->path != NULL ? c->path : _PATH_LOG, e);
	if (gethostname(s->host, HOST_LEN) < 0 || s->host[0] == '\0')
		(void)snprintf(s->host, HOST_LEN, "localhost");
	s->host[HOST_LEN - 1] = '\0';
	/* The name alone, says RFC 3164. */
	len = strcspn(s->host, ".");
	memcpy(s->host + len, " ", 2);
	if (known == NULL)
		return set_host(s, c, e);
	s->to = known->to;
	s->to_len = known->to_len;
	return 0;
}

/* Neither kind waits: there is nobody to shake hands with. */
static int
connect_anew(struct log_syslog *s, struct error *e)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = socket(
	    s->to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return error_set_errno(e, errno, "socket");
	if (connect(s->fd, &s->to.any, s->to_len) == 0)
		return 0;
	(void)error_set_errno(e, errno, "syslogd%s%s",
	    s->to.any.sa_family == AF_UNIX ? " at " : "",
	    s->to.any.sa_family == AF_UNIX ? s->to.un.sun_path : "");
	(void)close(s->fd);
	s->fd = -1;
	return -1;
}

int
log_syslog_new(struct log_syslog **ret, const struct log_syslog_config *c,
    const struct log_syslog *known, struct error *e)
{
	AUTO(log_syslog) struct log_syslog *s = mem_calloc(1, sizeof(*s));

	if (s == NULL)
		return error_nomem(e);
	s->fd = -1;
	s->facility = c->facility;
	s->lost = known != NULL ? known->lost : 0;
	if ((s->ident = mem_strdup(c->ident)) == NULL)
		return error_nomem(e);
	if (set_address(s, c, known, e) < 0)
		return -1;
	tzset();
	(void)connect_anew(s, NULL);
	*ret = STEAL(s);
	return 0;
}

struct log_syslog *
log_syslog_free(struct log_syslog *s)
{
	if (s == NULL)
		return NULL;
	if (s->fd >= 0)
		(void)close(s->fd);
	mem_free(s->ident);
	mem_free(s);
	return NULL;
}

int
log_syslog_check(struct log_syslog *s, struct error *e)
{
	return s->fd >= 0 ? 0 : connect_anew(s, e);
}

static size_t
put_head(const struct log_syslog *s, enum log_level level, int64_t wall_ms,
    char *buf, size_t len)
{
	/* The language of the process does not matter here. */
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm = { 0 };
	int n;

	(void)localtime_r(&t, &tm);
	n = snprintf(buf, len, "<%d>%s %2d %02d:%02d:%02d %s%.64s[%d]: ",
	    s->facility << 3 | severities[level], months[tm.tm_mon], tm.tm_mday,
	    tm.tm_hour, tm.tm_min, tm.tm_sec, s->host, s->ident, (int)getpid());
	return n < 0 ? 0 : (size_t)n;
}

static bool
is_full(int sys)
{
	return sys == EAGAIN || sys == ENOBUFS || sys == EMSGSIZE ||
	    sys == ENOMEM;
}

static bool
send_raw(struct log_syslog *s, const char *p, size_t len)
{
	if (s->fd >= 0 && send(s->fd, p, len, MSG_NOSIGNAL) >= 0)
		return true;
	if (s->fd >= 0 && is_full(errno))
		return false;
	return connect_anew(s, NULL) == 0 &&
	    send(s->fd, p, len, MSG_NOSIGNAL) >= 0;
}

static bool
send_one(struct log_syslog *s, enum log_level level, int64_t wall_ms,
    const char *text, size_t len)
{
	static const char dots[] = { '.', '.', '.' };
	char buf[MESSAGE_LEN];
	size_t head = put_head(s, level, wall_ms, buf, sizeof(buf));
	size_t room = sizeof(buf) - head;

	if (len > room) {
		len = utf8_whole_len(text, room - sizeof(dots));
		memcpy(buf + head, text, len);
		memcpy(buf + head + len, dots, sizeof(dots));
		return send_raw(s, buf, head + len + sizeof(dots));
	}
	memcpy(buf + head, text, len);
	return send_raw(s, buf, head + len);
}

bool
log_syslog_send(struct log_syslog *s, enum log_level level, int64_t wall_ms,
    const char *text, size_t len)
{
	char note[64];
	int n;

	if (s->lost > 0) {
		n = snprintf(note, sizeof(note),
		    "%" PRIu64 " messages were lost", s->lost);
		if (!send_one(s, LOG_LEVEL_WARN, wall_ms, note, (size_t)n)) {
			s->lost++;
			return false;
		}
		s->lost = 0;
	}
	if (send_one(s, level, wall_ms, text, len))
		return true;
	s->lost++;
	return false;
}
