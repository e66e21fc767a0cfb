/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/output.h"
#include "common/cli/template.h"
#include "common/oci/manifest.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/version.h"
#include "pod-run/remote/others.h"

struct version_opts {
	const char *format;
};

static const struct opt rows[] = {
    {"format", 'f', OPT_STRING(struct version_opts, format), .arg = "format",
	.help = "Change the output format to JSON or a Go template"},
    OPT_END,
};

json_t *
version_json(void)
{
	own_mem char *platform = xasprintf("linux/%s", manifest_host_architecture());
	json_t *o = json_obj();

	json_put_str(o, "APIVersion", POD_VERSION);
	json_put_str(o, "Version", POD_VERSION);
	json_put_str(o, "GoVersion", "");
	json_put_str(o, "GitCommit", "");
	/* Not recorded, so that two builds of the same source are the same. */
	json_put_str(o, "BuiltTime", "Thu Jan  1 00:00:00 1970");
	json_put_int(o, "Built", 0);
	json_put_str(o, "OsArch", platform);
	json_put_str(o, "Os", "linux");
	return o;
}

/* Here there is no server apart from the client: what is asked of one is answered by the other. */
static char *
without_server(const char *format)
{
	own_strbuf struct strbuf b = {0};

	for (const char *s = format; *s != '\0'; s++) {
		if (text_has_prefix(s, ".Server."))
			s += strlen(".Server");
		else if (text_has_prefix(s, ".Client."))
			s += strlen(".Client");
		strbuf_addc(&b, *s);
	}
	return strbuf_take(&b);
}

static int
print_template(const char *format, json_t *server, struct err *e)
{
	own_mem char *flat = without_server(format);
	own_json json_t *list = json_arr(), *flat_list = json_arr();
	json_t *whole_doc;
	struct err whole = {0};

	whole_doc = json_add_obj(list);
	json_put_take(whole_doc, "Client", version_json());
	json_put_take(whole_doc, "Server", server != NULL ? json_incref(server) : json_null());
	if (output_inspect(format, list, "entities.SystemVersionReport", stdout, &whole) == 0)
		return 0;
	json_add_take(flat_list, version_json());
	if (server == NULL && output_inspect(flat, flat_list, "define.Version", stdout, e) == 0)
		return 0;
	*e = whole;
	return -1;
}

static void
print_side(const char *title, const char *engine, const json_t *o)
{
	static const struct {
		const char *title, *key;
	} lines[] = {{"Version:", "Version"}, {"API Version:", "APIVersion"},
	    {"Go Version:", "GoVersion"}, {"Git Commit:", "GitCommit"}, {"Built:", "BuiltTime"},
	    {"OS/Arch:", "OsArch"}};

	printf("%-14s%s\n", title, engine);
	for (size_t i = 0; i < COUNTOF(lines); i++) {
		const char *text = json_string_value(json_object_get(o, lines[i].key));
		char safe[256];

		/* Of ours nothing is recorded. */
		if (text == NULL || *text == '\0' ||
		    (strcmp(lines[i].key, "BuiltTime") == 0 &&
			*json_string_value(json_object_get(o, "GoVersion")) == '\0'))
			continue;
		text_escape(text, safe, sizeof(safe));
		printf("%-14s%s\n", lines[i].title, safe);
	}
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct version_opts *o = opts;
	struct remote *r = ctx_of(cli)->remote;
	own_json json_t *doc = json_obj(), *server = NULL;

	(void)argc;
	(void)argv;
	if (r != NULL && (server = others_version(r, e)) == NULL)
		return -1;
	if (output_is_json(o->format)) {
		json_put_take(doc, "Client", version_json());
		if (server != NULL)
			json_put_take(doc, "Server", json_incref(server));
		return output_json(doc, stdout, e);
	}
	if (o->format != NULL)
		return print_template(o->format, server, e);
	json_put_take(doc, "Client", version_json());
	print_side("Client:", "Pod Engine", json_object_get(doc, "Client"));
	if (server == NULL)
		return 0;
	putchar('\n');
	print_side("Server:", "Podman Engine", server);
	return 0;
}

const struct cmd cmd_version = {
    .name = "version",
    .synopsis = "[options]",
    .brief = "Display the Podman version information",
    .text = "Display the Podman version information",
    .examples = "version\nversion --format '{{.Client.Version}}'",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct version_opts),
    .max = 0,
    .run = run,
};
