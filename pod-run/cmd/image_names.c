/* SPDX-License-Identifier: ISC */
/*
 * tag, untag and image exists.
 */
#include <stdio.h>

#include "common/base/own.h"
#include "common/oci/reference.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/image_row.h"
#include "pod-run/state/event.h"

static int
tag(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in got = {0}, in = {0};
	struct msg_image_tag m = {.names = {(const char **)argv + 1, (size_t)argc - 1}};

	(void)opts;
	for (int i = 1; i < argc; i++) {
		own_reference struct reference r = {0};

		if (reference_parse(argv[i], &r, e) == -1)
			return -1;
		if (r.digest != NULL)
			return err_set(e, ERR_INVALID, "tag by digest not supported: %s", argv[i]);
	}
	if (image_row_find_list(x, argv[0], &got, e) == -1)
		return -1;
	m.image = MSG_OF(&got, image_got)->image->id;
	if (peer_call(ctx_store(x, e), &msg_image_tag_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	for (int i = 1; i < argc; i++)
		event_named(x, EVENT_IMAGE, EVENT_TAG, m.image, argv[i]);
	return 0;
}

/* Names that were given are told in full, as those are that were not. */
static void
tell_untagged(struct ctx *x, const char *id, const struct strs *names)
{
	for (size_t i = 0; i < names->n; i++) {
		own_strv struct strv full = {0};
		struct err ignored = {0};

		reference_candidates(names->v[i], NULL, 0, &full, &ignored);
		event_named(x, EVENT_IMAGE, EVENT_UNTAG, id, full.n > 0 ? full.v[0] : names->v[i]);
	}
}

static int
untag(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in got = {0}, in = {0};
	struct msg_image_untag m = {.names = {(const char **)argv + 1, (size_t)argc - 1}};

	(void)opts;
	if (image_row_find_list(x, argv[0], &got, e) == -1)
		return -1;
	m.image = MSG_OF(&got, image_got)->image->id;
	if (peer_call(ctx_store(x, e), &msg_image_untag_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	tell_untagged(x, m.image, argc > 1 ? &m.names : &MSG_OF(&got, image_got)->image->names);
	return 0;
}

static int
exists(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	own_peer_in struct peer_in in = {0};

	(void)opts;
	(void)argc;
	if (image_row_find(ctx_of(cli), argv[0], &in, e) == 0)
		return 0;
	image_row_doubt(argv[0], e);
	return e->class == ERR_NOTFOUND ? 1 : -1;
}

const struct cmd cmd_tag = {
    .name = "tag",
    .synopsis = "IMAGE TARGET_NAME [TARGET_NAME...]",
    .brief = "Add an additional name to a local image",
    .text = "Adds one or more additional names to locally-stored image.",
    .examples = "tag 0e3bbc2 fedora:latest\ntag imageID:latest myNewImage:newTag\ntag httpd "
		"myregistryhost:5000/fedora/httpd:v2",
    .min = 2,
    .max = CMD_ANY,
    .complete = COMPLETE_IMAGE,
    .asks = CTX_ASKS_STORE,
    .run = tag,
};

const struct cmd cmd_untag = {
    .name = "untag",
    .synopsis = "IMAGE [IMAGE...]",
    .brief = "Remove a name from a local image",
    .text = "Removes one or more names from a locally-stored image.",
    .examples = "untag 0e3bbc2\nuntag imageID:latest otherImageName:latest\nuntag httpd "
		"myregistryhost:5000/fedora/httpd:v2",
    .min = 1,
    .max = CMD_ANY,
    .complete = COMPLETE_IMAGE,
    .asks = CTX_ASKS_STORE,
    .run = untag,
};

const struct cmd cmd_image_exists = {
    .name = "exists",
    .synopsis = "IMAGE",
    .brief = "Check if an image exists in local storage",
    .text = "If the named image exists in local storage, podman image exists exits with 0, "
	    "otherwise the exit code will be 1.",
    .examples = "image exists ID\nimage exists IMAGE && podman pull IMAGE",
    .min = 1,
    .max = 1,
    .complete = COMPLETE_IMAGE,
    .asks = CTX_ASKS_STORE,
    .run = exists,
};
