/* Concurrent threads that quote and pay. Usage: threads CONFIG_FILE THREADS SECONDS quote|consume
 * Writes calls, seconds, p50 and p99 in ns, current and peak resident KiB, open descriptors. */
#include <dirent.h>
#include <pthread.h>
#include <unistd.h>
#include "zvpos.h"
#include "peer.h"

#define MOST 1000000

static uint64_t *took, until;
static unsigned long made;
static int consumes;

static void *work(void *given)
{
    unsigned long thread = (unsigned long)(size_t)given, number;
    for (number = 0; now_ns() < until; number++) {
        char request[256], *answer;
        uint64_t begun = now_ns();
        unsigned long index;
        snprintf(request, sizeof request,
                 consumes ? "{\"bizId\":\"K-%lu-%lu-%ld\",\"customerId\":\"383933091455959041\",\"amount\":\"1.00\"}"
                          : "{\"user_coupon_id\":\"390962138708451328\",\"user_id\":\"383933091455959041\",\"items\":"
                            "[{\"num\":2,\"trade_mark\":\"201909280011111\",\"price\":\"13.50\"}]}",
                 thread, number, (long)getpid());
        answer = consumes ? zv_consume_json(request) : zv_coupon_quote_json(request);
        CHECK(zv_outcome(answer) == ZV_SUCCEEDED, answer);
        zv_free(answer);
        index = __atomic_fetch_add(&made, 1, __ATOMIC_RELAXED);
        if (index < MOST)
            took[index] = now_ns() - begun;
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static long status(const char *field)
{
    char line[256];
    long value = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, field, strlen(field)))
            value = atol(line + strlen(field));
    fclose(file);
    return value;
}

static int descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 3;
}

int main(int argc, char **argv)
{
    static char config[4096];
    static pthread_t threads[1024];
    int count, i;
    uint64_t begun;
    FILE *file = fopen(argv[1], "rb");
    char *answer;
    CHECK(argc > 4 && file, "usage");
    count = atoi(argv[2]);
    consumes = !strcmp(argv[4], "consume");
    config[fread(config, 1, sizeof config - 1, file)] = 0;
    took = malloc(MOST * sizeof *took);
    answer = zv_init(config);
    CHECK(zv_outcome(answer) == ZV_SUCCEEDED, answer);
    zv_free(answer);
    begun = now_ns();
    until = begun + (uint64_t)(atof(argv[3]) * 1e9);
    for (i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, work, (void *)(size_t)i);
    for (i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    begun = now_ns() - begun;
    {
        unsigned long kept = made < MOST ? made : MOST;
        qsort(took, kept, sizeof *took, compare);
        printf("%lu %.3f %llu %llu %ld %ld %d\n", made, (double)begun / 1e9, (unsigned long long)took[kept / 2],
               (unsigned long long)took[kept * 99 / 100], status("VmRSS:"), status("VmHWM:"), descriptors());
    }
    zv_free(zv_shutdown());
    return 0;
}
