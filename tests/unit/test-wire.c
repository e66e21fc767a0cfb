/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/wire/peer.h"
#include "common/wire/scan.h"

static const char *
scan(const char *b, size_t n)
{
	return scan_check((const uint8_t *)b, n);
}

Test(scan, refuses_what_would_cost_memory)
{
	/* Five bytes that make an unguarded unpacker ask for gigabytes. */
	cr_assert_not_null(scan("\xdd\x10\x00\x00\x00", 5));
	cr_assert_not_null(scan("\xdf\x08\x00\x00\x00", 5));
	cr_assert_not_null(scan("\xdb\xff\xff\xff\xff", 5));
	cr_assert_not_null(scan("\xdc\xff\xff", 3));
}

Test(scan, refuses_what_has_no_place_in_a_frame)
{
	cr_assert_not_null(scan("\xca\0\0\0\0", 5), "float");
	cr_assert_not_null(scan("\xc1", 1), "reserved");
	cr_assert_not_null(scan("\xd4\1\1", 3), "ext");
	cr_assert_not_null(scan("\xc0\xc0", 2), "trailing");
	cr_assert_not_null(scan("", 0), "empty");
	cr_assert_not_null(scan("\xa3"
				"ab",
			       3),
	    "short string");
}

Test(scan, bounds_depth)
{
	char deep[64];

	memset(deep, '\x91', sizeof(deep));
	deep[SCAN_DEPTH_MAX] = '\xc0';
	cr_assert_null(scan(deep, SCAN_DEPTH_MAX + 1));
	deep[SCAN_DEPTH_MAX] = '\x91';
	deep[SCAN_DEPTH_MAX + 1] = '\xc0';
	cr_assert_not_null(scan(deep, SCAN_DEPTH_MAX + 2));
}

static int
unpack_kv(const char *b, size_t n, struct rec_kv *kv, struct arena *a)
{
	struct err e = {0};

	return wire_unpack(&rec_kv_desc, b, n, kv, a, &e);
}

Test(codec, is_strict)
{
	own_arena struct arena a = {0};
	struct rec_kv kv;

#define REFUSED(bytes, why) \
	cr_assert_eq(unpack_kv(bytes, sizeof(bytes) - 1, &kv, &a), -1, "%s", why)
	cr_assert_eq(unpack_kv("\x82\xa3key\xa1"
			       "a\xa5value\xa1"
			       "b",
			 15, &kv, &a),
	    0);
	cr_assert_str_eq(kv.key, "a");
	cr_assert_str_eq(kv.value, "b");
	REFUSED("\x81\xa3key\xa1"
		"a",
	    "field missing");
	REFUSED("\x83\xa3key\xa1"
		"a\xa5value\xa1"
		"b\xa1x\xa1y",
	    "unknown field");
	REFUSED("\x83\xa3key\xa1"
		"a\xa5value\xa1"
		"b\xa3key\xa1y",
	    "given twice");
	REFUSED("\x82\xa3key\x01\xa5value\xa1"
		"b",
	    "wrong type");
	REFUSED("\x82\xa3key\xa3"
		"a\0b\xa5value\xa1"
		"b",
	    "NUL inside");
	REFUSED("\x82\xa3key\xa2\xff\xfe\xa5value\xa1"
		"b",
	    "not UTF-8");
	REFUSED("\x92\xa3key\xa1"
		"a",
	    "no map");
}

Test(codec, every_declaration_survives_a_round_trip_when_zero)
{
	for (size_t i = 0; msg_all[i] != NULL; i++) {
		const struct wire_desc *d = msg_all[i];
		own_arena struct arena a = {0};
		own_strbuf struct strbuf out = {0}, again = {0};
		void *rec = arena_alloc(&a, d->size), *back = arena_alloc(&a, d->size);
		bool sub = false;
		struct err e = {0};

		for (size_t k = 0; k < d->nfields; k++)
			sub |= d->fields[k].type == WIRE_REC && (d->fields[k].attr & REQ);
		cr_assert_leq(d->nfields, d->id == 0 ? WIRE_FIELDS_MAX : 63,
		    "%s has more fields than the mask has bits", d->name);
		if (sub)
			continue;
		wire_pack(d, rec, &out);
		cr_assert_eq(
		    wire_unpack(d, out.s, out.n, back, &a, &e), 0, "%s: %s", d->name, e.text);
		wire_pack(d, back, &again);
		cr_assert_eq(out.n, again.n);
		cr_assert_eq(memcmp(out.s, again.s, out.n), 0);
	}
}

