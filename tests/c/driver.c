/* A till that does what lines on its standard input say, one command a line:
 *
 *   init|quote|consume|reverse|lookup|confirm|settle TEXT, call ACTION TEXT, start OPERATION TEXT, biz_id, shutdown
 *   pending|recover [TEXT]                                the function of that name; answers its answer
 *   together N COMMAND…                                   the same from N threads at once; N answers
 *   fork COMMAND…\tCOMMAND…                               each of them in turn in one child of this process; their answers
 *   outcome, field PATH                                   of the last answer
 *   log LEVEL, logged                                     the log callback, and what it was told since last time
 *
 * Every answer is "<length>\n<bytes>\n". All of it runs on a stack of 256 KiB, the smallest that is promised. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "calls.h"

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

static void *call_on_thread(void *line)
{
    return call(line);
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

/* The child ends as a program does, with what is registered for its end. */
static void in_a_child(char *lines)
{
    char *line, *answer;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60);
        while ((line = strsep(&lines, "\t"))) {
            answer = call(line);
            reply(answer);
            zv_free(answer);
        }
        exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "driver: the child ended otherwise\n");
        exit(2);
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
        } else if (!strncmp(line, "fork ", 5)) {
            in_a_child(line + 5);
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
