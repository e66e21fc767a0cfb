/* SPDX-License-Identifier: ISC */
/*
 * The user namespace of a container that a service makes: --userns, --uidmap, --gidmap.
 */
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-run/oci/spec_userns.h"
#include "pod-run/remote/spec.h"
#include "pod-run/remote/spec_ids.h"

static void
put_map(json_t *o, const char *key, const struct id_map *map)
{
	json_t *list = map->n > 0 ? json_put_arr(o, key) : NULL;

	for (size_t i = 0; i < map->n; i++) {
		json_t *one = json_add_obj(list);

		json_put_int(one, "container_id", (int64_t)map->v[i].inside);
		json_put_int(one, "host_id", (int64_t)map->v[i].outside);
		json_put_int(one, "size", (int64_t)map->v[i].count);
	}
}

/* What the service chooses the ids by. */
static int
put_auto(json_t *o, const char *word, struct err *e)
{
	own_arena struct arena arena = {0};
	const struct rec_ctr_config c = {.user_ns = word};
	struct spec_userns_auto wanted;
	json_t *maps, *options;

	if (spec_userns_auto(&c, &wanted, &arena, e) == -1)
		return -1;
	maps = json_put_obj(o, "idmappings");
	json_put_bool(maps, "AutoUserNs", true);
	options = json_put_obj(maps, "AutoUserNsOpts");
	json_put_int(options, "Size", (int64_t)wanted.size);
	put_map(options, "AdditionalUIDMappings", &wanted.uids);
	put_map(options, "AdditionalGIDMappings", &wanted.gids);
	return 0;
}

/* Flags say what is to be done with the maps of a user whom the service knows, and we do not. */
static int
read_words(const struct args *a, const char *option, struct id_map *map, struct arena *arena,
    struct err *e)
{
	const struct strv *words = args_list(a, option);

	for (size_t i = 0; i < words->n; i++) {
		struct spec_userns_word w;

		if (spec_userns_word(words->v[i], strcmp(option, "uidmap") == 0, &w, arena, e) ==
		    -1)
			return -1;
		if (w.extend || w.users || w.groups || w.parent)
			return spec_not_built(option, words->v[i], e);
		spec_userns_add(map, &w.range, false, arena);
	}
	return 0;
}

/* What is said of users alone goes for groups too, and the other way round. */
static int
put_maps(json_t *o, const struct args *a, struct err *e)
{
	own_arena struct arena arena = {0};
	struct id_map uids = {0}, gids = {0};
	const char *given = args_given(a, "userns") ? args_str(a, "userns") : "private";
	json_t *maps;

	if (strcmp(given, "private") != 0)
		return err_set(e, ERR_USAGE,
		    "--userns and --uidmap/--gidmap/--subuidname/--subgidname are mutually "
		    "exclusive");
	if (read_words(a, "uidmap", &uids, &arena, e) == -1 ||
	    read_words(a, "gidmap", &gids, &arena, e) == -1)
		return -1;
	json_put_str(json_put_obj(o, "userns"), "nsmode", "private");
	maps = json_put_obj(o, "idmappings");
	put_map(maps, "UIDMap", uids.n > 0 ? &uids : &gids);
	put_map(maps, "GIDMap", gids.n > 0 ? &gids : &uids);
	return 0;
}

int
spec_ids_put(json_t *o, const struct args *a, struct err *e)
{
	const char *word = args_str(a, "userns");

	if (args_list(a, "uidmap")->n + args_list(a, "gidmap")->n > 0)
		return put_maps(o, a, e);
	if (!args_given(a, "userns"))
		return 0;
	spec_put_space(o, "userns", word);
	return text_has_prefix(word, "auto") ? put_auto(o, word, e) : 0;
}
