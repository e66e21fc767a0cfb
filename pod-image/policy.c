/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/conf/policy_conf.h"
#include "common/fs/file.h"
#include "common/oci/base64.h"
#include "pod-image/policy.h"

#define FILE_MAX ((size_t)1 << 20)
#define KEY_MAX ((size_t)1 << 20)
#define KEYS_MAX 64
#define RULES_MAX 64
#define DEPTH_MAX 16

struct policy_file {
	json_t *json;
	char *name;
};

void
policy_close(struct policy_file *f)
{
	if (f == NULL)
		return;
	json_decref(f->json);
	free(f->name);
	free(f);
}

void
policy_free(struct policy *p)
{
	arena_free(&p->arena);
	memset(p, 0, sizeof(*p));
}

/* --- Is the file right? ----------------------------------------------------------------------- */

static const struct shape { /* of an object that has a type */
	const char *type;
	const char *keys[14];
} rule_shapes[] =
    {
	{"insecureAcceptAnything", {"type"}},
	{"reject", {"type"}},
	{"signedBy", {"type", "keyType", "keyPath", "keyPaths", "keyData", "signedIdentity"}},
	{"sigstoreSigned", {"type", "keyPath", "keyPaths", "keyData", "keyDatas", "fulcio", "pki",
			       "rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData",
			       "rekorPublicKeyDatas", "signedIdentity"}},
},
  identity_shapes[] = {
      {"matchExact", {"type"}},
      {"matchRepoDigestOrExact", {"type"}},
      {"matchRepository", {"type"}},
      {"exactReference", {"type", "dockerReference"}},
      {"exactRepository", {"type", "dockerRepository"}},
      {"remapIdentity", {"type", "prefix", "signedPrefix"}},
};

static int
check_shape(const json_t *j, const struct shape *shapes, size_t n, const char *what, struct err *e)
{
	const char *type = NULL;

	if (!json_is_object(j))
		return err_set(e, ERR_INVALID, "%s is no object", what);
	if (json_need_str(j, "type", &type, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(shapes[i].type, type) != 0)
			continue;
		return json_only_keys(j, shapes[i].keys, e) < 0 ? err_wrap(e, "%s", type) : 0;
	}
	return err_set(e, ERR_INVALID, "Unknown %s type \"%.64s\"", what, type);
}

/* One that no name can begin with would leave names as they are, and ask for less than it seems to. */
static int
check_prefix(const json_t *id, const char *key, struct err *e)
{
	const char *prefix = NULL;

	if (json_need_str(id, key, &prefix, e) < 0)
		return -1;
	return reference_prefix_valid(prefix)
		   ? 0
		   : err_set(e, ERR_INVALID, "%s \"%.200s\" is not valid", key, prefix);
}

static int
check_identity(const json_t *rule, struct err *e)
{
	const json_t *id = json_object_get(rule, "signedIdentity");
	own_reference struct reference r = {0};
	const char *type, *ref = NULL, *repository = NULL;

	if (id == NULL)
		return 0;
	if (check_shape(id, identity_shapes, COUNTOF(identity_shapes), "signedIdentity", e) < 0)
		return -1;
	type = json_string_value(json_object_get(id, "type"));
	if (strcmp(type, "exactReference") == 0) {
		if (json_need_str(id, "dockerReference", &ref, e) < 0 ||
		    reference_parse_normal(ref, &r, e) < 0)
			return -1;
		if (r.tag == NULL && r.digest == NULL)
			return err_set(e, ERR_INVALID,
			    "dockerReference contains neither a tag nor digest: %s", ref);
		return 0;
	}
	if (strcmp(type, "exactRepository") == 0)
		return json_need_str(id, "dockerRepository", &repository, e) < 0
			   ? -1
			   : reference_parse_normal(repository, &r, e);
	if (strcmp(type, "remapIdentity") == 0)
		return check_prefix(id, "prefix", e) < 0 ? -1 : check_prefix(id, "signedPrefix", e);
	return 0;
}

