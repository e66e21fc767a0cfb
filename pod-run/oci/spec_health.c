/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/value.h"
#include "pod-run/oci/spec_health.h"
#include "pod-run/oci/spec_list.h"

#define S struct spec_health_options
#define SECOND INT64_C(1000000000)
#define INTERVAL_DEFAULT (30 * SECOND)
#define TIMEOUT_DEFAULT (30 * SECOND)
#define RETRIES_DEFAULT 3

/* clang-format off */
const struct opt spec_health_rows[] = {
	{"health-cmd", 0, OPT_STRING(S, cmd), .flags = OPT_BLANK, .arg = "command", .help = "set a healthcheck command for the container ('none' disables the existing healthcheck)"},
	{"health-interval", 0, OPT_STRING(S, interval), .flags = OPT_BLANK, .arg = "interval", .show = "30s", .help = "set an interval for the healthcheck. (a value of disable results in no automatic timer setup)"},
	{"health-log-destination", 0, OPT_STRING(S, log_destination), .arg = "directory_path", .complete = COMPLETE_DIR, .choices = "local,events_logger", .show = "local", .help = "set the destination of the HealthCheck log. Directory path, local or events_logger (local use container state file)"},
	{"health-max-log-count", 0, OPT_INT(S, max_log_count), .flags = OPT_COUNT, .arg = "number", .def = "-1", .show = "5", .help = "set maximum number of attempts in the HealthCheck log file. ('0' value means an infinite number of attempts in the log file)"},
	{"health-max-log-size", 0, OPT_INT(S, max_log_size), .flags = OPT_COUNT, .arg = "size", .def = "-1", .show = "500", .help = "set maximum length in characters of stored HealthCheck log. ('0' value means an infinite log length)"},
	{"health-on-failure", 0, OPT_STRING(S, on_failure), .flags = OPT_BLANK, .arg = "action", .complete = COMPLETE_CHOICE, .choices = "none,kill,restart,stop", .show = "none", .help = "action to take once the container turns unhealthy"},
	{"health-retries", 0, OPT_INT(S, retries), .flags = OPT_COUNT, .arg = "retries", .def = "-1", .show = "3", .help = "the number of retries allowed before a healthcheck is considered to be unhealthy"},
	{"health-start-period", 0, OPT_STRING(S, start_period), .flags = OPT_BLANK, .arg = "period", .show = "0s", .help = "the initialization time needed for a container to bootstrap"},
	{"health-startup-cmd", 0, OPT_STRING(S, startup_cmd), .arg = "command", .help = "Set a startup healthcheck command for the container"},
	{"health-startup-interval", 0, OPT_STRING(S, startup_interval), .flags = OPT_BLANK, .arg = "interval", .show = "30s", .help = "Set an interval for the startup healthcheck"},
	{"health-startup-retries", 0, OPT_INT(S, startup_retries), .flags = OPT_COUNT, .arg = "retries", .def = "-1", .show = "0", .help = "Set the maximum number of retries before the startup healthcheck will restart the container"},
	{"health-startup-success", 0, OPT_INT(S, startup_success), .flags = OPT_COUNT, .arg = "retries", .def = "-1", .show = "0", .help = "Set the number of consecutive successes before the startup healthcheck is marked as successful and the normal healthcheck begins (0 indicates any success will start the regular healthcheck)"},
	{"health-startup-timeout", 0, OPT_STRING(S, startup_timeout), .flags = OPT_BLANK, .arg = "timeout", .show = "30s", .help = "Set the maximum amount of time that the startup healthcheck may take before it is considered failed"},
	{"health-timeout", 0, OPT_STRING(S, timeout), .flags = OPT_BLANK, .arg = "timeout", .show = "30s", .help = "the maximum time allowed to complete the healthcheck before an interval is considered failed"},
	{"no-healthcheck", 0, OPT_BOOL(S, none), .help = "Disable healthchecks on container"},
	OPT_END,
};
/* clang-format on */

bool
spec_health_has(const struct rec_health *h)
{
	return h != NULL && h->test.n > 0 && strcasecmp(h->test.v[0], "NONE") != 0 &&
	       (h->test.n > 1 || *h->test.v[0] == '\0' || strncasecmp(h->test.v[0], "CMD", 3) != 0);
}

