/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdint.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/conf/host_root.h"
#include "common/db/sqlite.h"

#define FIRST_US 150
#define DOUBLINGS 4
#define LOG_LONG (2 * 1024 * 1024)
#define LOG_REST_S 1
#define NEVER_FOLDED 4096 /* bytes: a page that says that there is a log */
#define LOG_ROOM \
	(256 * 1024) /* kept behind the log's end, so that a full disk lets things be removed */
#define LOG_RESERVE (LOG_ROOM + 128 * 1024)
#define LOG_LAST (LOG_ROOM / 4 * 3) /* of which this is for removals only */
#define FILE_ROOM \
	(128 * 1024) /* and behind the database's own, so that a full disk lets the log be folded */
#define FILE_RESERVE (2 * FILE_ROOM)
/* The index of the log, FILE-shm: what SQLite cuts it to, and its header and least size in SQLite's file format. */
#define INDEX_CUT 3
#define INDEX_HEADER 136
#define INDEX_SIZE 32768

/* n: how often this statement has found the lock taken. The waits double four times, so n tells the time. */
static int
look_again(void *limit_ms, int n)
{
	int step = n < DOUBLINGS ? n : DOUBLINGS;
	/* Not all at once: those that met once would meet again. */
	long us = (FIRST_US << step) + (getpid() + n * 37) % FIRST_US;

	if ((long)n * (FIRST_US << step) / 1000 > (long)(intptr_t)limit_ms)
		return 0;
	nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
	return 1;
}

/*
 * As root SQLite gives its log the database's owner each time it opens one.  What is so already is left alone: the
 * change of nothing, too, waits for the file system's journal, for 0.1 s while an image is being written.
 */
static int
give_owner(int fd, uid_t uid, gid_t gid)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_uid == uid && st.st_gid == gid)
		return 0;
	return fchown(fd, uid, gid);
}

/*
 * Who opens a database that nobody else has open distrusts the index of its log, cuts it and lets it grow again.  The
 * file system gives back the room and takes it anew, which waits for the disk where that is told ("discard").
 * Safe because zeros where the header was say as much as a file too short to have one: the index is then built from
 * the log, each page of it as a whole, by whoever holds the lock that this one holds.
 * A database that is cut to what it is, as each folding does, would lose the room kept behind its end.
 */
static int
cut(int fd, off_t size)
{
	static const char zeros[INDEX_HEADER];
	struct stat st;

	if (fstat(fd, &st) == 0 &&
	    (st.st_size == size ||
		(size == INDEX_CUT && st.st_size == INDEX_SIZE &&
		    pwrite(fd, zeros, sizeof(zeros), 0) == (ssize_t)sizeof(zeros))))
		return 0;
	return ftruncate(fd, size);
}

void
sqlite_single(void)
{
	sqlite3_vfs *vfs;

	/* All are refused, and needless, once the library runs. */
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	/* Memory in advance, for pages of each table that a statement makes for itself as well: all of it is touched. */
	sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
	sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
	/* Last: it starts the library. */
	vfs = sqlite3_vfs_find(NULL);
	if (vfs == NULL || vfs->iVersion < 3)
		return;
	vfs->xSetSystemCall(vfs, "fchown", (sqlite3_syscall_ptr)give_owner);
	vfs->xSetSystemCall(vfs, "ftruncate", (sqlite3_syscall_ptr)cut);
}

void
sqlite_wait(sqlite3 *h, int limit_ms)
{
	sqlite3_busy_handler(h, look_again, (void *)(intptr_t)limit_ms);
}

