/* Makes the n-th call of one kind fail, for files under one folder and connections to one port. Preloaded.

   FT_KIND   open, read, write, fsync, rename, connect, send or recv
   FT_NTH    the call that fails, from 1; 0: none does
   FT_ERRNO  how
   FT_STAYS  "1": every later call fails, too, as on a disk that stays full
   FT_ROOT   the folder; Python's own files in it do not count
   FT_PORT   the port
   FT_LOG    a file that grows by one byte for each call that failed; it does not count itself */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OTHER, A_FILE, THE_ENDPOINT };
#define MOST 65536
static unsigned char kinds[MOST];
static atomic_long calls;
static const char *kind, *root, *log_path;
static long nth, stays, port;
static int error_number;

__attribute__((constructor)) static void begin(void) {
    kind = getenv("FT_KIND");
    root = getenv("FT_ROOT");
    log_path = getenv("FT_LOG");
    nth = getenv("FT_NTH") ? atol(getenv("FT_NTH")) : 0;
    error_number = getenv("FT_ERRNO") ? atoi(getenv("FT_ERRNO")) : EIO;
    stays = getenv("FT_STAYS") && *getenv("FT_STAYS") == '1';
    port = getenv("FT_PORT") ? atol(getenv("FT_PORT")) : -1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int fails(const char *this_kind) {
    if (!kind || strcmp(kind, this_kind)) return 0;
    long number = atomic_fetch_add(&calls, 1) + 1;
    if (!nth || number < nth || (number > nth && !stays)) return 0;
    int file = log_path ? REAL(open64)(log_path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
    if (file >= 0) {
        ssize_t written = REAL(write)(file, "x", 1);
        (void)written;
        REAL(close)(file);
    }
    errno = error_number;
    return 1;
}

static int ends_with(const char *text, const char *end) {
    size_t length = strlen(text), more = strlen(end);
    return length >= more && !strcmp(text + length - more, end);
}

static int counts(int folder, const char *path) {
    char whole[PATH_MAX];
    if (!root || !path) return 0;
    if (path[0] != '/') {
        if (folder != AT_FDCWD || !getcwd(whole, sizeof whole)) return 0;
        if (strncmp(whole, root, strlen(root))) return 0;
    } else if (strncmp(path, root, strlen(root))) {
        return 0;
    }
    return !strstr(path, "__pycache__") && !ends_with(path, ".py") && !ends_with(path, "output.txt");
}

static int noted(int file, int what) {
    if (file >= 0 && file < MOST) kinds[file] = what;
    return file;
}

static int is(int file, int what) { return file >= 0 && file < MOST && kinds[file] == what; }

#define MODE mode_t mode = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, int); va_end(more); }
#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        MODE int mine = counts(AT_FDCWD, path); \
        if (mine && fails("open")) return -1; \
        return noted(REAL(name)(path, flags, mode), mine ? A_FILE : OTHER); }
#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        MODE int mine = counts(folder, path); \
        if (mine && fails("open")) return -1; \
        return noted(REAL(name)(folder, path, flags, mode), mine ? A_FILE : OTHER); }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int close(int file) { noted(file, OTHER); return REAL(close)(file); }

#define WRITES(file) (is(file, A_FILE) && fails("write"))
#define READS(file) (is(file, A_FILE) && fails("read"))
#define SENDS(file) (is(file, THE_ENDPOINT) && fails("send"))
#define RECEIVES(file) (is(file, THE_ENDPOINT) && fails("recv"))

ssize_t write(int file, const void *from, size_t size) {
    return WRITES(file) || SENDS(file) ? -1 : REAL(write)(file, from, size); }
ssize_t writev(int file, const struct iovec *from, int count) {
    return WRITES(file) || SENDS(file) ? -1 : REAL(writev)(file, from, count); }
ssize_t pwrite(int file, const void *from, size_t size, off_t at) {
    return WRITES(file) ? -1 : REAL(pwrite)(file, from, size, at); }
ssize_t pwrite64(int file, const void *from, size_t size, off64_t at) {
    return WRITES(file) ? -1 : REAL(pwrite64)(file, from, size, at); }
ssize_t read(int file, void *to, size_t size) {
    return READS(file) || RECEIVES(file) ? -1 : REAL(read)(file, to, size); }
ssize_t pread(int file, void *to, size_t size, off_t at) {
    return READS(file) ? -1 : REAL(pread)(file, to, size, at); }
ssize_t pread64(int file, void *to, size_t size, off64_t at) {
    return READS(file) ? -1 : REAL(pread64)(file, to, size, at); }
int fsync(int file) { return is(file, A_FILE) && fails("fsync") ? -1 : REAL(fsync)(file); }
int fdatasync(int file) { return is(file, A_FILE) && fails("fsync") ? -1 : REAL(fdatasync)(file); }
int rename(const char *from, const char *to) {
    return counts(AT_FDCWD, to) && fails("rename") ? -1 : REAL(rename)(from, to); }
int renameat(int one, const char *from, int other, const char *to) {
    return counts(other, to) && fails("rename") ? -1 : REAL(renameat)(one, from, other, to); }

int connect(int file, const struct sockaddr *to, socklen_t size) {
    if (to->sa_family == AF_INET && ntohs(((const struct sockaddr_in *)to)->sin_port) == port) {
        noted(file, THE_ENDPOINT);
        if (fails("connect")) return -1;
    }
    return REAL(connect)(file, to, size);
}
ssize_t send(int file, const void *from, size_t size, int flags) {
    return SENDS(file) ? -1 : REAL(send)(file, from, size, flags); }
ssize_t sendmsg(int file, const struct msghdr *from, int flags) {
    return SENDS(file) ? -1 : REAL(sendmsg)(file, from, flags); }
ssize_t recv(int file, void *to, size_t size, int flags) {
    return RECEIVES(file) ? -1 : REAL(recv)(file, to, size, flags); }
ssize_t recvmsg(int file, struct msghdr *to, int flags) {
    return RECEIVES(file) ? -1 : REAL(recvmsg)(file, to, flags); }
