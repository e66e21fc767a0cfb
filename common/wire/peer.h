/* SPDX-License-Identifier: ISC */
/*
 * Connections between programs of the suite: AF_UNIX SOCK_SEQPACKET, one frame per packet.
 *
 * A frame is the msgpack array [version, message number, sequence, body]; body is the map of the
 * message, or nil when the map did not fit and lies in a sealed memfd, which is then the last
 * descriptor of the packet.  Requests and their answers carry the same sequence number; events of a
 * request under way (progress) carry it too; messages that belong to no request carry 0.
 *
 * What arrives is decoded strictly; a frame that is malformed, unknown, sent by the wrong role or
 * has other descriptors than its table says is the peer's fault: the connection is of no further
 * use.
 */
#ifndef POD_PEER_H
#define POD_PEER_H

#include "common/wire/msg.h"

#define PEER_VERSION 1
#define PEER_FD 3 /* where a helper finds its connection after exec */

struct peer;

/* A received message.  Free with peer_in_free, which also closes descriptors nobody took. */
struct peer_in {
	const struct wire_desc *desc;
	uint32_t seq;
	void *msg; /* struct msg_NAME of desc, in arena */
	struct arena arena;
};
void peer_in_free(struct peer_in *in);
#define own_peer_in own(peer_in_free)

/* True if in is the message NAME (a bare identifier); MSG_OF gives its struct. */
#define PEER_IS(in, name) ((in)->desc == &msg_##name##_desc)
#define MSG_OF(in, name) ((struct msg_##name *)(in)->msg)

/* Takes fd, which must be a connected SOCK_SEQPACKET socket.  Never fails. */
struct peer *peer_new(int fd, enum role self, enum role other);
void peer_free(struct peer *p); /* closes the connection; NULL is fine */
int peer_fd(const struct peer *p);
enum role peer_role(const struct peer *p);

/* A connected pair, both close-on-exec. */
int peer_pair(int fd[2], struct err *e);

/* A sequence number not used on this connection yet. */
uint32_t peer_next_seq(struct peer *p);

/*
 * Sends one message; descriptors in it are duplicated by the kernel and stay the caller's.  Waits
 * while the socket is full (at most 10 s).
 */
int peer_send(
    struct peer *p, const struct wire_desc *d, uint32_t seq, const void *msg, struct err *e);
int peer_send_error(struct peer *p, uint32_t seq, const struct err *what, struct err *e);
int peer_send_ok(struct peer *p, uint32_t seq, struct err *e);

/*
 * Receives one message.  timeout_ms: 0 does not wait, -1 waits for ever.
 * Returns 1 with *in filled; 0 at end of file; -1 with e set; PEER_NONE if nothing came in time.
 */
#define PEER_NONE (-2)
int peer_recv(struct peer *p, struct peer_in *in, int timeout_ms, struct err *e);

/*
 * Sends a request and waits for its answer, at most the request's deadline.  An error answer
 * becomes e and -1.  Messages that are not the answer go to on_event (NULL: refused), which may
 * return -1 to give up. On success in holds the answer, of the kind the request's table names.
 */
typedef int peer_event_fn(struct peer *p, struct peer_in *in, void *arg, struct err *e);
int peer_call(struct peer *p, const struct wire_desc *d, const void *msg, struct peer_in *in,
    peer_event_fn *on_event, void *arg, struct err *e);

/*
 * Nobody will wait for the answer to the request with this number: it is dropped when it comes, after a warning if it
 * is an error.
 */
void peer_disown(struct peer *p, uint32_t seq);

/* An answer that came while another was looked for: peer_wait finds it.  Taken over. */
int peer_keep(struct peer *p, struct peer_in *in, struct err *e);

/* The second half of peer_call, for requests sent earlier with peer_send. */
int peer_wait(struct peer *p, const struct wire_desc *d, uint32_t seq, struct peer_in *in,
    peer_event_fn *on_event, void *arg, struct err *e);

/*
 * Waits, once, for the answer to a set-up that was sent earlier and has nothing in it: *seq becomes 0, which stands for
 * none.
 */
int peer_settle(struct peer *p, const struct wire_desc *d, uint32_t *seq, struct err *e);

/* Fills e from a received error message. */
int peer_error(const struct msg_error *m, struct err *e);

/*
 * A server's table: which requests it takes, in which phases (its own mask), and who answers.  The
 * function answers itself (peer_send, now or later); when it returns -1, e is sent as the answer.
 */
#define PEER_ONCE 1u /* a second request of this kind ends the connection */
struct peer_handler {
	const struct wire_desc *desc;
	unsigned phases; /* mask; the server passes the present one */
	unsigned flags;
	int (*fn)(struct peer *p, struct peer_in *in, void *arg, struct err *e);
};

/*
 * Receives and serves one message without waiting.  Returns 1: served; 0: end of file; PEER_NONE;
 * -1: the peer broke the protocol (out of phase, not in the table, malformed), close it after one
 * log line. done is a mask over the table that remembers PEER_ONCE.
 */
int peer_serve(struct peer *p, const struct peer_handler *table, size_t n, unsigned phase,
    uint64_t *done, void *arg, struct err *e);

/* Descriptors in a queue: see net_setup_r.holder.  Sends n descriptors into the socket. */
int peer_queue_fds(int sock, const int *fds, size_t n, struct err *e);
/* Takes them out again; returns how many (at most max). */
int peer_unqueue_fds(int sock, int *fds, size_t max);

#endif
