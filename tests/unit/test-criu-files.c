/* SPDX-License-Identifier: ISC */
// objs: pod-run/worker/criu_files.o
#include <criterion/criterion.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-run/worker/criu_files.h"

#define HEAD 0x19, 0x43, 0x56, 0x54, 0x38, 0x31, 0x30, 0x56
/* /dev/null with its mode, and what is no regular file. */
#define OTHERS                                                                                     \
	43, 0, 0, 0, 0x08, 0x01, 0x10, 0x02, 0x1a, 0x25, 0x08, 0x02, 0x10, 0x82, 0x80, 0x02, 0x18, \
	    0x00, 0x2a, 0x0a, 0x08, 0x00, 0x10, 0x00, 0x18, 0x00, 0x20, 0x00, 0x28, 0x00, 0x32,    \
	    0x09, 0x2f, 0x64, 0x65, 0x76, 0x2f, 0x6e, 0x75, 0x6c, 0x6c, 0x38, 0x94, 0x01, 0x50,    \
	    0xb6, 0x43, 26, 0, 0, 0, 0x08, 0x02, 0x10, 0x03, 0x92, 0x01, 0x13, 0x08, 0x03, 0x10,   \
	    0xee, 0x02, 0x18, 0x01, 0x22, 0x0a, 0x08, 0x00, 0x10, 0x00, 0x18, 0x00, 0x20, 0x00,    \
	    0x28, 0x00
#define ROOT                                                                                       \
	34, 0, 0, 0, 0x08, 0x01, 0x10, 0x05, 0x1a, 0x1c, 0x08, 0x05, 0x10, 0x00, 0x18, 0x00, 0x2a, \
	    0x0a, 0x08, 0x00, 0x10, 0x00, 0x18, 0x00, 0x20, 0x00, 0x28, 0x00, 0x32, 0x01, 0x2f,    \
	    0x38, 0x90, 0x01, 0x50, 0xed, 0x82, 0x01
#define ROOT_LOOSE                                                                                 \
	30, 0, 0, 0, 0x08, 0x01, 0x10, 0x05, 0x1a, 0x18, 0x08, 0x05, 0x10, 0x00, 0x18, 0x00, 0x2a, \
	    0x0a, 0x08, 0x00, 0x10, 0x00, 0x18, 0x00, 0x20, 0x00, 0x28, 0x00, 0x32, 0x01, 0x2f,    \
	    0x38, 0x90, 0x01

static const uint8_t image[] = {HEAD, OTHERS, ROOT};
static const uint8_t loose[] = {HEAD, OTHERS, ROOT_LOOSE};

Test(criu_files, the_mode_of_the_root_goes_and_no_other)
{
	own_strbuf struct strbuf out = {0};

	cr_assert(criu_files_loosen(image, sizeof(image), &out));
	cr_assert_eq(out.n, sizeof(loose));
	cr_expect_arr_eq(out.s, loose, sizeof(loose));
}

Test(criu_files, what_has_none_stays)
{
	static const uint8_t others[] = {HEAD, OTHERS};
	own_strbuf struct strbuf out = {0};

	cr_expect_not(criu_files_loosen(loose, sizeof(loose), &out));
	cr_expect_not(criu_files_loosen(others, sizeof(others), &out));
	cr_expect_eq(out.n, 0);
}

Test(criu_files, cut_off_anywhere_it_is_left_alone)
{
	for (size_t n = 0; n < sizeof(image); n++) {
		own_mem uint8_t *copy = xmalloc(n + 1);
		own_strbuf struct strbuf out = {0};

		memcpy(copy, image, n);
		cr_expect_not(criu_files_loosen(copy, n, &out), "%zu", n);
		cr_expect_eq(out.n, 0);
	}
}

Test(criu_files, lengths_beyond_the_end_and_other_magic_numbers)
{
	uint8_t copy[sizeof(image)];
	own_strbuf struct strbuf out = {0};

	memcpy(copy, image, sizeof(image));
	copy[sizeof(image) - 29] = 0x7f; /* of the entry's inner message */
	cr_expect_not(criu_files_loosen(copy, sizeof(copy), &out));
	memcpy(copy, image, sizeof(image));
	copy[0] ^= 1;
	cr_expect_not(criu_files_loosen(copy, sizeof(copy), &out));
	cr_expect_eq(out.n, 0);
}
