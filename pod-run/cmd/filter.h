/* SPDX-License-Identifier: ISC */
/* --filter of commands about containers, see terms.h. */
#ifndef POD_FILTER_H
#define POD_FILTER_H

#include "pod-run/cmd/terms.h"
#include "pod-run/state/ctr.h"

struct filter {
	struct terms terms;
};

/* Checks words and values; references to containers (before, since) are looked up. */
int filter_parse(struct ctx *x, const struct strv *words, struct filter *out, struct err *e);
void filter_free(struct filter *f);
#define own_filter own(filter_free)

/* c's configuration or summary is decoded if a term needs it. */
int filter_match(const struct filter *f, struct ctr *c, bool *match, struct err *e);

/* True if the configurations of containers must be at hand. */
bool filter_needs_config(const struct filter *f);

/* What --filter command and --sort command look at: the first word the user chose; c has its summary. */
const char *filter_command(const struct ctr *c);

/* True if a term with that key is there: ps shows ended containers when asked for a status. */
bool filter_has(const struct filter *f, const char *key);

/* For completion: what filter_parse knows. */
#define FILTER_CHOICES                                                                  \
	"ancestor=,before=,command=,exited=,health=,id=,label=,label!=,name=,network=," \
	"restart-policy=,should-start-on-boot=,since=,status=,until=,volume="

#endif
