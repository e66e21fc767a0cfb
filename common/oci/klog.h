/* SPDX-License-Identifier: ISC */
/*
 * The k8s-file log of a container.  One record for each piece of a line:
 *
 *	2024-01-02T15:04:05.123456789+00:00 stdout F text
 *
 * local time with nine digits and a numeric zone (never Z), the stream, F for a piece that ends its
 * line or P for one that does not, the text, a newline.
 */
#ifndef POD_KLOG_H
#define POD_KLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

enum klog_stream { KLOG_STDOUT, KLOG_STDERR };

#define KLOG_PREFIX 45 /* bytes before the text */
#define KLOG_RECORD_MAX \
	65536 /* longest record a reader takes as one; longer ones come in pieces \
	       */

/* --- Writing: no allocation, nothing but writev on the descriptor -------------------------------
 */

struct klog_writer {
	int fd;		  /* open for appending; -1: everything is dropped */
	int64_t size;	  /* bytes in the file */
	int64_t size_max; /* 0 or less: no limit */
	bool is_volatile; /* who closes it need not sync it */
	/* Of all that was ever written, and what is beyond is dropped; 0 or less: no limit. */
	int64_t total, total_max;
	/*
	 * Called when the next record would make the file larger than size_max: puts another
	 * descriptor and size in place, or leaves both as they are.
	 */
	void (*rotate)(struct klog_writer *w, void *arg);
	void *arg;
};

/*
 * Appends n bytes of output, one record for each line or piece of one; a record is never split by a
 * rotation.  Returns 0, or -1 with errno if some of it could not be written (it is lost then).
 */
int klog_write(struct klog_writer *w, enum klog_stream stream, const char *data, size_t n);

/* --- Reading -----------------------------------------------------------------------------------
 */

struct klog_line {
	int64_t time_ns; /* since 1970 */
	enum klog_stream stream;
	bool partial; /* the line goes on in the next record of this stream */
	const char *text;
	size_t n;
	/* The time as it stands in the file, for "logs -t". */
	char stamp[40];
};

/*
 * Takes one record of n bytes without its newline apart.  text points into s.  Returns 0, or -1 if
 * it is not a record.
 */
int klog_parse(const char *s, size_t n, struct klog_line *line);

struct klog_reader;

/* Of records of that time; 0: from the beginning, to the end.  It has no file yet.  Opens nothing by itself. */
struct klog_reader *klog_new(int64_t since_ns, int64_t until_ns);
void klog_free(struct klog_reader *r); /* NULL is fine */

/* Goes on at the offset of that regular file, which is the reader's from now on; what was half read is dropped. */
void klog_take_file(struct klog_reader *r, int take_fd);

/*
 * Moves the file's offset to the first record of its last *tail lines, and takes those that there are from *tail; an
 * unfinished last one counts.
 */
int klog_tail(struct klog_reader *r, int64_t *tail, struct err *e);

/*
 * The next record of that time.  Returns 1; 0 if there is none (yet); -1 with e set.  line is valid until the next
 * call.  Bytes that are no record are passed over.
 */
int klog_next(struct klog_reader *r, struct klog_line *line, struct err *e);

/* True once a record after until_ns was met: nothing more will come. */
bool klog_is_past(const struct klog_reader *r);

#endif
