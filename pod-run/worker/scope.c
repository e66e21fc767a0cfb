/* SPDX-License-Identifier: ISC */
/*
 * pod-run-scope: has systemd move processes into a scope of their own (scope_enter of copy.def).
 */
#include <errno.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/wire/sdbus.h"
#include "common/wire/worker.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define OBJECT "/org/freedesktop/systemd1"
#define LIMIT_MS 10000 /* of one call, and of the job */

/* The job that was asked for, and what became of it. */
struct job {
	const char *path;
	char result[32];
	bool removed;
};

/* JobRemoved(id, job, unit, result) */
static int
on_removed(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *path, *unit, *result;
	struct job *j = arg;
	uint32_t id;

	(void)error;
	if (j->path == NULL || sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0 ||
	    strcmp(path, j->path) != 0)
		return 0;
	strncpy(j->result, result, sizeof(j->result) - 1);
	j->removed = true;
	return 0;
}

static int
await_job(sd_bus *bus, struct job *j, const char *unit, struct err *e)
{
	int64_t end = clock_now_ms() + LIMIT_MS;

	while (!j->removed) {
		int r = sd_bus_process(bus, NULL);
		int64_t left = end - clock_now_ms();

		if (r == 0)
			r = left > 0 ? sd_bus_wait(bus, (uint64_t)left * 1000) : -ETIMEDOUT;
		if (r < 0)
			return sdbus_failed(r, "waiting for systemd", e);
	}
	if (strcmp(j->result, "done") != 0)
		return err_set(e, ERR_STATE, "starting %s: %s", unit, j->result);
	return 0;
}

/* The property PIDs, "(sv)" with v = "au". */
static int
add_processes(sd_bus_message *m, const struct msg_scope_enter *want)
{
	const uint32_t pids[] = {(uint32_t)want->pid, (uint32_t)want->worker_pid};
	size_t size = (want->worker_pid != 0 ? 2 : 1) * sizeof(*pids);
	int r = sd_bus_message_open_container(m, 'r', "sv");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", "PIDs");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', "au");
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'u', pids, size);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r >= 0 ? sd_bus_message_close_container(m) : r;
}

/*
 * StartTransientUnit(name, mode, properties, auxiliary units).  CollectMode: one that was killed is not kept for the
 * administrator to see.
 */
static int
add_unit(sd_bus_message *m, const struct msg_scope_enter *want, const char *unit)
{
	int r = sd_bus_message_append(m, "ss", unit, "fail");

	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)", "Description", "s",
		    want->description, "Slice", "s", want->slice, "DefaultDependencies", "b", 0,
		    "CollectMode", "s", "inactive-or-failed");
	if (r >= 0)
		r = add_processes(m, want);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r >= 0 ? sd_bus_message_append(m, "a(sa(sv))", 0) : r;
}

enum made { MADE_ERROR = -1, MADE_EXISTS, MADE_GONE, MADE_NOT, MADE };

/*
 * MADE_GONE: one of the processes has ended.  MADE_NOT: the job failed, as it also does (with e) if one has ended
 * since systemd looked for it.
 */
static enum made
make(sd_bus *bus, const struct msg_scope_enter *want, const char *unit, struct err *e)
{
	own(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	own_sdbus_message sd_bus_message *m = NULL, *answer = NULL;
	own_sdbus_slot sd_bus_slot *slot = NULL;
	struct job j = {0};
	int r = sd_bus_match_signal(
	    bus, &slot, SYSTEMD, OBJECT, SYSTEMD ".Manager", "JobRemoved", on_removed, &j);

	if (r >= 0)
		r = sd_bus_message_new_method_call(
		    bus, &m, SYSTEMD, OBJECT, SYSTEMD ".Manager", "StartTransientUnit");
	if (r >= 0)
		r = add_unit(m, want, unit);
	if (r < 0) {
		sdbus_failed(r, "making a message", e);
		return MADE_ERROR;
	}
	r = sd_bus_call(bus, m, (uint64_t)LIMIT_MS * 1000, &error, &answer);
	if (r < 0 && sd_bus_error_has_name(&error, SYSTEMD ".UnitExists"))
		return MADE_EXISTS;
	if (r < 0 && sd_bus_error_has_name(&error, SD_BUS_ERROR_UNIX_PROCESS_ID_UNKNOWN))
		return MADE_GONE;
	if (r < 0) {
		err_set(e, ERR_STATE, "starting %s: %s", unit,
		    error.message != NULL ? error.message : strerror(-r));
		return MADE_ERROR;
	}
	r = sd_bus_message_read(answer, "o", &j.path);
	if (r < 0) {
		sdbus_failed(r, "reading systemd's answer", e);
		return MADE_ERROR;
	}
	if (await_job(bus, &j, unit, e) == 0)
		return MADE;
	return j.removed ? MADE_NOT : MADE_ERROR;
}

/* The scope of the last run stays while its clean-up waits for us. */
static enum made
make_one(sd_bus *bus, const struct msg_scope_enter *want, struct err *e)
{
	enum made r = make(bus, want, want->unit, e);

	if (r == MADE_EXISTS && want->spare != NULL)
		r = make(bus, want, want->spare, e);
	return r;
}

static int
enter(sd_bus *bus, const struct msg_scope_enter *want, struct err *e)
{
	struct msg_scope_enter m = *want;
	struct err first = {0};
	enum made r = make_one(bus, &m, &first);

	/* The worker ends with the container's streams. */
	if ((r == MADE_GONE || r == MADE_NOT) && m.worker_pid != 0) {
		m.worker_pid = 0;
		r = make_one(bus, &m, e);
	} else {
		*e = first;
	}
	if (r == MADE_EXISTS)
		return err_set(e, ERR_STATE, "starting %s: there is one", want->unit);
	return r == MADE_ERROR || r == MADE_NOT ? -1 : 0;
}

static int
on_enter(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_scope_enter *m = MSG_OF(in, scope_enter);
	own_sdbus sd_bus *bus = NULL;

	(void)arg;
	if (sdbus_adopt(fd_take(&m->bus), &bus, e) == -1 || enter(bus, m, e) == -1)
		return -1;
	return peer_send(p, &msg_ok_desc, in->seq, &(struct msg_ok){0}, e);
}

int
main(int argc, char **argv)
{
	static const struct peer_handler handlers[] = {
	    {&msg_scope_enter_desc, 1, PEER_ONCE, on_enter}};
	const struct worker_face face = {
	    .role = ROLE_SCOPE, .starter = ROLE_RUN, .handlers = handlers, .n = COUNTOF(handlers)};

	return worker_main(&face, argc, argv);
}
