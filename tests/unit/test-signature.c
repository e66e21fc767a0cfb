/* SPDX-License-Identifier: ISC */
// objs: pod-image/signatures.o
#include <criterion/criterion.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-image/signatures.h"

static struct err e;

#define BYTES(text)                                       \
	{                                                 \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}

Test(signature, what_is_written_is_read)
{
	static const struct bytes payload = BYTES("{\"a\":1}\0");
	own_json json_t *notes = json_obj(), *other = NULL;
	own_strbuf struct strbuf file = {0}, again = {0};
	own_signature struct signature_file f = {0}, g = {0};
	struct bytes b;

	json_put_str(notes, "k", "v\n\xc3\xa4");
	signature_write("text/x", &payload, notes, &file);
	b = (struct bytes){(const uint8_t *)file.s, file.n};
	cr_assert(signature_is_sigstore(&b));
	cr_assert_eq(signature_parse(&b, &f, &e), 0, "%s", e.text);
	cr_assert_null(f.simple.p);
	cr_assert_str_eq(f.media_type, "text/x");
	cr_assert_eq(f.payload.n, payload.n);
	cr_assert_eq(memcmp(f.payload.p, payload.p, payload.n), 0);
	cr_assert(json_equal(f.annotations, notes));
	/* Without any there is an empty object. */
	signature_write("text/x", &payload, NULL, &again);
	b = (struct bytes){(const uint8_t *)again.s, again.n};
	cr_assert_eq(signature_parse(&b, &g, &e), 0, "%s", e.text);
	other = json_obj();
	cr_assert(json_equal(g.annotations, other));
}

Test(signature, kinds)
{
	static const struct bytes openpgp = BYTES("\xa3"
						  "abc"),
				  named = BYTES("\0simple-signing\nabc");
	static const struct bytes bad[] = {BYTES(""), BYTES("abc"), BYTES("\0"),
	    BYTES("\0simple-signing"), BYTES("\0other\nabc"), BYTES("\0sigstore-json\n[]"),
	    BYTES("\0sigstore-json\n{}"),
	    BYTES("\0sigstore-json\n{\"mimeType\":\"a\",\"payload\":\"*\"}"),
	    BYTES("\0sigstore-json\n{\"mimeType\":\"a\",\"payload\":\"e30=\",\"annotations\":1}")};
	own_signature struct signature_file f = {0}, g = {0};

	cr_assert_eq(signature_parse(&openpgp, &f, &e), 0, "%s", e.text);
	cr_assert_eq(f.simple.n, 4);
	cr_assert_not(signature_is_sigstore(&openpgp));
	cr_assert_eq(signature_parse(&named, &g, &e), 0, "%s", e.text);
	cr_assert_eq(g.simple.n, 3);
	cr_assert_not(signature_is_sigstore(&named));
	for (size_t i = 0; i < COUNTOF(bad); i++) {
		own_signature struct signature_file h = {0};

		cr_expect_eq(signature_parse(&bad[i], &h, &e), -1, "accepted: %zu", i);
		cr_expect_null(h.root);
	}
}

Test(signatures, bounds)
{
	own_signatures struct signatures s = {0}, t = {0};
	own_mem char *large = xcalloc(SIGNATURES_BYTES_MAX, 1);

	for (size_t i = 0; i < SIGNATURES_MAX; i++)
		cr_assert_eq(signatures_add(&s, "abc", i % 4, &e), 0, "%s", e.text);
	cr_assert_eq(signatures_add(&s, "abc", 3, &e), -1);
	cr_assert_eq(e.class, ERR_LIMIT);
	cr_assert(signatures_equal(&s, s.v, s.n));
	cr_assert_not(signatures_equal(&s, s.v, s.n - 1));
	cr_assert_not(signatures_equal(&s, s.v + 1, s.n - 1));
	cr_assert_eq(signatures_add(&t, large, SIGNATURES_BYTES_MAX, &e), 0);
	cr_assert_eq(signatures_add(&t, large, 1, &e), -1);
	cr_assert_eq(e.class, ERR_LIMIT);
	cr_assert_eq(signatures_add_all(&t, s.v, 1, &e), 0, "of no bytes: %s", e.text);
}
