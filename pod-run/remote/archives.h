/* SPDX-License-Identifier: ISC */
/* Archives of images and containers of a service.  They pass through descriptors alone. */
#ifndef POD_REMOTE_ARCHIVES_H
#define POD_REMOTE_ARCHIVES_H

#include "pod-run/remote/remote.h"

int archives_export(struct remote *r, const char *container, int out, struct err *e);

struct archives_save {
	const char *form; /* as --format has it */
	bool directory;	  /* output is one */
	bool compress, uncompressed;
	char **names;
	size_t n;
	int output;
};
int archives_save(struct remote *r, const struct archives_save *s, struct err *e);

int archives_load(struct remote *r, int input, struct err *e);

struct archives_import {
	const char *url; /* or NULL: input */
	int input;
	const char *name, *message, *os, *arch, *variant; /* or NULL */
	const struct strv *change;
};
int archives_import(struct remote *r, const struct archives_import *m, struct err *e);

#endif
