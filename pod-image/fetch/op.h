/* SPDX-License-Identifier: ISC */
/* The requests of pod-image that the worker has under way. */
#ifndef POD_IMAGE_FETCH_OP_H
#define POD_IMAGE_FETCH_OP_H

#include "common/wire/peer.h"
#include "pod-image/fetch/request.h"

struct op;
struct parts;
struct worker;

/*
 * How a kind of request ends: with the answer, or with -1 and e.  It may start op's next exchange
 * instead (request_start) and return 0.
 */
typedef int op_finish_fn(struct worker *w, struct op *op, struct err *e);

struct op { /* a request of pod-image under way */
	struct op *next;
	struct request r;
	uint32_t seq;
	op_finish_fn *finish;
	op_finish_fn
	    *rescue; /* called instead when r.failure is set; NULL: the failure is the answer */
	bool bulk;   /* one of the downloads of which only a few run at once */
	/* of a blob */
	int fd;
	char *want; /* its digest */
	uint64_t size, announced;
	bool any_size; /* size is only a bound */
	int64_t announced_ms;
	struct strbuf pending; /* bytes that the pipe did not take yet */
	size_t pending_at;
	bool paused;
	struct parts *parts; /* of which only these are wanted, or NULL */
	/* of a list of tags */
	struct strv tags;
	/* of what is sent */
	char *repository;
	struct strv mounts; /* repositories that may hold the blob too */
	struct upload *upload;
	uint64_t skip; /* bytes of the stream that the registry has already */
	bool starved;  /* the pipe was empty */
	struct strbuf data;
};

struct upload { /* a session of the registry */
	struct upload *next;
	uint64_t id;
	char *location;
	uint64_t sent;
	bool busy; /* an operation works with it */
};

struct worker {
	struct peer *peer;
	struct arena setup_arena;
	struct msg_fetch_setup setup;
	struct registry reg;
	struct op *ops;
	size_t nops;
	struct upload *uploads;
};

/* A new request, started by the loop when its turn comes. */
struct op *op_new(struct worker *w, uint32_t seq, op_finish_fn *finish);

/* Fails when there are too many already. */
int op_admit(const struct worker *w, struct err *e);

int op_check_repository(const char *repository, struct err *e);
int op_nonblocking(int fd, struct err *e);

/* What a request is about: /v2/REPOSITORY/TAIL OBJECT */
void op_target(struct op *op, const char *repository, const char *tail, const char *object);

/* To the stream of a blob; what the pipe does not take is kept, at most one buffer of libcurl's. */
int op_write(struct op *op, const char *p, size_t n, struct err *e);

#endif
