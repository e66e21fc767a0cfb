/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/sha256.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/role/spawn.h"
#include "pod-run/oci/seccomp_profile.h"
#include "pod-run/oci/spec_cap.h"

#define PROFILE_MAX ((size_t)1 << 20)
#define BPF_MAX ((size_t)4096 * 8) /* what the kernel takes: BPF_MAXINSNS instructions */
#define ENTRY_MAX ((size_t)64 << 10)
#define CACHE_DIR "seccomp"
#define REASON_MAX ((size_t)200)
#define SETTLED_S 2 /* longer than any clock tick a file system dates its changes by */
#define CACHE_VERSION "pod " POD_VERSION " seccomp 1"

void
seccomp_result_free(struct seccomp_result *r)
{
	free(r->json);
	free(r->bpf);
	*r = (struct seccomp_result){0};
}

/* --- The profile ---------------------------------------------------------------------------------*/

/* Opens the profile that applies; *fd stays -1 for the built-in one. */
static int
find(const char *given, int *fd, const char **path, struct err *e)
{
	static const char *const places[] = {
	    "/etc/containers/seccomp.json", "/usr/share/containers/seccomp.json"};
	const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

	*path = given;
	if (given != NULL) {
		*fd = open(given, flags);
		return *fd < 0 ? err_sys(e, "opening seccomp profile failed: open %s", given) : 0;
	}
	for (size_t i = 0; *fd < 0 && i < COUNTOF(places); i++) {
		*path = places[i];
		*fd = open(places[i], flags);
		if (*fd < 0 && errno != ENOENT)
			return err_sys(e, "opening seccomp profile failed: open %s", places[i]);
	}
	return 0;
}

static int
decide(int fd, const char *path, uint64_t caps, struct arena *a, struct seccomp_profile *p,
    struct err *e)
{
	own_mem char *text = NULL;
	size_t n;

	if (fd < 0) {
		seccomp_profile_default(caps, a, p);
		return 0;
	}
	if (lseek(fd, 0, SEEK_SET) < 0 && errno != ESPIPE)
		return err_sys(e, "%s", path);
	if (file_slurp(fd, PROFILE_MAX, path, &text, &n, e) < 0)
		return -1;
	if (seccomp_profile_read(text, n, caps, a, p, e) < 0)
		return err_wrap(e, "loading seccomp profile (%s) failed", path);
	return 0;
}

/* --- The cache -----------------------------------------------------------------------------------*/

/*
 * The directory of compiled filters.  A filter from it goes into the container unseen, so it must be ours
 * and closed to others; else there is no cache.
 */
static int
cache_open(const char *run_root)
{
	own_fd int root = open(run_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	own_fd int dir = -1;
	struct stat st;

	if (root < 0 || (mkdirat(root, CACHE_DIR, 0700) < 0 && errno != EEXIST))
		return -1;
	dir = openat(root, CACHE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 0077) != 0)
		return -1;
	return fd_take(&dir);
}

#define SUM_SIZE 17 /* of an entry's first line */

/*
 * FNV-1a.  It only tells a torn entry from a whole one; that nobody else wrote it, the owner and mode of the
 * directory and the file tell.
 */
static void
checksum(const char *s, size_t n, char out[SUM_SIZE])
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
	snprintf(out, SUM_SIZE, "%016llx", (unsigned long long)h);
}

/* An entry is the checksum of the filter in hexadecimal digits, a newline, and the filter in base64. */
static char *
cache_read(int dir, const char *key)
{
	own_fd int fd = openat(dir, key, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	own_mem char *text = NULL;
	struct err ignored;
	char sum[SUM_SIZE];
	struct stat st;
	size_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & 0077) != 0 || st.st_size <= SUM_SIZE)
		return NULL;
	if (file_slurp(fd, ENTRY_MAX, "filter", &text, &n, &ignored) < 0 || n <= SUM_SIZE)
		return NULL;
	checksum(text + SUM_SIZE, n - SUM_SIZE, sum);
	if (memcmp(sum, text, SUM_SIZE - 1) != 0 || text[SUM_SIZE - 1] != '\n')
		return NULL;
	memmove(text, text + SUM_SIZE, n - SUM_SIZE + 1);
	return ptr_take(&text);
}

