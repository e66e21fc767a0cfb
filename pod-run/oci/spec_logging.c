/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/value.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/oci/spec_logging.h"

#define FILES_DEFAULT 1 /* full files that are kept beside the one that is written */
#define FILES_MAX 1000

bool
spec_logging_is_file(const char *driver)
{
	return driver == NULL || strcmp(driver, LOGGING_FILE) == 0 ||
	       strcmp(driver, "json-file") == 0;
}

static int
only_with(const char *what, const char *driver, const struct rec_ctr_config *c, struct err *e)
{
	if (strcmp(spec_logging_is_file(c->log_driver) ? LOGGING_FILE : c->log_driver, driver) == 0)
		return 0;
	return err_set(e, ERR_INVALID, "can only set %s with %s log driver but driver is \"%s\"",
	    what, driver, c->log_driver);
}

typedef int option_fn(struct rec_ctr_config *c, const char *value, struct arena *a, struct err *e);

static int
read_path(struct rec_ctr_config *c, const char *value, struct arena *a, struct err *e)
{
	(void)a;
	if (only_with("log path", LOGGING_FILE, c, e) < 0)
		return -1;
	if (*value != '/')
		return err_set(e, ERR_INVALID, "log path \"%s\" must be absolute", value);
	c->log_path = value;
	return 0;
}

static int
read_max_size(struct rec_ctr_config *c, const char *value, struct arena *a, struct err *e)
{
	(void)a;
	return value_size_decimal(value, &c->log_size_max, e);
}

/* How many files there are in all. */
static int
read_max_file(struct rec_ctr_config *c, const char *value, struct arena *a, struct err *e)
{
	uint64_t n;

	(void)a;
	if (text_to_u64(value, FILES_MAX + 1, &n) < 0 || n == 0)
		return err_set(e, ERR_INVALID, "invalid log option max-file=%s", value);
	c->log_files_max = n - 1;
	return 0;
}

static int
read_tag(struct rec_ctr_config *c, const char *value, struct arena *a, struct err *e)
{
	(void)a;
	if (only_with("log tag", "journald", c, e) < 0)
		return -1;
	c->log_tag = value;
	return 0;
}

static int
read_label(struct rec_ctr_config *c, const char *value, struct arena *a, struct err *e)
{
	size_t n = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	if (only_with("log label", "journald", c, e) < 0)
		return -1;
	if (n == 0 || value[n] != '=')
		return err_set(e, ERR_INVALID,
		    "invalid log label \"%s\": must be NAME=value with a name of capital letters, "
		    "digits and underscores",
		    value);
	spec_list_add(a, &c->log_labels, value);
	return 0;
}

static const struct {
	const char *name;
	option_fn *read;
} options[] = {
    {"path", read_path},
    {"max-size", read_max_size},
    {"max-file", read_max_file},
    {"tag", read_tag},
    {"label", read_label},
};

static int
log_option(struct rec_ctr_config *c, const char *word, struct arena *a, struct err *e)
{
	const char *value = strchr(word, '=');
	size_t n = value == NULL ? 0 : (size_t)(value++ - word);

	for (size_t i = 0; value != NULL && i < COUNTOF(options); i++)
		if (strlen(options[i].name) == n && strncasecmp(word, options[i].name, n) == 0)
			return options[i].read(c, value, a, e);
	/* Those of other engines' drivers do nothing here, as in Podman. */
	if (n > 0 && !text_has_prefix(word, "driver="))
		return 0;
	return err_set(e, ERR_INVALID, "invalid log option \"%s\"", word);
}

/* Who names a file wants one. */
static bool
names_file(const struct strv *words)
{
	for (size_t i = 0; i < words->n; i++)
		if (strncasecmp(words->v[i], "path=", 5) == 0)
			return true;
	return false;
}

const char *
spec_logging_default(const struct containers_conf *conf, bool journal)
{
	const char *driver = conf->containers_log_driver;

	if (*driver == '\0')
		return journal ? "journald" : LOGGING_FILE;
	if (strcmp(driver, "journald") == 0 && access("/run/systemd/journal/socket", W_OK) != 0)
		return LOGGING_FILE;
	return driver;
}

bool
spec_logging_passes(const char *driver)
{
	return driver != NULL && text_has_prefix(driver, "passthrough");
}

static int
check_driver(const struct spec_options *o, const char *driver, struct err *e)
{
	static const char *const drivers[] = {
	    LOGGING_FILE, "json-file", "journald", "none", "passthrough", "passthrough-tty"};

	for (size_t i = 0; i < COUNTOF(drivers); i++) {
		if (strcmp(driver, drivers[i]) != 0)
			continue;
		if (!spec_logging_passes(driver))
			return 0;
		if (o->tty)
			return err_set(
			    e, ERR_INVALID, "the %s log driver cannot be used with --tty", driver);
		if (strcmp(driver, "passthrough") == 0 && (isatty(0) || isatty(1) || isatty(2)))
			return err_set(
			    e, ERR_INVALID, "the '%s' log driver cannot be used on a TTY", driver);
		return 0;
	}
	return err_set(e, ERR_INVALID, "invalid log driver \"%s\": invalid argument", driver);
}

static int
read_notify(const char *mode, struct rec_ctr_config *c, struct err *e)
{
	if (mode != NULL && !opt_in_list("container,conmon,healthy,ignore", mode, strlen(mode)))
		return err_set(e, ERR_INVALID,
		    "invalid sdnotify value \"%s\": must be container, conmon, healthy or ignore",
		    mode);
	c->sdnotify = mode;
	return 0;
}

int
spec_logging(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct containers_conf *conf = in->d->conf;
	const char *driver = in->o->log_driver;

	if (driver == NULL || *driver == '\0')
		driver = spec_logging_default(conf, in->d->journal && !names_file(&in->o->log_opt));
	if (check_driver(in->o, driver, e) < 0 || read_notify(in->o->sdnotify, c, e) < 0)
		return -1;
	c->log_driver = driver;
	c->log_size_max = conf->containers_log_size_max;
	c->log_files_max = FILES_DEFAULT;
	if (strcmp(driver, "journald") == 0 && *conf->containers_log_tag != '\0')
		c->log_tag = conf->containers_log_tag;
	for (size_t i = 0; i < in->o->log_opt.n; i++)
		if (log_option(c, in->o->log_opt.v[i], a, e) < 0)
			return -1;
	return 0;
}
