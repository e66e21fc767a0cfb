/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/cli/human.h"
#include "pod-run/cmd/ps_row.h"
#include "pod-run/life/health.h"

#define COMMAND_SHOWN 17
#define ZERO_TIME (-INT64_C(62135596800)) /* Go's zero time in seconds since 1970 */
#define NS INT64_C(1000000000)

/* "Up 2 minutes", "Exited (0) 3 hours ago", "Created". */
static void
ps_row_status(const struct ctr *c, int64_t now_ns, char *out, size_t size)
{
	char span[HUMAN_MAX];

	switch (c->status) {
	case CTR_RUNNING:
		human_duration((now_ns - c->started_ns) / NS, span, sizeof(span));
		snprintf(out, size, "Up %s", span);
		break;
	case CTR_STOPPED:
	case CTR_EXITED:
		/* No end was seen of what ran when the machine went down: as long ago as Podman can tell. */
		human_duration((c->finished_ns != 0 ? now_ns - c->finished_ns : INT64_MAX) / NS,
		    span, sizeof(span));
		snprintf(out, size, "Exited (%d) %s ago", c->exit_code, span);
		break;
	default:
		snprintf(out, size, "%s", ctr_status_name(c->status));
		out[0] = (char)toupper((unsigned char)out[0]);
	}
}

/* With the health of one that runs: "Up 2 minutes (healthy)". */
static void
full_status(const struct ps_row *how, struct ctr *c, char *out, size_t size)
{
	struct err ignored = {0};
	char health[32];
	size_t n;

	ps_row_status(c, how->now_ns, out, size);
	if (how->x == NULL || c->status != CTR_RUNNING || !c->summary->health ||
	    ctr_config(c, &ignored) == -1)
		return;
	health_status(how->x, c, health, sizeof(health));
	n = strlen(out);
	if (*health != '\0')
		snprintf(out + n, size - n, " (%s)", health);
}

/* --- Ports --------------------------------------------------------------------------------------*/

static void
add_range(struct strbuf *b, uint64_t first, uint64_t count)
{
	strbuf_addf(b, "%u", (unsigned)first);
	if (count > 1)
		strbuf_addf(b, "-%u", (unsigned)(first + count - 1));
}

static void
choose_ports(const struct ctr *c, const struct rec_port_map **v, size_t *n)
{
	bool run = c->run.ports.n > 0;

	*v = run ? c->run.ports.v : c->summary->ports.v;
	*n = run ? c->run.ports.n : c->summary->ports.n;
}

static bool
is_published(const struct rec_port_map *v, size_t n, const char *port)
{
	char *rest;
	unsigned long number = strtoul(port, &rest, 10);

	for (size_t i = 0; i < n; i++) {
		uint64_t count = v[i].range > 0 ? v[i].range : 1;

		if (*rest == '/' && strcmp(rest + 1, v[i].protocol) == 0 &&
		    number >= v[i].container_port && number < v[i].container_port + count)
			return true;
	}
	return false;
}

/* "0.0.0.0:8080->80/tcp, …" */
static void
ps_row_ports(const struct ctr *c, struct strbuf *out)
{
	const struct rec_port_map *v;
	size_t n;

	choose_ports(c, &v, &n);
	for (size_t i = 0; i < n; i++) {
		uint64_t count = v[i].range > 0 ? v[i].range : 1;
		const char *ip =
		    v[i].host_ip != NULL && *v[i].host_ip != '\0' ? v[i].host_ip : "0.0.0.0";

		strbuf_addf(out, "%s%s:", i > 0 ? ", " : "", ip);
		add_range(out, v[i].host_port, count);
		strbuf_add(out, "->");
		add_range(out, v[i].container_port, count);
		strbuf_addf(out, "/%s", v[i].protocol);
	}
	for (size_t i = 0; i < c->summary->expose.n; i++)
		if (!is_published(v, n, c->summary->expose.v[i]))
			strbuf_addf(out, "%s%s", out->n > 0 ? ", " : "", c->summary->expose.v[i]);
}

static json_t *
ports_json(const struct ctr *c)
{
	const struct rec_port_map *v;
	size_t n;
	json_t *a;

	choose_ports(c, &v, &n);
	if (n == 0)
		return json_null();
	a = json_arr();
	for (size_t i = 0; i < n; i++) {
		json_t *o = json_add_obj(a);

		json_put_str(o, "host_ip", v[i].host_ip != NULL ? v[i].host_ip : "");
		json_put_int(o, "container_port", (int64_t)v[i].container_port);
		json_put_int(o, "host_port", (int64_t)v[i].host_port);
		json_put_int(o, "range", v[i].range > 0 ? (int64_t)v[i].range : 1);
		json_put_str(o, "protocol", v[i].protocol);
	}
	return a;
}

