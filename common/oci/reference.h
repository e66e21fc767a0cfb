/* SPDX-License-Identifier: ISC */
/*
 * Names of images as people and registries write them (the grammar of the distribution project,
 * "reference"), their normal form, digests and tags.
 *
 *	reference = [domain "/"] path [":" tag] ["@" digest]
 *	domain    = host [":" port]; the first component counts as one if it holds "." or ":" or is
 *	            "localhost", else the name is short
 *	digest    = "sha256:" and 64 lower-case hexadecimal digits, nothing else
 *
 * Everything here is safe with hostile strings: what has been parsed holds no "..", no empty
 * component, no upper case in the path, and no control character.
 */
#ifndef POD_REFERENCE_H
#define POD_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/own.h"

struct reference {
	char *domain; /* registry with its port; NULL: the name is short */
	char *path;   /* repository without the domain */
	char *tag;    /* or NULL */
	char *digest; /* "sha256:…" or NULL */
};

/*
 * Parses text into *out (untouched on failure; free with reference_free).  A name with a domain
 * comes out normal: index.docker.io is docker.io, and docker.io/x is docker.io/library/x.  A short
 * name stays as it was written, "x" or "ns/x".  Nothing is made up: without a tag, tag is NULL.
 */
int reference_parse(const char *text, struct reference *out, struct err *e);

/* As reference_parse; a short name is taken to be one of docker.io. */
int reference_parse_normal(const char *text, struct reference *out, struct err *e);

void reference_free(struct reference *r);
#define own_reference own(reference_free)

/*
 * The short name put behind a registry, which may have a namespace ("quay.io", "quay.io/ns");
 * tag and digest are copied.
 */
int reference_qualify(
    const struct reference *name, const char *registry, struct reference *out, struct err *e);

/* "latest" if there is neither a tag nor a digest; a tag beside a digest is dropped. */
void reference_complete(struct reference *r);

/* domain/path, or path alone if the name is short.  The caller frees the results. */
char *reference_repository(const struct reference *r);

/* domain/path[:tag][@digest] */
char *reference_string(const struct reference *r);

/*
 * The full references a user's word may mean, with a tag or a digest, best first.  A name with a
 * domain has one.  A short name has localhost/NAME and NAME behind each of the n registries, in
 * this order.  A text that cannot be a name (an ID prefix can) adds nothing and is an error.
 */
int reference_candidates(
    const char *text, const char *const *registries, size_t n, struct strv *out, struct err *e);

/* Exactly "sha256:" and 64 lower-case hexadecimal digits. */
bool reference_digest_valid(const char *s);

/* [A-Za-z0-9_][A-Za-z0-9_.-]{0,127} */
bool reference_tag_valid(const char *s);

/* A registry: host[:port], where host is a name, an IPv4 address or an IPv6 address in brackets. */
bool reference_domain_valid(const char *s);

/* A registry, or a repository of one or the beginning of its path: domain["/" path], without tag and digest. */
bool reference_prefix_valid(const char *s);

/*
 * If text begins with the name of a transport ("docker://", "oci:", "oci-archive:", "dir:",
 * "docker-archive:", "docker-daemon:", "containers-storage:"), returns that name without its colon, and *rest is what
 * follows; otherwise NULL.
 */
const char *reference_transport(const char *text, const char **rest);

/* Fails if text is a path by a transport that other tools know and these programs do not: sif:/x. */
int reference_refuse_transport(const char *text, struct err *e);

/* The error of a word that must begin with a transport, of a what ("source"), and does not. */
int reference_no_transport(const char *what, const char *text, struct err *e);

#endif
