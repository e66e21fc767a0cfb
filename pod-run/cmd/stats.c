/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/cli/human.h"
#include "common/cli/output.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/stats.h"
#include "pod-run/life/sync.h"
#include "pod-run/remote/containers.h"

struct stats_opts {
	bool all, latest, no_reset, no_stream, no_trunc;
	const char *format;
	int64_t interval;
};

static const struct opt rows[] = {
    {"all", 'a', OPT_BOOL(struct stats_opts, all),
	.help = "Show all containers. Only running containers are shown by default. The default is "
		"false"},
    {"format", 0, OPT_STRING(struct stats_opts, format), .arg = "string",
	.help = "Pretty-print container statistics to JSON or using a Go template"},
    {"interval", 'i', OPT_INT(struct stats_opts, interval), .bits = 32, .arg = "int", .def = "5",
	.help = "Time in seconds between stats reports"},
    {"latest", 'l', OPT_BOOL(struct stats_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    {"no-reset", 0, OPT_BOOL(struct stats_opts, no_reset),
	.help = "Disable resetting the screen between intervals"},
    {"no-stream", 0, OPT_BOOL(struct stats_opts, no_stream),
	.help = "Disable streaming stats and only pull the first result, default setting is false"},
    {"no-trunc", 0, OPT_BOOL(struct stats_opts, no_trunc), .help = "Do not truncate output"},
    OPT_END,
};

/* --- A row --------------------------------------------------------------------------------------*/

static void
pair(char *out, size_t size, uint64_t a, uint64_t b,
    char *(*human)(double bytes, char *to, size_t n))
{
	char one[HUMAN_MAX], two[HUMAN_MAX];

	snprintf(out, size, "%s / %s", human((double)a, one, sizeof(one)),
	    human((double)b, two, sizeof(two)));
}

/* What a row tells of. */
struct look {
	const char *id, *name;
	const struct usage *u;
	double cpu, average; /* percent */
	int64_t now_ns;
};

/* A row for templates, without what is an object of its own. */
static json_t *
make_row(const struct look *l, bool no_trunc)
{
	const struct usage *u = l->u;
	double memory = u->memory_limit > 0 ? (double)u->memory * 100 / (double)u->memory_limit : 0;
	json_t *o = json_obj();
	char text[2 * HUMAN_MAX + 8], short_id[16];

	snprintf(short_id, sizeof(short_id), NAMES_SHORT_FMT, l->id);
	json_put_str(o, "ID", no_trunc ? l->id : short_id);
	json_put_str(o, "ContainerID", l->id);
	json_put_str(o, "Name", l->name);
	snprintf(text, sizeof(text), "%.2f%%", l->cpu);
	json_put_str(o, "CPUPerc", text);
	snprintf(text, sizeof(text), "%.2f%%", l->average);
	json_put_str(o, "AVGCPU", text);
	json_put_take(o, "CPU", json_real(l->cpu));
	json_put_take(o, "AvgCPU", json_real(l->average));
	json_put_int(o, "CPUNano", (int64_t)u->cpu_ns);
	json_put_int(o, "CPUSystemNano", (int64_t)u->cpu_system_ns);
	json_put_int(o, "SystemNano", l->now_ns);
	json_put_int(o, "Duration", (int64_t)u->cpu_ns);
	json_put_str(o, "Up", human_go_duration((int64_t)u->cpu_ns, text, sizeof(text)));
	json_put_str(o, "UpTime", human_go_duration((int64_t)u->cpu_ns, text, sizeof(text)));
	pair(text, sizeof(text), u->memory, u->memory_limit, human_size);
	json_put_str(o, "MemUsage", text);
	pair(text, sizeof(text), u->memory, u->memory_limit, human_bytes);
	json_put_str(o, "MemUsageBytes", text);
	json_put_int(o, "MemLimit", (int64_t)u->memory_limit);
	snprintf(text, sizeof(text), "%.2f%%", memory);
	json_put_str(o, "MemPerc", text);
	pair(text, sizeof(text), u->received, u->sent, human_size);
	json_put_str(o, "NetIO", text);
	json_put_int(o, "NetInput", (int64_t)u->received);
	json_put_int(o, "NetOutput", (int64_t)u->sent);
	pair(text, sizeof(text), u->read, u->written, human_size);
	json_put_str(o, "BlockIO", text);
	json_put_int(o, "BlockInput", (int64_t)u->read);
	json_put_int(o, "BlockOutput", (int64_t)u->written);
	json_put_int(o, "PIDS", (int64_t)u->tasks);
	json_put_int(o, "PIDs", (int64_t)u->tasks);
	return o;
}

/* CPU use since before, or since the start if that is NULL. */
static double
cpu_since(const struct stats_before *before, uint64_t cpu_ns, int64_t now_ns, double average)
{
	if (before == NULL || before->now_ns >= now_ns || before->cpu_ns > cpu_ns)
		return average;
	return (double)(cpu_ns - before->cpu_ns) * 100 / (double)(now_ns - before->now_ns);
}

static json_t *
stats_row(const struct ctr *c, const struct usage *u, const struct stats_before *before,
    int64_t now_ns, bool no_trunc)
{
	int64_t lived = c->pid > 0 && c->started_ns > 0 ? now_ns - c->started_ns : 0;
	double average = lived > 0 ? (double)u->cpu_ns * 100 / (double)lived : 0;
	const struct look l = {.id = c->id,
	    .name = c->name,
	    .u = u,
	    .cpu = cpu_since(before, u->cpu_ns, now_ns, average),
	    .average = average,
	    .now_ns = now_ns};
	json_t *o = make_row(&l, no_trunc);

	json_put_take(o, "PerCPU", usage_per_cpu(c));
	json_put_take(o, "Network", usage_network(c));
	return o;
}

/* --format json has names of its own, and numbers as text. */
static json_t *
json_row(const json_t *row)
{
	static const struct {
		const char *key, *field;
	} keys[] = {{"id", "ID"}, {"name", "Name"}, {"cpu_time", "UpTime"},
	    {"cpu_percent", "CPUPerc"}, {"avg_cpu", "AVGCPU"}, {"mem_usage", "MemUsage"},
	    {"mem_percent", "MemPerc"}, {"net_io", "NetIO"}, {"block_io", "BlockIO"}};
	json_t *o = json_obj();
	char text[24];

	for (size_t i = 0; i < COUNTOF(keys); i++)
		json_put_str(
		    o, keys[i].key, json_string_value(json_object_get(row, keys[i].field)));
	snprintf(text, sizeof(text), "%lld",
	    (long long)json_integer_value(json_object_get(row, "PIDS")));
	json_put_str(o, "pids", text);
	return o;
}

/* --- A report -----------------------------------------------------------------------------------*/

struct report {
	struct ctx *x;
	const struct stats_opts *o;
	int argc;
	char **argv;
	struct strv ids; /* in the order of the words; empty: those that live, or all */
	struct stats_before *before;
	size_t before_n, before_cap;
};

static struct stats_before *
before_of(struct report *r, const char *id)
{
	for (size_t i = 0; i < r->before_n; i++)
		if (strcmp(r->before[i].id, id) == 0)
			return &r->before[i];
	return NULL;
}

static void
remember(struct report *r, const char *id, int64_t now_ns, uint64_t cpu_ns)
{
	struct stats_before *b = before_of(r, id);

	if (b == NULL) {
		r->before =
		    mem_grow(r->before, &r->before_cap, r->before_n + 1, sizeof(*r->before));
		b = &r->before[r->before_n++];
		memcpy(b->id, id, sizeof(b->id));
	}
	b->now_ns = now_ns;
	b->cpu_ns = cpu_ns;
}

static void
add_row(struct report *r, const struct ctr *c, bool as_json, json_t *list)
{
	int64_t now = ctx_now_ns();
	own_json json_t *row = NULL;
	struct usage u;

	usage_read(c, &u);
	row = stats_row(c, &u, before_of(r, c->id), now, r->o->no_trunc);
	json_add_take(list, as_json ? json_row(row) : json_incref(row));
	remember(r, c->id, now, u.cpu_ns);
}

static uint64_t
count_at(const json_t *o, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(o, key));

	return v > 0 ? (uint64_t)v : 0;
}

/* As a service tells it. */
static int
add_told(struct report *r, const json_t *o, bool as_json, json_t *list, struct err *e)
{
	const struct usage u = {.cpu_ns = count_at(o, "CPUNano"),
	    .cpu_system_ns = count_at(o, "CPUSystemNano"),
	    .memory = count_at(o, "MemUsage"),
	    .memory_limit = count_at(o, "MemLimit"),
	    .received = count_at(o, "NetInput"),
	    .sent = count_at(o, "NetOutput"),
	    .read = count_at(o, "BlockInput"),
	    .written = count_at(o, "BlockOutput"),
	    .tasks = count_at(o, "PIDs")};
	const char *id = json_string_value(json_object_get(o, "ContainerID"));
	const char *name = json_string_value(json_object_get(o, "Name"));
	struct look l = {.id = id,
	    .name = name != NULL ? name : "",
	    .u = &u,
	    .average = json_number_value(json_object_get(o, "AvgCPU")),
	    .now_ns = (int64_t)count_at(o, "SystemNano")};
	own_json json_t *row = NULL;

	if (id == NULL || !names_is_id(id))
		return err_set(e, ERR_FORMAT, "the service tells of a container without an ID");
	l.cpu = cpu_since(before_of(r, id), u.cpu_ns, l.now_ns, l.average);
	row = make_row(&l, r->o->no_trunc);
	json_add_take(list, as_json ? json_row(row) : json_incref(row));
	remember(r, id, l.now_ns, u.cpu_ns);
	return 0;
}

static int
once_there(struct report *r, bool as_json, json_t *list, struct err *e)
{
	own_json json_t *told = containers_stats(r->x->remote, &r->ids, e);
	const json_t *one;
	size_t i;

	if (told == NULL)
		return -1;
	json_array_foreach (told, i, one)
		if (add_told(r, one, as_json, list, e) == -1)
			return -1;
	return 0;
}

static bool
is_chosen(const struct report *r, const struct ctr *c)
{
	return r->ids.n == 0 || strv_find(&r->ids, c->id) < r->ids.n;
}

static int
once(struct report *r, struct err *e)
{
	static const struct output_heading headings[] = {{"CPUPerc", "CPU %"},
	    {"MemUsage", "MEM USAGE / LIMIT"}, {"MemUsageBytes", "MEM USAGE / LIMIT"},
	    {"MemPerc", "MEM %"}, {"NetIO", "NET IO"}, {"BlockIO", "BLOCK IO"}, {"PIDS", "PIDS"},
	    {"UpTime", "CPU TIME"}, {"AVGCPU", "AVG CPU %"}, {NULL, NULL}};
	own_ctr_list struct ctr_list l = {0};
	own_json json_t *list = json_arr();
	bool as_json = output_is_json(r->o->format), some = r->ids.n > 0 || r->o->all;
	struct output out = {.format = r->o->format,
	    .table = "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t"
		     "{{.BlockIO}}\t{{.PIDS}}\t{{.UpTime}}\t{{.AVGCPU}}",
	    .type = "containers.containerStats",
	    .headings = headings};

	if (r->x->remote != NULL)
		return once_there(r, as_json, list, e) == -1
			   ? -1
			   : output_list(&out, list, NULL, stdout, e);
	if ((some ? sync_list(r->x, &l, e) : sync_list_live(r->x, &l, e)) == -1)
		return -1;
	for (size_t i = 0; i < l.n; i++)
		if (is_chosen(r, &l.v[i]))
			add_row(r, &l.v[i], as_json, list);
	return output_list(&out, list, NULL, stdout, e);
}

static int
choose(struct report *r, struct err *e)
{
	struct db *db = r->x->remote == NULL ? ctx_db(r->x, e) : NULL;
	char id[NAMES_ID_LEN + 1];

	if (r->x->remote != NULL) {
		strv_add_all(&r->ids, (const char *const *)r->argv, (size_t)r->argc);
		return 0;
	}
	if (db == NULL)
		return -1;
	if (r->o->latest) {
		if (ctr_find_latest(db, id, e) == -1)
			return -1;
		strv_add(&r->ids, id);
	}
	for (int i = 0; i < r->argc; i++) {
		if (ctr_find(db, r->argv[i], id, e) == -1)
			return err_wrap(e,
			    "unable to get list of containers: unable to look up container %s",
			    r->argv[i]);
		strv_add(&r->ids, id);
	}
	return 0;
}

static int
loop(struct report *r, struct err *e)
{
	for (;;) {
		if (!r->o->no_reset && !r->o->no_stream && isatty(STDOUT_FILENO))
			fputs("\033[2J\033[1;1H", stdout);
		if (once(r, e) == -1)
			return -1;
		if (fflush(stdout) == EOF || r->o->no_stream)
			return 0;
		sleep((unsigned)r->o->interval);
	}
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct stats_opts *o = opts;
	struct report r = {.x = ctx_of(cli), .o = o, .argc = argc, .argv = argv};
	int rc;

	if (o->all + o->latest + (argc > 0) > 1)
		return err_set(
		    e, ERR_USAGE, "--all, --latest and containers cannot be used together");
	if (o->interval < 1)
		return err_set(
		    e, ERR_INVALID, "invalid interval, must be a positive number greater zero");
	rc = choose(&r, e) == -1 ? -1 : loop(&r, e);
	strv_free(&r.ids);
	free(r.before);
	return rc;
}

const struct cmd cmd_stats = {
    .name = "stats",
    .synopsis = "[options] [CONTAINER...]",
    .brief = "Display a live stream of container resource usage statistics",
    .text = "Display percentage of CPU, memory, network I/O, block I/O and PIDs for one or more "
	    "containers.",
    .examples = "stats --all --no-stream\nstats ctrID\nstats --no-stream --format \"table {{.ID}} "
		"{{.Name}} {{.MemUsage}}\" ctrID",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct stats_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER_RUNNING,
    .run = run,
};
