/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/conf/yaml_json.h"
#include "common/fs/file.h"
#include "common/oci/base64.h"
#include "common/oci/reference.h"
#include "pod-image/semver.h"
#include "pod-image/sync_yaml.h"

static void
repository_free(struct sync_repository *r)
{
	free(r->name);
	free(r->versions);
	strv_free(&r->names);
	if (r->has_pattern)
		regfree(&r->pattern);
}

void
sync_yaml_free(struct sync_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct sync_registry *r = &l->registries[i];

		for (size_t k = 0; k < r->n; k++)
			repository_free(&r->repositories[k]);
		free(r->repositories);
		free(r->cert_dir);
		free(r->tls_verify);
		if (r->authfile >= 0)
			close(r->authfile);
	}
	free(l->registries);
	memset(l, 0, sizeof(*l));
}

static struct sync_repository *
add_repository(struct sync_registry *r, const char *registry, const char *path, struct err *e)
{
	own_mem char *name = xasprintf("%s/%s", registry, path);
	own_reference struct reference ref = {0};
	struct sync_repository *s;

	if (reference_parse_normal(name, &ref, e) < 0)
		return NULL;
	if (ref.tag != NULL || ref.digest != NULL) {
		err_set(e, ERR_INVALID, "%s: tags and digests stand in its list", name);
		return NULL;
	}
	r->repositories = mem_grow(r->repositories, &r->cap, r->n + 1, sizeof(*r->repositories));
	s = &r->repositories[r->n++];
	*s = (struct sync_repository){.name = ptr_take(&name)};
	return s;
}

/* Which tags: none of them means all. */
static int
take_images(struct sync_registry *r, const char *registry, const json_t *images, struct err *e)
{
	const char *path;
	json_t *list;

	json_object_foreach ((json_t *)(uintptr_t)images, path, list) {
		struct sync_repository *s = add_repository(r, registry, path, e);

		if (s == NULL)
			return -1;
		if (json_want_strv(images, path, &s->names, e) < 0)
			return err_wrap(e, "images");
		for (size_t i = 0; i < s->names.n; i++)
			if (!reference_tag_valid(s->names.v[i]) &&
			    !reference_digest_valid(s->names.v[i]))
				return err_set(e, ERR_INVALID,
				    "%s: \"%.128s\" is neither a tag nor a digest", s->name,
				    s->names.v[i]);
	}
	return 0;
}

/* What is common in Go's expressions and POSIX does not know. */
static char *
translate(const char *pattern)
{
	struct strbuf b = {0};

	for (; *pattern != '\0'; pattern++) {
		if (strncmp(pattern, "\\d", 2) == 0) {
			strbuf_add(&b, "[0-9]");
			pattern++;
		} else if (strncmp(pattern, "(?:", 3) == 0) {
			strbuf_addc(&b, '(');
			pattern += 2;
		} else if (*pattern == '\\' && pattern[1] != '\0') {
			strbuf_addn(&b, pattern++, 2);
		} else {
			strbuf_addc(&b, *pattern);
		}
	}
	return strbuf_take(&b);
}

static int
take_patterns(struct sync_registry *r, const char *registry, const json_t *images, struct err *e)
{
	const char *path, *text;
	json_t *v;

	json_object_foreach ((json_t *)(uintptr_t)images, path, v) {
		struct sync_repository *s = add_repository(r, registry, path, e);
		own_mem char *pattern = NULL;
		char why[200];
		int code;

		if (s == NULL || json_need_str(images, path, &text, e) < 0)
			return -1;
		pattern = translate(text);
		code = regcomp(&s->pattern, pattern, REG_EXTENDED | REG_NOSUB);
		if (code != 0) {
			regerror(code, &s->pattern, why, sizeof(why));
			return err_set(e, ERR_INVALID, "%s: \"%.128s\": %s", s->name, text, why);
		}
		s->has_pattern = true;
	}
	return 0;
}

