/* SPDX-License-Identifier: ISC */
/*
 * The options of health checks, shared by run, create and update.
 */
#ifndef POD_SPEC_HEALTH_H
#define POD_SPEC_HEALTH_H

#include "common/cli/opt.h"
#include "common/wire/msg.h"

#define SPEC_HEALTH_LOG_COUNT 5
#define SPEC_HEALTH_LOG_SIZE 500

/* Strings are NULL and numbers -1 where nothing was given. */
struct spec_health_options {
	const char *cmd, *interval, *timeout, *start_period, *on_failure, *log_destination;
	const char *startup_cmd, *startup_interval, *startup_timeout;
	int64_t retries, max_log_count, max_log_size, startup_retries, startup_success;
	bool none;
};
extern const struct opt spec_health_rows[];

/*
 * Applies the options to c, whose health check is the image's or the one it had, and whose limits of
 * the log are set.  Records live in a.
 * Errors have Podman's words.
 */
int spec_health(
    const struct spec_health_options *o, struct rec_ctr_config *c, struct arena *a, struct err *e);

/* True if there is a check to run: "NONE" and an empty one are none. */
bool spec_health_has(const struct rec_health *h);

#endif
