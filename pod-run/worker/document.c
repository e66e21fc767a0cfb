/* SPDX-License-Identifier: ISC */
/*
 * pod-run-document: reads what came with a checkpoint's archive or an image for pod-run: JSON, and CRIU's files, without any privilege,
 * and answers in messages.
 */
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/oci/base64.h"
#include "common/wire/worker.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/worker/criu_files.h"
#include "pod-run/worker/libpod_words.h"

#define DUMP_MAX ((size_t)16 << 20)
#define LIST_MAX ((size_t)64 << 20)
#define IMAGE_MAX ((size_t)64 << 20)
#define MANIFEST_MAX ((size_t)8 << 20)
#define INTERFACE_NAME_MAX 15
#define MAC_MAX 32
#define IPNET_MAX 64
#define NETWORK_MAX 256
#define OURS "podContainer" /* our own keys: the records as the database holds them */
#define OURS_RUN "podRun"

static const char *
string_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static json_t *
read_part(int fd, const char *name, struct err *e)
{
	own_mem char *text = NULL;
	json_t *j = NULL;
	size_t n;

	if (fd <= 0)
		err_set(e, ERR_FORMAT, "there is none");
	else if (file_slurp(fd, DUMP_MAX, name, &text, &n, e) == 0)
		j = json_read_max(text, n, DUMP_MAX, JSON_DEPTH_DEFAULT, e);
	if (j == NULL)
		err_wrap(e, "reading %s of the checkpoint", name);
	return j;
}

/* --- Our own records ----------------------------------------------------------------------------*/

static int
take_packed(const json_t *j, const char *key, struct bytes *out, struct arena *a, struct err *e)
{
	own_mem char *bytes = NULL;
	const char *text;
	uint8_t *copy;
	size_t n;

	if (json_need_str(j, key, &text, e) == -1)
		return -1;
	bytes = base64_decode(text, &n);
	if (bytes == NULL)
		return err_set(e, ERR_FORMAT, "%s is not base64", key);
	copy = arena_alloc(a, n + 1);
	memcpy(copy, bytes, n);
	*out = (struct bytes){copy, n};
	return 0;
}

/* --- Those of another engine ---------------------------------------------------------------------*/

/* The profile it ran with, in the words of the OCI configuration, which are those of profiles too. */
static void
take_seccomp(const json_t *spec, struct msg_dump_got *out, struct arena *a)
{
	const json_t *profile = json_object_get(json_object_get(spec, "linux"), "seccomp");
	own_mem char *text = json_is_object(profile) ? json_text(profile) : NULL;

	if (text != NULL)
		out->seccomp = arena_strdup(a, text);
}

static void
take_health(const json_t *config, struct msg_dump_got *out, struct arena *a)
{
	static const char *const actions[] = {"none", "none", "kill", "restart", "stop"};
	json_int_t action =
	    json_integer_value(json_object_get(config, "healthcheck_on_failure_action"));
	const json_t *o = json_object_get(config, "healthcheck"), *v;
	json_int_t retries = json_integer_value(json_object_get(o, "Retries"));
	struct rec_health *h;
	size_t i;

	if (!json_is_object(o))
		return;
	h = arena_alloc(a, sizeof(*h));
	*h = (struct rec_health){.interval = json_integer_value(json_object_get(o, "Interval")),
	    .timeout = json_integer_value(json_object_get(o, "Timeout")),
	    .start_period = json_integer_value(json_object_get(o, "StartPeriod")),
	    .retries = retries > 0 && retries <= UINT32_MAX ? (uint64_t)retries : 0};
	json_array_foreach (json_object_get(o, "Test"), i, v)
		if (json_is_string(v))
			spec_list_add(a, &h->test, json_string_value(v));
	out->health = h;
	if (action > 0 && action < (json_int_t)COUNTOF(actions))
		out->health_on_failure = actions[action];
}

static void
take_anonymous(const json_t *config, struct msg_dump_got *out, struct arena *a)
{
	const json_t *v;
	size_t i;

	json_array_foreach (json_object_get(config, "namedVolumes"), i, v)
		if (json_is_true(json_object_get(v, "isAnonymous")) && string_of(v, "dest") != NULL)
			spec_list_add(a, &out->anonymous, string_of(v, "dest"));
}

static void
take_interface(struct msg_dump_got *out, const char *network, const char *name, const json_t *o,
    struct arena *a)
{
	struct rec_net_interface *v = out->interfaces.v, *f;
	const char *mac = string_of(o, "mac_address");
	const json_t *subnet;
	size_t i;

	if (strlen(name) > INTERFACE_NAME_MAX || strlen(network) > NETWORK_MAX)
		return;
	f = spec_list_push(a, &v, &out->interfaces.n, sizeof(*v));
	out->interfaces.v = v;
	*f = (struct rec_net_interface){.network = network, .name = name};
	f->mac = mac != NULL && strlen(mac) <= MAC_MAX ? mac : NULL;
	json_array_foreach (json_object_get(o, "subnets"), i, subnet) {
		const char *net = string_of(subnet, "ipnet");

		if (net != NULL && strlen(net) <= IPNET_MAX)
			SPEC_PUSH(a, &f->addresses)->ipnet = net;
	}
}

static void
take_network(const json_t *status, struct msg_dump_got *out, struct arena *a)
{
	const char *network, *name;
	json_t *o, *one;

	json_object_foreach ((json_t *)(uintptr_t)status, network, o)
		json_object_foreach (json_object_get(o, "interfaces"), name, one)
			take_interface(out, network, name, one, a);
}

