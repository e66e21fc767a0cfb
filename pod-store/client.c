/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/conf/storage_conf.h"
#include "common/conf/storage_hello.h"
#include "common/role/spawn.h"
#include "pod-store/client.h"

void
client_close(struct peer **p)
{
	peer_free(*p);
	*p = NULL;
}

char *
client_root(const struct cli_ctx *ctx, struct err *e)
{
	const struct command_globals *g = ctx->globals;
	own_storage_conf struct storage_conf conf = {0};

	if (g->root != NULL)
		return xstrdup(g->root);
	return storage_conf_load_alone(&conf, e) == 0 ? ptr_take(&conf.graphroot) : NULL;
}

struct peer *
client_connect(const struct cli_ctx *ctx, struct err *e)
{
	const struct command_globals *g = ctx->globals;
	own_storage_conf struct storage_conf conf = {0};
	own_strv struct strv words = {0};
	own_arena struct arena a = {0};
	struct msg_hello hello = {
	    .log_level = g->log_level,
	};
	struct peer *p;

	if (storage_conf_load_alone(&conf, e) == -1)
		return NULL;
	hello.graph_root = g->root != NULL ? g->root : conf.graphroot;
	hello.run_root = g->runroot != NULL ? g->runroot : conf.runroot;
	storage_conf_settings(&conf, &g->storage_opt, &words);
	hello.image_store = g->imagestore != NULL ? g->imagestore : conf.imagestore;
	hello.driver = g->storage_driver != NULL ? g->storage_driver : conf.driver;
	hello.options.v = storage_hello_options(&words, 0, &a, e);
	hello.options.n = words.n;
	if (hello.options.v == NULL)
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
