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

/* There is no server apart from the client: what is asked of one is answered by the other. */
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
print_template(const char *format, struct err *e)
{
	own_mem char *flat = without_server(format);
	own_json json_t *list = json_arr(), *flat_list = json_arr();
	json_t *whole_doc;
	struct err whole = {0};

	whole_doc = json_add_obj(list);
	json_put_take(whole_doc, "Client", version_json());
	json_put_take(whole_doc, "Server", json_null());
	if (output_inspect(format, list, "entities.SystemVersionReport", stdout, &whole) == 0)
		return 0;
	json_add_take(flat_list, version_json());
	if (output_inspect(flat, flat_list, "define.Version", stdout, e) == 0)
		return 0;
	*e = whole;
	return -1;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct version_opts *o = opts;
	own_json json_t *doc = json_obj();

	(void)cli;
	(void)argc;
	(void)argv;
	if (output_is_json(o->format)) {
		json_put_take(doc, "Client", version_json());
		return output_json(doc, stdout, e);
	}
	if (o->format != NULL)
		return print_template(o->format, e);
	printf("Client:       Pod Engine\n"
	       "Version:      %s\n"
	       "API Version:  %s\n"
	       "OS/Arch:      linux/%s\n",
	    POD_VERSION, POD_VERSION, manifest_host_architecture());
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
