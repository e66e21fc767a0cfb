/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "common/base/own.h"
#include "pod-monitor/stdio/stream.h"

#define ROUNDS 16 /* packets between two looks at other events */

void
streams_init(struct streams *s)
{
	s->src[0] = (struct source){.fd = -1, .kind = MONITOR_PACKET_OUT};
	s->src[1] = (struct source){.fd = -1, .kind = MONITOR_PACKET_ERR};
	s->in = s->journal.fd = -1;
	s->journal.space = &s->journal_space;
	clients_init(&s->clients);
}

void
streams_resize(struct streams *s, unsigned rows, unsigned columns)
{
	struct winsize w = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};

	s->rows = rows;
	s->columns = columns;
	if (s->terminal && s->in >= 0)
		ioctl(s->in, TIOCSWINSZ, &w);
}

void
streams_terminal(struct streams *s, int master, unsigned rows, unsigned columns)
{
	struct termios t;

	fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
	if (tcgetattr(master, &t) == 0) {
		t.c_oflag |= ONLCR;
		tcsetattr(master, TCSANOW, &t);
	}
	s->src[0].fd = s->in = master;
	s->src[0].ready = true;
	s->waiting = false;
	s->in_full = false;
	/* A size asked for meanwhile is newer than the one of the start. */
	if (s->rows != 0 || s->columns != 0)
		streams_resize(s, s->rows, s->columns);
	else if (rows != 0 || columns != 0)
		streams_resize(s, rows, columns);
}

static void
close_source(struct streams *s, struct source *src)
{
	if (s->terminal && src == &s->src[0])
		s->in = -1;
	fd_close(&src->fd);
	src->ready = false;
}

static void
close_input(struct streams *s)
{
	if (!s->terminal)
		fd_close(&s->in);
}

/* --- Output ------------------------------------------------------------------------------------
 */

/* A log that cannot be written (disk full) must not hold up the container or clients. */
static void
write_logs(struct streams *s, enum klog_stream stream, const char *data, size_t n)
{
	for (size_t i = 0; i < s->logs_n; i++)
		klog_write(&s->logs[i], stream, data, n);
	if (s->journal.fd >= 0)
		journal_write(&s->journal, stream, data, n);
}

/*
 * Reads at most max bytes behind the packet's first one and logs them.  Returns the packet's length;
 * 0 if there was nothing.
 */
static size_t
read_source(struct streams *s, struct source *src, uint8_t *packet, size_t max)
{
	ssize_t n = read(src->fd, packet + 1, max);
	enum klog_stream stream = src->kind == MONITOR_PACKET_OUT ? KLOG_STDOUT : KLOG_STDERR;

	if (n <= 0) {
		if (n < 0 && errno == EINTR)
			return 0;
		src->ready = false;
		/* EIO is the end of a terminal for now: the container may open it again. */
		if (n == 0 || (errno != EAGAIN && !(errno == EIO && s->terminal && !s->orphan)))
			close_source(s, src);
		return 0;
	}
	packet[0] = src->kind;
	write_logs(s, stream, (const char *)packet + 1, (size_t)n);
	return (size_t)n + 1;
}

static struct source *
next_source(struct streams *s, unsigned round)
{
	for (unsigned i = 0; i < 2; i++) {
		struct source *src = &s->src[(round + i) % 2];

		if (src->fd >= 0 && src->ready)
			return src;
	}
	return NULL;
}

static bool
backlog_pop(struct streams *s)
{
	uint8_t *b = s->backlog + s->backlog_at;

	if (s->backlog_at == s->backlog_n)
		return false;
	s->packet_n = (size_t)b[0] << 8 | b[1];
	memcpy(s->packet, b + 2, s->packet_n);
	s->backlog_at += 2 + s->packet_n;
	return true;
}

static void
set_logged(struct streams *s)
{
	journal_flush(&s->journal);
	s->logged = true;
}

/*
 * Some client is slow and the container has ended: the rest goes to the logs now, so that the end
 * can be recorded, and is kept for the clients.  What a process that outlived the container writes
 * beyond the room for it is not read.
 */
