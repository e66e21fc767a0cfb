/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/conf/host_root.h"
#include "common/role/spawn.h"
#include "pod-store/client.h"

void
client_close(struct peer **p)
{
	peer_free(*p);
	*p = NULL;
}

char *
client_root(const struct cli_ctx *ctx)
{
	const struct command_globals *g = ctx->globals;
	const char *users = host_userns() ? NULL : getenv("CONTAINERS_GRAPHROOT");

	if (g->root != NULL)
		return xstrdup(g->root);
	return xstrdup(users != NULL ? users : "/var/lib/pod");
}

static int
add_options(struct msg_hello *hello, const struct strv *words, struct arena *a, struct err *e)
{
	hello->options.v = arena_array(a, words->n + 1, sizeof(*hello->options.v));
	for (size_t i = 0; i < words->n; i++) {
		const char *word = words->v[i], *eq = strchr(word, '=');

		if (eq == NULL)
			return err_set(e, ERR_USAGE, "invalid storage option \"%s\"", word);
		hello->options.v[i].key = arena_strndup(a, word, (size_t)(eq - word));
		hello->options.v[i].value = eq + 1;
	}
	hello->options.n = words->n;
	return 0;
}

struct peer *
client_connect(const struct cli_ctx *ctx, struct err *e)
{
	const struct command_globals *g = ctx->globals;
	own_mem char *root = client_root(ctx);
	const char *users = host_userns() ? NULL : getenv("CONTAINERS_RUNROOT");
	struct msg_hello hello = {
	    .graph_root = root,
	    .run_root = g->runroot != NULL ? g->runroot : users,
	    .log_level = g->log_level,
	};
	own_arena struct arena a = {0};
	struct peer *p;

	if (add_options(&hello, &g->storage_opt, &a, e) == -1)
		return NULL;
	p = spawn_peer(ROLE_RUN, ROLE_STORE, NULL, e);
	if (p != NULL && peer_send(p, &msg_hello_desc, 0, &hello, e) == -1)
		client_close(&p);
	return p;
}

int
client_image(struct peer *p, const char *name, struct peer_in *in, struct err *e)
{
	struct msg_image_get m = {.name = name};

	return CLIENT_CALL(p, image_get, &m, in);
}
