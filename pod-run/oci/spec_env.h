/* SPDX-License-Identifier: ISC */
/*
 * The environment of a container (BEHAVIOURS: later wins): built-in and configured variables, the
 * caller's where asked for, the image's, TERM; templates and removals act on these; last what the
 * user gave.
 */
#ifndef POD_SPEC_ENV_H
#define POD_SPEC_ENV_H

#include "pod-run/oci/spec_options.h"

/* --env-file and --env, into c->env. */
int spec_env_read(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e);

/* Puts the rest below what c->env holds. */
void spec_env_merge(const struct spec_input *in, const struct rec_image_config *image,
    struct rec_ctr_config *c, struct arena *a);

/* One file of NAME=value lines, as for --env-file; for exec too. */
int spec_env_file(
    const char *path, const char *const *caller, struct arena *a, struct strs *out, struct err *e);

/* One word: NAME=value, NAME (copied from the caller), PRE* (all that begin so). */
int spec_env_word(
    const char *word, const char *const *caller, struct arena *a, struct strs *out, struct err *e);

#endif
