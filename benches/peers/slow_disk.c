/* A disk whose flush takes a while: one file in memory, over FUSE. A loop device on it is a block device whose
 * every cache flush waits, so that a file system on it pays for each flush that it asks for.
 * One request at a time: whatever else is wanted of the disk waits for a flush.
 * Usage: slow_disk MOUNT_POINT BYTES MICROSECONDS; the file is MOUNT_POINT/disk. Ends when it is unmounted. */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fuse3/fuse.h>
#include <sys/stat.h>
#include "peer.h"

static char *bytes;
static size_t size;
static struct timespec flush;

static int look(const char *path, struct stat *found, struct fuse_file_info *file)
{
    (void)file;
    memset(found, 0, sizeof *found);
    found->st_nlink = 1;
    if (!strcmp(path, "/")) {
        found->st_mode = S_IFDIR | 0755;
        return 0;
    }
    found->st_mode = S_IFREG | 0600;
    found->st_size = (off_t)size;
    return strcmp(path, "/disk") ? -ENOENT : 0;
}

static size_t inside(size_t length, off_t at)
{
    size_t from = (size_t)at < size ? (size_t)at : size;
    return length < size - from ? length : size - from;
}

static int take(const char *path, char *out, size_t length, off_t at, struct fuse_file_info *file)
{
    (void)path, (void)file;
    length = inside(length, at);
    memcpy(out, bytes + at, length);
    return (int)length;
}

static int put(const char *path, const char *in, size_t length, off_t at, struct fuse_file_info *file)
{
    (void)path, (void)file;
    length = inside(length, at);
    memcpy(bytes + at, in, length);
    return length ? (int)length : -ENOSPC;
}

static int wait_for_flush(const char *path, int data_only, struct fuse_file_info *file)
{
    (void)path, (void)data_only, (void)file;
    nanosleep(&flush, NULL);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct fuse_operations disk = {.getattr = look, .read = take, .write = put, .fsync = wait_for_flush};
    char *arguments[] = {argv[0], "-f", "-s", argc > 3 ? argv[1] : "", NULL};
    CHECK(argc > 3, "usage");
    size = (size_t)atol(argv[2]);
    flush.tv_nsec = atol(argv[3]) * 1000;
    bytes = calloc(1, size);
    CHECK(bytes, "no memory");
    return fuse_main(4, arguments, &disk, NULL);
}
