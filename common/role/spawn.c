/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/role/spawn.h"
#include "common/wire/peer.h"

/* What a helper may know of the caller's environment. */
static const char *const env_names[] = {"HOME", "TMPDIR", "XDG_RUNTIME_DIR", "XDG_DATA_HOME",
    "XDG_CONFIG_HOME", "POD_TRACE", "POD_REGISTRY_TIMEOUT", "CONTAINERS_CONF",
    "CONTAINERS_CONF_OVERRIDE", "CONTAINERS_REGISTRIES_CONF", "CONTAINERS_STORAGE_CONF",
    "REGISTRY_AUTH_FILE", "HTTP_PROXY", "GNUPGHOME", "GPG_TTY", "DOCKER_CONFIG", "DOCKER_HOST",
    "DOCKER_TLS_VERIFY", "DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS", "HTTPS_PROXY",
    "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "ASAN_OPTIONS", "TZ"};

const char *
spawn_bin_dir(void)
{
	static char dir[PATH_MAX];
	ssize_t n;
	char *slash;

	if (dir[0] != '\0')
		return dir;
	n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	if (n <= 0 || (slash = memrchr(dir, '/', (size_t)n)) == NULL)
		return memcpy(dir, "/usr/bin", sizeof("/usr/bin"));
	*slash = '\0';
	/* A worker finds its siblings from libexec/pod as the tools do from bin. */
	if ((size_t)(slash - dir) > 12 && strcmp(slash - 12, "/libexec/pod") == 0)
		memcpy(slash - 12, "/bin", 5);
	return dir;
}

char *
spawn_program(enum role r)
{
	const char *name = role_info(r)->program, *bin = spawn_bin_dir();
	const char *first = strchr(name, '-'),
		   *second = first != NULL ? strchr(first + 1, '-') : NULL;

	/* pod-TOOL lies in bin, pod-TOOL-WORKER in libexec. */
	if (second == NULL)
		return xasprintf("%s/%s", bin, name);
	return xasprintf("%.*s/libexec/pod/%s", (int)(strrchr(bin, '/') - bin), bin, name);
}

static void
fill_env(struct strv *env, enum role role)
{
	strv_add(env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	strv_add(env, "LANG=C.UTF-8");
	/* libcurl brings it along, and nobody calls it: it need not get ready. */
	if (role == ROLE_FETCH)
		strv_add(env, "GNUTLS_NO_IMPLICIT_INIT=1");
	/* Only for credential helpers, which are programs of the caller. */
	if (getenv("POD_CALLER_PATH") != NULL || getenv("PATH") != NULL)
		strv_addf(env, "POD_CALLER_PATH=%s",
		    getenv("POD_CALLER_PATH") != NULL ? getenv("POD_CALLER_PATH") : getenv("PATH"));
	for (size_t i = 0; i < COUNTOF(env_names); i++) {
		const char *v = getenv(env_names[i]);

		if (v != NULL)
			strv_addf(env, "%s=%s", env_names[i], v);
	}
}

/*
 * Numbers of the child's descriptors may also be numbers of ours; so each is first copied above
 * them all, and the child gets its copies from there.
 */
static int
copy_high(const struct spawn *s, int *high, struct err *e)
{
	for (size_t i = 0; i < s->nfds; i++) {
		high[i] = -1;
		if (s->fds[i] <= 0)
			continue;
		high[i] = fcntl(s->fds[i], F_DUPFD_CLOEXEC, 100);
		if (high[i] == -1)
			return err_sys(
			    e, "copying a descriptor for %s", role_info(s->role)->program);
	}
	return 0;
}

pid_t
spawn_start(const struct spawn *s, struct err *e)
{
	own_mem char *path = spawn_program(s->role);
	own_strv struct strv env = {0};
	const char *argv[] = {
	    role_info(s->role)->program, s->mode != NULL ? s->mode : "--peer", NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, defaults;
	int high[COUNTOF(s->fds)];
	pid_t pid = -1;
	int r;

	memset(high, -1, sizeof(high));
	fill_env(&env, s->role);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	sigfillset(&defaults);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (copy_high(s, high, e) == -1)
		goto out;
	for (size_t i = 0; i < s->nfds; i++)
		if (high[i] != -1)
			posix_spawn_file_actions_adddup2(&fa, high[i], (int)i);
	if (s->discard_stderr)
		posix_spawn_file_actions_addopen(&fa, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	r = posix_spawn(&pid, path, &fa, &attr, (char *const *)(uintptr_t)argv, env.v);
	if (r != 0) {
		errno = r;
		err_sys(e, "starting %s", path);
		pid = -1;
	}
out:
	for (size_t i = 0; i < COUNTOF(high); i++)
		fd_close(&high[i]);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	return pid;
}

/* Our end of its connection. */
static int
start_end(struct spawn *s, pid_t *pid, struct err *e)
{
	int pair[2];
	own_fd int ours = -1, theirs = -1;
	pid_t child;

	if (peer_pair(pair, e) == -1)
		return -1;
	ours = pair[0];
	theirs = pair[1];
	s->fds[PEER_FD] = theirs;
	child = spawn_start(s, e);
	if (child == -1)
		return -1;
	if (pid != NULL)
		*pid = child;
	return fd_take(&ours);
}

static struct peer *
start_peer(enum role self, struct spawn *s, pid_t *pid, struct err *e)
{
	int end = start_end(s, pid, e);

	return end == -1 ? NULL : peer_new(end, self, s->role);
}

int
spawn_end_of(enum role role, struct err *e)
{
	struct spawn s = {.role = role, .nfds = PEER_FD + 1};

	return start_end(&s, NULL, e);
}

struct peer *
spawn_peer_mode(enum role self, enum role role, const char *mode, pid_t *pid, struct err *e)
{
	struct spawn s = {.role = role, .mode = mode, .nfds = PEER_FD + 1};

	return start_peer(self, &s, pid, e);
}

struct peer *
spawn_peer(enum role self, enum role role, pid_t *pid, struct err *e)
{
	return spawn_peer_mode(self, role, NULL, pid, e);
}

struct peer *
spawn_peer_view(enum role self, enum role role, int view, struct err *e)
{
	struct spawn s = {.role = role, .nfds = ROLE_VIEW_FD_NUMBER + 1};

	s.fds[ROLE_VIEW_FD_NUMBER] = view;
	return start_peer(self, &s, NULL, e);
}

struct peer *
spawn_peer_input(enum role self, enum role role, int input, struct err *e)
{
	struct spawn s = {.role = role, .nfds = PEER_FD + 1};

	s.fds[0] = input;
	return start_peer(self, &s, NULL, e);
}

static bool
has_ended(int pidfd, int within_ms)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	int64_t until = clock_now_ms() + within_ms, left = within_ms;
	int r = 0;

	while (pidfd >= 0 && left > 0 && (r = poll(&p, 1, (int)left)) == -1 && errno == EINTR)
		left = until - clock_now_ms();
	return r == 1;
}

/*
 * For a role that may not signal another identity's process, but take that identity on: a child does both.  Safe because
 * pid is a child of ours that nobody has waited for yet, so that no other process can have its number.
 */
static bool
kill_as_nobody(pid_t pid)
{
	pid_t child = fork();
	int status = -1;

	if (child == 0)
		_exit(syscall(SYS_setresuid, ROLE_NOBODY_ID, ROLE_NOBODY_ID, ROLE_NOBODY_ID) == 0 &&
			      kill(pid, SIGKILL) == 0
			  ? 0
			  : 1);
	while (child > 0 && waitpid(child, &status, 0) == -1 && errno == EINTR)
		;
	return child > 0 && status == 0;
}

int
spawn_end(pid_t pid, int grace_ms)
{
	own_fd int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	/* One that cannot be ended after all is left alone. */
	bool over = has_ended(fd, grace_ms) || kill(pid, SIGKILL) == 0 || kill_as_nobody(pid) ||
		    has_ended(fd, SPAWN_GRACE_MS);
	int status = -1;

	while (waitpid(pid, &status, over ? 0 : WNOHANG) == -1 && errno == EINTR)
		;
	return status;
}

int
spawn_in_userns(char **argv, struct err *e)
{
	static const char *const plain[] = {
	    "--help", "-h", "help", "--version", "-v", "completion", "__complete"};
	own_mem char *run = spawn_program(ROLE_RUN);
	own_mem char **words = NULL;
	char self[PATH_MAX] = "", unshare[] = "unshare";
	size_t n = 0;

	if (geteuid() == 0 || argv[1] == NULL)
		return 0;
	for (size_t i = 0; i < COUNTOF(plain); i++)
		if (strcmp(argv[1], plain[i]) == 0)
			return 0;
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return err_sys(e, "finding the path of %s", argv[0]);
	while (argv[n] != NULL)
		n++;
	words = xcalloc(n + 3, sizeof(*words));
	words[0] = run;
	words[1] = unshare;
	words[2] = self;
	for (size_t i = 1; i < n; i++)
		words[i + 2] = argv[i];
	execv(run, words);
	return err_sys(e, "starting %s", run);
}