/* --- Other columns ------------------------------------------------------------------------------*/

static void
join(const struct strs *l, const char *sep, struct strbuf *out)
{
	for (size_t i = 0; i < l->n; i++) {
		strbuf_add(out, i > 0 ? sep : "");
		strbuf_add(out, l->v[i]);
	}
}

static void
networks(const struct ps_row *how, const struct ctr *c, struct strv *out)
{
	strv_add_all(out, c->summary->networks.v, c->summary->networks.n);
	if (c->summary->default_network)
		strv_add(out, how->default_network);
}

static const char *
image_shown(const struct ctr *c)
{
	return c->summary->image_name != NULL ? c->summary->image_name : c->image;
}

static json_t *
labels(const struct ctr *c)
{
	json_t *o;

	if (c->summary->labels.n == 0)
		return json_null();
	o = json_obj();
	for (size_t i = 0; i < c->summary->labels.n; i++)
		json_put_str(o, c->summary->labels.v[i].key, c->summary->labels.v[i].value);
	return o;
}

/* The protocols of each exposed port, or null. */
static json_t *
exposed(const struct ctr *c)
{
	json_t *o = c->summary->expose.n > 0 ? json_obj() : json_null();

	for (size_t i = 0; i < c->summary->expose.n; i++) {
		const char *word = c->summary->expose.v[i], *slash = strchr(word, '/');
		own_mem char *port = xstrndup(word, strcspn(word, "/"));
		json_t *list = json_object_get(o, port);

		json_add_str(
		    list != NULL ? list : json_put_arr(o, port), slash != NULL ? slash + 1 : "tcp");
	}
	return o;
}

/* Of what runs; Podman's names of them in JSON, in templates, and what the fields once were called. */
static const struct {
	const char *json, *field, *former, *file;
} namespaces[] = {{"Mnt", "MNT", NULL, "mnt"}, {"Cgroup", "Cgroup", "CGROUPNS", "cgroup"},
    {"Ipc", "IPC", NULL, "ipc"}, {"Net", "NET", NULL, "net"}, {"Pidns", "PIDNS", NULL, "pid"},
    {"Uts", "UTS", NULL, "uts"}, {"User", "User", "USERNS", "user"}};

/* The number of one, in to. */
static const char *
namespace_number(const struct ctr *c, const char *file, char *to, size_t size)
{
	char path[64];
	char *number;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)c->pid, file);
	n = c->pid > 0 ? readlink(path, to, size - 1) : -1;
	to[n > 0 ? n : 0] = '\0';
	number = strchr(to, '[');
	if (number == NULL)
		return "";
	number[strcspn(number, "]")] = '\0';
	return number + 1;
}

static json_t *
namespaces_json(const struct ps_row *how, const struct ctr *c)
{
	json_t *o = json_obj();
	char text[64];

	for (size_t i = 0; i < COUNTOF(namespaces) && how->namespaces; i++) {
		const char *number = namespace_number(c, namespaces[i].file, text, sizeof(text));

		if (*number != '\0')
			json_put_str(o, namespaces[i].json, number);
	}
	return o;
}

/* --- Columns of templates
 * -----------------------------------------------------------------------*/

struct ps_row_column {
	const char *key;
	bool summary; /* which must be decoded */
	void (*put)(json_t *o, const char *key, const struct ps_row *how, struct ctr *c);
};

static void
put_id(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	json_put_take(o, key, json_strn(c->id, how->no_trunc ? NAMES_ID_LEN : NAMES_SHORT_LEN));
}

static void
put_full_id(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	(void)how;
	json_put_str(o, key, c->id);
}

static void
put_image(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	(void)how;
	json_put_str(o, key, image_shown(c));
}

static void
put_image_id(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	size_t n = strlen(c->image);

	if (!how->no_trunc && n > NAMES_SHORT_LEN)
		n = NAMES_SHORT_LEN;
	json_put_take(o, key, json_strn(c->image, n));
}

static void
put_command(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	own_strbuf struct strbuf b = {0};

	join(&c->summary->args, " ", &b);
	if (!how->no_trunc && b.n > COMMAND_SHOWN) {
		own_mem char *cut = xasprintf("%.*s...", COMMAND_SHOWN, b.s);

		json_put_str(o, key, cut);
	} else {
		json_put_str(o, key, b.s != NULL ? b.s : "");
	}
}

static void
put_created_at(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	char text[HUMAN_MAX];

	(void)how;
	json_put_str(o, key, human_go_time(c->created_ns, text, sizeof(text)));
}

static void
put_created_human(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	char text[HUMAN_MAX];

	json_put_str(o, key, human_ago(c->created_ns / NS, how->now_ns / NS, text, sizeof(text)));
}

