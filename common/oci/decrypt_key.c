/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/oci/decrypt_key.h"

#define KEYS_MAX 64
#define PASSPHRASE_MAX 4096

/* All that a descriptor gives, but for the end of a line. */
static int
read_passphrase(int fd, const char *what, const char **out, struct arena *a, struct err *e)
{
	own_mem char *text = NULL;
	size_t n;

	if (file_slurp(fd, PASSPHRASE_MAX, what, &text, &n, e) == -1)
		return -1;
	if (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	*out = arena_strdup(a, text);
	explicit_bzero(text, n);
	return 0;
}

static int
take_passphrase(const char *word, const char **out, struct arena *a, struct err *e)
{
	own_fd int fd = -1;
	uint64_t number;

	if (text_has_prefix(word, "file=")) {
		fd = open(word + 5, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd == -1)
			return err_sys(e, "reading the passphrase from %s", word + 5);
		return read_passphrase(fd, word + 5, out, a, e);
	}
	if (text_has_prefix(word, "fd=")) {
		if (text_to_u64(word + 3, 65535, &number) == -1)
			return err_set(e, ERR_USAGE, "%s is no descriptor", word);
		return read_passphrase((int)number, word, out, a, e);
	}
	*out = arena_strdup(a, text_has_prefix(word, "pass=") ? word + 5 : word);
	return 0;
}

static int
parse(const char *word, struct rec_decryption_key *out, struct arena *a, struct err *e)
{
	size_t n = strcspn(word, ":");

	*out = (struct rec_decryption_key){.path = arena_strndup(a, word, n)};
	if (n == 0)
		return err_set(e, ERR_USAGE, "there is no path in \"%.300s\"", word);
	if (text_has_prefix(word, "provider:") || text_has_prefix(word, "pkcs11:"))
		return err_set(e, ERR_UNSUPPORTED, "%.*s: is not supported", (int)n, word);
	if (access(out->path, R_OK) == -1)
		return err_sys(e, "open %s", out->path);
	return word[n] != '\0' ? take_passphrase(word + n + 1, &out->passphrase, a, e) : 0;
}

int
decrypt_key_fill(
    const struct strv *words, struct rec_registry_access *access, struct arena *a, struct err *e)
{
	if (words->n == 0)
		return 0;
	if (words->n > KEYS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d decryption keys", KEYS_MAX);
	access->decryption_keys.v = arena_array(a, words->n, sizeof(*access->decryption_keys.v));
	for (size_t i = 0; i < words->n; i++)
		if (parse(words->v[i], &access->decryption_keys.v[i], a, e) == -1)
			return err_wrap(e, "Invalid decryption keys");
	access->decryption_keys.n = words->n;
	return 0;
}