/* What names keys is a text, or by a name in the plural a list of texts: also in rules that are not looked at today. */
static int
check_value(const json_t *j, const char *key, struct err *e)
{
	const json_t *v = json_object_get(j, key);
	own_strv struct strv list = {0};
	const char *text = NULL;

	if (v == NULL)
		return 0;
	if (json_is_null(v))
		return err_set(e, ERR_INVALID, "%s is null", key);
	if (text_has_suffix(key, "s") && json_array_size(v) == 0)
		return json_is_array(v) ? err_set(e, ERR_INVALID, "%s contains no entries", key)
					: err_set(e, ERR_INVALID, "%s is no list", key);
	if (text_has_suffix(key, "s"))
		return json_want_strv(j, key, &list, e);
	if (!text_has_suffix(key, "Path") && !text_has_suffix(key, "Data"))
		return 0;
	if (json_need_str(j, key, &text, e) < 0)
		return -1;
	return *text != '\0' || text_has_suffix(key, "Data")
		   ? 0
		   : err_set(e, ERR_INVALID, "%s is empty", key);
}

/*
 * Exactly one of the keys must be there (or, if it may be none, at most one).  A list without entries is not the same
 * as none: nothing could ever meet it, or it would ask for less than it seems to.
 */
static int
check_one_of(const json_t *j, const char *const *keys, size_t n, bool none, struct err *e)
{
	own_strbuf struct strbuf list = {0};
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		if (check_value(j, keys[i], e) < 0)
			return -1;
		found += json_object_get(j, keys[i]) != NULL;
		strbuf_addf(&list, "%s%s", i == 0 ? "" : i + 1 == n ? " and " : ", ", keys[i]);
	}
	if (found == 1 || (found == 0 && none))
		return 0;
	return err_set(
	    e, ERR_INVALID, "%s one of %s must be specified", none ? "at most" : "exactly", list.s);
}

static const char *const gpg_keys[] = {"keyPath", "keyPaths", "keyData"};
static const char *const sigstore_keys[] = {
    "keyPath", "keyPaths", "keyData", "keyDatas", "fulcio", "pki"};
static const char *const rekor_keys[] = {
    "rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas"};

static int
check_fulcio(const json_t *j, struct err *e)
{
	static const char *const keys[] = {"caPath", "caData", "oidcIssuer", "subjectEmail", NULL};
	static const char *const ca[] = {"caPath", "caData"};
	const char *issuer, *email;

	if (json_only_keys(j, keys, e) < 0 || check_one_of(j, ca, 2, false, e) < 0 ||
	    json_need_str(j, "oidcIssuer", &issuer, e) < 0 ||
	    json_need_str(j, "subjectEmail", &email, e) < 0)
		return err_wrap(e, "fulcio");
	return 0;
}

static int
check_pki(const json_t *j, struct err *e)
{
	static const char *const keys[] = {"caRootsPath", "caRootsData", "caIntermediatesPath",
	    "caIntermediatesData", "subjectEmail", "subjectHostname", NULL};
	static const char *const roots[] = {"caRootsPath", "caRootsData"};
	static const char *const between[] = {"caIntermediatesPath", "caIntermediatesData"};

	if (json_only_keys(j, keys, e) < 0 || check_one_of(j, roots, 2, false, e) < 0 ||
	    check_one_of(j, between, 2, true, e) < 0)
		return err_wrap(e, "pki");
	if (json_object_get(j, "subjectEmail") == NULL &&
	    json_object_get(j, "subjectHostname") == NULL)
		return err_set(e, ERR_INVALID,
		    "pki: at least one of subjectEmail and subjectHostname must be specified");
	return 0;
}

static int
check_sigstore(const json_t *rule, struct err *e)
{
	json_t *fulcio = NULL, *pki = NULL;

	if (check_one_of(rule, sigstore_keys, COUNTOF(sigstore_keys), false, e) < 0 ||
	    check_one_of(rule, rekor_keys, COUNTOF(rekor_keys), true, e) < 0 ||
	    json_want_obj(rule, "fulcio", &fulcio, e) < 0 ||
	    json_want_obj(rule, "pki", &pki, e) < 0)
		return -1;
	if (pki != NULL && check_pki(pki, e) < 0)
		return -1;
	if (fulcio == NULL)
		return 0;
	if (check_one_of(rule, rekor_keys, COUNTOF(rekor_keys), false, e) < 0)
		return err_wrap(e, "fulcio");
	return check_fulcio(fulcio, e);
}

