/* Stands between a process and the kernel for the calls that change files below one folder: counts them, and dies at
 * one, tears it, shortens it or makes it fail; and can write all of them, with their bytes, into a record.
 *
 * Loaded with LD_PRELOAD. The real calls are made by syscall(2), so nothing else is needed of the C library.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { COUNT, KILL, TORN, SHORT, FAIL };
enum { WRITES = 1, SYNCS = 2, NAMES = 4, CUTS = 8 };
enum { R_MARK, R_WRITE, R_CUT, R_SYNC, R_SYNC_FAILED, R_CREATE, R_MKDIR, R_RENAME, R_UNLINK, R_RMDIR, R_GROW };

static char prefix[PATH_MAX];
static size_t prefix_size;
static int mode, wanted_error, sticky, kinds;
static long wanted, seen;
static int record_fd = -1;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void waypost_arm(const char *folder, int how, long at, int error, int always, int which) {
    snprintf(prefix, sizeof prefix, "%s", folder);
    prefix_size = strlen(prefix);
    mode = how, wanted = at, wanted_error = error, sticky = always, kinds = which, seen = 0;
}

void waypost_record(int fd) { record_fd = fd; }
long waypost_count(void) { return seen; }

static void die(void) {
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;) syscall(SYS_pause);
}

/* The absolute path of a name in a folder (or of an open file, with name NULL); 0 if it is none of ours. */
static int path_of(char *path, int folder, const char *name) {
    char link[64], base[PATH_MAX] = "";
    if (!prefix_size) return 0;
    if (!name || (name[0] != '/' && folder != AT_FDCWD)) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t size = syscall(SYS_readlink, link, base, sizeof base - 1);
        if (size < 0) return 0;
        base[size] = 0;
    } else if (name[0] != '/' && syscall(SYS_getcwd, base, sizeof base) < 0) {
        return 0;
    }
    if (!name) snprintf(path, PATH_MAX, "%s", base);
    else if (name[0] == '/') snprintf(path, PATH_MAX, "%s", name);
    else snprintf(path, PATH_MAX, "%.2000s/%.2000s", base, name);
    return !strncmp(path, prefix, prefix_size) && (path[prefix_size] == '/' || !path[prefix_size]);
}

static uint64_t inode_of(int fd) {
    struct stat found;
    return syscall(SYS_fstat, fd, &found) ? 0 : found.st_ino;
}

static void put(const char *path, uint32_t kind, uint64_t inode, uint64_t offset, const void *data, uint32_t size) {
    struct { uint32_t kind, path; uint64_t inode, offset; uint32_t size, zero; } head =
        {kind, strlen(path), inode, offset, size, 0};
    struct iovec parts[3] = {{&head, sizeof head}, {(void *)path, head.path}, {(void *)data, size}};
    if (record_fd >= 0 && syscall(SYS_writev, record_fd, parts, 3) < 0) die();
}

void waypost_mark(const void *data, int size) {
    if (record_fd >= 0) put("", R_MARK, 0, 0, data, size);
}

/* Whether this call is to be disturbed; dies here if that is how. */
static int hit(int kind) {
    if (!(kinds & kind)) return 0;
    pthread_mutex_lock(&mutex);
    long number = ++seen;
    pthread_mutex_unlock(&mutex);
    if (mode == COUNT || (number != wanted && !(sticky && number > wanted))) return 0;
    if (mode == KILL) die();
    return 1;
}

static int failed(void) {
    errno = wanted_error;
    return -1;
}

static ssize_t real_write(int fd, const void *data, size_t size, off_t offset) {
    return offset < 0 ? syscall(SYS_write, fd, data, size) : syscall(SYS_pwrite64, fd, data, size, offset);
}

static ssize_t watched_write(int fd, const void *data, size_t size, off_t offset) {
    char path[PATH_MAX];
    if (!path_of(path, fd, NULL)) return real_write(fd, data, size, offset);
    if (hit(WRITES)) {
        if (mode == FAIL) return failed();
        size = size > 1 ? size / 2 : size;
        if (mode == TORN) {
            real_write(fd, data, size, offset);
            die();
        }
    }
    off_t at = offset < 0 ? syscall(SYS_lseek, fd, 0, SEEK_CUR) : offset;
    ssize_t written = real_write(fd, data, size, offset);
    if (written > 0) put(path, R_WRITE, inode_of(fd), at, data, written);
    return written;
}

ssize_t write(int fd, const void *data, size_t size) { return watched_write(fd, data, size, -1); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) { return watched_write(fd, data, size, offset); }
ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset) { return watched_write(fd, data, size, offset); }

/* Everything but a write is done or not done: torn means done, then dead. */
#define WATCH(folder, name, kind, call, then)                                                                          \
    char path[PATH_MAX];                                                                                               \
    if (!path_of(path, folder, name)) return call;                                                                     \
    int torn = 0;                                                                                                      \
    if (hit(kind)) {                                                                                                   \
        if (mode == FAIL) return failed();                                                                             \
        torn = mode == TORN;                                                                                           \
    }                                                                                                                  \
    int result = call;                                                                                                 \
    if (torn) die();                                                                                                   \
    if (result >= 0) then;                                                                                             \
    return result

