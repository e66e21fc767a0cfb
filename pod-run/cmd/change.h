/* SPDX-License-Identifier: ISC */
/*
 * --change of import and commit: single Containerfile instructions that alter an image's
 * configuration.
 */
#ifndef POD_CHANGE_H
#define POD_CHANGE_H

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/wire/msg.h"

/* Zero-initialised: an empty configuration. */
struct change {
	struct strv env, entrypoint, cmd, volumes, ports, labels, on_build; /* labels: key=value */
	char *user, *working_dir, *stop_signal;
};
void change_free(struct change *c);
#define own_change own(change_free)

/*
 * Applies one instruction: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME or
 * WORKDIR, as "CMD value" or "CMD=value".
 */
int change_apply(struct change *c, const char *line, struct err *e);

/* Adds or replaces a label, "key=value". */
void change_label(struct change *c, const char *pair);

/* Fills the record; what it points to lives in c and a. */
void change_record(const struct change *c, struct rec_image_config *out, struct arena *a);

#endif