/* The words of a JSON array, or -1 if it is none. */
static int
read_array(const char *text, struct strs *out, struct arena *a)
{
	struct err ignored = {0};
	own_json json_t *j = NULL;
	json_t *item;
	size_t i;

	if (text[0] != '[' || (j = json_read(text, strlen(text), &ignored)) == NULL ||
	    !json_is_array(j))
		return -1;
	json_array_foreach (j, i, item) {
		if (!json_is_string(item))
			return -1;
		spec_list_add(a, out, arena_strdup(a, json_string_value(item)));
	}
	return 0;
}

static void
read_words(const char *text, struct strs *out, struct arena *a)
{
	while (*(text += strspn(text, " \t")) != '\0') {
		size_t n = strcspn(text, " \t");

		spec_list_add(a, out, arena_strndup(a, text, n));
		text += n;
	}
}

static bool
begins_with_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	return strncasecmp(text, word, n) == 0 && (text[n] == ' ' || text[n] == '\0');
}

/* A line for the shell; "none"; "CMD …" as in an image; or an array of words. */
static int
read_command(const char *text, struct strs *test, struct arena *a, struct err *e)
{
	struct strs words = {0};

	*test = (struct strs){0};
	if (*text == '\0' || (read_array(text, &words, a) == 0 && words.n == 0))
		return err_set(
		    e, ERR_INVALID, "must define a healthcheck command for all healthchecks");
	if (begins_with_word(text, "none") ||
	    (words.n == 1 && strcasecmp(words.v[0], "NONE") == 0)) {
		spec_list_add(a, test, "NONE");
	} else if (begins_with_word(text, "CMD")) {
		read_words(text, test, a);
	} else if (begins_with_word(text, "CMD-SHELL")) {
		spec_list_add(a, test, "CMD-SHELL");
		spec_list_add(a, test, text + strlen("CMD-SHELL") + 1);
	} else if (words.n == 0) {
		spec_list_add(a, test, "CMD-SHELL");
		spec_list_add(a, test, text);
	} else {
		if (strncasecmp(words.v[0], "CMD", 3) != 0)
			spec_list_add(a, test, words.n > 1 ? "CMD" : "CMD-SHELL");
		for (size_t i = 0; i < words.n; i++)
			spec_list_add(a, test, words.v[i]);
	}
	return 0;
}

static int
read_time(const char *text, const char *what, int64_t least, int64_t *out, struct err *e)
{
	if (text == NULL)
		return 0;
	if (value_duration(text, out, e) < 0)
		return err_wrap(e, "invalid healthcheck-%s", what);
	if (*out < least)
		return err_set(e, ERR_INVALID, "healthcheck-%s must be %s", what,
		    least > 0 ? "at least 1 second" : "0 seconds or greater");
	return 0;
}

static int
read_interval(const char *text, int64_t *out, struct err *e)
{
	if (text != NULL && strcmp(text, "disable") == 0) {
		*out = 0;
		return 0;
	}
	return read_time(text, "interval", 0, out, e);
}

/* A fresh copy, so that the image's record stays as it is. */
static struct rec_health *
copy(const struct rec_health *from, struct arena *a)
{
	struct rec_health *h = arena_alloc(a, sizeof(*h));

	if (from != NULL)
		*h = *from;
	return h;
}

/* What neither the options nor the image say. */
static void
fill(struct rec_health *h, bool interval_given)
{
	if (h->interval == 0 && !interval_given)
		h->interval = INTERVAL_DEFAULT;
	if (h->timeout == 0)
		h->timeout = TIMEOUT_DEFAULT;
}

