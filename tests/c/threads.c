/* Eight threads, quotes and consumes mixed; each looks whether its answer belongs to its question.
 * Usage: threads ENDPOINT ROUNDS. Prints "<bizId> <outcome>" for each consume. */
#include <pthread.h>
#include "check.h"

#define THREADS 8
#define MEMBER "383933091455959041"

static int rounds;
static pthread_mutex_t print_lock = PTHREAD_MUTEX_INITIALIZER;

static void wrong(const char *what, const char *asked, const char *answer)
{
    fprintf(stderr, "%s: asked %s\n  answered %s\n", what, asked, answer);
    abort();
}

/* Like field(), whose buffers are for one thread. */
static void get(const char *answer, const char *path, char *buffer, size_t capacity)
{
    if (!zv_field(answer, path, buffer, capacity))
        buffer[0] = 0;
}

/* A basket that no other question has, and 15 % off it, in whole fen. */
static void quote(int thread, int round)
{
    char request[512], mark[32], expected[32], seen[64], *answer;
    int fen = 100000 + thread * 10000 + round, off = fen * 15 / 100;
    snprintf(mark, sizeof mark, "M-%d-%d", thread, round);
    snprintf(expected, sizeof expected, "%d.%02d", off / 100, off % 100);
    snprintf(request, sizeof request,
             "{\"user_coupon_id\":\"390913439370321921\",\"user_id\":\"" MEMBER "\","
             "\"items\":[{\"num\":1,\"trade_mark\":\"%s\",\"price\":\"%d.%02d\"}]}", mark, fen / 100, fen % 100);
    answer = zv_coupon_quote_json(request);
    if (zv_outcome(answer) != ZV_SUCCEEDED)
        wrong("quote", request, answer);
    get(answer, "data.goods_item.0.trade_mark", seen, sizeof seen);
    if (strcmp(seen, mark) != 0)
        wrong("another basket", request, answer);
    get(answer, "data.coupon_discount", seen, sizeof seen);
    if (strcmp(seen, expected) != 0)
        wrong("another discount", request, answer);
    zv_free(answer);
}

static void consume(int thread, int round)
{
    char request[512], biz_id[64], amount[32], seen[64], *answer;
    int outcome, fen = 1 + thread * 1000 + round;
    /* Some answers get lost, and some lie beside another one. */
    const char *fault = round % 29 == 7 ? "~reset_after" : round % 23 == 5 ? "~stray_answer" : "";
    snprintf(biz_id, sizeof biz_id, "R-%d-%d%s", thread, round, fault);
    snprintf(amount, sizeof amount, "%d.%02d", fen / 100, fen % 100);
    snprintf(request, sizeof request,
             "{\"bizId\":\"%s\",\"customerId\":\"" MEMBER "\",\"amount\":\"%s\"}", biz_id, amount);
    answer = zv_consume_json(request);
    outcome = zv_outcome(answer);
    get(answer, "bizId", seen, sizeof seen);
    if (strcmp(seen, biz_id) != 0)
        wrong("another bizId", request, answer);
    if (outcome == ZV_SUCCEEDED) {
        get(answer, "data.bizId", seen, sizeof seen);
        if (strcmp(seen, biz_id) != 0)
            wrong("another sale's data", request, answer);
        get(answer, "data.change_recharge_amount", seen, sizeof seen);
        if (strcmp(seen, amount) != 0)
            wrong("another amount", request, answer);
    }
    pthread_mutex_lock(&print_lock);
    printf("%s %d\n", biz_id, outcome);
    pthread_mutex_unlock(&print_lock);
    zv_free(answer);
}

static void *work(void *number)
{
    int thread = (int)(size_t)number, round;
    for (round = 0; round < rounds; round++) {
        if ((thread + round) % 2)
            quote(thread, round);
        else
            consume(thread, round);
    }
    return NULL;
}

static void count(int32_t level, const char *message, void *user_data)
{
    (void)level;
    pthread_mutex_lock(&print_lock);
    *(size_t *)user_data += strlen(message);
    pthread_mutex_unlock(&print_lock);
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    size_t i, written = 0;
    if (argc < 3)
        return 2;
    rounds = atoi(argv[2]);
    zv_set_log_callback(count, &written, ZV_LOG_TRACE);
    EXPECT(zv_init(config_for(argv[1])), ZV_SUCCEEDED, "0", "");
    for (i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i))
            return 1;
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    zv_set_log_callback(NULL, NULL, 0);
    EXPECT(zv_shutdown(), ZV_SUCCEEDED, "0", "");
    return written > 0 ? 0 : 1;
}
