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
#include "pod-run/life/join.h"
#include "pod-run/oci/spec_config.h"

#define COMMAND_SHOWN 17
#define ZERO_TIME (-INT64_C(62135596800)) /* Go's zero time in seconds since 1970 */
#define NS INT64_C(1000000000)

void
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
		human_duration((now_ns - c->finished_ns) / NS, span, sizeof(span));
		snprintf(out, size, "Exited (%d) %s ago", c->exit_code, span);
		break;
	default:
		snprintf(out, size, "%s", ctr_status_name(c->status));
		out[0] = (char)toupper((unsigned char)out[0]);
	}
}

/* With the health of one that runs: "Up 2 minutes (healthy)". */
static void
full_status(const struct ps_row *how, const struct ctr *c, char *out, size_t size)
{
	char health[32];
	size_t n;

	ps_row_status(c, how->now_ns, out, size);
	if (how->x == NULL || c->status != CTR_RUNNING)
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

	*v = run ? c->run.ports.v : c->config->ports.v;
	*n = run ? c->run.ports.n : c->config->ports.n;
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

void
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
	for (size_t i = 0; i < c->config->expose.n; i++)
		if (!is_published(v, n, c->config->expose.v[i]))
			strbuf_addf(out, "%s%s", out->n > 0 ? ", " : "", c->config->expose.v[i]);
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
join(const struct strv *l, const char *sep, struct strbuf *out)
{
	for (size_t i = 0; i < l->n; i++)
		strbuf_addf(out, "%s%s", i > 0 ? sep : "", l->v[i]);
}

static void
put_joined(json_t *o, const char *key, const struct strv *l, const char *sep)
{
	own_strbuf struct strbuf b = {0};

	join(l, sep, &b);
	json_put_str(o, key, b.s != NULL ? b.s : "");
}

static void
mounts(const struct ctr *c, struct strv *out)
{
	for (size_t i = 0; i < c->config->mounts.n; i++)
		if (!c->config->mounts.v[i].implied)
			strv_add(out, c->config->mounts.v[i].target);
}

static const char *
image_shown(const struct ctr *c)
{
	return c->config->image_name != NULL ? c->config->image_name : c->image;
}

static json_t *
labels(const struct ctr *c)
{
	json_t *o;

	if (c->config->labels.n == 0)
		return json_null();
	o = json_obj();
	for (size_t i = 0; i < c->config->labels.n; i++)
		json_put_str(o, c->config->labels.v[i].key, c->config->labels.v[i].value);
	return o;
}

static void
put_command(json_t *o, const struct ctr *c, bool no_trunc)
{
	own_strv struct strv words = {0};
	own_strbuf struct strbuf b = {0};

	spec_config_args(c->config, &words);
	join(&words, " ", &b);
	if (!no_trunc && b.n > COMMAND_SHOWN) {
		own_mem char *cut = xasprintf("%.*s...", COMMAND_SHOWN, b.s);

		json_put_str(o, "Command", cut);
	} else {
		json_put_str(o, "Command", b.s != NULL ? b.s : "");
	}
}

static void
put_namespaces(json_t *o, const struct ctr *c)
{
	static const struct {
		const char *key, *file;
	} all[] = {{"CGROUPNS", "cgroup"}, {"IPC", "ipc"}, {"MNT", "mnt"}, {"NET", "net"},
	    {"PIDNS", "pid"}, {"USERNS", "user"}, {"UTS", "uts"}};

	for (size_t i = 0; i < COUNTOF(all); i++) {
		char path[64], target[64] = "";
		char *number;
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)c->pid, all[i].file);
		n = c->pid > 0 ? readlink(path, target, sizeof(target) - 1) : -1;
		if (n > 0)
			target[n] = '\0';
		number = strchr(target, '[');
		if (number != NULL)
			number[strcspn(number, "]")] = '\0';
		json_put_str(o, all[i].key, number != NULL ? number + 1 : "");
	}
}

static void
put_size(json_t *o, const struct ps_row *how)
{
	char rw[HUMAN_MAX], all[HUMAN_MAX], text[3 * HUMAN_MAX] = "";

	if (how->sized) {
		human_size((double)how->size_rw, rw, sizeof(rw));
		human_size((double)(how->size_rw + how->size_image), all, sizeof(all));
		snprintf(text, sizeof(text), "%s (virtual %s)", rw, all);
	}
	json_put_str(o, "Size", text);
}

