/* SPDX-License-Identifier: ISC */
/*
 * Capabilities of containers, by name.
 */
#ifndef POD_SPEC_CAP_H
#define POD_SPEC_CAP_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/wire/msg.h"

/* "net_raw", "CAP_NET_RAW", … to the number; -1 if there is no such capability. */
int spec_cap_number(const char *name);
const char *spec_cap_name(unsigned number); /* "CAP_X", or NULL */

/* The bounding set of this process as a mask, without capabilities that have no name here. */
uint64_t spec_cap_bounding(void);

/* The names in a mask, sorted by name. */
void spec_cap_list(uint64_t mask, struct arena *a, struct strs *out);
uint64_t spec_cap_mask(const struct strs *names); /* unknown names do not count */

/*
 * What a container's process may use at once: as root the whole bounding set, as another user only what was
 * added for it (normalised words, ALL among them).
 */
uint64_t spec_cap_effective(const struct strs *added, uint64_t bounding, bool root);

/*
 * base with the words of --cap-add and --cap-drop applied, by Podman's rules: "all" on one side
 * stands for the bounding set or for nothing, and nothing may be both added and dropped.
 */
int spec_cap_merge(
    uint64_t base, const struct strv *add, const struct strv *drop, uint64_t *out, struct err *e);

/* Normalises words to CAP_X or ALL into out. */
int spec_cap_normalise(const struct strv *words, struct arena *a, struct strs *out, struct err *e);

#endif
