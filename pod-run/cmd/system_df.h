/* SPDX-License-Identifier: ISC */
/*
 * What system df shows, wherever it was counted.
 */
#ifndef POD_CMD_SYSTEM_DF_H
#define POD_CMD_SYSTEM_DF_H

#include <jansson.h>
#include <stdint.h>

/* One kind: the summary's row, and the details' rows. */
struct df_kind {
	struct df_total {
		uint64_t count, active, size, reclaimable;
	} total;
	json_t *rows;
};

struct df_report {
	struct df_kind images, containers, volumes;
};
void df_report_free(struct df_report *r);

struct df_image {
	const char *repository, *tag; /* NULL: none */
	const char *id;
	int64_t created_ns;
	uint64_t size, shared, unique, containers;
};
struct df_container {
	const char *id, *image, *command, *status, *name;
	uint64_t volumes, size;
	int64_t created_ns;
};

/* Rows of the details. */
void df_add_image(struct df_report *r, const struct df_image *m);
void df_add_container(struct df_report *r, const struct df_container *c);
void df_add_volume(struct df_report *r, const char *name, uint64_t links, uint64_t size);

#endif
