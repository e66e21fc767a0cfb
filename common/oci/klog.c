/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/oci/klog.h"

#define KLOG_BATCH 65536
#define STAMP_LEN 35 /* 2024-01-02T15:04:05.123456789+00:00 */

static const char *const stream_names[] = {"stdout", "stderr"};

/* --- Writing -----------------------------------------------------------------------------------
 */

/* Writes v as n decimal digits. */
static void
put_digits(char *at, unsigned v, int n)
{
	while (n-- > 0) {
		at[n] = (char)('0' + v % 10);
		v /= 10;
	}
}

/* "STAMP stream " into at; exactly KLOG_PREFIX - 2 bytes. */
static void
format_prefix(char *at, enum klog_stream stream)
{
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	localtime_r(&ts.tv_sec, &tm);

	long zone = tm.tm_gmtoff < 0 ? -tm.tm_gmtoff : tm.tm_gmtoff;

	memcpy(at, "0000-00-00T00:00:00.000000000+00:00 ", STAMP_LEN + 1);
	put_digits(at, (unsigned)tm.tm_year + 1900, 4);
	put_digits(at + 5, (unsigned)tm.tm_mon + 1, 2);
	put_digits(at + 8, (unsigned)tm.tm_mday, 2);
	put_digits(at + 11, (unsigned)tm.tm_hour, 2);
	put_digits(at + 14, (unsigned)tm.tm_min, 2);
	put_digits(at + 17, (unsigned)tm.tm_sec, 2);
	put_digits(at + 20, (unsigned)ts.tv_nsec, 9);
	at[29] = tm.tm_gmtoff < 0 ? '-' : '+';
	put_digits(at + 30, (unsigned)(zone / 3600), 2);
	put_digits(at + 33, (unsigned)(zone / 60 % 60), 2);
	memcpy(at + STAMP_LEN + 1, stream_names[stream], 6);
	at[STAMP_LEN + 7] = ' ';
}

/* Records waiting to be written in one go. */
struct batch {
	char b[KLOG_BATCH];
	size_t n;
	int no; /* errno of the first failure */
};

static void
batch_flush(struct batch *b, struct klog_writer *w)
{
	if (b->n > 0 && file_put(w->fd, b->b, b->n) != 0 && b->no == 0)
		b->no = errno;
	b->n = 0;
}

static void
batch_add(struct batch *b, struct klog_writer *w, const char *p, size_t n)
{
	if (b->n + n > sizeof(b->b))
		batch_flush(b, w);
	if (n > sizeof(b->b)) {
		if (file_put(w->fd, p, n) != 0 && b->no == 0)
			b->no = errno;
		return;
	}
	memcpy(b->b + b->n, p, n);
	b->n += n;
}

int
klog_write(struct klog_writer *w, enum klog_stream stream, const char *data, size_t n)
{
	char prefix[KLOG_PREFIX];
	struct batch b;

	b.n = 0;
	b.no = 0;
	if (w->fd < 0)
		return 0;
	format_prefix(prefix, stream);
	prefix[KLOG_PREFIX - 1] = ' ';
	while (n > 0) {
		const char *nl = memchr(data, '\n', n);
		size_t piece = nl != NULL ? (size_t)(nl - data) + 1 : n;
		int64_t record = (int64_t)piece + KLOG_PREFIX + (nl == NULL);

		if (w->total_max > 0 && w->total >= w->total_max)
			break;
		if (w->size_max > 0 && w->size + record > w->size_max) {
			batch_flush(&b, w);
			w->rotate(w, w->arg);
		}
		prefix[KLOG_PREFIX - 2] = nl != NULL ? 'F' : 'P';
		batch_add(&b, w, prefix, KLOG_PREFIX);
		batch_add(&b, w, data, piece);
		if (nl == NULL)
			batch_add(&b, w, "\n", 1);
		w->size += record;
		w->total += record;
		data += piece;
		n -= piece;
	}
	batch_flush(&b, w);
	errno = b.no;
	return b.no == 0 ? 0 : -1;
}

