/* SPDX-License-Identifier: ISC */
// objs: pod-monitor/stdio/notify.o pod-monitor/stdio/journal.o pod-monitor/conmon.o
// objs: pod-monitor/logs.o
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "pod-monitor/conmon.h"
#include "pod-monitor/logs.h"
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

static size_t
waiting(int fd)
{
	char buf[64];
	size_t n = 0;

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		n++;
	return n;
}

Test(notify, takes_turns_with_others)
{
	int from[2], to[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, from), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, to), 0);
	for (int i = 0; i < NOTIFY_TURN + 1; i++)
		cr_assert_eq(send(from[0], "READY=1", 7, MSG_DONTWAIT), 7);
	notify_relay(from[1], to[0]);
	cr_assert_eq(waiting(to[1]), NOTIFY_TURN);
	notify_relay(from[1], to[0]);
	cr_assert_eq(waiting(to[1]), 1);
	notify_relay(from[1], to[0]);
	cr_assert_eq(waiting(to[1]), 0);
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

/* Who may write to the directory of a log may lay a link there, to a file that the monitor can write to. */
Test(logs, a_renewed_file_is_a_new_one)
{
	char dir[] = "/tmp/test-monitor-logs.XXXXXX", path[64], trap[64], victim[64], text[8] = "";
	const struct logs_owner owner = {.id = "0123456789abcdef", .name = "c"};
	struct rec_log_target t = {.driver = "k8s-file", .path = path, .files_max = 1};
	struct logs l = {0};
	struct err e = {0};
	struct stat st;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	snprintf(trap, sizeof(trap), "%s/log.tmp", dir);
	snprintf(victim, sizeof(victim), "%s/victim", dir);

	own_fd int kept = open(victim, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	cr_assert_eq(write(kept, "kept", 4), 4);
	cr_assert_eq(link(victim, trap), 0);
	cr_assert_eq(logs_open(&l, &t, 1, &owner, &e), 0, "%s", e.text);

	own_fd int fd = logs_renew(&l, 0, &e);

	cr_assert_geq(fd, 0, "%s", e.text);
	cr_expect_eq(pread(kept, text, sizeof(text) - 1, 0), 4);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_nlink, 1);
	cr_expect_eq(access(trap, F_OK), -1);
	for (const char *const *name = (const char *const[]){"log", "log.1", "victim", NULL};
	     *name != NULL; name++) {
		snprintf(trap, sizeof(trap), "%s/%s", dir, *name);
		cr_expect_eq(unlink(trap), 0, "%s", *name);
	}
	cr_expect_eq(rmdir(dir), 0);
	fd_close(&l.v[0].fd);
	fd_close(&l.v[0].dir);
}
