/* SPDX-License-Identifier: ISC */
/*
 * Versions (semver.org 2.0.0, where "v1.2" may stand for 1.2.0) and conditions on them as lists of images for
 * skopeo hold them: ">=1.2, <2 || ^3.1", "~1.2", "1.x", "1.2 - 1.4".  A version before a release ("1.0.0-rc1") meets
 * only conditions that name one.
 */
#ifndef POD_IMAGE_SEMVER_H
#define POD_IMAGE_SEMVER_H

#include <stdbool.h>

#include "common/base/err.h"

/* Fails if the condition is none. */
int semver_check(const char *condition, struct err *e);

/* Whether version is one and meets the condition, which semver_check has let through. */
bool semver_matches(const char *condition, const char *version);

#endif
