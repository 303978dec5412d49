/* A child that was forked: `internal` until its own zv_init, then quotes; money calls need an exec. Its parent notices nothing.
 * Usage: fork ENDPOINT [busy]: with `busy` other threads are inside the library at the moment of the fork. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

static const char *endpoint;
static volatile int stop;
static int lines;

static void count(int32_t level, const char *message, void *user_data)
{
    (void)level;
    (void)message;
    (void)user_data;
    lines++;
}

static void child(char *parents_answer, int number)
{
    char request[256];
    alarm(60); /* A lock that a thread of the parent held must not be waited for. */
    lines = 0;
    EXPECT(zv_coupon_quote_json(QUOTE), ZV_INTERNAL, "ZV-FORKED", "zv_init");
    EXPECT(zv_consume_json("{}"), ZV_INTERNAL, "ZV-FORKED", "");
    EXPECT(zv_call_json("member_lookup", "{}"), ZV_INTERNAL, "ZV-FORKED", "");
    EXPECT(zv_shutdown(), ZV_INTERNAL, "ZV-FORKED", "");
    /* The parent's answers are not the child's, and its callback is none. */
    zv_free(parents_answer);
    CHECK(lines == 0, "the callback of the parent was called");
    EXPECT(zv_init(config_for(endpoint)), ZV_SUCCEEDED, "0", "");
    EXPECT(zv_coupon_quote_json(QUOTE), ZV_SUCCEEDED, "0", "");
    snprintf(request, sizeof request,
             "{\"bizId\":\"F-%d\",\"customerId\":\"383933091455959041\",\"amount\":\"0.01\"}", number);
    /* The journal's locks are its parent's: what it wrote could be lost. */
    EXPECT(zv_consume_json(request), ZV_INTERNAL, "ZV-FORKED", "forked");
    EXPECT(zv_shutdown(), ZV_SUCCEEDED, "0", "");
    EXPECT(zv_coupon_quote_json(QUOTE), ZV_INVALID, "ZV-SHUT-DOWN", "");
    _exit(0);
}

static void fork_one(int number)
{
    char *answer = zv_coupon_quote_json(QUOTE);
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        child(answer, number);
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid, "fork");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended otherwise");
    /* Also its kept connection is still its own. */
    EXPECT(zv_coupon_quote_json(QUOTE), ZV_SUCCEEDED, "0", "");
    EXPECT(answer, ZV_SUCCEEDED, "0", "");
}

static void *quote_all_the_time(void *unused)
{
    while (!stop)
        zv_free(zv_coupon_quote_json(QUOTE));
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t threads[4];
    int i, status, busy = argc > 2;
    pid_t pid;
    endpoint = argv[1];

    /* Before anything: the child is like any process. */
    EXPECT(zv_coupon_quote_json(QUOTE), ZV_INVALID, "ZV-NOT-INIT", "");
    pid = fork();
    if (pid == 0) {
        EXPECT(zv_coupon_quote_json(QUOTE), ZV_INVALID, "ZV-NOT-INIT", "");
        EXPECT(zv_init(config_for(endpoint)), ZV_SUCCEEDED, "0", "");
        EXPECT(zv_coupon_quote_json(QUOTE), ZV_SUCCEEDED, "0", "");
        zv_free(zv_shutdown());
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0, "the first child");

    zv_set_log_callback(count, NULL, ZV_LOG_TRACE);
    EXPECT(zv_init(config_for(endpoint)), ZV_SUCCEEDED, "0", "");
    for (i = 0; busy && i < 4; i++)
        pthread_create(&threads[i], NULL, quote_all_the_time, NULL);
    for (i = 0; i < (busy ? 25 : 2); i++)
        fork_one(i);
    stop = 1;
    for (i = 0; busy && i < 4; i++)
        pthread_join(threads[i], NULL);
    zv_set_log_callback(NULL, NULL, 0);
    EXPECT(zv_shutdown(), ZV_SUCCEEDED, "0", "");
    printf("%d checks\n", checks);
    return 0;
}
