/* SPDX-License-Identifier: ISC */
/*
 * Clients attached to a container: sequenced-packet sockets that get every packet of output from
 * the moment they connect, and whose packets are the container's input.  No memory is allocated.
 */
#ifndef POD_STDIO_CLIENT_H
#define POD_STDIO_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/oci/monitor.h"

#define CLIENTS_MAX 64

struct client {
	int fd;		    /* -1: free */
	bool readable;	    /* there may be a packet; nothing is read while in_n > 0 */
	bool hung_up;	    /* the other side is closed for both directions */
	bool ended;	    /* no more input comes */
	bool owed;	    /* has not got the present packet yet */
	size_t in_n, in_at; /* input not written to the container yet */
};

/* The buffers stand apart so that those of clients that never come stay untouched memory. */
struct clients {
	struct client c[CLIENTS_MAX];
	unsigned n; /* how many are not free */
	uint8_t in[CLIENTS_MAX][MONITOR_INPUT_MAX];
};

void clients_init(struct clients *cs);

/* Takes fd.  Returns its index, or -1 (fd is closed then) if there are too many. */
int clients_add(struct clients *cs, int fd);
void clients_drop(struct clients *cs, int i);
void clients_drop_all(struct clients *cs);

/* True if there are any. */
bool clients_any(const struct clients *cs);

/* A new packet of output begins: all clients are owed it. */
void clients_owe(struct clients *cs);

/*
 * Sends the packet to those who have not got it.  Clients that are gone are dropped.  Returns true
 * when nobody is owed it any more, false if somebody's socket is full.
 */
bool clients_send(struct clients *cs, const void *packet, size_t n);

/*
 * Reads the next packet of client i into its empty buffer.  Returns 1 if there is input now; 0 at
 * the end of its input (reported once); -1 if nothing came.
 */
int clients_receive(struct clients *cs, int i);

#endif