Test(codec, numbers_of_messages_are_unique)
{
	for (size_t i = 0; msg_all[i] != NULL; i++)
		if (msg_all[i]->id != 0)
			cr_assert_eq(msg_by_id(msg_all[i]->id), msg_all[i], "%s", msg_all[i]->name);
}

struct two {
	struct peer *a, *b;
};

static struct two
two_peers(enum role a, enum role b)
{
	struct err e = {0};
	int fd[2];

	cr_assert_eq(peer_pair(fd, &e), 0);
	return (struct two){peer_new(fd[0], a, b), peer_new(fd[1], b, a)};
}

Test(peer, carries_a_message_with_a_descriptor)
{
	struct two t = two_peers(ROLE_RUN, ROLE_STORE);
	struct err e = {0};
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct rec_layer_ref layer = {.diff_id = "sha256:00"};
	struct msg_layer_put m = {.stage = 7, .layer = &layer, .stream = fd};
	own_peer_in struct peer_in in = {0};

	cr_assert_eq(peer_send(t.a, &msg_layer_put_desc, 9, &m, &e), 0, "%s", e.text);
	cr_assert_eq(peer_recv(t.b, &in, 1000, &e), 1, "%s", e.text);
	cr_assert(PEER_IS(&in, layer_put));
	cr_assert_eq(in.seq, 9);
	cr_assert_eq(MSG_OF(&in, layer_put)->stage, 7);
	cr_assert_str_eq(MSG_OF(&in, layer_put)->layer->diff_id, "sha256:00");
	cr_assert_gt(MSG_OF(&in, layer_put)->stream, 2);
}

Test(peer, refuses_a_descriptor_of_another_kind)
{
	struct two t = two_peers(ROLE_RUN, ROLE_STORE);
	struct err e = {0};
	int fd = open("/", O_PATH | O_CLOEXEC);
	struct rec_layer_ref layer = {.diff_id = "sha256:00"};
	struct msg_layer_put m = {.stage = 7, .layer = &layer, .stream = fd};
	own_peer_in struct peer_in in = {0};

	cr_assert_eq(peer_send(t.a, &msg_layer_put_desc, 9, &m, &e), 0);
	cr_assert_eq(peer_recv(t.b, &in, 1000, &e), -1);
	cr_assert_eq(e.class, ERR_PEER);
}

Test(peer, refuses_a_message_of_the_wrong_role)
{
	struct two t = two_peers(ROLE_IMAGE, ROLE_STORE);
	struct err e = {0};
	struct msg_image_list m = {0};
	own_peer_in struct peer_in in = {0};

	cr_assert_eq(peer_send(t.a, &msg_image_list_desc, 1, &m, &e), 0);
	cr_assert_eq(peer_recv(t.b, &in, 1000, &e), -1);
	cr_assert(strstr(e.text, "may not send image_list") != NULL, "%s", e.text);
}

Test(peer, spills_large_bodies_into_a_sealed_file)
{
	struct two t = two_peers(ROLE_RUN, ROLE_STORE);
	struct err e = {0};
	size_t n = 3u << 20;
	uint8_t *big = xcalloc(1, n);
	struct rec_image_config parsed = {0};
	struct msg_image_commit m = {
	    .stage = 1, .manifest = {big, n}, .config = {big, 10}, .parsed = &parsed};
	own_peer_in struct peer_in in = {0};

	big[n - 1] = 42;
	cr_assert_eq(peer_send(t.a, &msg_image_commit_desc, 1, &m, &e), 0, "%s", e.text);
	cr_assert_eq(peer_recv(t.b, &in, 1000, &e), 1, "%s", e.text);
	cr_assert_eq(MSG_OF(&in, image_commit)->manifest.n, n);
	cr_assert_eq(MSG_OF(&in, image_commit)->manifest.p[n - 1], 42);
	free(big);
}

