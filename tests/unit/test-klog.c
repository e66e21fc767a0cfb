/* SPDX-License-Identifier: ISC */
// objs: pod-run/cmd/logs_chain.o
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/oci/klog.h"
#include "pod-run/cmd/logs_chain.h"

#define T "2024-01-02T15:04:05.123456789+00:00 "
#define FIRST INT64_C(1704207845123456789)

static char path[64];

static void
make_file(const char *text)
{
	snprintf(path, sizeof(path), "/tmp/test-klog.XXXXXX");

	own_fd int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(file_put(fd, text, strlen(text)), 0);
}

static void
cleanup(void)
{
	unlink(path);
}

TestSuite(klog, .fini = cleanup);

static void
append(const char *text)
{
	own_fd int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	cr_assert_eq(file_put(fd, text, strlen(text)), 0);
}

static void
no_rotation(struct klog_writer *w, void *arg)
{
	(void)w;
	++*(int *)arg;
}

/* What the log holds after its time stamps. */
static const char *
written(void)
{
	static char out[4096];
	char line[1024];
	own_file FILE *f = fopen(path, "re");

	out[0] = '\0';
	while (fgets(line, sizeof(line), f) != NULL)
		strncat(out, line + 36, sizeof(out) - strlen(out) - 1);
	return out;
}

Test(klog, writes_lines_and_pieces)
{
	make_file("");

	own_fd int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	struct klog_writer w = {.fd = fd};
	struct stat st;

	cr_expect_eq(klog_write(&w, KLOG_STDOUT, "one\ntwo\n\nthr", 12), 0);
	cr_expect_eq(klog_write(&w, KLOG_STDERR, "x\n", 2), 0);
	cr_expect_eq(klog_write(&w, KLOG_STDOUT, "ee\n", 3), 0);
	cr_expect_str_eq(written(),
	    "stdout F one\nstdout F two\nstdout F \nstdout P thr\nstderr F x\nstdout F ee\n");
	fstat(fd, &st);
	cr_expect_eq(w.size, st.st_size);
}

Test(klog, time_has_nine_digits_and_a_numeric_zone)
{
	setenv("TZ", "XXX-5:30", 1);
	tzset();
	make_file("");

	own_fd int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	struct klog_writer w = {.fd = fd};
	struct klog_line line;
	own_mem char *text = NULL;
	struct err e = {0};
	size_t n;

	klog_write(&w, KLOG_STDOUT, "a\n", 2);
	cr_assert_eq(file_read(AT_FDCWD, path, 1000, &text, &n, &e), 0);
	cr_expect_eq(strncmp(text + 29, "+05:30 stdout F a\n", 18), 0);
	cr_assert_eq(klog_parse(text, n - 1, &line), 0);
	cr_expect_leq(llabs(line.time_ns / 1000000000 - time(NULL)), 2);
}

Test(klog, asks_for_a_rotation_before_the_limit_is_passed)
{
	int asked = 0;

	make_file("");

	own_fd int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	struct klog_writer w = {.fd = fd, .size_max = 100, .rotate = no_rotation, .arg = &asked};

	klog_write(&w, KLOG_STDOUT, "1234\n", 5); /* 50 bytes */
	klog_write(&w, KLOG_STDOUT, "1234\n", 5);
	cr_expect_eq(asked, 0);
	klog_write(&w, KLOG_STDOUT, "1\n", 2);
	cr_expect_eq(asked, 1);
}

Test(klog, long_output_in_one_call)
{
	static char big[100000];

	memset(big, 'x', sizeof(big));
	big[50000] = '\n';
	make_file("");

	own_fd int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	struct klog_writer w = {.fd = fd};
	struct stat st;

	cr_expect_eq(klog_write(&w, KLOG_STDOUT, big, sizeof(big)), 0);
	fstat(fd, &st);
	cr_expect_eq(st.st_size, sizeof(big) + 2 * KLOG_PREFIX + 1);
	cr_expect_eq(w.size, st.st_size);
}