static int watched_sync(int fd, long number) {
    char path[PATH_MAX];
    if (!path_of(path, fd, NULL)) return syscall(number, fd);
    if (hit(SYNCS)) {
        if (mode == FAIL) {
            put(path, R_SYNC_FAILED, inode_of(fd), 0, "", 0);
            return failed();
        }
        if (mode == TORN) {
            syscall(number, fd);
            die();
        }
    }
    int result = syscall(number, fd);
    if (!result) put(path, R_SYNC, inode_of(fd), 0, "", 0);
    return result;
}

int fsync(int fd) { return watched_sync(fd, SYS_fsync); }
int fdatasync(int fd) { return watched_sync(fd, SYS_fdatasync); }

int ftruncate(int fd, off_t size) {
    WATCH(fd, NULL, CUTS, syscall(SYS_ftruncate, fd, size), put(path, R_CUT, inode_of(fd), size, "", 0));
}
int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }

int fallocate(int fd, int how, off_t offset, off_t size) {
    WATCH(fd, NULL, CUTS, syscall(SYS_fallocate, fd, how, offset, size),
          if (!how) put(path, R_GROW, inode_of(fd), offset + size, "", 0));
}
int fallocate64(int fd, int how, off_t offset, off_t size) { return fallocate(fd, how, offset, size); }
int posix_fallocate(int fd, off_t offset, off_t size) { return fallocate(fd, 0, offset, size) ? errno : 0; }
int posix_fallocate64(int fd, off_t offset, off_t size) { return posix_fallocate(fd, offset, size); }

static int watched_open(int folder, const char *name, int flags, mode_t rights) {
    int missing = (flags & O_CREAT) && syscall(SYS_faccessat, folder, name, F_OK) < 0;
    if (!missing) {
        int fd = syscall(SYS_openat, folder, name, flags, rights);
        char path[PATH_MAX];
        if (fd >= 0 && (flags & O_TRUNC) && path_of(path, folder, name)) put(path, R_CUT, inode_of(fd), 0, "", 0);
        return fd;
    }
    WATCH(folder, name, NAMES, syscall(SYS_openat, folder, name, flags, rights),
          put(path, R_CREATE, inode_of(result), 0, "", 0));
}

#define RIGHTS(last)                                                                                                   \
    mode_t rights = 0;                                                                                                 \
    if (flags & (O_CREAT | __O_TMPFILE)) {                                                                             \
        va_list more;                                                                                                  \
        va_start(more, last);                                                                                          \
        rights = va_arg(more, mode_t);                                                                                 \
        va_end(more);                                                                                                  \
    }

int open(const char *name, int flags, ...) {
    RIGHTS(flags)
    return watched_open(AT_FDCWD, name, flags, rights);
}
int open64(const char *name, int flags, ...) {
    RIGHTS(flags)
    return watched_open(AT_FDCWD, name, flags | O_LARGEFILE, rights);
}
int openat(int folder, const char *name, int flags, ...) {
    RIGHTS(flags)
    return watched_open(folder, name, flags, rights);
}
int openat64(int folder, const char *name, int flags, ...) {
    RIGHTS(flags)
    return watched_open(folder, name, flags | O_LARGEFILE, rights);
}

int mkdirat(int folder, const char *name, mode_t rights) {
    WATCH(folder, name, NAMES, syscall(SYS_mkdirat, folder, name, rights), put(path, R_MKDIR, 0, 0, "", 0));
}
int mkdir(const char *name, mode_t rights) { return mkdirat(AT_FDCWD, name, rights); }

int unlinkat(int folder, const char *name, int flags) {
    WATCH(folder, name, NAMES, syscall(SYS_unlinkat, folder, name, flags),
          put(path, flags & AT_REMOVEDIR ? R_RMDIR : R_UNLINK, 0, 0, "", 0));
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

int renameat(int from, const char *old, int to, const char *name) {
    char source[PATH_MAX];
    path_of(source, from, old);
    WATCH(to, name, NAMES, syscall(SYS_renameat, from, old, to, name),
          put(source, R_RENAME, 0, 0, path, strlen(path)));
}
int rename(const char *old, const char *name) { return renameat(AT_FDCWD, old, AT_FDCWD, name); }

int fchmod(int fd, mode_t rights) {
    WATCH(fd, NULL, NAMES, syscall(SYS_fchmod, fd, rights), (void)0);
}
int fchmodat(int folder, const char *name, mode_t rights, int flags) {
    WATCH(folder, name, NAMES, syscall(SYS_fchmodat, folder, name, rights), (void)0);
}
int chmod(const char *name, mode_t rights) { return fchmodat(AT_FDCWD, name, rights, 0); }
