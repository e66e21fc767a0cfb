/* SPDX-License-Identifier: ISC */
/*
 * TOML's numbers, booleans, dates and times.
 */
#ifndef POD_TOML_SCALAR_H
#define POD_TOML_SCALAR_H

#include <jansson.h>

/*
 * The value a bare word means, or NULL if it is none.  Dates and times, inf and nan (which JSON has
 * not) become strings.
 */
json_t *toml_scalar(const char *word);

#endif
