/* SPDX-License-Identifier: ISC */
/*
 * The conversation with a service.  We connect to it, as the caller; pod-run-remote speaks with it.
 */
#ifndef POD_REMOTE_H
#define POD_REMOTE_H

#include "common/base/json.h"
#include "pod-run/remote/dest.h"

struct remote {
	struct ctx *x;
	struct dest dest;
	char *api;  /* its version, once it was asked */
	char *name; /* the command's words, as errors name it */

	bool
	    attended; /* signals of the terminal are for the container: ssh shall not end by them */

	/* Inside. */
	struct peer *worker_, *dial_;
	bool connected_; /* the worker has a connection that takes a question */
};

/* Takes what is in *d. */
struct remote *remote_new(struct ctx *x, struct dest *d);
void remote_free(struct remote *r);

/* Another conversation with the same service, while one lasts. */
struct remote *remote_again(const struct remote *r);

/* Whether the service's interface is of that version or a later one: 0, or -1 with e. */
int remote_is_since(struct remote *r, int major, int minor, struct err *e);

/* What is asked; zero-initialised, made by the functions below. */
struct question {
	const char *method;
	const char *answer; /* as in remote_ask; NULL: document */
	struct strbuf path; /* below the version: "/containers/json" */
	struct strbuf query;
	const json_t *body; /* sent as JSON */
	const char *type;   /* of what is fed */
	char *auth;	    /* X-Registry-Auth, a secret of ours; or NULL */
	int in, out, err;   /* 0: none */
	bool feed, tty;
	int patience_ms;	 /* how long the service may say nothing; 0: no limit */
	const char *detach_keys; /* of an upgrade, or NULL */
	/* Told of each item of an answer in lines; -1 with e ends it. */
	int (*item)(void *arg, const json_t *j, struct err *e);
	/* Of an upgrade: told once the service has taken it; -1 with e ends it. */
	int (*opened)(void *arg, struct err *e);
	/* A descriptor (0: none), and who is told when it can be read. */
	int signals;
	int (*signalled)(void *arg, struct err *e);
	void *arg;
};
void question_free(struct question *q);
#define own_question own(question_free)

/* Appends to the path: the format's words as they are, each %s escaped as one part of a path. */
void question_path(struct question *q, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void question_put(struct question *q, const char *key, const char *value);
void question_put_bool(struct question *q, const char *key, bool value);
void question_put_int(struct question *q, const char *key, int64_t value);
/* "key=value" each, as {"key": ["value"]}; -1 with e for one without "=". */
int question_put_filters(
    struct question *q, const char *key, const struct strv *filters, struct err *e);

/* What was answered. */
struct reply {
	int status;
	json_t *document; /* or NULL; of HEAD, what is at the path */
	bool detached;
};
void reply_free(struct reply *a);
#define own_reply own(reply_free)

/* Of an answer, the texts of a list; what is none is passed over. */
struct strs remote_texts(const json_t *o, const char *key, struct arena *a);

/* The texts as a list; no key if there are none. */
void remote_put_strs(json_t *o, const char *key, const struct strs *l);

/* A line: title, and text of the service with its control characters escaped. */
void remote_print(FILE *to, const char *title, const char *s);

/*
 * Asks.  What the service refuses is -1, with its words in e: ERR_NOTFOUND for 404, ERR_EXISTS or ERR_INUSE for 409,
 * ERR_USAGE for 400.
 */
int remote_ask(struct remote *r, const struct question *q, struct reply *a, struct err *e);

/* The same in two halves. */
int remote_send(struct remote *r, const struct question *q, uint32_t *seq, struct err *e);
int remote_receive(
    struct remote *r, const struct question *q, uint32_t seq, struct reply *a, struct err *e);

#endif
