/* SPDX-License-Identifier: ISC */
/*
 * Diagnostics on standard error, as logrus writes them:
 *	time="2026-01-02T15:04:05+01:00" level=warning msg="…"
 * What a user has to be told is an error value or the command's output, not a log line.
 */
#ifndef POD_LOG_H
#define POD_LOG_H

#include <stdbool.h>

#include "common/base/err.h"

enum log_level {
	LOG_LEVEL_PANIC,
	LOG_LEVEL_FATAL,
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN, /* the level at the start */
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_TRACE,
};

/* "trace" … "panic", any case, "warning" too; the error is Podman's text for a bad --log-level. */
int log_level_parse(const char *name, enum log_level *out, struct err *e);
const char *log_level_name(enum log_level level);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
bool log_enabled(enum log_level level);

/* Where the lines go, instead of descriptor 2. */
void log_set_fd(int fd);

/* Diagnostics also go to syslog(3), under this name. */
void log_set_syslog(const char *name);

/* Each call writes one line with one write(2); control characters are escaped.  errno is kept. */
void log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_trace(...) log_at(LOG_LEVEL_TRACE, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...) log_at(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) log_at(LOG_LEVEL_ERROR, __VA_ARGS__)

#endif