Test(peer, call_turns_an_error_answer_into_an_error)
{
	struct two t = two_peers(ROLE_RUN, ROLE_STORE);
	struct err e = {0}, fault = {0};
	struct msg_image_get m = {.name = "x"};
	own_peer_in struct peer_in in = {0};

	err_set(&fault, ERR_NOTFOUND, "x: image not known");
	cr_assert_eq(peer_send_error(t.b, 1, &fault, &e), 0);
	cr_assert_eq(peer_call(t.a, &msg_image_get_desc, &m, &in, NULL, NULL, &e), -1);
	cr_assert_eq(e.class, ERR_NOTFOUND);
	cr_assert_str_eq(e.text, "x: image not known");
}

static int
fail_by_another_pipe(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	(void)p;
	(void)in;
	(void)arg;
	errno = EPIPE;
	return err_sys(e, "asking somebody else");
}

Test(peer, whose_handler_met_a_broken_pipe_answers_all_the_same)
{
	static const struct peer_handler table[] = {
	    {&msg_image_get_desc, 1, 0, fail_by_another_pipe}};
	struct two t = two_peers(ROLE_RUN, ROLE_STORE);
	struct err e = {0};
	struct msg_image_get m = {.name = "x"};
	own_peer_in struct peer_in in = {0};
	uint64_t done = 0;

	cr_assert_eq(peer_send(t.a, &msg_image_get_desc, 1, &m, &e), 0);
	cr_assert_eq(peer_serve(t.b, table, 1, 1, &done, NULL, &e), 1);
	cr_assert_eq(peer_recv(t.a, &in, 1000, &e), 1, "%s", e.text);
	cr_assert(PEER_IS(&in, error));
	/* Only that nobody waits for it any more is no error of the server. */
	cr_assert_eq(peer_send(t.a, &msg_image_get_desc, 2, &m, &e), 0);
	peer_free(t.a);
	cr_assert_eq(peer_serve(t.b, table, 1, 1, &done, NULL, &e), 1, "%s", e.text);
}

Test(peer, refuses_to_send_what_is_not_utf8)
{
	struct two t = two_peers(ROLE_RUN, ROLE_STORE);
	struct err e = {0};
	struct rec_kv label = {"k", "a\xff"};
	struct rec_volume volume = {.name = "v", .labels = {&label, 1}};
	struct msg_volume_create m = {.volume = &volume};
	struct msg_image_get get = {.name = "x"};
	own_peer_in struct peer_in in = {0};

	cr_assert_eq(peer_send(t.a, &msg_volume_create_desc, 1, &m, &e), -1);
	cr_assert_eq(e.class, ERR_INVALID);
	cr_assert_str_eq(e.text, "\"a\xff\" is not UTF-8");
	/* Nothing of it went out. */
	cr_assert_eq(peer_send(t.a, &msg_image_get_desc, 2, &get, &e), 0);
	cr_assert_eq(peer_recv(t.b, &in, 1000, &e), 1);
	cr_assert(PEER_IS(&in, image_get));
}

Test(peer, refuses_to_send_what_is_too_long)
{
	struct two t = two_peers(ROLE_RUN, ROLE_NET);
	const char *aliases[1025];
	struct err e = {0};
	char name[258];
	struct msg_net_list get = {.name = name};
	struct rec_net_attach attach = {.network = "n", .aliases = {aliases, COUNTOF(aliases)}};
	struct msg_net_connect m = {.id = "x", .attach = {&attach, 1}};

	memset(name, 'a', sizeof(name) - 1);
	name[257] = '\0';
	cr_assert_eq(peer_send(t.a, &msg_net_list_desc, 1, &get, &e), -1);
	cr_assert_eq(e.class, ERR_INVALID);
	cr_assert_str_eq(e.text,
	    "name \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\" is longer than 256 bytes");
	for (size_t i = 0; i < COUNTOF(aliases); i++)
		aliases[i] = "a";
	cr_assert_eq(peer_send(t.a, &msg_net_connect_desc, 2, &m, &e), -1);
	cr_assert_str_eq(e.text, "more than 1024 aliases");
	/* As long as it may be, it goes out. */
	name[256] = '\0';
	cr_assert_eq(peer_send(t.a, &msg_net_list_desc, 3, &get, &e), 0);
}

