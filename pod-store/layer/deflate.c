/* SPDX-License-Identifier: ISC */
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <zstd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "pod-store/layer/inflate.h"

#define ZSTD_LEVEL 3

/* ISA-L knows four levels; those of gzip are spread over them.  The default is quick and small enough. */
static const struct {
	int upto; /* level as gzip's */
	uint32_t level, buffer;
} gzip_levels[] = {
    {2, 1, ISAL_DEF_LVL1_DEFAULT},
    {6, 2, ISAL_DEF_LVL2_DEFAULT},
    {64, 3, ISAL_DEF_LVL3_DEFAULT},
};

/* The header of ISA-L holds neither time nor system, so equal input gives equal output. */
static int
gzip(struct inflate *s, struct err *e)
{
	own_mem struct isal_zstream *z = xcalloc(1, sizeof(*z));
	own_mem unsigned char *level = NULL;
	size_t k = 0;
	int got = 0;

	while (k + 1 < COUNTOF(gzip_levels) && s->level > gzip_levels[k].upto)
		k++;
	level = xmalloc(gzip_levels[k].buffer);
	isal_deflate_init(z);
	z->level = gzip_levels[k].level;
	z->level_buf = level;
	z->level_buf_size = gzip_levels[k].buffer;
	z->gzip_flag = IGZIP_GZIP;
	z->flush = NO_FLUSH;
	while (got == 0) {
		got = inflate_fill(s, &s->plain, e);
		if (got == -1)
			return -1;
		z->end_of_stream = got == 1;
		z->next_in = s->next;
		z->avail_in = (uint32_t)s->have;
		do {
			z->next_out = inflate_output(s);
			z->avail_out = INFLATE_BUFFER;
			if (isal_deflate(z) != COMP_OK)
				return err_set(e, ERR_INTERNAL, "compressing the layer failed");
			if (inflate_write(
				s, s->output, INFLATE_BUFFER - z->avail_out, &s->packed, e) == -1)
				return -1;
		} while (z->avail_out == 0);
	}
	return 0;
}

static int
zstd_with(struct inflate *s, ZSTD_CStream *z, struct err *e)
{
	int got = 0;

	while (got == 0) {
		ZSTD_inBuffer in;
		size_t left;

		got = inflate_fill(s, &s->plain, e);
		if (got == -1)
			return -1;
		in = (ZSTD_inBuffer){s->next, s->have, 0};
		do {
			ZSTD_outBuffer out = {inflate_output(s), INFLATE_BUFFER, 0};

			left = ZSTD_compressStream2(
			    z, &out, &in, got == 1 ? ZSTD_e_end : ZSTD_e_continue);
			if (ZSTD_isError(left))
				return err_set(e, ERR_INTERNAL, "compressing the layer: %s",
				    ZSTD_getErrorName(left));
			if (inflate_write(s, s->output, out.pos, &s->packed, e) == -1)
				return -1;
		} while (got == 1 ? left > 0 : in.pos < in.size);
	}
	return 0;
}

static int
zstd(struct inflate *s, struct err *e)
{
	ZSTD_CStream *z = ZSTD_createCStream();
	int got = -1;

	if (z == NULL ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(
		z, ZSTD_c_compressionLevel, s->level > 0 ? s->level : ZSTD_LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1)))
		err_set(e, ERR_INTERNAL, "cannot start zstd");
	else
		got = zstd_with(s, z, e);
	ZSTD_freeCStream(z);
	return got;
}

static int
copy(struct inflate *s, struct err *e)
{
	int got;

	while ((got = inflate_read(s, &s->plain, e)) == 0)
		if (inflate_write(s, s->next, s->have, NULL, e) == -1)
			return -1;
	return got == 1 ? 0 : -1;
}

int
deflate_stream(struct inflate *s, struct err *e)
{
	int rc;

	if (inflate_begin(s, e) == -1)
		return -1;
	inflate_go(s);
	rc = s->format == INFLATE_GZIP	 ? gzip(s, e)
	     : s->format == INFLATE_ZSTD ? zstd(s, e)
					 : copy(s, e);
	rc = inflate_settle(s, rc, e);
	if (rc == 0 && s->format == INFLATE_NONE)
		rc = digest_copy(&s->packed, &s->plain, e);
	return rc;
}
