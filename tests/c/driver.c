/* A till that does what lines on its standard input say, one command a line:
 *
 *   init|quote|consume|reverse|lookup|confirm|settle TEXT, call ACTION TEXT, start OPERATION TEXT, shutdown
 *   pending|recover [TEXT]                                the function of that name; answers its answer
 *   together N COMMAND…                                   the same from N threads at once; N answers
 *   outcome, field PATH                                   of the last answer
 *   log LEVEL, logged                                     the log callback, and what it was told since last time
 *
 * Every answer is "<length>\n<bytes>\n". All of it runs on a stack of 256 KiB, the smallest that is promised. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "zvpos.h"

#define STACK (256 * 1024)

static char *last; /* the last answer */
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static char log_text[256 * 1024];
static size_t log_length;

static void reply(const char *text)
{
    printf("%lu\n%s\n", (unsigned long)strlen(text), text);
    fflush(stdout);
}

static void on_log(int32_t level, const char *message, void *user_data)
{
    size_t room;
    (void)user_data;
    pthread_mutex_lock(&log_lock);
    room = sizeof log_text - log_length;
    if (strlen(message) + 16 < room)
        log_length += (size_t)snprintf(log_text + log_length, room, "%d %s\n", (int)level, message);
    pthread_mutex_unlock(&log_lock);
}

/* The part behind the first space of `line`, which ends there. */
static char *split(char *line)
{
    char *space = strchr(line, ' ');
    if (!space)
        return line + strlen(line);
    *space = 0;
    return space + 1;
}

/* Calls the function that `line` names. Takes `line` apart. */
static char *call(char *line)
{
    char *rest = split(line), *params;
    if (!strcmp(line, "init"))
        return zv_init(rest);
    if (!strcmp(line, "quote"))
        return zv_coupon_quote_json(rest);
    if (!strcmp(line, "consume"))
        return zv_consume_json(rest);
    if (!strcmp(line, "reverse"))
        return zv_reverse_json(rest);
    if (!strcmp(line, "lookup"))
        return zv_lookup_json(rest);
    if (!strcmp(line, "confirm"))
        return zv_confirm_json(rest);
    if (!strcmp(line, "settle"))
        return zv_settle_json(rest);
    if (!strcmp(line, "pending"))
        return zv_pending_json(*rest ? rest : NULL);
    if (!strcmp(line, "recover"))
        return zv_recover_json(*rest ? rest : NULL);
    if (!strcmp(line, "shutdown"))
        return zv_shutdown();
    if (!strcmp(line, "start")) {
        params = split(rest);
        return zv_start_json(rest, params);
    }
    if (!strcmp(line, "poll"))
        return zv_poll_json(rest);
    if (!strcmp(line, "call")) {
        params = split(rest);
        return zv_call_json(rest, params);
    }
    fprintf(stderr, "driver: no command %s\n", line);
    exit(2);
}

static void *call_on_thread(void *line)
{
    return call(line);
}

static pthread_t start(void *(*function)(void *), void *argument)
{
    pthread_t thread;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) || pthread_attr_setstacksize(&attributes, STACK)
        || pthread_create(&thread, &attributes, function, argument))
        abort();
    pthread_attr_destroy(&attributes);
    return thread;
}

static void together(char *arguments)
{
    pthread_t threads[64];
    char *lines[64], *line = split(arguments);
    int count = atoi(arguments), i;
    void *answer;
    if (count > 64)
        abort();
    for (i = 0; i < count; i++) {
        lines[i] = strdup(line);
        threads[i] = start(call_on_thread, lines[i]);
    }
    for (i = 0; i < count; i++) {
        pthread_join(threads[i], &answer);
        reply(answer);
        zv_free(answer);
        free(lines[i]);
    }
}

static void field(const char *path)
{
    static char buffer[64 * 1024];
    size_t length = zv_field(last, path, buffer, sizeof buffer);
    if (length >= sizeof buffer)
        abort();
    reply(length ? buffer : "");
}

static void *work(void *unused)
{
    char *line = NULL, number[16];
    size_t capacity = 0;
    while (getline(&line, &capacity, stdin) > 0) {
        line[strcspn(line, "\n")] = 0;
        alarm(60); /* A call that never ends is a failure, not a test that never ends. */
        if (!strncmp(line, "together ", 9)) {
            together(line + 9);
        } else if (!strncmp(line, "field ", 6)) {
            field(line + 6);
        } else if (!strcmp(line, "outcome")) {
            snprintf(number, sizeof number, "%d", (int)zv_outcome(last));
            reply(number);
        } else if (!strncmp(line, "log ", 4)) {
            zv_set_log_callback(on_log, NULL, atoi(line + 4));
            reply("");
        } else if (!strcmp(line, "logged")) {
            pthread_mutex_lock(&log_lock);
            reply(log_text);
            log_text[0] = 0;
            log_length = 0;
            pthread_mutex_unlock(&log_lock);
        } else {
            zv_free(last);
            last = call(line);
            reply(last);
        }
    }
    free(line);
    zv_free(last);
    return unused;
}

int main(void)
{
    pthread_join(start(work, NULL), NULL);
    return 0;
}
