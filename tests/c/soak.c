/* A till that runs for months: many quotes in one process. Usage: soak ENDPOINT QUOTES
 * Prints by how many KiB the process grew and how many descriptors it has more, after a warm-up. */
#include <dirent.h>
#include <unistd.h>
#include "check.h"

static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*s %ld", &pages) != 1)
        exit(1);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int descriptors(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    if (!directory)
        exit(1);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* Quotes, and beside them what else a day brings: an error, an answer that is taken, a field that is read. */
static void quotes(long count)
{
    char buffer[8192], *answer;
    size_t length;
    long i;
    for (i = 0; i < count; i++) {
        answer = zv_coupon_quote_json(QUOTE);
        if (zv_outcome(answer) != ZV_SUCCEEDED || strcmp(field(answer, "data.coupon_discount"), "5.00") != 0) {
            fprintf(stderr, "quote %ld: %s\n", i, answer);
            exit(1);
        }
        length = zv_take(answer, buffer, sizeof buffer);
        if (length >= sizeof buffer || strlen(buffer) != length)
            exit(1);
        if (i % 16 == 0)
            zv_free(zv_coupon_quote_json("{\"user_id\":\"x\"}"));
    }
}

int main(int argc, char **argv)
{
    long count, before;
    int open_before;
    if (argc < 3)
        return 2;
    count = atol(argv[2]);
    EXPECT(zv_init(config_for(argv[1])), ZV_SUCCEEDED, "0", "");
    quotes(2000);
    before = resident_kib();
    open_before = descriptors();
    quotes(count);
    printf("%ld %d\n", resident_kib() - before, descriptors() - open_before);
    EXPECT(zv_shutdown(), ZV_SUCCEEDED, "0", "");
    return 0;
}