static void
put_times(json_t *o, const struct ps_row *how, const struct ctr *c)
{
	char text[HUMAN_MAX];

	json_put_str(o, "CreatedAt", human_go_time(c->created_ns, text, sizeof(text)));
	human_ago(c->created_ns / NS, how->now_ns / NS, text, sizeof(text));
	json_put_str(o, "CreatedHuman", text);
	json_put_str(o, "RunningFor", text);
	json_put_int(o, "Created", c->created_ns / NS);
	json_put_int(o, "StartedAt", c->started_ns != 0 ? c->started_ns / NS : ZERO_TIME);
	json_put_int(o, "ExitedAt", c->finished_ns != 0 ? c->finished_ns / NS : ZERO_TIME);
}

json_t *
ps_row_template(const struct ps_row *how, const struct ctr *c)
{
	own_strv struct strv networks = {0}, targets = {0};
	own_strbuf struct strbuf ports = {0};
	own_mem char *id = xasprintf("%.*s", how->no_trunc ? NAMES_ID_LEN : NAMES_SHORT_LEN, c->id);
	json_t *o = json_obj();
	char status[128];

	join_networks(c, how->default_network, &networks);
	mounts(c, &targets);
	ps_row_ports(c, &ports);
	full_status(how, c, status, sizeof(status));
	json_put_str(o, "ID", id);
	json_put_str(o, "Id", c->id);
	json_put_str(o, "Image", image_shown(c));
	json_put_str(o, "ImageID", c->image);
	put_command(o, c, how->no_trunc);
	put_times(o, how, c);
	json_put_str(o, "State", ctr_status_name(c->status));
	json_put_str(o, "Status", status);
	json_put_str(o, "Ports", ports.s != NULL ? ports.s : "");
	json_put_str(o, "Names", c->name);
	json_put_take(o, "Labels", labels(c));
	put_joined(o, "Mounts", &targets, ",");
	put_joined(o, "Networks", &networks, ",");
	put_size(o, how);
	json_put_int(o, "Pid", c->pid);
	json_put_int(o, "PID", c->pid);
	json_put_str(o, "Pod", "");
	json_put_str(o, "PodName", "");
	json_put_bool(o, "IsInfra", false);
	json_put_bool(o, "AutoRemove", c->config->remove);
	json_put_bool(o, "Exited", c->status == CTR_EXITED || c->status == CTR_STOPPED);
	json_put_int(o, "ExitCode", c->exit_code);
	json_put_int(o, "Restarts", (int64_t)c->restarts);
	if (how->namespaces)
		put_namespaces(o, c);
	return o;
}

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
ps_row_json(const struct ps_row *how, const struct ctr *c)
{
	own_strv struct strv networks = {0}, targets = {0}, words = {0}, names = {0};
	json_t *o = json_obj();
	char text[128];

	join_networks(c, how->default_network, &networks);
	mounts(c, &targets);
	spec_config_args(c->config, &words);
	strv_add(&names, c->name);
	json_put_bool(o, "AutoRemove", c->config->remove);
	json_put_strv(o, "Command", &words);
	json_put_str(
	    o, "CreatedAt", human_ago(c->created_ns / NS, how->now_ns / NS, text, sizeof(text)));
	json_put_str(o, "CIDFile", c->config->cid_file != NULL ? c->config->cid_file : "");
	json_put_bool(o, "Exited", c->status == CTR_EXITED || c->status == CTR_STOPPED);
	json_put_int(o, "ExitedAt", c->finished_ns != 0 ? c->finished_ns / NS : ZERO_TIME);
	json_put_int(o, "ExitCode", c->exit_code);
	json_put_take(o, "ExposedPorts", json_null());
	json_put_str(o, "Id", c->id);
	json_put_str(o, "Image", image_shown(c));
	json_put_str(o, "ImageID", c->image);
	json_put_bool(o, "IsInfra", false);
	json_put_take(o, "Labels", labels(c));
	json_put_strv(o, "Mounts", &targets);
	json_put_strv(o, "Names", &names);
	json_put_take(o, "Namespaces", json_obj());
	if (how->namespaces)
		put_namespaces(json_object_get(o, "Namespaces"), c);
	json_put_strv(o, "Networks", &networks);
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
