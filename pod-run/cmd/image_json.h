/* SPDX-License-Identifier: ISC */
/*
 * The configuration of an image as JSON: what the OCI image specification ("Image Configuration") and Docker
 * write, and what inspect shows of it.  Empty values are left out.
 */
#ifndef POD_IMAGE_JSON_H
#define POD_IMAGE_JSON_H

#include <jansson.h>

#include "common/wire/msg.h"

void image_json_put_text(json_t *o, const char *key, const char *value);
void image_json_put_list(json_t *o, const char *key, const struct strs *l);

/* How its containers run, without the health check and the shell, which only Docker's form has. */
json_t *image_json_config(const struct rec_image_config *c);

/* What is nought is left out. */
json_t *image_json_health(const struct rec_health *h);
/* As "Healthcheck". */
void image_json_put_health(json_t *o, const struct rec_health *h);

json_t *image_json_history(const struct rec_image_config *c);

#endif
