/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/sha256.h"
#include "common/cli/cmd.h"
#include "common/cli/human.h"
#include "common/role/spawn.h"
#include "common/wire/peer.h"
#include "pod-store/command.h"

struct globals {
	const char *root, *runroot, *log_level;
	bool version;
};

static const struct opt global_rows[] = {
    {"root", 0, OPT_STRING(struct globals, root), .arg = "string", .complete = COMPLETE_DIR,
	.help = "Path to the root directory in which data, including images, is stored"},
    {"runroot", 0, OPT_STRING(struct globals, runroot), .arg = "string", .complete = COMPLETE_DIR,
	.help = "Path to the directory where all state information is stored"},
    {"log-level", 0, OPT_STRING(struct globals, log_level), .arg = "string", .def = "warn",
	.help = "Log messages above specified level (trace, debug, info, warn, error)"},
    {"version", 'v', OPT_BOOL(struct globals, version), .help = "Version of this program"},
    OPT_END,
};

/* --- The connection ------------------------------------------------------------------------------- */

static void
close_peer(struct peer **p)
{
	peer_free(*p);
	*p = NULL;
}
#define own_peer own(close_peer)

static char *
default_root(void)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (geteuid() == 0)
		return xstrdup("/var/lib/pod");
	if (data != NULL && data[0] == '/')
		return xasprintf("%s/pod", data);
	return xasprintf("%s/.local/share/pod", home != NULL ? home : "");
}

static struct peer *
connect_store(struct cli_ctx *ctx, struct err *e)
{
	struct globals *g = ctx->globals;
	own_mem char *root = g->root == NULL ? default_root() : NULL;
	struct msg_hello hello = {
	    .graph_root = g->root != NULL ? g->root : root,
	    .run_root = g->runroot,
	    .log_level = g->log_level,
	};
	struct peer *p = spawn_peer(ROLE_RUN, ROLE_STORE, NULL, e);

	if (p != NULL && peer_send(p, &msg_hello_desc, 0, &hello, e) == -1)
		close_peer(&p);
	return p;
}

#define CALL(p, name, m, in) peer_call(p, &msg_##name##_desc, m, in, NULL, NULL, e)

/* --- list ----------------------------------------------------------------------------------------- */

static int
run_list(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	own_peer struct peer *p = connect_store(ctx, e);
	own_peer_in struct peer_in in = {0};
	struct msg_image_list m = {.all = true};
	struct msg_image_listed *l;

	(void)opts;
	(void)argc;
	(void)argv;
	if (p == NULL || CALL(p, image_list, &m, &in) == -1)
		return -1;
	l = MSG_OF(&in, image_listed);
	for (size_t i = 0; i < l->images.n; i++) {
		const struct rec_image *im = &l->images.v[i];

		printf("%s\t%llu\t%s\n", im->id, (unsigned long long)im->size,
		    im->names.n > 0 ? im->names.v[0] : "<none>");
	}
	return 0;
}

/* --- import --------------------------------------------------------------------------------------- */

static const char *
architecture(void)
{
	static struct utsname u;

	if (uname(&u) == -1 || strcmp(u.machine, "x86_64") == 0)
		return "amd64";
	return strcmp(u.machine, "aarch64") == 0 ? "arm64" : u.machine;
}

static int
commit_layer(struct peer *p, uint64_t stage, const struct msg_layer_put_r *l, const char *name,
    struct err *e)
{
	const char *diff_ids[] = {l->diff_id}, *names[] = {name};
	own_strbuf struct strbuf config = {0}, manifest = {0};
	own_peer_in struct peer_in in = {0};
	char created[HUMAN_MAX], id[SHA256_HEX];
	struct rec_history step = {.created_by = "pod-store import", .created = created};
	struct rec_image_config parsed = {
	    .os = "linux",
	    .architecture = architecture(),
	    .created = created,
	    .diff_ids = {diff_ids, 1},
	    .history = {&step, 1},
	};
	struct rec_layer_ref layer = {
	    .diff_id = l->diff_id,
	    .digest = l->digest,
	    .size = l->size,
	    .media_type = "application/vnd.oci.image.layer.v1.tar",
	};
	struct msg_image_commit m = {
	    .stage = stage,
	    .media_type = "application/vnd.oci.image.manifest.v1+json",
	    .parsed = &parsed,
	    .layers = {&layer, 1},
	    .names = {names, name != NULL},
	};

	human_rfc3339nano_utc((int64_t)time(NULL) * 1000000000, created, sizeof(created));
	strbuf_addf(&config,
	    "{\"created\":\"%s\",\"architecture\":\"%s\",\"os\":\"linux\",\"config\":{},"
	    "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]},"
	    "\"history\":[{\"created\":\"%s\",\"created_by\":\"%s\"}]}",
	    created, parsed.architecture, l->diff_id, created, step.created_by);
	sha256_hex(config.s, config.n, id);
	strbuf_addf(&manifest,
	    "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":"
	    "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:%s\",\"size\":%zu},"
	    "\"layers\":[{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%llu}]}",
	    m.media_type, id, config.n, layer.media_type, l->digest, (unsigned long long)l->size);
	m.config = (struct bytes){(const uint8_t *)config.s, config.n};
	m.manifest = (struct bytes){(const uint8_t *)manifest.s, manifest.n};
	if (CALL(p, image_commit, &m, &in) == -1)
		return -1;
	printf("%s\n", MSG_OF(&in, image_commit_r)->id);
	return 0;
}

static int
run_import(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	own_peer struct peer *p = connect_store(ctx, e);
	own_peer_in struct peer_in begun = {0}, put = {0};
	struct msg_stage_begin begin = {0};
	struct rec_layer_ref any = {.diff_id = ""};
	struct msg_layer_put m = {.layer = &any};
	own_fd int in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

	(void)opts;
	if (p == NULL || CALL(p, stage_begin, &begin, &begun) == -1)
		return -1;
	m.stage = MSG_OF(&begun, stage_begun)->stage;
	m.stream = in;
	if (CALL(p, layer_put, &m, &put) == -1)
		return err_wrap(e, "importing standard input");
	return commit_layer(p, m.stage, MSG_OF(&put, layer_put_r), argc > 0 ? argv[0] : NULL, e);
}

/* --- The table ------------------------------------------------------------------------------------ */

static const struct cmd cmd_list = {
    .name = "list",
    .aliases = "ls",
    .brief = "List the images in the store",
    .run = run_list,
};
static const struct cmd cmd_import = {
    .name = "import",
    .synopsis = "[NAME]",
    .brief = "Make an image of one layer from a tar stream on standard input; print its ID",
    .max = 1,
    .run = run_import,
};
static const struct cmd_place places[] = {{&cmd_list}, {&cmd_import}, {0}};
static const struct cmd root = {
    .name = "pod-store",
    .synopsis = "[options] [command]",
    .brief = "Images, layers, root file systems of containers and volumes",
    .sub = places,
};

static int
prepare(struct cli_ctx *ctx, struct err *e)
{
	(void)e;
	if (!((struct globals *)ctx->globals)->version)
		return 0;
	printf("pod-store version %s\n", POD_VERSION);
	return 1;
}

int
command_main(int argc, char **argv)
{
	static const struct cli cli = {
	    .names = "pod-store",
	    .root = &root,
	    .global = global_rows,
	    .global_size = sizeof(struct globals),
	    .prepare = prepare,
	};

	return cmd_main(&cli, argc, argv);
}