static int
check_gpg(const json_t *rule, struct err *e)
{
	static const char *const types[] = {
	    "GPGKeys", "signedByGPGKeys", "X509Certificates", "signedByX509CAs"};
	const char *type;

	if (json_need_str(rule, "keyType", &type, e) < 0 ||
	    check_one_of(rule, gpg_keys, COUNTOF(gpg_keys), false, e) < 0)
		return -1;
	for (size_t i = 0; i < COUNTOF(types); i++) {
		if (strcmp(types[i], type) == 0)
			return 0;
	}
	return err_set(e, ERR_INVALID, "invalid keyType \"%.64s\"", type);
}

static int
check_rule(const json_t *rule, struct err *e)
{
	const char *type;

	if (check_shape(rule, rule_shapes, COUNTOF(rule_shapes), "policy requirement", e) < 0)
		return -1;
	type = json_string_value(json_object_get(rule, "type"));
	if (strcmp(type, "signedBy") == 0 && check_gpg(rule, e) < 0)
		return err_wrap(e, "%s", type);
	if (strcmp(type, "sigstoreSigned") == 0 && check_sigstore(rule, e) < 0)
		return err_wrap(e, "%s", type);
	return check_identity(rule, e);
}

static int
check_rules(const json_t *rules, struct err *e)
{
	if (!json_is_array(rules))
		return err_set(e, ERR_INVALID, "the requirements are no list");
	if (json_array_size(rules) == 0)
		return err_set(
		    e, ERR_INVALID, "List of verification policy requirements must not be empty");
	if (json_array_size(rules) > RULES_MAX)
		return err_set(e, ERR_INVALID, "more than %d requirements", RULES_MAX);
	for (size_t i = 0; i < json_array_size(rules); i++) {
		if (check_rule(json_array_get(rules, i), e) < 0)
			return -1;
	}
	return 0;
}

