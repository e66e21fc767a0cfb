/* SPDX-License-Identifier: ISC */
/* Configuration files of other engines: the first byte says which. */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/conf/containers_conf.h"
#include "common/conf/registries_conf.h"
#include "common/conf/storage_conf.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int
registries(const char *path, struct err *e)
{
	own_registries_conf struct registries_conf c = {0};
	own_reference struct reference r = {0}, there = {0};
	own_strv struct strv words = {0};
	const struct registries_entry *entry;
	struct err ignored = {0};
	const char *file;

	if (registries_conf_load(&c, path, e) == -1)
		return -1;
	registries_conf_alias(&c, "a", &file);
	(void)registries_conf_candidates(&c, "a:1", &words, &ignored);
	if (reference_parse("example.org/a/b:1", &r, &ignored) == -1)
		abort();
	entry = registries_conf_find(&c, &r);
	if (entry != NULL)
		(void)registries_conf_rewrite(entry, &entry->primary, &r, &there, &ignored);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct containers_conf containers = {0};
	struct storage_conf storage = {0};
	struct err e = {0};
	const char *path;
	int rc;

	if (n == 0)
		return 0;
	path = input_path(data + 1, n - 1);
	switch (data[0] % 3) {
	case 0:
		setenv("CONTAINERS_CONF", path, 1);
		rc = containers_conf_load(&containers, 0, NULL, &e);
		containers_conf_free(&containers);
		break;
	case 1:
		setenv("CONTAINERS_STORAGE_CONF", path, 1);
		rc = storage_conf_load(&storage, 0, &e);
		storage_conf_free(&storage);
		break;
	default:
		rc = registries(path, &e);
	}
	if ((rc == -1) != err_is_set(&e))
		abort();
	return 0;
}