static void
put_created(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	char text[HUMAN_MAX];

	(void)how;
	json_put_str(o, key, human_rfc3339nano(c->created_ns, text, sizeof(text)));
}

static void
put_started_at(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	(void)how;
	json_put_int(o, key, c->started_ns != 0 ? c->started_ns / NS : ZERO_TIME);
}

static void
put_exited_at(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	(void)how;
	json_put_int(o, key, c->finished_ns != 0 ? c->finished_ns / NS : ZERO_TIME);
}

static void
put_state(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	(void)how;
	json_put_str(o, key, ctr_status_name(c->status));
}

static void
put_status(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	char status[128];

	full_status(how, c, status, sizeof(status));
	json_put_str(o, key, status);
}

static void
put_ports(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	own_strbuf struct strbuf ports = {0};

	(void)how;
	ps_row_ports(c, &ports);
	json_put_str(o, key, ports.s != NULL ? ports.s : "");
}

static void
put_exposed(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	(void)how;
	json_put_take(o, key, exposed(c));
}

static void
put_name(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	(void)how;
	json_put_str(o, key, c->name);
}

static void
put_labels(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	(void)how;
	json_put_take(o, key, labels(c));
}

static void
put_cid_file(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	(void)how;
	json_put_str(o, key, c->summary->cid_file != NULL ? c->summary->cid_file : "");
}

static void
put_mounts(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	own_strv struct strv targets = {0};

	(void)how;
	strv_add_all(&targets, c->summary->mounts.v, c->summary->mounts.n);
	json_put_strv(o, key, &targets);
}

static void
put_networks(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	own_strv struct strv names = {0};
	own_strbuf struct strbuf b = {0};

	networks(how, c, &names);
	for (size_t i = 0; i < names.n; i++)
		strbuf_addf(&b, "%s%s", i > 0 ? "," : "", names.v[i]);
	json_put_str(o, key, b.s != NULL ? b.s : "");
}

static void
put_size(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	char rw[HUMAN_MAX], all[HUMAN_MAX], text[3 * HUMAN_MAX] = "";

	(void)c;
	if (how->sized) {
		human_size((double)how->size_rw, rw, sizeof(rw));
		human_size((double)(how->size_rw + how->size_image), all, sizeof(all));
		snprintf(text, sizeof(text), "%s (virtual %s)", rw, all);
	}
	json_put_str(o, key, text);
}

static void
put_pid(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	(void)how;
	json_put_int(o, key, c->pid);
}

static void
put_empty(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	(void)how;
	(void)c;
	json_put_str(o, key, "");
}

static void
put_false(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	(void)how;
	(void)c;
	json_put_bool(o, key, false);
}

static void
put_remove(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	(void)how;
	json_put_bool(o, key, c->summary->remove);
}

static void
put_exited(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	(void)how;
	json_put_bool(o, key, c->status == CTR_EXITED || c->status == CTR_STOPPED);
}

static void
put_exit_code(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	(void)how;
	json_put_int(o, key, c->exit_code);
}

static void
put_restarts(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	(void)how;
	json_put_int(o, key, (int64_t)c->restarts);
}

static void
put_namespace(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	char text[64];

	for (size_t i = 0; i < COUNTOF(namespaces); i++)
		if (strcmp(key, namespaces[i].field) == 0 ||
		    (namespaces[i].former != NULL && strcmp(key, namespaces[i].former) == 0))
			json_put_str(o, key,
			    how->namespaces
				? namespace_number(c, namespaces[i].file, text, sizeof(text))
				: "");
}

static void
put_namespaces(json_t *o, const char *key, const struct ps_row *how, struct ctr *c)
{
	json_t *all = json_obj();

	for (size_t i = 0; i < COUNTOF(namespaces); i++)
		put_namespace(all, namespaces[i].field, how, c);
	json_put_take(o, key, all);
}

