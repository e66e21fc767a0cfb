/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-run/state/event_journal.h"

#define SOCKET "/run/systemd/journal/socket"

/* Keys of the document and fields of the journal. */
static const struct {
	const char *key, *field;
	bool number;
} fields[] = {
    {"Status", "PODMAN_EVENT", false},
    {"Type", "PODMAN_TYPE", false},
    {"Time", "PODMAN_TIME", false},
    {"ID", "PODMAN_ID", false},
    {"Name", "PODMAN_NAME", false},
    {"Image", "PODMAN_IMAGE", false},
    {"ContainerExitCode", "PODMAN_EXIT_CODE", true},
    {"Network", "PODMAN_NETWORK_NAME", false},
    {"PodID", "PODMAN_POD_ID", false},
    {"health_status", "PODMAN_HEALTH_STATUS", false},
    {"HealthLog", "PODMAN_HEALTH_LOG", false},
    {"HealthFailingStreak", "PODMAN_HEALTH_FAILING_STREAK", true},
    {"Error", "ERROR", false},
    {"ContainerInspectData", "PODMAN_CONTAINER_INSPECT_DATA", false},
};

/* Everybody may look into dir, but a volatile journal's own directory in it is only for the group systemd-journal. */
static bool
has_journal(const char *dir)
{
	own_dir DIR *d = opendir(dir);
	const struct dirent *f;

	while (d != NULL && (f = readdir(d)) != NULL) {
		own_fd int fd = -1;

		if (f->d_name[0] == '.')
			continue;
		fd = openat(dirfd(d), f->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd != -1)
			return true;
	}
	return false;
}

bool
event_journal_usable(void)
{
	return access("/run/systemd/system", F_OK) == 0 && access(SOCKET, W_OK) == 0 &&
	       (has_journal("/run/log/journal") || has_journal("/var/log/journal"));
}

/*
 * A field of the journal's native protocol: NAME=value and a newline, or, since a value may hold newlines,
 * NAME, a newline, its length as 64 bits little-endian, the value and a newline.
 */
static void
add_field(struct strbuf *b, const char *name, const char *value)
{
	size_t n = strlen(value);

	strbuf_add(b, name);
	strbuf_addc(b, '\n');
	for (int shift = 0; shift < 64; shift += 8)
		strbuf_addc(b, (char)((uint64_t)n >> shift & 0xff));
	strbuf_addn(b, value, n);
	strbuf_addc(b, '\n');
}

int
event_journal_send(const json_t *doc, struct err *e)
{
	const struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = SOCKET};
	const json_t *labels = json_object_get(doc, "Attributes");
	own_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	own_strbuf struct strbuf b = {0};
	own_mem char *text = json_text(doc);

	add_field(&b, "MESSAGE", text);
	add_field(&b, "PRIORITY", "6");
	add_field(&b, "SYSLOG_IDENTIFIER", "podman");
	for (size_t i = 0; i < COUNTOF(fields); i++) {
		const json_t *v = json_object_get(doc, fields[i].key);
		own_mem char *number = NULL;

		if (v == NULL)
			continue;
		if (fields[i].number)
			number = xasprintf("%lld", (long long)json_integer_value(v));
		add_field(&b, fields[i].field, number != NULL ? number : json_string_value(v));
	}
	if (json_is_true(json_object_get(doc, "OOMKilled")))
		add_field(&b, "PODMAN_OOM_KILLED", "true");
	if (json_object_size(labels) > 0) {
		own_mem char *l = json_text(labels);

		add_field(&b, "PODMAN_LABELS", l);
	}
	if (fd == -1 ||
	    sendto(fd, b.s, b.n, MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof(to)) == -1)
		return err_sys(e, "sending to the journal");
	return 0;
}

json_t *
event_journal_parse(const json_t *entry)
{
	own_json json_t *o = json_obj();
	int64_t number;

	if (json_string_value(json_object_get(entry, "PODMAN_EVENT")) == NULL)
		return NULL;
	for (size_t i = 0; i < COUNTOF(fields); i++) {
		const char *s = json_string_value(json_object_get(entry, fields[i].field));

		if (s == NULL)
			continue;
		if (fields[i].number && text_to_i64(s, INT32_MIN, INT32_MAX, &number) == 0)
			json_put_int(o, fields[i].key, number);
		else if (!fields[i].number)
			json_put_str(o, fields[i].key, s);
	}
	if (json_object_get(entry, "PODMAN_OOM_KILLED") != NULL)
		json_put_bool(o, "OOMKilled", true);
	if (json_object_get(entry, "PODMAN_LABELS") != NULL) {
		const char *s = json_string_value(json_object_get(entry, "PODMAN_LABELS"));
		struct err e = {0};
		json_t *labels = s != NULL ? json_read(s, strlen(s), &e) : NULL;

		json_put_take(o, "Attributes", labels != NULL ? labels : json_null());
	}
	return json_incref(o);
}