static int
take_versions(struct sync_registry *r, const char *registry, const json_t *images, struct err *e)
{
	const char *path, *text;
	json_t *v;

	json_object_foreach ((json_t *)(uintptr_t)images, path, v) {
		struct sync_repository *s = add_repository(r, registry, path, e);

		if (s == NULL || json_need_str(images, path, &text, e) < 0)
			return -1;
		if (semver_check(text, e) < 0)
			return err_wrap(e, "%s", s->name);
		s->versions = xstrdup(text);
	}
	return 0;
}

/*
 * Credentials go to the copies in a file without a name: words of a command can be seen by everybody.
 * The descriptor is inherited, and closed with the list.
 */
static int
take_credentials(
    struct sync_registry *r, const char *registry, const json_t *credentials, struct err *e)
{
	const char *username, *password;
	own_mem char *pair = NULL, *encoded = NULL, *text = NULL;
	own_json json_t *j = json_obj();

	if (json_need_str(credentials, "username", &username, e) < 0 ||
	    json_need_str(credentials, "password", &password, e) < 0)
		return err_wrap(e, "credentials");
	pair = xasprintf("%s:%s", username, password);
	encoded = base64_encode(pair, strlen(pair));
	json_put_str(json_put_obj(json_put_obj(j, "auths"), registry), "auth", encoded);
	text = json_text(j);
	r->authfile = memfd_create("auth", 0);
	if (r->authfile < 0 || file_put(r->authfile, text, strlen(text)) < 0)
		return err_sys(e, "keeping credentials");
	return 0;
}

static int
take_registry(struct sync_registry *r, const char *name, const json_t *j, struct err *e)
{
	static const char *const keys[] = {"images", "images-by-tag-regex", "images-by-semver",
	    "credentials", "tls-verify", "cert-dir", NULL};
	json_t *images = NULL, *patterns = NULL, *versions = NULL, *credentials = NULL;
	const char *cert_dir = NULL;
	bool tls = true;

	if (json_only_keys(j, keys, e) < 0 || json_want_obj(j, "images", &images, e) < 0 ||
	    json_want_obj(j, "images-by-tag-regex", &patterns, e) < 0 ||
	    json_want_obj(j, "images-by-semver", &versions, e) < 0 ||
	    json_want_obj(j, "credentials", &credentials, e) < 0 ||
	    json_want_bool(j, "tls-verify", &tls, e) < 0 ||
	    json_want_str(j, "cert-dir", &cert_dir, e) < 0)
		return -1;
	if (json_object_get(j, "tls-verify") != NULL)
		r->tls_verify = xstrdup(tls ? "true" : "false");
	r->cert_dir = cert_dir != NULL ? xstrdup(cert_dir) : NULL;
	if (credentials != NULL && take_credentials(r, name, credentials, e) < 0)
		return -1;
	if (take_images(r, name, images, e) < 0 || take_patterns(r, name, patterns, e) < 0)
		return -1;
	return take_versions(r, name, versions, e);
}

int
sync_yaml_read(const char *path, struct sync_list *out, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	own_mem char *text = NULL;
	own_json json_t *j = NULL;
	const char *name;
	json_t *v;
	size_t n;

	if (fd < 0)
		return err_sys(e, "open %s", path);
	if (file_slurp(fd, YAML_JSON_SIZE_MAX, path, &text, &n, e) < 0 ||
	    (j = yaml_json_read(text, n, path, e)) == NULL)
		return -1;
	if (!json_is_object(j))
		return err_set(e, ERR_FORMAT, "%s: it names no registries", path);
	json_object_foreach (j, name, v) {
		struct sync_registry *r;

		out->registries =
		    mem_grow(out->registries, &out->cap, out->n + 1, sizeof(*out->registries));
		r = &out->registries[out->n++];
		*r = (struct sync_registry){.authfile = -1};
		if (!reference_domain_valid(name))
			return err_set(e, ERR_FORMAT, "%s: \"%.128s\" is no registry", path, name);
		if (!json_is_object(v))
			return err_set(e, ERR_FORMAT, "%s: %s: it is no mapping", path, name);
		if (take_registry(r, name, v, e) < 0)
			return err_wrap(e, "%s: %s", path, name);
	}
	return 0;
}