bool
sqlite_has_moved(sqlite3 *h)
{
	int moved = 0;

	return sqlite3_file_control(h, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
	       moved != 0;
}

static int
refuse_moved(void *h)
{
	return sqlite_has_moved(h);
}

void
sqlite_guard(sqlite3 *h)
{
	sqlite3_commit_hook(h, refuse_moved, h);
}

bool
sqlite_was_replaced(sqlite3 *h)
{
	return sqlite3_extended_errcode(h) == SQLITE_CONSTRAINT_COMMITHOOK;
}

int64_t
sqlite_log_size(sqlite3 *h)
{
	const char *path = sqlite3_db_filename(h, "main");
	const char *log = path != NULL ? sqlite3_filename_wal(path) : NULL;
	struct stat st;

	return log != NULL && stat(log, &st) == 0 ? st.st_size : 0;
}

/* Only folding writes to the database file itself, so its time is that of the last one. */
bool
sqlite_fold_is_due(sqlite3 *h, int64_t worth)
{
	const char *path = sqlite3_db_filename(h, "main");
	int64_t size = sqlite_log_size(h);
	struct stat st;

	if (size < worth || size > LOG_LONG || stat(path, &st) != 0)
		return size > LOG_LONG;
	return st.st_size <= NEVER_FOLDED || time(NULL) - st.st_mtime > LOG_REST_S;
}

static void
reserve(const char *path, off_t least, off_t most)
{
	own_fd int fd = -1;
	struct stat st;

	if (stat(path, &st) != 0 || st.st_blocks * 512 >= st.st_size + least)
		return;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, st.st_size + most);
}

void
sqlite_reserve_log(sqlite3 *h)
{
	const char *path = sqlite3_db_filename(h, "main");
	const char *log = path != NULL ? sqlite3_filename_wal(path) : NULL;

	if (log == NULL)
		return;
	reserve(log, LOG_ROOM, LOG_RESERVE);
	reserve(path, FILE_ROOM, FILE_RESERVE);
}

/* Some of the room is for the host's root only. */
static bool
disk_has(sqlite3 *h, uint64_t bytes)
{
	const char *path = sqlite3_db_filename(h, "main");
	struct statvfs disk;

	if (path == NULL || statvfs(path, &disk) != 0)
		return true;
	return (host_root() ? disk.f_bfree : disk.f_bavail) * disk.f_frsize >= bytes;
}

/* Has the log eaten into what is kept for it, with no more to be had? */
static bool
is_short(sqlite3 *h, const struct stat *log)
{
	return log->st_blocks * 512 < log->st_size + LOG_ROOM && !disk_has(h, LOG_RESERVE);
}

bool
sqlite_make_room(sqlite3 *h)
{
	const char *path = sqlite3_db_filename(h, "main");
	const char *log = path != NULL ? sqlite3_filename_wal(path) : NULL;
	int left = 0, done = 0;
	struct stat st;

	if (log == NULL || stat(log, &st) != 0 || !is_short(h, &st))
		return true;
	/* A log that is folded back is written from its beginning again. */
	return sqlite3_get_autocommit(h) != 0 && st.st_blocks * 512 >= LOG_LAST &&
	       sqlite3_wal_checkpoint_v2(h, NULL, SQLITE_CHECKPOINT_PASSIVE, &left, &done) ==
		   SQLITE_OK &&
	       left == done;
}

bool
sqlite_may_grow(sqlite3 *h)
{
	const char *path = sqlite3_db_filename(h, "main");
	const char *log = path != NULL ? sqlite3_filename_wal(path) : NULL;
	struct stat st;

	sqlite_reserve_log(h);
	return log == NULL || stat(log, &st) != 0 || st.st_blocks * 512 >= st.st_size + LOG_LAST ||
	       disk_has(h, LOG_LAST) || sqlite_make_room(h);
}

void
sqlite_fold_log(sqlite3 *h, int64_t worth, int limit_ms)
{
	int left = 0, done = 0;

	if (!sqlite_fold_is_due(h, worth)) {
		sqlite_reserve_log(h);
		return;
	}
	sqlite3_busy_handler(h, NULL, NULL);
	/* The first keeps nobody out while it waits for the disk; the second has nothing to wait for. */
	if (sqlite3_wal_checkpoint_v2(h, NULL, SQLITE_CHECKPOINT_PASSIVE, &left, &done) ==
		SQLITE_OK &&
	    left == done &&
	    /* What is given back to a full disk is not there again. */
	    disk_has(h, LOG_RESERVE) &&
	    sqlite3_wal_checkpoint_v2(h, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK)
		sqlite_reserve_log(h);
	sqlite_wait(h, limit_ms);
}
