/* Stands between a program and the C library (LD_PRELOAD) and writes down, in their order, every change that the
 * program makes to the files below ZVPOS_CUT_DIR, every flush of one, everything that it sends, and every time that
 * it flushes its standard output. From that the state of the disk after a power cut at any moment can be made: what was flushed is there,
 * of the rest as much as one likes.
 *
 * A line of ZVPOS_CUT_LOG: OPERATION FILE OFFSET LENGTH, and then so many bytes and a line end. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 1024

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *names[FILES]; /* by descriptor; NULL is none of ours */
static const char *directory;
static int out = -1;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_send)(int, const void *, size_t, int);
static int (*real_fflush)(FILE *);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_truncate)(int, off_t);
static int (*real_unlink)(const char *);
static int (*real_linkat)(int, const char *, int, const char *, int);
static int (*real_open)(const char *, int, ...);
static int (*real_close)(int);

/* dlsym gives no function pointers, and C99 converts none. */
static void find(void *function, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found);
}

__attribute__((constructor)) static void begin(void)
{
    const char *log = getenv("ZVPOS_CUT_LOG");
    find(&real_write, "write");
    find(&real_pwrite, "pwrite64");
    find(&real_send, "send");
    find(&real_fflush, "fflush");
    find(&real_fsync, "fsync");
    find(&real_fdatasync, "fdatasync");
    find(&real_truncate, "ftruncate64");
    find(&real_unlink, "unlink");
    find(&real_linkat, "linkat");
    find(&real_open, "open64");
    find(&real_close, "close");
    directory = getenv("ZVPOS_CUT_DIR");
    if (log)
        out = real_open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static const char *name_of(int file)
{
    return file >= 0 && file < FILES ? names[file] : NULL;
}

/* Under the lock. */
static void note(const char *operation, const char *name, long long offset, const void *bytes, size_t length)
{
    char head[512];
    struct iovec parts[3];
    int size = snprintf(head, sizeof head, "%s %s %lld %lu\n", operation, name, offset, (unsigned long)length);
    parts[0].iov_base = head;
    parts[0].iov_len = (size_t)size;
    parts[1].iov_base = (void *)(size_t)bytes;
    parts[1].iov_len = length;
    parts[2].iov_base = (char *)(size_t) "\n";
    parts[2].iov_len = 1;
    if (writev(out, parts, 3) < 0)
        abort();
}

/* The part of a path below the directory; "." for the directory itself. NULL for a file that is none of ours: what
 * the processes that live share needs no disk. */
static const char *below(const char *path)
{
    size_t length = directory ? strlen(directory) : 0;
    if (!length || strncmp(path, directory, length) != 0 || strstr(path, "-shm") || strstr(path, ".owners"))
        return NULL;
    if (!path[length])
        return ".";
    return path[length] == '/' ? path + length + 1 : NULL;
}

static int opened(const char *path, int flags, mode_t mode)
{
    const char *name = below(path);
    int file;
    pthread_mutex_lock(&lock);
    file = real_open(path, flags, mode);
    if (file >= 0 && file < FILES) {
        free(names[file]);
        names[file] = name ? strdup(name) : NULL;
        if (names[file] && (flags & O_CREAT))
            note("create", name, 0, "", 0);
        if (names[file] && (flags & O_TRUNC))
            note("truncate", name, 0, "", 0);
    }
    pthread_mutex_unlock(&lock);
    return file;
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list more;
        va_start(more, flags);
        mode = va_arg(more, mode_t);
        va_end(more);
    }
    return opened(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list more;
        va_start(more, flags);
        mode = va_arg(more, mode_t);
        va_end(more);
    }
    return opened(path, flags, mode);
}

int close(int file)
{
    pthread_mutex_lock(&lock);
    if (file >= 0 && file < FILES) {
        free(names[file]);
        names[file] = NULL;
    }
    pthread_mutex_unlock(&lock);
    return real_close(file);
}

ssize_t write(int file, const void *bytes, size_t length)
{
    ssize_t written;
    int error;
    pthread_mutex_lock(&lock);
    if (!name_of(file)) {
        pthread_mutex_unlock(&lock);
        return real_write(file, bytes, length);
    }
    written = real_write(file, bytes, length);
    error = errno;
    if (written > 0)
        note("write", name_of(file), (long long)lseek(file, 0, SEEK_CUR) - written, bytes,
             (size_t)written);
    pthread_mutex_unlock(&lock);
    errno = error;
    return written;
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off_t offset)
{
    ssize_t written;
    int error;
    pthread_mutex_lock(&lock);
    written = real_pwrite(file, bytes, length, offset);
    error = errno;
    if (written > 0 && name_of(file))
        note("write", name_of(file), (long long)offset, bytes, (size_t)written);
    pthread_mutex_unlock(&lock);
    errno = error;
    return written;
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset)
{
    return pwrite64(file, bytes, length, offset);
}

int ftruncate64(int file, off_t length)
{
    int result;
    pthread_mutex_lock(&lock);
    result = real_truncate(file, length);
    if (!result && name_of(file))
        note("truncate", name_of(file), (long long)length, "", 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int file, off_t length)
{
    return ftruncate64(file, length);
}

static int flush(int (*flush_it)(int), int file)
{
    int result;
    pthread_mutex_lock(&lock);
    result = flush_it(file);
    if (!result && name_of(file))
        note("flush", name_of(file), 0, "", 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int fsync(int file)
{
    return flush(real_fsync, file);
}

int fdatasync(int file)
{
    return flush(real_fdatasync, file);
}

/* Noted with what the file holds. */
int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    const char *name = below(to);
    char content[512];
    ssize_t length = 0;
    int file, result;
    pthread_mutex_lock(&lock);
    result = real_linkat(from_folder, from, to_folder, to, flags);
    if (!result && name) {
        file = real_open(to, O_RDONLY | O_CLOEXEC);
        if (file < 0 || (length = read(file, content, sizeof content)) < 0 || length == (ssize_t)sizeof content)
            abort();
        real_close(file);
        note("link", name, 0, content, (size_t)length);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int unlink(const char *path)
{
    const char *name = below(path);
    int result;
    pthread_mutex_lock(&lock);
    result = real_unlink(path);
    if (!result && name)
        note("unlink", name, 0, "", 0);
    pthread_mutex_unlock(&lock);
    return result;
}

/* Noted before: a byte may have left as soon as it is asked for. */
ssize_t send(int file, const void *bytes, size_t length, int flags)
{
    pthread_mutex_lock(&lock);
    note("send", "gateway", 0, bytes, length);
    pthread_mutex_unlock(&lock);
    return real_send(file, bytes, length, flags);
}

/* Noted before, too: the C library's own writes cannot be seen. */
int fflush(FILE *stream)
{
    if (stream == stdout) {
        pthread_mutex_lock(&lock);
        note("told", "stdout", 0, "", 0);
        pthread_mutex_unlock(&lock);
    }
    return real_fflush(stream);
}
