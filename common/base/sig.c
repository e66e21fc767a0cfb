/* SPDX-License-Identifier: ISC */
#include "common/base/sig.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/own.h"
#include "common/base/text.h"

/* What the kernel calls them; 32 and 33 are the C library's own, but a container may use them. */
#define RT_MIN 34
#define RT_MAX 64

static const struct {
	const char *name;
	int number;
} table[] = {
    {"ABRT", SIGABRT},
    {"ALRM", SIGALRM},
    {"BUS", SIGBUS},
    {"CHLD", SIGCHLD},
    {"CLD", SIGCHLD},
    {"CONT", SIGCONT},
    {"FPE", SIGFPE},
    {"HUP", SIGHUP},
    {"ILL", SIGILL},
    {"INT", SIGINT},
    {"IO", SIGIO},
    {"IOT", SIGABRT},
    {"KILL", SIGKILL},
    {"PIPE", SIGPIPE},
    {"POLL", SIGPOLL},
    {"PROF", SIGPROF},
    {"PWR", SIGPWR},
    {"QUIT", SIGQUIT},
    {"SEGV", SIGSEGV},
    {"STKFLT", SIGSTKFLT},
    {"STOP", SIGSTOP},
    {"SYS", SIGSYS},
    {"TERM", SIGTERM},
    {"TRAP", SIGTRAP},
    {"TSTP", SIGTSTP},
    {"TTIN", SIGTTIN},
    {"TTOU", SIGTTOU},
    {"URG", SIGURG},
    {"USR1", SIGUSR1},
    {"USR2", SIGUSR2},
    {"VTALRM", SIGVTALRM},
    {"WINCH", SIGWINCH},
    {"XCPU", SIGXCPU},
    {"XFSZ", SIGXFSZ},
};

static int
real_time(const char *s, int *out)
{
	int base = strncasecmp(s, "RTMIN", 5) == 0 ? RT_MIN : RT_MAX;
	uint64_t offset = 0;

	if (strncasecmp(s, "RTMIN", 5) != 0 && strncasecmp(s, "RTMAX", 5) != 0)
		return -1;
	s += 5;
	if (*s != '\0' && (*s != (base == RT_MIN ? '+' : '-') ||
			      text_to_u64(s + 1, RT_MAX - RT_MIN, &offset) < 0))
		return -1;
	*out = base == RT_MIN ? base + (int)offset : base - (int)offset;
	return 0;
}

int
sig_parse(const char *s, int *out, struct err *e)
{
	const char *name = strncasecmp(s, "SIG", 3) == 0 ? s + 3 : s;
	uint64_t number;

	if (text_to_u64(s, UINT64_MAX, &number) == 0) {
		if (number > RT_MAX)
			return err_set(e, ERR_INVALID, "valid signals are 1 through %d", RT_MAX);
		if (number > 0) {
			*out = (int)number;
			return 0;
		}
	}
	for (size_t i = 0; i < COUNTOF(table); i++)
		if (strcasecmp(table[i].name, name) == 0) {
			*out = table[i].number;
			return 0;
		}
	if (real_time(name, out) == 0)
		return 0;
	return err_set(e, ERR_INVALID, "invalid signal: %s", s);
}

void
sig_name(int number, char *out, unsigned size)
{
	for (size_t i = 0; i < COUNTOF(table); i++)
		if (table[i].number == number) {
			snprintf(out, size, "SIG%s", table[i].name);
			return;
		}
	if (number == RT_MIN)
		snprintf(out, size, "SIGRTMIN");
	else if (number > RT_MIN && number <= RT_MAX)
		snprintf(out, size, "SIGRTMIN+%d", number - RT_MIN);
	else
		snprintf(out, size, "%d", number);
}
