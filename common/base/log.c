/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"

static const char *const names[] = {
    [LOG_LEVEL_PANIC] = "panic",
    [LOG_LEVEL_FATAL] = "fatal",
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_TRACE] = "trace",
};

static enum log_level threshold = LOG_LEVEL_WARN;
static int log_fd = STDERR_FILENO;

int
log_level_parse(const char *name, enum log_level *out, struct err *e)
{
	for (size_t i = 0; i < COUNTOF(names); i++) {
		if (strcasecmp(name, names[i]) == 0 ||
		    (i == LOG_LEVEL_WARN && strcasecmp(name, "warn") == 0)) {
			*out = (enum log_level)i;
			return 0;
		}
	}
	return err_set(e, ERR_USAGE,
	    "Log Level \"%s\" is not supported, choose from: trace, debug, info, warn, warning, "
	    "error, "
	    "fatal, panic",
	    name);
}

const char *
log_level_name(enum log_level level)
{
	return names[level];
}

void
log_set_level(enum log_level level)
{
	threshold = level;
}

enum log_level
log_get_level(void)
{
	return threshold;
}

bool
log_enabled(enum log_level level)
{
	return level <= threshold;
}

void
log_set_fd(int fd)
{
	log_fd = fd;
}

/* RFC 3339 with the local zone, "Z" for UTC as Go writes it. */
static bool to_syslog;

void
log_set_syslog(const char *name)
{
	openlog(name, LOG_PID, LOG_USER);
	to_syslog = true;
}

static void
timestamp(char *out, size_t size)
{
	struct tm tm;
	time_t now = time(NULL);
	size_t n;
	long off;

	if (localtime_r(&now, &tm) == NULL)
		gmtime_r(&now, &tm);
	n = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
	off = tm.tm_gmtoff / 60;
	if (off == 0)
		snprintf(out + n, size - n, "Z");
	else
		snprintf(out + n, size - n, "%c%02ld:%02ld", off < 0 ? '-' : '+', labs(off) / 60,
		    labs(off) % 60);
}

/* Inside the quotes, '"' and '\' need a backslash of their own. */
static void
quote(const char *src, char *dst, size_t size)
{
	size_t n = 0;

	for (; *src != '\0' && n + 3 <= size; src++) {
		if (*src == '"')
			dst[n++] = '\\';
		dst[n++] = *src;
	}
	dst[n] = '\0';
}

void
log_at(enum log_level level, const char *fmt, ...)
{
	char text[2048], escaped[4096], quoted[6000], when[40], line[6100];
	int saved = errno, n;
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_escape(text, escaped, sizeof(escaped));
	quote(escaped, quoted, sizeof(quoted));
	if (to_syslog)
		syslog(level <= LOG_LEVEL_DEBUG ? LOG_DEBUG : LOG_NOTICE, "%s", escaped);
	timestamp(when, sizeof(when));
	n = snprintf(
	    line, sizeof(line), "time=\"%s\" level=%s msg=\"%s\"\n", when, names[level], quoted);
	/* Nobody can be told that telling failed. */
	if (n > 0)
		(void)!write(log_fd, line, (size_t)n);
	errno = saved;
}