/* --- Reading -----------------------------------------------------------------------------------
 */

/* What each byte of a stamp may be: from low, and so many more. */
static const char stamp_low[] = "0000-00-00T00:00:00.000000000+00:00";
static const unsigned char stamp_more[STAMP_LEN] = {9, 9, 9, 9, 0, 9, 9, 0, 9, 9, 0, 9, 9, 0, 9, 9,
    0, 9, 9, 0, 9, 9, 9, 9, 9, 9, 9, 9, 9, '-' - '+', 9, 9, 0, 9, 9};

/* Without a branch for each byte, as it is done for every line of a log. */
static inline bool
stamp_has_shape(const char *s, size_t from, size_t to)
{
	unsigned char bad = 0;

	for (size_t i = from; i < to; i++)
		bad |= (unsigned char)(s[i] - stamp_low[i]) > stamp_more[i];
	return bad == 0;
}

static int
two_digits(const char *s)
{
	return (s[0] - '0') * 10 + (s[1] - '0');
}

/* Days since 1970 of a day of the Gregorian calendar; month 0 and months above 12 belong to other years. */
static int
days_since_1970(int year, int month, int day)
{
	/* Years begin with March here, so that the day that is not always there is their last. */
	unsigned months = (unsigned)((year + 400) * 12 + month - 3), y = months / 12,
		 m = months % 12;

	return (int)(y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5) + day - 1 - 719468 -
	       146097;
}

/* The stamp of exactly STAMP_LEN bytes; returns -1 if it is none. */
static int
parse_stamp(const char *s, int64_t *out)
{
	if (!stamp_has_shape(s, 0, 32) || !stamp_has_shape(s, 32, STAMP_LEN) || s[29] == ',')
		return -1;

	int day = days_since_1970(
	    two_digits(s) * 100 + two_digits(s + 2), two_digits(s + 5), two_digits(s + 8));
	int zone = two_digits(s + 30) * 3600 + two_digits(s + 33) * 60;
	int64_t seconds = (int64_t)day * 86400 + two_digits(s + 11) * 3600 +
			  two_digits(s + 14) * 60 + two_digits(s + 17) -
			  (s[29] == '-' ? -zone : zone);
	int nano = ((s[20] - '0') * 100 + two_digits(s + 21)) * 1000000 +
		   (two_digits(s + 23) * 100 + two_digits(s + 25)) * 100 + two_digits(s + 27);

	/* Years 0 to 9999 do not all fit into nanoseconds. */
	if (seconds < INT64_MIN / 1000000000 + 1 || seconds > INT64_MAX / 1000000000 - 1)
		return -1;
	*out = seconds * 1000000000 + nano;
	return 0;
}

int
klog_parse(const char *s, size_t n, struct klog_line *line)
{
	if (n < KLOG_PREFIX - 1 || s[STAMP_LEN] != ' ' || parse_stamp(s, &line->time_ns) != 0)
		return -1;

	const char *p = s + STAMP_LEN + 1;

	if (memcmp(p, "stdout ", 7) == 0)
		line->stream = KLOG_STDOUT;
	else if (memcmp(p, "stderr ", 7) == 0)
		line->stream = KLOG_STDERR;
	else
		return -1;
	p += 7;
	if (*p != 'F' && *p != 'P')
		return -1;
	/* Other writers put further tags behind the first, separated by colons. */
	line->partial = *p == 'P';

	const char *end = s + n, *text = memchr(p, ' ', (size_t)(end - p));

	line->text = text != NULL ? text + 1 : end;
	line->n = (size_t)(end - line->text);
	memcpy(line->stamp, s, STAMP_LEN);
	line->stamp[STAMP_LEN] = '\0';
	return 0;
}

struct klog_reader {
	int64_t since_ns, until_ns;
	int fd;
	bool past, skip; /* skip: the rest of an overlong record */
	size_t start, end;
	char buf[KLOG_RECORD_MAX];
};

/* Start of the record that ends right before offset from, itself the start of a record; -1: errno.
 */
