/* A node of a chain's server. Each line of its standard input is "NUMBER COMMAND…" with a command of calls.h, and is carried
 * out on a thread of its own. Every answer is "NUMBER <length>\n<bytes>\n", in the order in which the calls end. */
#include "calls.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static int running;

static void *carry_out(void *line)
{
    char *command = split(line), *answer = call(command);
    pthread_mutex_lock(&lock);
    printf("%s %lu\n%s\n", (char *)line, (unsigned long)strlen(answer), answer);
    fflush(stdout);
    running--;
    pthread_cond_signal(&ended);
    pthread_mutex_unlock(&lock);
    zv_free(answer);
    free(line);
    return NULL;
}

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, stdin) > 0) {
        line[strcspn(line, "\n")] = 0;
        pthread_mutex_lock(&lock);
        running++;
        pthread_mutex_unlock(&lock);
        pthread_detach(start(carry_out, strdup(line)));
    }
    pthread_mutex_lock(&lock);
    while (running)
        pthread_cond_wait(&ended, &lock);
    pthread_mutex_unlock(&lock);
    free(line);
    return 0;
}