/* /a/b, without "." and "..", and not the root: that is the scope "". */
static bool
is_clean_path(const char *s)
{
	while (*s == '/') {
		size_t n = strcspn(++s, "/");

		if (n == 0 || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
			return false;
		s += n;
	}
	return *s == '\0';
}

/* [DRIVER@DIRECTORY+...]NAME, the driver and what follows the directory may be missing. */
static bool
is_store_scope(const char *s)
{
	const char *end = strchr(s, ']'), *at = memchr(s, '@', end != NULL ? (size_t)(end - s) : 0);

	return s[0] == '[' && end != NULL && (at != NULL ? at : s)[1] == '/';
}

/* A scope that can never be that of an image would leave its rules without effect. */
static int
check_scope(const char *transport, const char *scope, struct err *e)
{
	static const char path[] = "an absolute path without \".\", \"..\" and slashes too many";
	static const struct {
		const char *transport, *want;
		bool (*good)(const char *s);
	} kinds[] = {
	    {"dir", path, is_clean_path},
	    {"oci", path, is_clean_path},
	    {"oci-archive", path, is_clean_path},
	    {"sif", path, is_clean_path},
	    {"containers-storage", "one that begins with [DRIVER@DIRECTORY]", is_store_scope},
	    {"docker-archive", "\"\" alone", NULL},
	    {"tarball", "\"\" alone", NULL},
	};

	for (size_t i = 0; *scope != '\0' && i < COUNTOF(kinds); i++) {
		if (strcmp(kinds[i].transport, transport) != 0 ||
		    (kinds[i].good != NULL && kinds[i].good(scope)))
			continue;
		return err_set(e, ERR_INVALID, "Invalid scope \"%.200s\" of %s: it must be %s",
		    scope, transport, kinds[i].want);
	}
	return 0;
}

static int
check_transports(json_t *transports, struct err *e)
{
	const char *transport, *scope;
	json_t *scopes, *rules;

	json_object_foreach (transports, transport, scopes) {
		if (!json_is_object(scopes))
			return err_set(e, ERR_INVALID, "transports: %.64s is no object", transport);
		json_object_foreach (scopes, scope, rules) {
			if (check_scope(transport, scope, e) < 0)
				return -1;
			if (check_rules(rules, e) < 0)
				return err_wrap(e, "%.64s: \"%.200s\"", transport, scope);
		}
	}
	return 0;
}

static int
check_file(json_t *j, struct err *e)
{
	static const char *const keys[] = {"default", "transports", NULL};
	json_t *transports = NULL;

	if (!json_is_object(j))
		return err_set(e, ERR_INVALID, "it is no JSON object");
	if (json_only_keys(j, keys, e) < 0)
		return -1;
	if (json_is_null(json_object_get(j, "transports")))
		return err_set(e, ERR_INVALID, "transports is null");
	if (json_want_obj(j, "transports", &transports, e) < 0)
		return -1;
	if (json_object_get(j, "default") == NULL)
		return err_set(e, ERR_INVALID, "Default policy is missing");
	if (check_rules(json_object_get(j, "default"), e) < 0)
		return err_wrap(e, "default");
	return check_transports(transports, e);
}

/* --- Opening ---------------------------------------------------------------------------------- */

struct policy_file *
policy_open_text(const char *text, size_t n, const char *name, struct err *e)
{
	struct policy_file *f = xcalloc(1, sizeof(*f));

	f->name = xstrdup(name);
	f->json = json_read_max(text, n, FILE_MAX, DEPTH_MAX, e);
	if (f->json != NULL && check_file(f->json, e) == 0)
		return f;
	e->class = ERR_INVALID;
	err_wrap(e, "invalid policy in \"%s\"", name);
	policy_close(f);
	return NULL;
}

struct policy_file *
policy_open(const char *named, struct err *e)
{
	own_mem char *path = policy_conf_path(named, e), *text = NULL;
	size_t n;

	if (path == NULL || file_read_place(path, FILE_MAX, &text, &n, e) < 0)
		return NULL;
	return policy_open_text(text, n, path, e);
}

/* --- Selecting -------------------------------------------------------------------------------- */

static const json_t *
find_rules(const json_t *j, const char *transport, const struct strv *scopes)
{
	const json_t *table = json_object_get(json_object_get(j, "transports"), transport);
	const json_t *rules;

	for (size_t i = 0; i < scopes->n; i++) {
		rules = json_object_get(table, scopes->v[i]);
		if (rules != NULL)
			return rules;
	}
	rules = json_object_get(table, "");
	return rules != NULL ? rules : json_object_get(j, "default");
}

struct keys {
	struct rec_verify_key *v;
	size_t n;
};

static int
add_key(struct policy *p, struct keys *k, const char *bytes, size_t n, struct err *e)
{
	char *copy = arena_alloc(&p->arena, n + 1);

	if (k->n == KEYS_MAX)
		return err_set(e, ERR_INVALID, "more than %d keys", KEYS_MAX);
	memcpy(copy, bytes, n);
	if (k->v == NULL)
		k->v = arena_array(&p->arena, KEYS_MAX, sizeof(*k->v));
	k->v[k->n++].data = (struct bytes){(const uint8_t *)copy, n};
	return 0;
}

static int
add_key_path(struct policy *p, struct keys *k, const json_t *path, struct err *e)
{
	const char *name = json_string_value(path);
	own_fd int fd = -1;
	own_mem char *text = NULL;
	size_t n;

	if (name == NULL)
		return err_set(e, ERR_INVALID, "a path of a key is no string");
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_sys(e, "open %s", name);
	return file_slurp(fd, KEY_MAX, name, &text, &n, e) < 0 ? -1 : add_key(p, k, text, n, e);
}

static int
add_key_data(struct policy *p, struct keys *k, const json_t *data, struct err *e)
{
	const char *text = json_string_value(data);
	own_strbuf struct strbuf joined = {0}; /* lines, as base64(1) makes them */
	own_mem char *plain = NULL;
	size_t n = 0;

	while (text != NULL && *text != '\0') {
		n = strcspn(text, "\r\n");
		strbuf_addn(&joined, text, n);
		text += n + strspn(text + n, "\r\n");
	}
	plain =
	    text != NULL ? base64_decode_n(joined.s != NULL ? joined.s : "", joined.n, &n) : NULL;
	if (plain == NULL)
		return err_set(e, ERR_INVALID, "the data of a key is no base64");
	return add_key(p, k, plain, n, e);
}

typedef int add_fn(struct policy *p, struct keys *k, const json_t *value, struct err *e);

/* The keys of the members PREFIXPath, PREFIXPaths, PREFIXData and PREFIXDatas. */
static int
add_keys(struct policy *p, const json_t *j, const char *prefix, struct keys *k, struct err *e)
{
	static const struct {
		const char *suffix;
		add_fn *add;
	} forms[] = {{"Path", add_key_path}, {"Paths", add_key_path}, {"Data", add_key_data},
	    {"Datas", add_key_data}};

	for (size_t i = 0; i < COUNTOF(forms); i++) {
		own_mem char *name = xasprintf("%s%s", prefix, forms[i].suffix);
		const json_t *v = json_object_get(j, name);

		if (v == NULL)
			continue;
		if (!json_is_array(v)) {
			if (forms[i].add(p, k, v, e) < 0)
				return err_wrap(e, "%s", name);
			continue;
		}
		for (size_t m = 0; m < json_array_size(v); m++) {
			if (forms[i].add(p, k, json_array_get(v, m), e) < 0)
				return err_wrap(e, "%s", name);
		}
	}
	return 0;
}

static const char *
text_of(struct policy *p, const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s != NULL ? arena_strdup(&p->arena, s) : NULL;
}

static void
take_identity(struct policy *p, const json_t *rule, struct rec_verify_rule *out)
{
	static const char *const keys[] = {"dockerReference", "dockerRepository", "prefix"};
	const json_t *id = json_object_get(rule, "signedIdentity");

	out->match = "matchRepoDigestOrExact";
	if (!json_is_object(id))
		return;
	out->match = text_of(p, id, "type");
	for (size_t i = 0; i < COUNTOF(keys); i++) {
		if (json_object_get(id, keys[i]) != NULL)
			out->reference = text_of(p, id, keys[i]);
	}
	out->signed_prefix = text_of(p, id, "signedPrefix");
}

static int
take_authority(
    struct policy *p, const json_t *j, const char *prefix, struct bytes *out, struct err *e)
{
	struct keys k = {0};

	if (add_keys(p, j, prefix, &k, e) < 0)
		return -1;
	if (k.n > 0)
		*out = k.v[0].data;
	return 0;
}

static int
take_rule(struct policy *p, const json_t *rule, struct rec_verify_rule *out, struct err *e)
{
	const json_t *fulcio = json_object_get(rule, "fulcio"), *pki = json_object_get(rule, "pki");
	const char *key_type = json_string_value(json_object_get(rule, "keyType"));
	struct keys keys = {0}, rekor = {0};

	out->type = text_of(p, rule, "type");
	if (key_type != NULL && strcmp(key_type, "GPGKeys") != 0)
		return err_set(e, ERR_UNSUPPORTED, "\"Unimplemented keyType %s\"", key_type);
	take_identity(p, rule, out);
	if (add_keys(p, rule, "key", &keys, e) < 0 ||
	    add_keys(p, rule, "rekorPublicKey", &rekor, e) < 0 ||
	    take_authority(p, fulcio, "ca", &out->fulcio_ca, e) < 0 ||
	    take_authority(p, pki, "caRoots", &out->pki_roots, e) < 0 ||
	    take_authority(p, pki, "caIntermediates", &out->pki_intermediates, e) < 0)
		return -1;
	out->keys.v = keys.v;
	out->keys.n = keys.n;
	out->rekor.v = rekor.v;
	out->rekor.n = rekor.n;
	out->oidc_issuer = text_of(p, fulcio, "oidcIssuer");
	out->subject_email = text_of(p, fulcio != NULL ? fulcio : pki, "subjectEmail");
	out->subject_hostname = text_of(p, pki, "subjectHostname");
	return 0;
}

int
policy_select(const struct policy_file *f, const char *transport, const struct strv *scopes,
    const char *what, struct policy *out, struct err *e)
{
	const json_t *rules = find_rules(f->json, transport, scopes);
	struct policy p = {.from = rules};

	p.rules = arena_array(&p.arena, json_array_size(rules), sizeof(*p.rules));
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *rule = json_array_get(rules, i);
		const char *type = json_string_value(json_object_get(rule, "type"));

		if (strcmp(type, "insecureAcceptAnything") == 0)
			continue;
		if (strcmp(type, "reject") == 0) {
			err_set(&p.refusal, ERR_DENIED,
			    "Source image rejected: Running image %s is rejected by policy.", what);
			break;
		}
		if (take_rule(&p, rule, &p.rules[p.nrules], e) < 0) {
			policy_free(&p);
			return err_wrap(e, "Source image rejected: policy %s", f->name);
		}
		p.nrules++;
	}
	*out = p;
	return 0;
}
