/* SPDX-License-Identifier: ISC */
// objs: pod-monitor/stdio/notify.o pod-monitor/stdio/journal.o pod-monitor/conmon.o
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/own.h"
#include "pod-monitor/conmon.h"
#include "pod-monitor/stdio/journal.h"
#include "pod-monitor/stdio/notify.h"

Test(notify, passes_only_the_state)
{
	static const char in[] =
	    "MAINPID=1\nREADY=1\nREADY=10\nFDSTORE=1\nSTATUS=up\nWATCHDOG=trigger";
	char out[sizeof(in) + 1];
	size_t n = notify_filter(in, sizeof(in) - 1, out);

	out[n] = '\0';
	cr_assert_str_eq(out, "READY=1\nSTATUS=up\nWATCHDOG=trigger\n");
}

/* What was sent, one message after the other. */
static const char *
sent(int fd)
{
	static char out[65536];
	size_t at = 0;
	ssize_t n;

	while ((n = recv(fd, out + at, sizeof(out) - at - 1, MSG_DONTWAIT)) > 0) {
		at += (size_t)n;
		out[at++] = '|';
	}
	out[at] = '\0';
	return out;
}

Test(journal, a_message_for_each_line)
{
	static struct journal_space space = {.fields = "CONTAINER_NAME=c\n"};
	struct journal j = {.space = &space, .fields_n = 17};
	char longer[JOURNAL_LINE_MAX + 3];
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	j.fd = pair[0];
	journal_write(&j, KLOG_STDOUT, "one\ntw", 6);
	journal_write(&j, KLOG_STDERR, "<4>bad\nerr\n", 11);
	journal_write(&j, KLOG_STDOUT, "o\nrest", 6);
	journal_flush(&j);
	cr_assert_str_eq(sent(pair[1]),
	    "MESSAGE=one\nPRIORITY=6\nCONTAINER_NAME=c\n|"
	    "MESSAGE=bad\nPRIORITY=4\nCONTAINER_NAME=c\n|"
	    "MESSAGE=err\nPRIORITY=3\nCONTAINER_NAME=c\n|"
	    "MESSAGE=two\nPRIORITY=6\nCONTAINER_NAME=c\n|"
	    "MESSAGE=rest\nPRIORITY=6\nCONTAINER_NAME=c\nCONTAINER_PARTIAL_MESSAGE=true\n|");
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\n';
	j.no_partial_mark = true;
	journal_write(&j, KLOG_STDOUT, longer, sizeof(longer));

	const char *s = sent(pair[1]);

	cr_assert_eq(strlen(s),
	    sizeof(longer) - 1 + 2 * strlen("MESSAGE=\nPRIORITY=6\nCONTAINER_NAME=c\n|"));
	close(pair[0]);
	close(pair[1]);
}

Test(conmon, log_targets)
{
	static const struct {
		const char *word, *driver, *path;
	} cases[] = {{"/a/b", "k8s-file", "/a/b"}, {":/a", "k8s-file", "/a"},
	    {"k8s-file:/a:b", "k8s-file", "/a:b"}, {"journald", "journald", "journald"},
	    {"journald:", "journald", ""}, {"none", "none", "none"}, {"foo:x", "foo", "x"}};
	struct err e = {0};

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct rec_log_target t = {0};
		char word[64];

		memcpy(word, cases[i].word, strlen(cases[i].word) + 1);
		cr_assert_eq(conmon_log_target(word, &t, &e), 0);
		cr_assert_str_eq(t.driver, cases[i].driver);
		cr_assert_str_eq(t.path, cases[i].path);
	}
}