Test(klog, a_full_disk_loses_lines_and_says_so)
{
	struct klog_writer w = {.fd = open("/dev/full", O_WRONLY | O_CLOEXEC)};

	cr_expect_eq(klog_write(&w, KLOG_STDOUT, "a\n", 2), -1);
	cr_expect_eq(errno, ENOSPC);
	fd_close(&w.fd);
	cr_expect_eq(klog_write(&w, KLOG_STDOUT, "a\n", 2), 0);
}

Test(klog, parses_one_record)
{
	struct klog_line l;
	const char *s = T "stderr P some text ";

	cr_assert_eq(klog_parse(s, strlen(s), &l), 0);
	cr_expect_eq(l.time_ns, FIRST);
	cr_expect_eq(l.stream, KLOG_STDERR);
	cr_expect(l.partial);
	cr_expect_eq(l.n, 10);
	cr_expect_eq(memcmp(l.text, "some text ", 10), 0);
	cr_expect_str_eq(l.stamp, "2024-01-02T15:04:05.123456789+00:00");
	s = "2024-01-02T15:04:05.123456789-01:30 stdout F ";
	cr_assert_eq(klog_parse(s, strlen(s), &l), 0);
	cr_expect_eq(l.time_ns, FIRST + INT64_C(5400) * 1000000000);
	cr_expect_eq(l.n, 0);
}

/* The C library's calendar is the measure, for days that are none as well. */
Test(klog, knows_all_days)
{
	for (int year = 1678; year < 2262; year++) {
		for (int i = 0; i < 14 * 32; i++) {
			struct tm tm = {
			    .tm_year = year - 1900, .tm_mon = i / 32 - 1, .tm_mday = i % 32};
			int64_t want;
			struct klog_line l;
			char s[64];

			snprintf(s, sizeof(s), "%04d-%02d-%02dT00:00:00.000000000+00:00 stdout F ",
			    year, i / 32, i % 32);
			want = (int64_t)timegm(&tm) * 1000000000;
			cr_assert_eq(klog_parse(s, strlen(s), &l), 0);
			cr_assert_eq(l.time_ns, want, "%s", s);
		}
	}
}

Test(klog, refuses_what_is_no_record)
{
	static const char *const bad[] = {"", "text", T, T "stdout", T "stdout ", T "stdout X a",
	    T "stdlog F a", "2024-01-02T15:04:05.123456789Z      stdout F a",
	    "2024-01-02T15:04:05.12345678x+00:00 stdout F a",
	    "2024-01-02 15:04:05.123456789+00:00 stdout F a",
	    "2024-01-02T15:04:05.123456789,00:00 stdout F a",
	    "2024-01-02T15:04:05.123456789+00:/0 stdout F a",
	    "9999-01-02T15:04:05.123456789+00:00 stdout F a"};
	struct klog_line l;

	for (size_t i = 0; i < COUNTOF(bad); i++)
		cr_expect_eq(klog_parse(bad[i], strlen(bad[i]), &l), -1, "%s", bad[i]);
}

/* All texts the reader gives, with "+" behind those that go on. */
static const char *
texts(struct klog_reader *r)
{
	static char out[4096];
	struct klog_line l;
	struct err e = {0};

	out[0] = '\0';
	while (klog_next(r, &l, &e) == 1)
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%.*s%s ", (int)l.n, l.text,
		    l.partial ? "+" : "");
	cr_expect(!err_is_set(&e));
	return out;
}

static struct klog_reader *
open_log(int64_t tail, int64_t since, int64_t until)
{
	struct klog_reader *r = klog_new(since, until);
	struct err e = {0};

	klog_take_file(r, open(path, O_RDONLY | O_CLOEXEC));
	cr_assert(tail < 0 || klog_tail(r, &tail, &e) == 0);
	return r;
}

static void
query(int64_t tail, int64_t since, int64_t until, const char *wanted)
{
	struct klog_reader *r = open_log(tail, since, until);

	cr_expect_str_eq(texts(r), wanted);
	klog_free(r);
}

