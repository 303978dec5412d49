/* Stands before the C library (LD_PRELOAD) and makes every flush take ZVPOS_FLUSH_MS milliseconds and do nothing:
 * a disk that lies when it is 0, a slow one when it is much. */
#include <stdlib.h>
#include <time.h>

static int pretend(void)
{
    const char *text = getenv("ZVPOS_FLUSH_MS");
    long milliseconds = text ? atol(text) : 0;
    struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    if (milliseconds > 0)
        nanosleep(&pause, NULL);
    return 0;
}

int fsync(int file)
{
    (void)file;
    return pretend();
}

int fdatasync(int file)
{
    (void)file;
    return pretend();
}