static void
cache_write(int dir, const char *key, const char *bpf)
{
	own_strbuf struct strbuf entry = {0};
	char sum[SUM_SIZE];
	struct err e = {0};

	checksum(bpf, strlen(bpf), sum);
	strbuf_add(&entry, sum);
	strbuf_addc(&entry, '\n');
	strbuf_add(&entry, bpf);
	if (file_write(dir, key, entry.s, entry.n, 0600, 0, &e) < 0)
		log_debug("keeping a compiled seccomp filter: %s", e.text);
}

/* --- Compiling -----------------------------------------------------------------------------------*/

static char *
base64(const unsigned char *p, size_t n)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *out = xmalloc((n + 2) / 3 * 4 + 1), *to = out;

	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)p[i] << 16;

		v |= i + 1 < n ? (unsigned)p[i + 1] << 8 : 0;
		v |= i + 2 < n ? p[i + 2] : 0;
		*to++ = digits[v >> 18];
		*to++ = digits[v >> 12 & 63];
		*to++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
		*to++ = i + 2 < n ? digits[v & 63] : '=';
	}
	*to = '\0';
	return out;
}

/* The profile as a file the worker can read from its beginning. */
static int
as_memfd(const struct strbuf *json, struct err *e)
{
	own_fd int fd = memfd_create("seccomp", MFD_CLOEXEC);

	if (fd < 0 || file_put(fd, json->s, json->n) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "handing over the seccomp profile");
	return fd_take(&fd);
}

/* Runs pod-run-seccomp over a document and takes at most so many bytes of answer.  what: for the error. */
static int
work(const char *mode, const struct strbuf *document, size_t max, const char *what, char **out,
    size_t *n, struct err *e)
{
	own_fd int in = as_memfd(document, e), out_r = -1, out_w = -1;
	own_mem char *bytes = NULL;
	int pipe_[2], status;
	pid_t pid;

	if (in < 0)
		return -1;
	if (pipe2(pipe_, O_CLOEXEC) < 0)
		return err_sys(e, "making a pipe");
	out_r = pipe_[0];
	out_w = pipe_[1];
	pid = spawn_start(
	    &(struct spawn){.role = ROLE_SECCOMP, .mode = mode, .fds = {in, out_w}, .nfds = 2}, e);
	if (pid < 0)
		return -1;
	fd_close(&out_w);
	*n = 0;
	if (file_slurp(out_r, max, what, &bytes, n, e) < 0)
		*n = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || *n == 0)
		return err_is_set(e) ? -1
				     : err_set(e, ERR_INVALID, "%s: %.*s", what,
					   (int)(*n < REASON_MAX ? *n : REASON_MAX),
					   bytes != NULL ? bytes : "");
	*out = ptr_take(&bytes);
	return 0;
}

/* The filter as a program of the kernel, in base64.  NULL with e on failure. */
static char *
compile(const struct strbuf *json, struct err *e)
{
	own_mem char *bytes = NULL;
	size_t n;

	if (work("--compile", json, BPF_MAX, "compiled filter", &bytes, &n, e) < 0)
		return NULL;
	if (n % 8 != 0) {
		err_set(e, ERR_INTERNAL, "compiling the seccomp profile failed");
		return NULL;
	}
	return base64((unsigned char *)bytes, n);
}

/*
 * A profile out of an image's label, read where there is no privilege.  What comes back goes into config.json
 * as it is: it must be one object, and cannot end before its end.
 */
static int
reduce(const char *text, uint64_t caps, struct strbuf *json, struct err *e)
{
	own_strbuf struct strbuf document = {0};
	own_mem char *bytes = NULL;
	size_t n;

	strbuf_addf(&document, "%016llx\n%s", (unsigned long long)caps, text);
	if (work("--reduce", &document, PROFILE_MAX, "seccomp profile of the image", &bytes, &n,
		e) < 0)
		return err_wrap(e, "loading seccomp profile failed");
	if (!json_is_one_object(bytes, n))
		return err_set(e, ERR_FORMAT,
		    "loading seccomp profile failed: seccomp profile of the image: no object");
	strbuf_addn(json, bytes, n);
	return 0;
}