static int
read_regular(
    const struct spec_health_options *o, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	struct rec_health *h = copy(o->cmd == NULL ? c->health : NULL, a);

	if (o->cmd != NULL && read_command(o->cmd, &h->test, a, e) < 0)
		return -1;
	if (o->retries == 0 || o->retries > UINT32_MAX)
		return err_set(e, ERR_INVALID, "healthcheck-retries must be greater than 0");
	if (read_interval(o->interval, &h->interval, e) < 0 ||
	    read_time(o->timeout, "timeout", SECOND, &h->timeout, e) < 0 ||
	    read_time(o->start_period, "start-period", 0, &h->start_period, e) < 0)
		return -1;
	/* Words are looked at even if there is nothing that they could be about. */
	if (o->cmd == NULL && c->health == NULL)
		return 0;
	if (o->retries > 0)
		h->retries = (uint64_t)o->retries;
	fill(h, o->interval != NULL);
	if (h->retries == 0)
		h->retries = RETRIES_DEFAULT;
	c->health = h;
	return 0;
}

static int
read_startup(
    const struct spec_health_options *o, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	struct rec_health *h = copy(o->startup_cmd == NULL ? c->health_startup : NULL, a);

	if (read_interval(o->startup_interval, &h->interval, e) < 0 ||
	    read_time(o->startup_timeout, "timeout", SECOND, &h->timeout, e) < 0)
		return -1;
	if (o->startup_cmd == NULL && c->health_startup == NULL)
		return 0;
	if (!spec_health_has(c->health))
		return err_set(e, ERR_INVALID,
		    "a healthcheck command must be set to use a startup healthcheck");
	if (o->startup_cmd != NULL && read_command(o->startup_cmd, &h->test, a, e) < 0)
		return -1;
	if (o->startup_retries >= 0)
		h->retries = (uint64_t)o->startup_retries;
	if (o->startup_success >= 0)
		c->health_startup_success = (uint64_t)o->startup_success;
	fill(h, o->startup_interval != NULL);
	c->health_startup = h;
	return 0;
}

static int
read_log(const struct spec_health_options *o, struct rec_ctr_config *c, struct err *e)
{
	const char *to = o->log_destination;
	struct stat st;

	if (o->max_log_count > UINT32_MAX || o->max_log_size > UINT32_MAX)
		return err_set(e, ERR_INVALID, "the log of health checks cannot be that large");
	if (o->max_log_count >= 0)
		c->health_max_log_count = (uint64_t)o->max_log_count;
	if (o->max_log_size >= 0)
		c->health_max_log_size = (uint64_t)o->max_log_size;
	if (to == NULL)
		return 0;
	c->health_log_destination = NULL;
	if (*to == '\0' || strcmp(to, "local") == 0)
		return 0;
	c->health_log_destination = to;
	if (strcmp(to, "events_logger") == 0)
		return 0;
	if (stat(to, &st) != 0)
		return err_sys(e, "HealthCheck Log '%s' destination error", to);
	if (!S_ISDIR(st.st_mode) || *to != '/')
		return err_set(
		    e, ERR_INVALID, "HealthCheck Log '%s' destination must be directory", to);
	return 0;
}

int
spec_health(
    const struct spec_health_options *o, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const char *action = o->on_failure;

	if (o->none && o->cmd != NULL)
		return err_set(
		    e, ERR_INVALID, "cannot specify both --no-healthcheck and --health-cmd");
	if (o->none && o->startup_cmd != NULL)
		return err_set(e, ERR_INVALID,
		    "cannot specify both --no-healthcheck and --health-startup-cmd");
	if (action != NULL && !opt_in_list("none,kill,restart,stop", action, strlen(action)))
		return err_set(e, ERR_INVALID,
		    "invalid on-failure action \"%s\" for health check: supported actions are "
		    "none,kill,restart,stop",
		    action);
	if (action != NULL)
		c->health_on_failure = action;
	if (o->none) {
		c->health = copy(NULL, a);
		spec_list_add(a, &c->health->test, "NONE");
		c->health_startup = NULL;
		return 0;
	}
	if (read_regular(o, c, a, e) < 0 || read_startup(o, c, a, e) < 0 || read_log(o, c, e) < 0)
		return -1;
	/* Only now is it known that there is nothing to react to. */
	if (action != NULL && strcmp(action, "none") != 0 && !spec_health_has(c->health))
		return err_set(e, ERR_INVALID,
		    "cannot set on-failure action to %s without a health check", action);
	return 0;
}