static void
backlog_fill(struct streams *s)
{
	for (unsigned round = 0; s->backlog_n + 3 + MONITOR_CHUNK <= sizeof(s->backlog); round++) {
		struct source *src = next_source(s, round);
		uint8_t *b = s->backlog + s->backlog_n;
		size_t n;

		if (src == NULL)
			break;
		n = read_source(s, src, b + 2, MONITOR_CHUNK);
		if (n == 0)
			continue;
		b[0] = (uint8_t)(n >> 8);
		b[1] = (uint8_t)n;
		s->backlog_n += 2 + n;
	}
	set_logged(s);
}

static bool
copy_output(struct streams *s)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct source *src;

		if (s->packet_n > 0) {
			if (!clients_send(&s->clients, s->packet, s->packet_n)) {
				if (s->draining && !s->logged)
					backlog_fill(s);
				return false;
			}
			s->packet_n = 0;
		}
		if (!backlog_pop(s)) {
			src = s->running && !s->logged ? next_source(s, round) : NULL;
			if (src == NULL) {
				if (s->draining)
					set_logged(s);
				return false;
			}
			s->packet_n = read_source(s, src, s->packet,
			    clients_any(&s->clients) ? MONITOR_CHUNK : STREAM_CHUNK);
			/* Nobody is there to get it. */
			if (!clients_any(&s->clients))
				s->packet_n = 0;
		}
		if (s->packet_n > 0)
			clients_owe(&s->clients);
	}
	return true;
}

/* --- Input -------------------------------------------------------------------------------------
 */

/* Writes what client i has in its buffer.  Returns false if the container takes no more now. */
static bool
write_input(struct streams *s, int i)
{
	struct client *c = &s->clients.c[i];

	while (c->in_n > 0) {
		ssize_t n = s->in < 0 ? (ssize_t)c->in_n
				      : write(s->in, s->clients.in[i] + c->in_at, c->in_n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			s->in_full = true;
			return false;
		}
		if (n < 0) {
			/* The container has closed its input: what comes is dropped. */
			close_input(s);
			n = (ssize_t)c->in_n;
		}
		c->in_at += (size_t)n;
		c->in_n -= (size_t)n;
	}
	return true;
}

static bool
copy_input(struct streams *s)
{
	bool more = false;

	/* Mostly nobody is there, and this is asked after each bit of output. */
	if (s->waiting || s->in_full || !clients_any(&s->clients))
		return false;
	for (int i = 0; i < CLIENTS_MAX; i++) {
		for (unsigned round = 0; round < ROUNDS; round++) {
			if (!write_input(s, i))
				return false;

			int r = clients_receive(&s->clients, i);

			if (r == 0 && !s->leave_stdin_open)
				close_input(s);
			if (r <= 0)
				break;
			more |= round == ROUNDS - 1;
		}
		if (!write_input(s, i))
			return false;
	}
	return more;
}

bool
streams_copy(struct streams *s)
{
	bool out = copy_output(s);

	return copy_input(s) || out;
}

/* Look once more, whatever the kernel has reported so far. */
static void
look_again(struct streams *s)
{
	for (size_t i = 0; i < COUNTOF(s->src); i++)
		s->src[i].ready = s->src[i].fd >= 0;
}

void
streams_orphan(struct streams *s)
{
	s->orphan = s->running = true;
	look_again(s);
}

void
streams_drain(struct streams *s)
{
	s->draining = s->running = true;
	s->waiting = false;
	close_input(s);
	look_again(s);
}

bool
streams_is_logged(const struct streams *s)
{
	return s->logged;
}

bool
streams_is_done(const struct streams *s)
{
	return s->logged && s->packet_n == 0 && s->backlog_at == s->backlog_n;
}

size_t
streams_take_stderr(struct streams *s, char *buf, size_t size)
{
	size_t n = 0;

	while (n < size && s->src[1].fd >= 0) {
		ssize_t got = read(s->src[1].fd, buf + n, size - n);

		if (got <= 0)
			break;
		n += (size_t)got;
	}
	return n;
}