Test(klog, tail_counts_whole_lines)
{
	make_file(T "stdout F a\n" T "stdout P b\n" T "stdout F c\n" T "stderr F d\n");
	query(-1, 0, 0, "a b+ c d ");
	query(0, 0, 0, "");
	query(1, 0, 0, "d ");
	query(2, 0, 0, "b+ c d ");
	query(3, 0, 0, "a b+ c d ");
	query(99, 0, 0, "a b+ c d ");
	append(T "stdout P e\n");
	query(1, 0, 0, "e+ ");
	query(2, 0, 0, "d e+ ");
}

Test(klog, tail_of_long_records)
{
	static char big[20000];
	struct klog_line l;
	struct err e = {0};

	memset(big, 'x', sizeof(big) - 1);
	make_file(T "stdout F first\n");
	append(T "stdout F ");
	append(big);
	append("\n");
	append(T "stdout F last\n");

	struct klog_reader *r = open_log(2, 0, 0);

	cr_assert_eq(klog_next(r, &l, &e), 1);
	cr_expect_eq(l.n, sizeof(big) - 1);
	cr_assert_eq(klog_next(r, &l, &e), 1);
	cr_expect_eq(l.n, 4);
	klog_free(r);
}

Test(klog, since_and_until)
{
	make_file("2024-01-02T15:04:05.000000000+00:00 stdout F a\n"
		  "2024-01-02T15:04:06.000000000+00:00 stdout F b\n"
		  "2024-01-02T15:04:07.000000000+00:00 stdout F c\n");

	const int64_t s = INT64_C(1000000000), a = INT64_C(1704207845) * s;

	query(-1, a + s, 0, "b c ");
	query(-1, 0, a + s, "a b ");
	query(-1, a + s, a + s, "b ");
	query(-1, a + 3 * s, 0, "");
}

Test(klog, bytes_that_are_no_record_are_passed_over)
{
	make_file("rubbish\n\n" T "stdout F a\nmore\n" T "stdout F b\n");
	query(-1, 0, 0, "a b ");
	query(1, 0, 0, "b ");
}

Test(klog, a_record_longer_than_the_buffer)
{
	static char big[3 * KLOG_RECORD_MAX];

	memset(big, 'x', sizeof(big) - 1);
	make_file(T "stdout F ");
	append(big);
	append("\n" T "stdout F after\n");

	struct klog_line l;
	struct err e = {0};
	struct klog_reader *r = open_log(-1, 0, 0);

	cr_assert_eq(klog_next(r, &l, &e), 1);
	cr_expect_eq(l.n, KLOG_RECORD_MAX - KLOG_PREFIX);
	cr_assert_eq(klog_next(r, &l, &e), 1);
	cr_expect_eq(l.n, 5);
	cr_expect_eq(klog_next(r, &l, &e), 0);
	klog_free(r);
}

Test(klog, what_is_left_of_a_tail_comes_from_an_older_file)
{
	struct klog_reader *r;
	int64_t left = 5;
	struct err e = {0};

	make_file(T "stdout F a\n" T "stdout F b\n");
	r = open_log(-1, 0, 0);
	cr_assert_eq(klog_tail(r, &left, &e), 0);
	cr_expect_eq(left, 3);
	cr_expect_str_eq(texts(r), "a b ");
	klog_free(r);
}

/* A file of the chain with one record. */
static void
make_rotated(unsigned k, const char *record)
{
	char name[sizeof(path) + 12];
	FILE *f;

	snprintf(name, sizeof(name), "%s.%u", path, k);
	f = fopen(name, "we");
	cr_assert_not_null(f);
	fputs(record, f);
	fclose(f);
}

static const char *
texts_of(const struct logs_chain *c)
{
	static char text[64];
	struct klog_reader *r = klog_new(0, 0);

	klog_take_file(r, dup(c->fd));
	snprintf(text, sizeof(text), "%s", texts(r));
	klog_free(r);
	return text;
}