static off_t
record_before(struct klog_reader *r, off_t from)
{
	char block[4096];

	for (off_t end = from - 1; end > 0;) {
		size_t n = end > (off_t)sizeof(block) ? sizeof(block) : (size_t)end;
		ssize_t got = pread(r->fd, block, n, end - (off_t)n);

		if (got != (ssize_t)n)
			return -1;

		const char *nl = memrchr(block, '\n', n);

		end -= (off_t)n;
		if (nl != NULL)
			return end + (nl - block) + 1;
	}
	return 0;
}

int
klog_tail(struct klog_reader *r, int64_t *tail, struct err *e)
{
	off_t size = lseek(r->fd, 0, SEEK_END), begin = size;
	int64_t lines = 0;

	while (begin > 0) {
		off_t at = record_before(r, begin);
		char tag = 'F';

		if (at < 0 || pread(r->fd, &tag, 1, at + KLOG_PREFIX - 2) < 0)
			return err_sys(e, "reading the log");
		if ((tag != 'P' || begin == size) && ++lines > *tail)
			break;
		begin = at;
	}
	if (lseek(r->fd, begin, SEEK_SET) < 0)
		return err_sys(e, "seeking in the log");
	*tail = lines > *tail ? 0 : *tail - lines;
	return 0;
}

struct klog_reader *
klog_new(int64_t since_ns, int64_t until_ns)
{
	struct klog_reader *r = xmalloc(sizeof(*r));

	memset(r, 0, offsetof(struct klog_reader, buf));
	r->since_ns = since_ns;
	r->until_ns = until_ns;
	r->fd = -1;
	return r;
}

void
klog_free(struct klog_reader *r)
{
	if (r == NULL)
		return;
	fd_close(&r->fd);
	free(r);
}

void
klog_take_file(struct klog_reader *r, int take_fd)
{
	fd_close(&r->fd);
	r->fd = take_fd;
	r->start = r->end = 0;
	r->skip = false;
}

/* Reads more.  1: there is more; 0: end of file; -1. */
static int
fill(struct klog_reader *r, struct err *e)
{
	if (r->start > 0) {
		memmove(r->buf, r->buf + r->start, r->end - r->start);
		r->end -= r->start;
		r->start = 0;
	}

	ssize_t n = read(r->fd, r->buf + r->end, sizeof(r->buf) - r->end);

	if (n < 0)
		return err_sys(e, "reading the log");
	r->end += (size_t)n;
	return n > 0;
}

/* The next record without its newline, of at most KLOG_RECORD_MAX - 1 bytes. */
static int
next_record(struct klog_reader *r, const char **s, size_t *n, struct err *e)
{
	for (;;) {
		char *at = r->buf + r->start;
		char *nl = memchr(at, '\n', r->end - r->start);

		if (nl != NULL) {
			bool skip = r->skip;

			*s = at;
			*n = (size_t)(nl - at);
			r->start += *n + 1;
			r->skip = false;
			if (skip)
				continue;
			return 1;
		}
		if (r->end - r->start == sizeof(r->buf)) {
			/* Longer than any record of ours: hand out its beginning, drop the rest. */
			bool skip = r->skip;

			*s = at;
			*n = sizeof(r->buf);
			r->start = r->end;
			r->skip = true;
			if (!skip)
				return 1;
			continue;
		}

		int more = fill(r, e);

		if (more <= 0)
			return more;
	}
}

int
klog_next(struct klog_reader *r, struct klog_line *line, struct err *e)
{
	const char *s;
	size_t n;
	int rc;

	if (r->past)
		return 0;
	while ((rc = next_record(r, &s, &n, e)) > 0) {
		if (klog_parse(s, n, line) != 0 || line->time_ns < r->since_ns)
			continue;
		if (r->until_ns != 0 && line->time_ns > r->until_ns) {
			r->past = true;
			return 0;
		}
		return 1;
	}
	return rc;
}

bool
klog_is_past(const struct klog_reader *r)
{
	return r->past;
}