static int
take_foreign(const json_t *config, const json_t *spec, const json_t *network, struct strv *words,
    struct strv *entrypoint, struct msg_dump_got *out, struct arena *a, struct err *e)
{
	if (libpod_words(config, spec, words, entrypoint, e) == -1)
		return err_wrap(e, "taking over the container of another engine");
	spec_list_add_all(a, &out->words, words);
	spec_list_add_all(a, &out->entrypoint, entrypoint);
	out->image_asked = string_of(config, "RawImageName");
	take_seccomp(spec, out, a);
	take_health(config, out, a);
	take_anonymous(config, out, a);
	take_network(network, out, a);
	return 0;
}

/* --- Answers ------------------------------------------------------------------------------------*/

/* An answer outside the bounds of its table would break the connection: here it is an error like others. */
static int
answer(struct peer *p, uint32_t seq, const struct wire_desc *d, const void *msg, struct arena *a,
    struct err *e)
{
	own_strbuf struct strbuf packed = {0};
	void *back = arena_alloc(a, d->size);

	wire_pack(d, msg, &packed);
	if (wire_unpack(d, (const uint8_t *)packed.s, packed.n, back, a, e) == -1)
		return -1;
	return peer_send(p, d, seq, msg, e);
}

static int
on_dump(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct msg_dump_read *m = MSG_OF(in, dump_read);
	own_json json_t *config = read_part((int)m->config, "config.dump", e), *spec = NULL,
			*network = NULL;
	own_strv struct strv words = {0}, entrypoint = {0};
	own_arena struct arena a = {0};
	struct msg_dump_got out = {0};
	int r;

	(void)arg;
	if (config == NULL)
		return -1;
	if (json_need_str(config, "id", &out.id, e) == -1 ||
	    json_need_str(config, "name", &out.name, e) == -1 ||
	    json_want_str(config, "rootfsImageID", &out.image, e) == -1)
		return err_wrap(e, "reading config.dump of the checkpoint");
	if (json_object_get(config, OURS) != NULL) {
		r = take_packed(config, OURS, &out.config, &a, e);
		if (r == 0)
			r = take_packed(config, OURS_RUN, &out.run, &a, e);
		if (r == -1)
			err_wrap(e, "reading config.dump of the checkpoint");
	} else {
		spec = read_part((int)m->spec, "spec.dump", e);
		if (spec != NULL && m->network > 0)
			network = read_part((int)m->network, "network.status", e);
		r = spec == NULL || (m->network > 0 && network == NULL)
			? -1
			: take_foreign(config, spec, network, &words, &entrypoint, &out, &a, e);
	}
	return r == 0 ? answer(p, in->seq, &msg_dump_got_desc, &out, &a, e) : -1;
}

static int
on_list(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct msg_list_read *m = MSG_OF(in, list_read);
	own_strbuf struct strbuf out = {0};
	own_mem char *text = NULL;
	own_json json_t *list = NULL;
	const json_t *v;
	size_t n, i;

	(void)arg;
	if (file_slurp((int)m->list, LIST_MAX, "the list", &text, &n, e) == -1)
		return -1;
	list = json_read_max(text, n, LIST_MAX, 4, e);
	if (list == NULL)
		return -1;
	json_array_foreach (list, i, v)
		if (json_is_string(v))
			strbuf_addn(&out, json_string_value(v), json_string_length(v) + 1);
	if (out.n > 0 && file_put((int)m->names, out.s, out.n) == -1)
		return err_sys(e, "writing the list");
	return peer_send_ok(p, in->seq, e);
}

static int
on_annotations(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct bytes *data = &MSG_OF(in, annotations_read)->manifest;
	struct msg_annotations_got out = {0};
	own_arena struct arena a = {0};
	own_json json_t *j =
	    json_read_max((const char *)data->p, data->n, MANIFEST_MAX, JSON_DEPTH_DEFAULT, e);
	const char *key;
	json_t *v;

	(void)arg;
	if (j == NULL)
		return -1;
	json_object_foreach (json_object_get(j, "annotations"), key, v)
		if (json_is_string(v)) {
			struct rec_kv *kv = SPEC_PUSH(&a, &out.annotations);

			kv->key = key;
			kv->value = json_string_value(v);
		}
	return answer(p, in->seq, &msg_annotations_got_desc, &out, &a, e);
}

static int
on_criu(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct msg_criu_read *m = MSG_OF(in, criu_read);
	own_strbuf struct strbuf out = {0};
	own_mem char *bytes = NULL;
	size_t n;

	(void)arg;
	if (file_slurp((int)m->image, IMAGE_MAX, "the image", &bytes, &n, e) == -1)
		return -1;
	if (criu_files_loosen((const uint8_t *)bytes, n, &out) &&
	    file_put((int)m->changed, out.s, out.n) == -1)
		return err_sys(e, "writing the image");
	return peer_send_ok(p, in->seq, e);
}

/* Of the tables of objects: later it would open /dev/urandom. */
static void
seed_json(void)
{
	json_object_seed(0);
}

int
main(int argc, char **argv)
{
	static const struct peer_handler handlers[] = {{&msg_dump_read_desc, 1, 0, on_dump},
	    {&msg_list_read_desc, 1, 0, on_list}, {&msg_criu_read_desc, 1, 0, on_criu},
	    {&msg_annotations_read_desc, 1, 0, on_annotations}};
	const struct worker_face face = {.role = ROLE_DOCUMENT,
	    .starter = ROLE_RUN,
	    .handlers = handlers,
	    .n = COUNTOF(handlers),
	    .prepare = seed_json};

	return worker_main(&face, argc, argv);
}
