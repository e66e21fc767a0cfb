/* SPDX-License-Identifier: ISC */
/*
 * Images from archives and directories: docker-archive, oci-archive, OCI layouts, "dir:", tarballs.  A worker
 * takes the archive apart or opens the directory's files; documents are parsed here, without
 * privilege.
 */
#ifndef POD_IMAGE_LOAD_H
#define POD_IMAGE_LOAD_H

#include "common/oci/manifest.h"
#include "common/wire/peer.h"
#include "pod-image/crypt.h"
#include "pod-image/daemon.h"
#include "pod-image/report.h"
#include "pod-image/tarball.h"
#include "pod-image/trust.h"

#define LOAD_IMAGES_MAX 1024 /* of one input */
#define LOAD_FORMS_MAX 2     /* that an input may turn out to have */

struct load {
	/* set before load_prepare_X */
	struct peer *store;
	struct report report;
	const char *graph_root; /* a file may be spooled below it, or NULL */
	const char *form;	/* name of the transport; NULL: found out */
	const char *reference;	/* which image, NULL: all */
	size_t nth;		/* or by its number, from 1 */
	const char *name;	/* to give when the archive holds none */
	bool only_name;		/* name counts, whatever the archive holds */
	const char *policy_file;
	bool ours;		 /* the store's artifacts: no policy is asked */
	bool signed_files;	 /* set: there are files of signatures, or there may be */
	const char *daemon_host; /* or NULL */
	struct manifest_platform platform;
	struct crypt *crypt; /* keys for encrypted layers, or NULL */

	struct trust trust[LOAD_FORMS_MAX]; /* of trust_form */
	const char *trust_form[LOAD_FORMS_MAX];
	const char *found; /* the form it has */
	struct peer *worker;
	struct tarball tarball; /* no file: it is none */
	struct daemon daemon;	/* from which the archive comes, or none */
	uint32_t open_seq;
	char *reference_text;		    /* owned copy behind reference */
	char *driver;			    /* of another engine's store */
	struct msg_archive_opened *members; /* in the next */
	struct peer_in opened;
};

/*
 * "PATH[:REFERENCE]" of a transport, or what graph.h says.  The REFERENCE of an archive or a layout may be "@NUMBER": the
 * image at this place, from 0.
 */
int load_prepare_path(struct load *l, const char *transport, const char *rest, struct err *e);

/* An archive or a directory; fd is taken over. */
int load_prepare_fd(struct load *l, int fd, struct err *e);

/* Fails if one by its number was meant, and there are only n. */
int load_number(const struct load *l, size_t n, struct err *e);

void load_fds(const struct load *l, struct keep *k);

/* Appends the IDs and names of the images that are in the store now. */
int load_run(struct load *l, struct strv *ids, struct strv *names, struct err *e);

/*
 * For other readers of the same archive or directory.  load_open lists it and finds its form, which
 * stands in l->form afterwards; the rest needs that.
 */
int load_open(struct load *l, struct err *e);
int load_read_member(
    struct load *l, const char *name, uint64_t max, struct strbuf *out, struct err *e);
uint64_t load_member_size(const struct load *l, const char *name); /* 0 if it is not known */
/* Signatures of a manifest of "dir:", under its files' prefix; other forms keep none. */
int load_signatures(struct load *l, const char *prefix, struct signatures *out, struct err *e);
/* Does the policy accept the image?  digest: of its manifest, NULL: it has none; s may be NULL. */
int load_trust(struct load *l, const char *digest, const struct signatures *s, struct err *e);
int load_ask_member(struct load *l, const char *name, int stream, uint32_t *seq, struct err *e);

void load_free(struct load *l);

#endif
