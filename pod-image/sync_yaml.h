/* SPDX-License-Identifier: ISC */
/* The list of "sync --src yaml": registries with their repositories and how to reach them. */
#ifndef POD_IMAGE_SYNC_YAML_H
#define POD_IMAGE_SYNC_YAML_H

#include <regex.h>
#include <stdbool.h>

#include "common/base/err.h"
#include "common/base/mem.h"

struct sync_repository {
	char *name;	   /* with its registry */
	struct strv names; /* tags and digests; none: all tags that pattern matches */
	regex_t pattern;
	bool has_pattern;
	char *versions; /* condition on the tags as versions, or NULL */
};

struct sync_registry {
	char *cert_dir, *tls_verify; /* or NULL */
	int authfile;		     /* descriptor of a file with its credentials, or -1 */
	struct sync_repository *repositories;
	size_t n, cap;
};

struct sync_list {
	struct sync_registry *registries;
	size_t n, cap;
};

/* Reads the file; the caller frees the list in any case. */
int sync_yaml_read(const char *path, struct sync_list *out, struct err *e);
void sync_yaml_free(struct sync_list *l);

#endif
