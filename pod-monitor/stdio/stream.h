/* SPDX-License-Identifier: ISC */
/*
 * The streams of one container: output goes to the logs and then to every client, input of the
 * clients goes to the container.  Output is not read while some client has not taken the last
 * packet, so that nothing is lost and nothing piles up.  No memory is allocated.
 */
#ifndef POD_STDIO_STREAM_H
#define POD_STDIO_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/oci/klog.h"
#include "pod-monitor/stdio/client.h"
#include "pod-monitor/stdio/journal.h"

#define STREAM_LOGS_MAX 8
#define STREAM_CHUNK (32u << 10)    /* most that is read at once while nobody is attached */
#define STREAM_BACKLOG (256u << 10) /* more than two full pipes, headers included */

struct source {
	int fd;	      /* -1: closed */
	uint8_t kind; /* MONITOR_PACKET_x */
	bool ready;
};

struct streams {
	struct source src[2]; /* src[0] is standard output or the terminal */
	int in;	      /* container's standard input, -1: none; the terminal if there is one */
	bool in_full; /* it takes nothing at present */
	bool terminal, leave_stdin_open;
	bool waiting;  /* the terminal has not come yet: input stays with the clients */
	bool running;  /* output may be read */
	bool draining; /* the container has ended */
	bool orphan; /* nobody will say when the container ends: a terminal without users is the end
		      */
	bool logged; /* draining, and everything is in the logs */
	unsigned rows, columns; /* size asked for before there was a terminal */
	struct klog_writer logs[STREAM_LOGS_MAX];
	struct journal journal;
	size_t logs_n, journal_index;
	size_t packet_n; /* 0: none under way */
	size_t backlog_at, backlog_n;
	/* Large members last, so that small ones share pages. */
	struct clients clients;
	uint8_t packet[1 + STREAM_CHUNK];
	/* Packets read while draining that a slow client keeps back: length (2 bytes), packet. */
	uint8_t backlog[STREAM_BACKLOG];
	struct journal_space journal_space;
};

void streams_init(struct streams *s);

/* Takes the pty master: both standard input and output. */
void streams_terminal(struct streams *s, int master, unsigned rows, unsigned columns);
void streams_resize(struct streams *s, unsigned rows, unsigned columns);

/*
 * Copies what is ready, up to a bound.  Returns true if there was more to do: call again after
 * having looked at other events.
 */
bool streams_copy(struct streams *s);

/* The other half of the monitor died: serve until the streams end by themselves. */
void streams_orphan(struct streams *s);

/* The container has ended: from now on only what is there already is read. */
void streams_drain(struct streams *s);

/* True once all output is in the logs (streams_is_logged) and with the clients (streams_is_done).
 */
bool streams_is_logged(const struct streams *s);
bool streams_is_done(const struct streams *s);

/* What the container's standard error holds, instead of copying it.  Returns the count. */
size_t streams_take_stderr(struct streams *s, char *buf, size_t size);

#endif