/*
 * What tells one state of the profile from another.  A file that has lain still for a while is known by its
 * inode and times, which nobody can set back (ctime); one that was just changed, by its bytes.
 */
static int
add_profile(struct sha256 *s, int fd, const char *path, struct err *e)
{
	own_mem char *text = NULL;
	struct stat st;
	size_t n;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %s", path);
	if (S_ISREG(st.st_mode) && st.st_ctim.tv_sec + SETTLED_S < time(NULL)) {
		sha256_add(s, &st.st_dev, sizeof(st.st_dev));
		sha256_add(s, &st.st_ino, sizeof(st.st_ino));
		sha256_add(s, &st.st_size, sizeof(st.st_size));
		sha256_add(s, &st.st_ctim, sizeof(st.st_ctim));
		return 0;
	}
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "seccomp profile %s: not a regular file", path);
	if (file_slurp(fd, PROFILE_MAX, path, &text, &n, e) < 0)
		return -1;
	sha256_add(s, text, n);
	return 0;
}

/*
 * Everything that decides about the filter goes into its name: our version (for the built-in profile), the
 * profile, the capabilities, and the machine, whose kernel a profile may ask for.
 */
static int
cache_key(int fd, const char *path, uint64_t caps, char key[SHA256_HEX], struct err *e)
{
	uint8_t digest[SHA256_SIZE];
	struct utsname u = {0};
	struct sha256 s;

	uname(&u);
	sha256_init(&s);
	sha256_add(&s, CACHE_VERSION, sizeof(CACHE_VERSION));
	sha256_add(&s, u.release, strlen(u.release) + 1);
	sha256_add(&s, u.machine, strlen(u.machine) + 1);
	sha256_add(&s, &caps, sizeof(caps));
	if (add_profile(&s, fd, path, e) < 0)
		return -1;
	sha256_end(&s, digest);
	text_hex(digest, sizeof(digest), key);
	return 0;
}

static int
from_image(const struct seccomp_request *q, uint64_t caps, bool want_bpf,
    struct seccomp_result *out, struct err *e)
{
	own_strbuf struct strbuf json = {0};
	struct err why = {0};

	if (reduce(q->text, caps, &json, e) < 0)
		return -1;
	if (want_bpf && (out->bpf = compile(&json, &why)) != NULL)
		return 0;
	out->json = strbuf_take(&json);
	return 0;
}

int
seccomp_prepare(
    const struct seccomp_request *q, bool want_bpf, struct seccomp_result *out, struct err *e)
{
	const struct strs names = {.v = (const char **)(uintptr_t)q->caps, .n = q->caps_n};
	uint64_t caps = spec_cap_mask(&names);
	own_fd int dir = want_bpf && q->run_root != NULL ? cache_open(q->run_root) : -1, fd = -1;
	own_arena struct arena a = {0};
	own_strbuf struct strbuf json = {0};
	struct seccomp_profile p;
	char key[SHA256_HEX];
	const char *path;

	*out = (struct seccomp_result){0};
	if (q->text != NULL)
		return from_image(q, caps, want_bpf, out, e);
	if (find(q->profile, &fd, &path, e) < 0 || cache_key(fd, path, caps, key, e) < 0)
		return -1;
	out->bpf = dir >= 0 ? cache_read(dir, key) : NULL;
	if (out->bpf != NULL)
		return 0;
	if (decide(fd, path, caps, &a, &p, e) < 0)
		return -1;
	seccomp_profile_write(&p, &json);
	if (want_bpf) {
		struct err why = {0};

		out->bpf = compile(&json, &why);
		if (out->bpf != NULL && dir >= 0)
			cache_write(dir, key, out->bpf);
		if (out->bpf != NULL)
			return 0;
		log_debug("seccomp filter is left to the runtime: %s", why.text);
	}
	out->json = strbuf_take(&json);
	return 0;
}
