/* SPDX-License-Identifier: ISC */
/*
 * --publish, --expose, --publish-all.
 */
#ifndef POD_SPEC_PORTS_H
#define POD_SPEC_PORTS_H

#include "pod-run/oci/spec_options.h"

/* Into c->ports and c->expose. */
int spec_ports_read(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e);

/* The image's exposed ports, and with publish_all a random host port for each that is not
 * published. */
int spec_ports_merge(
    const struct rec_image_config *image, struct rec_ctr_config *c, struct arena *a, struct err *e);

/* One word of --publish. */
int spec_ports_parse(const char *word, struct arena *a, struct rec_port_map *out, struct err *e);

#endif
