/* SPDX-License-Identifier: ISC */
/*
 * Making a container: words to record to row.  The steps of "create" and "run".
 */
#ifndef POD_CREATE_H
#define POD_CREATE_H

#include "pod-run/ctx.h"
#include "pod-run/life/image.h"
#include "pod-run/oci/spec_options.h"
#include "pod-run/state/ctr.h"

struct create {
	struct ctx *x;
	const struct spec_options *o;

	/* Ours. */
	struct spec_defaults defaults;
	struct spec_input input;
	struct rec_ctr_config config;
	struct image_pull pull;
	struct peer_in image;
	uint32_t image_seq;
	struct ctr ctr;	   /* after create_record */
	struct strv needs; /* IDs of containers it stands on */
	int lock;	   /* of that container */
	/* What inspect shows of it: for events_container_create_inspect_data.  NULL: nobody can tell. */
	json_t *(*describe)(struct ctx *x, const struct ctr *c);
	int userns_lock; /* held from choosing ids (--userns=auto) until the row is written, or -1 */
	int names_lock;	 /* held from making up a name until the row is written, or -1 */
	struct arena arena;
};
void create_init(struct create *c, struct ctx *x, const struct spec_options *o);
void create_free(struct create *c);
#define own_create own(create_free)

/* What the configuration and the host contribute, into defaults; create_read does it by itself. */
int create_defaults(struct create *c, struct err *e);

/* Reads the words: argv[0] is the image.  Every error of the command line comes up here. */
int create_read(struct create *c, int argc, char **argv, struct err *e);

/* Asks the store for the image. */
int create_ask(struct create *c, struct err *e);

/* Takes the answer (pulls if need be) and completes the configuration and c->ctr. */
int create_merge(struct create *c, struct err *e);

/*
 * Looks up the containers that are named in the words, removes a container to be replaced (--replace)
 * and chooses the name.
 */
int create_resolve(struct create *c, struct err *e);

/* Writes the row, which takes the name, and the --cidfile; the container is locked afterwards. */
int create_record(struct create *c, struct err *e);

/* Names of the volumes it mounts that are not there yet, and which its first start makes; an error if it may not. */
int create_fresh_volumes(struct create *c, struct strv *out, struct err *e);

/*
 * Makes the volumes that it mounts, as far as they are the store's own, so that they are there before it starts;
 * with prepare_volume_on_create they get the content of the image as well.
 */
int create_volumes(struct create *c, struct err *e);

/* After a failure that shall leave no container behind. */
void create_forget(struct create *c);

#endif
