/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/oci/base64.h"
#include "common/oci/signature.h"

#define DEPTH_MAX 32
#define FORMAT_SIMPLE "simple-signing"
#define FORMAT_SIGSTORE "sigstore-json"

void
signature_free(struct signature_file *s)
{
	json_decref(s->root);
	free(s->plain);
	memset(s, 0, sizeof(*s));
}

static int
take_sigstore(const char *text, size_t n, struct signature_file *out, struct err *e)
{
	own_json json_t *j = json_read_max(text, n, SIGNATURES_BYTES_MAX, DEPTH_MAX, e);
	const char *payload;
	json_t *annotations = NULL;
	size_t size = 0;

	if (j == NULL)
		return -1;
	if (!json_is_object(j))
		return err_set(e, ERR_FORMAT, "it is no JSON object");
	if (json_need_str(j, "mimeType", &out->media_type, e) < 0 ||
	    json_need_str(j, "payload", &payload, e) < 0 ||
	    json_want_obj(j, "annotations", &annotations, e) < 0)
		return -1;
	out->plain = base64_decode(payload, &size);
	if (out->plain == NULL)
		return err_set(e, ERR_FORMAT, "the payload is no base64");
	out->payload = (struct bytes){(const uint8_t *)out->plain, size};
	out->annotations = annotations;
	out->root = json_incref(j);
	return 0;
}

/* The name of the form that the file begins with; NULL: none. */
static const char *
form_of(const struct bytes *file, size_t *n)
{
	const char *text = (const char *)file->p + 1;
	const char *line =
	    file->n > 0 && file->p[0] == '\0' ? memchr(text, '\n', file->n - 1) : NULL;

	*n = line != NULL ? (size_t)(line - text) : 0;
	return line != NULL ? text : NULL;
}

static bool
is_form(const char *text, size_t n, const char *form)
{
	return n == strlen(form) && memcmp(text, form, n) == 0;
}

bool
signature_is_sigstore(const struct bytes *file)
{
	size_t n;
	const char *form = form_of(file, &n);

	return form != NULL && is_form(form, n, FORMAT_SIGSTORE);
}

int
signature_parse(const struct bytes *file, struct signature_file *out, struct err *e)
{
	size_t n;
	const char *form = form_of(file, &n), *rest = form != NULL ? form + n + 1 : NULL;
	size_t left = form != NULL ? file->n - 1 - n - 1 : 0;

	if (file->n == 0)
		return err_set(e, ERR_FORMAT, "empty signature blob");
	/* Before forms had names there was one: an OpenPGP message, whose first bit is set. */
	if ((file->p[0] & 0x80) != 0) {
		out->simple = *file;
		return 0;
	}
	if (file->p[0] != '\0')
		return err_set(e, ERR_FORMAT, "unrecognized signature format");
	if (form == NULL)
		return err_set(e, ERR_FORMAT, "invalid signature format, missing newline");
	if (is_form(form, n, FORMAT_SIMPLE)) {
		out->simple = (struct bytes){(const uint8_t *)rest, left};
		return 0;
	}
	if (!is_form(form, n, FORMAT_SIGSTORE))
		return err_set(e, ERR_FORMAT, "unrecognized signature format");
	if (take_sigstore(rest, left, out, e) == 0)
		return 0;
	signature_free(out);
	return -1;
}

void
signature_write(const char *media_type, const struct bytes *payload, const json_t *annotations,
    struct strbuf *out)
{
	own_json json_t *j = json_obj();
	own_mem char *encoded = base64_encode(payload->p, payload->n), *text = NULL;

	json_put_str(j, "mimeType", media_type);
	json_put_str(j, "payload", encoded);
	json_put_take(
	    j, "annotations", annotations != NULL ? json_deep_copy(annotations) : json_obj());
	text = json_text(j);
	strbuf_addc(out, '\0');
	strbuf_add(out, FORMAT_SIGSTORE "\n");
	strbuf_add(out, text);
}
