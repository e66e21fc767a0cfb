/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "common/cli/value.h"
#include "pod-run/remote/usage.h"

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static uint64_t
count_of(const json_t *o, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(o, key));

	return v > 0 ? (uint64_t)v : 0;
}

static int64_t
created(const json_t *o)
{
	struct err ignored = {0};
	int64_t ns;

	return value_instant(text_of(o, "Created"), 0, false, &ns, &ignored) == 0 ? ns : 0;
}

/* There is a row for each name: what an image takes counts once. */
static bool
is_first(const json_t *list, size_t i)
{
	const char *id = text_of(json_array_get(list, i), "ImageID");

	for (size_t k = 0; k < i; k++)
		if (strcmp(text_of(json_array_get(list, k), "ImageID"), id) == 0)
			return false;
	return true;
}

static const char *
name_of(const json_t *o, const char *key)
{
	const char *s = text_of(o, key);

	return *s != '\0' ? s : NULL;
}

/* all: what they take together, as later services count it, or 0. */
static void
take_images(const json_t *list, uint64_t all, struct df_report *out)
{
	struct df_total *t = &out->images.total;
	const json_t *o;
	size_t i;

	json_array_foreach (list, i, o) {
		const struct df_image m = {.repository = name_of(o, "Repository"),
		    .tag = name_of(o, "Tag"),
		    .id = text_of(o, "ImageID"),
		    .created_ns = created(o),
		    .size = count_of(o, "Size"),
		    .shared = count_of(o, "SharedSize"),
		    .unique = count_of(o, "UniqueSize"),
		    .containers = count_of(o, "Containers")};

		df_add_image(out, &m);
		t->count++;
		if (!is_first(list, i))
			continue;
		t->active += m.containers > 0;
		t->size += m.size;
		t->reclaimable += m.containers > 0 ? 0 : m.size;
	}
	if (all > 0)
		t->size = all;
	if (t->reclaimable > t->size)
		t->reclaimable = t->size;
}

static void
take_containers(const json_t *list, struct df_report *out)
{
	struct df_total *t = &out->containers.total;
	const json_t *o, *word;
	size_t i, k;

	json_array_foreach (list, i, o) {
		own_strbuf struct strbuf command = {0};
		struct df_container c = {.id = text_of(o, "ContainerID"),
		    .image = text_of(o, "Image"),
		    .status = text_of(o, "Status"),
		    .name = text_of(o, "Names"),
		    .volumes = count_of(o, "LocalVolumes"),
		    .size = count_of(o, "RWSize"),
		    .created_ns = created(o)};
		bool runs = strcmp(c.status, "running") == 0;

		json_array_foreach (json_object_get(o, "Command"), k, word)
			strbuf_addf(&command, "%s%s", k > 0 ? " " : "",
			    json_is_string(word) ? json_string_value(word) : "");
		c.command = command.n > 0 ? command.s : "";
		df_add_container(out, &c);
		t->count++;
		t->active += runs;
		t->size += c.size;
		t->reclaimable += runs ? 0 : c.size;
	}
}

static void
take_volumes(const json_t *list, struct df_report *out)
{
	struct df_total *t = &out->volumes.total;
	const json_t *o;
	size_t i;

	json_array_foreach (list, i, o) {
		uint64_t links = count_of(o, "Links"), size = count_of(o, "Size");

		df_add_volume(out, text_of(o, "VolumeName"), links, size);
		t->count++;
		t->active += links;
		t->size += size;
		t->reclaimable += count_of(o, "ReclaimableSize");
	}
}

int
usage_report(struct remote *r, struct df_report *out, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply a = {0};

	question_path(&q, "/system/df");
	if (remote_ask(r, &q, &a, e) == -1)
		return -1;
	if (!json_is_object(a.document))
		return err_set(e, ERR_FORMAT, "the answer of the service is no object");
	take_images(json_object_get(a.document, "Images"), count_of(a.document, "ImagesSize"), out);
	take_containers(json_object_get(a.document, "Containers"), out);
	take_volumes(json_object_get(a.document, "Volumes"), out);
	return 0;
}