static const struct ps_row_column columns[] = {
    {"ID", false, put_id},
    {"Id", false, put_full_id},
    {"Image", true, put_image},
    {"ImageID", false, put_image_id},
    {"Command", true, put_command},
    {"CreatedAt", false, put_created_at},
    {"CreatedHuman", false, put_created_human},
    {"RunningFor", false, put_created_human},
    {"Created", false, put_created},
    {"StartedAt", false, put_started_at},
    {"ExitedAt", false, put_exited_at},
    {"State", false, put_state},
    {"Status", true, put_status},
    {"Ports", true, put_ports},
    {"Names", false, put_name},
    {"Labels", true, put_labels},
    {"Label", true, put_labels},
    {"CIDFile", true, put_cid_file},
    {"Mounts", true, put_mounts},
    {"Networks", true, put_networks},
    {"ExposedPorts", true, put_exposed},
    {"Size", false, put_size},
    {"Pid", false, put_pid},
    {"PID", false, put_pid},
    {"Pod", false, put_empty},
    {"PodName", false, put_empty},
    {"IsInfra", false, put_false},
    {"AutoRemove", true, put_remove},
    {"Exited", false, put_exited},
    {"ExitCode", false, put_exit_code},
    {"Restarts", false, put_restarts},
    {"Namespaces", false, put_namespaces},
    {"CGROUPNS", false, put_namespace},
    {"Cgroup", false, put_namespace},
    {"IPC", false, put_namespace},
    {"MNT", false, put_namespace},
    {"NET", false, put_namespace},
    {"PIDNS", false, put_namespace},
    {"USERNS", false, put_namespace},
    {"User", false, put_namespace},
    {"UTS", false, put_namespace},
};

_Static_assert(COUNTOF(columns) <= PS_ROW_COLUMNS, "all of them may be wanted");

void
ps_row_want(struct ps_row *how, const struct strv *keys)
{
	how->column_n = 0;
	how->summary = false;
	for (size_t i = 0; i < COUNTOF(columns); i++) {
		/* Label is a method: it is not among the fields of the whole row. */
		if (keys != NULL ? strv_find(keys, columns[i].key) == keys->n
				 : strcmp(columns[i].key, "Label") == 0)
			continue;
		how->columns[how->column_n++] = &columns[i];
		how->summary = how->summary || columns[i].summary;
	}
}

json_t *
ps_row_template(const struct ps_row *how, struct ctr *c, struct err *e)
{
	json_t *o;

	if (how->summary && ctr_summary(c, e) == -1)
		return NULL;
	o = json_obj();
	for (size_t i = 0; i < how->column_n; i++)
		how->columns[i]->put(o, how->columns[i]->key, how, c);
	return o;
}

/* --- JSON
 * ---------------------------------------------------------------------------------------*/

static json_t *
size_json(const struct ps_row *how)
{
	json_t *o;

	if (!how->sized)
		return json_null();
	o = json_obj();
	json_put_int(o, "rootFsSize", (int64_t)(how->size_rw + how->size_image));
	json_put_int(o, "rwSize", (int64_t)how->size_rw);
	return o;
}

json_t *
ps_row_json(const struct ps_row *how, struct ctr *c, struct err *e)
{
	own_strv struct strv joined = {0}, targets = {0}, words = {0}, names = {0};
	json_t *o;
	char text[128];

	if (ctr_summary(c, e) == -1)
		return NULL;
	o = json_obj();
	networks(how, c, &joined);
	strv_add_all(&targets, c->summary->mounts.v, c->summary->mounts.n);
	strv_add_all(&words, c->summary->args.v, c->summary->args.n);
	strv_add(&names, c->name);
	json_put_bool(o, "AutoRemove", c->summary->remove);
	json_put_strv(o, "Command", &words);
	json_put_str(
	    o, "CreatedAt", human_ago(c->created_ns / NS, how->now_ns / NS, text, sizeof(text)));
	json_put_str(o, "CIDFile", c->summary->cid_file != NULL ? c->summary->cid_file : "");
	json_put_bool(o, "Exited", c->status == CTR_EXITED || c->status == CTR_STOPPED);
	json_put_int(o, "ExitedAt", c->finished_ns != 0 ? c->finished_ns / NS : ZERO_TIME);
	json_put_int(o, "ExitCode", c->exit_code);
	json_put_take(o, "ExposedPorts", exposed(c));
	json_put_str(o, "Id", c->id);
	json_put_str(o, "Image", image_shown(c));
	json_put_str(o, "ImageID", c->image);
	json_put_bool(o, "IsInfra", false);
	json_put_take(o, "Labels", labels(c));
	json_put_strv(o, "Mounts", &targets);
	json_put_strv(o, "Names", &names);
	json_put_take(o, "Namespaces", namespaces_json(how, c));
	json_put_strv(o, "Networks", &joined);
	json_put_int(o, "Pid", c->pid);
	json_put_str(o, "Pod", "");
	json_put_str(o, "PodName", "");
	json_put_take(o, "Ports", ports_json(c));
	json_put_int(o, "Restarts", (int64_t)c->restarts);
	json_put_take(o, "Size", size_json(how));
	json_put_int(o, "StartedAt", c->started_ns != 0 ? c->started_ns / NS : ZERO_TIME);
	json_put_str(o, "State", ctr_status_name(c->status));
	full_status(how, c, text, sizeof(text));
	json_put_str(o, "Status", text);
	json_put_int(o, "Created", c->created_ns / NS);
	return o;
}
