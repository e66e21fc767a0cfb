/* SPDX-License-Identifier: ISC */
/* What a container says, to whom: --log-driver, --log-opt, --sdnotify. */
#ifndef POD_SPEC_LOGGING_H
#define POD_SPEC_LOGGING_H

#include "pod-run/oci/spec_options.h"

int spec_logging(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e);

/*
 * The driver of a container for which none was named; journal: the host keeps one.  The configuration is the whole
 * host's: a journal that it wants and that is not there is no error.
 */
const char *spec_logging_default(const struct containers_conf *conf, bool journal);

#define LOGGING_FILE "k8s-file"
/* Docker's json-file is another name of it, which is only shown; NULL: not said. */
bool spec_logging_is_file(const char *driver);

/* True if the container writes to the streams of the one who starts it. */
bool spec_logging_passes(const char *driver);

#endif