Test(klog, goes_through_the_chain_while_it_is_renamed)
{
	struct logs_chain c;
	struct err e = {0};
	char second[sizeof(path) + 12], third[sizeof(path) + 12];
	pid_t child;

	make_file(T "stdout F d\n");
	snprintf(second, sizeof(second), "%s.2", path);
	snprintf(third, sizeof(third), "%s.3", path);
	make_rotated(1, T "stdout F c\n");
	make_rotated(2, T "stdout F b\n");
	make_rotated(4, T "stdout F a\n");
	logs_chain_init(&c, path);
	/* The rotation has renamed one of them by now. */
	cr_assert_eq(logs_chain_open_oldest(&c, &e), 0);
	cr_expect_str_eq(texts_of(&c), "a ");
	child = fork();
	if (child == 0) {
		usleep(10000);
		_exit(rename(second, third));
	}
	cr_assert_eq(logs_chain_next(&c, &e), 1);
	cr_expect_str_eq(texts_of(&c), "b ");
	waitpid(child, NULL, 0);
	/* The next one is still where it was. */
	child = fork();
	if (child == 0) {
		char first[sizeof(path) + 12];

		snprintf(first, sizeof(first), "%s.1", path);
		usleep(10000);
		_exit(rename(first, second));
	}
	cr_assert_eq(logs_chain_next(&c, &e), 1);
	cr_expect_str_eq(texts_of(&c), "c ");
	waitpid(child, NULL, 0);
	cr_assert_eq(logs_chain_older(&c, &e), 1);
	cr_expect_str_eq(texts_of(&c), "b ");
	cr_assert_eq(logs_chain_older(&c, &e), 1);
	cr_expect_str_eq(texts_of(&c), "a ");
	cr_expect_eq(logs_chain_older(&c, &e), 0);
	logs_chain_free(&c);
	for (unsigned k = 1; k <= 4; k++) {
		snprintf(second, sizeof(second), "%s.%u", path, k);
		unlink(second);
	}
}

Test(klog, follows_growth_and_rotation)
{
	struct logs_chain c;
	struct err e = {0};
	char old[sizeof(path) + 2];
	struct klog_reader *r;

	make_file(T "stdout F a\n");
	logs_chain_init(&c, path);
	cr_assert_eq(logs_chain_open(&c, &e), 0);
	r = klog_new(0, 0);
	klog_take_file(r, dup(c.fd));
	cr_expect_str_eq(texts(r), "a ");
	append(T "stdout F b");
	cr_expect_str_eq(texts(r), "");
	logs_chain_wait(&c, 1);
	append("b\n");
	logs_chain_wait(&c, 1000);
	cr_expect_str_eq(texts(r), "bb ");
	cr_expect_not(logs_chain_is_rotated(&c));
	/* Written to the old file before the new one came. */
	append(T "stdout F c\n" T "stdout F cut");
	snprintf(old, sizeof(old), "%s.1", path);
	cr_assert_eq(rename(path, old), 0);

	own_fd int fresh = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	append(T "stdout F d\n");
	cr_expect(logs_chain_is_rotated(&c));
	cr_expect(logs_chain_is_many(&c));
	cr_expect_str_eq(texts(r), "c ");
	cr_assert_eq(logs_chain_next(&c, &e), 1);
	klog_take_file(r, dup(c.fd));
	cr_expect_str_eq(texts(r), "d ");
	append(T "stdout F e\n");
	logs_chain_wait(&c, 1000);
	cr_expect_str_eq(texts(r), "e ");
	klog_free(r);
	logs_chain_free(&c);
	unlink(old);
}

Test(klog, a_log_that_does_not_exist)
{
	struct logs_chain c;
	struct err e = {0};

	logs_chain_init(&c, "/dev/null/log");
	cr_expect_eq(logs_chain_open(&c, &e), -1);
	logs_chain_free(&c);
	logs_chain_init(&c, "/tmp/test-klog.which-is-missing");
	cr_expect_eq(logs_chain_open(&c, &e), -1);
	cr_expect_eq(e.no, ENOENT);
	logs_chain_free(&c);
	logs_chain_init(&c, "/tmp");
	cr_expect_eq(logs_chain_open(&c, &e), -1);
	logs_chain_free(&c);
}
