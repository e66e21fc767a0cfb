/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/conf/tls_details.h"
#include "common/conf/yaml_json.h"
#include "common/fs/file.h"
#include "common/role/spawn.h"
#include "common/wire/peer.h"

#define FILE_MAX ((size_t)64 << 10)
#define NAME_MAX_BYTES 64 /* aliases make a small file long */

/* The names of a list, in arena memory; none if the key is not there or null. */
static int
take_names(const json_t *j, const char *key, struct arena *a, struct strs *out, struct err *e)
{
	own_strv struct strv names = {0};

	if (json_want_strv(j, key, &names, e) == -1)
		return -1;
	out->v = arena_array(a, names.n + 1, sizeof(*out->v));
	for (size_t i = 0; i < names.n; i++) {
		if (strlen(names.v[i]) > NAME_MAX_BYTES)
			return err_set(e, ERR_FORMAT, "%s[%zu]: the name is too long", key, i);
		out->v[out->n++] = arena_strdup(a, names.v[i]);
	}
	return 0;
}

static int
take(const json_t *j, struct arena *a, struct rec_tls_details *out, struct err *e)
{
	static const char *const keys[] = {"minVersion", "cipherSuites", "namedGroups", NULL};
	const json_t *suites;
	const char *version = NULL;

	if (json_is_null(j))
		return 0;
	if (json_only_keys(j, keys, e) == -1 || json_want_str(j, keys[0], &version, e) == -1 ||
	    take_names(j, keys[1], a, &out->cipher_suites, e) == -1 ||
	    take_names(j, keys[2], a, &out->named_groups, e) == -1)
		return -1;
	suites = json_object_get(j, keys[1]);
	out->only_suites = suites != NULL && !json_is_null(suites);
	if (version != NULL)
		out->min_version = arena_strdup(a, version);
	return wire_check_text(&rec_tls_details_desc, out, e);
}

int
tls_details_read(const char *path, struct arena *a, struct rec_tls_details *out, struct err *e)
{
	own_mem char *text = NULL;
	own_json json_t *j = NULL;
	size_t n;

	*out = (struct rec_tls_details){0};
	if (file_read_place(path, FILE_MAX, &text, &n, e) == -1)
		return err_wrap(e, "reading \"%s\"", path);
	j = yaml_json_read_texts(text, n, "yaml", e);
	return j == NULL || take(j, a, out, e) == -1 ? err_wrap(e, "parsing \"%s\"", path) : 0;
}

int
tls_details_load(const char *path, struct arena *a, struct rec_tls_details *out, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct msg_tls_check m = {.details = out};
	struct peer *worker;
	int r;

	if (tls_details_read(path, a, out, e) == -1)
		return -1;
	worker = spawn_peer(ROLE_RUN, ROLE_DIAL, NULL, e);
	r = worker == NULL ? -1 : peer_call(worker, &msg_tls_check_desc, &m, &in, NULL, NULL, e);
	peer_free(worker);
	return r == -1 ? err_wrap(e, "parsing TLS details \"%s\"", path) : 0;
}