Test(peer, an_error_of_any_bytes_is_an_error)
{
	struct two t = two_peers(ROLE_RUN, ROLE_STORE);
	struct err e = {0}, fault = {0};
	struct msg_image_get m = {.name = "x"};
	own_peer_in struct peer_in in = {0};

	err_set(
	    &fault, ERR_NOTFOUND, "opening a\xff: %*s\xc3\xa9", (int)sizeof(fault.text) - 14, "");
	cr_assert_eq(
	    fault.text[sizeof(fault.text) - 2], '\xc3', "the text is to end in half a character");
	err_hint(&fault, "b\xfe");
	cr_assert_eq(peer_send_error(t.b, 1, &fault, &e), 0);
	cr_assert_eq(peer_call(t.a, &msg_image_get_desc, &m, &in, NULL, NULL, &e), -1);
	cr_assert_eq(e.class, ERR_NOTFOUND, "%s", e.text);
	cr_assert_eq(strncmp(e.text, "opening a\\xff: ", 15), 0, "%s", e.text);
	cr_assert_str_eq(e.hint, "b\\xfe");
}

Test(peer, answers_may_come_in_any_order)
{
	struct two t = two_peers(ROLE_RUN, ROLE_STORE);
	struct err e = {0};
	struct msg_image_untag m = {.image = "x"};
	own_peer_in struct peer_in in = {0};
	uint32_t first = peer_next_seq(t.a), second = peer_next_seq(t.a);

	peer_send_ok(t.b, second, &e);
	peer_send_ok(t.b, first, &e);
	(void)m;
	cr_assert_eq(
	    peer_wait(t.a, &msg_image_untag_desc, first, &in, NULL, NULL, &e), 0, "%s", e.text);
	cr_assert_eq(in.seq, first);
	peer_in_free(&in);
	cr_assert_eq(peer_wait(t.a, &msg_image_untag_desc, second, &in, NULL, NULL, &e), 0);
	cr_assert_eq(in.seq, second);
}

Test(peer, end_of_file_is_an_error_of_the_call)
{
	struct two t = two_peers(ROLE_RUN, ROLE_STORE);
	struct err e = {0};
	struct msg_image_get m = {.name = "x"};
	own_peer_in struct peer_in in = {0};

	shutdown(peer_fd(t.b), SHUT_WR);
	cr_assert_eq(peer_call(t.a, &msg_image_get_desc, &m, &in, NULL, NULL, &e), -1);
	cr_assert_eq(e.class, ERR_PEER);
}

Test(peer, an_empty_packet_ends_and_leaves_no_descriptor)
{
	struct two t = two_peers(ROLE_RUN, ROLE_STORE);
	struct err e = {0};
	own_peer_in struct peer_in in = {0};
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.h = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct msghdr m = {.msg_control = &control, .msg_controllen = sizeof(control)};
	int fd[2];
	char byte;

	cr_assert_eq(pipe2(fd, O_CLOEXEC | O_NONBLOCK), 0);
	memcpy(CMSG_DATA(&control.h), &fd[1], sizeof(int));
	cr_assert_eq(sendmsg(peer_fd(t.a), &m, 0), 0);
	fd_close(&fd[1]);
	cr_assert_eq(peer_recv(t.b, &in, 1000, &e), 0);
	cr_assert_eq(read(fd[0], &byte, 1), 0, "the descriptor is still open");
}

Test(peer, queued_descriptors_come_out_again)
{
	struct err e = {0};
	int fd[2], fds[40], got[64], n;

	cr_assert_eq(peer_pair(fd, &e), 0);
	for (size_t i = 0; i < COUNTOF(fds); i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(peer_queue_fds(fd[0], fds, COUNTOF(fds), &e), 0, "%s", e.text);
	n = peer_unqueue_fds(fd[1], got, COUNTOF(got));
	cr_assert_eq(n, (int)COUNTOF(fds), "%d", n);
}
