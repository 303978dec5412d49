/* Calls the planted race from two threads. */
#include <pthread.h>
#include <stdint.h>

uint64_t planted_race(void);

static void *work(void *unused)
{
    int i;
    for (i = 0; i < 1000; i++)
        planted_race();
    return unused;
}

int main(void)
{
    pthread_t threads[2];
    int i;
    for (i = 0; i < 2; i++)
        if (pthread_create(&threads[i], 0, work, 0))
            return 1;
    for (i = 0; i < 2; i++)
        pthread_join(threads[i], 0);
    return 0;
}
