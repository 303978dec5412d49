/* Shared by the contestants in C: the clock and the protocol. Each reads a number of calls from a line, makes them one
 * after the other, and writes the nanoseconds of each. */
#ifndef PEER_H
#define PEER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(ok, what)                                                                            \
    do {                                                                                           \
        if (!(ok)) {                                                                               \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, (what));                            \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Calls `call` as often as each line of standard input says, until end of file. */
static inline void serve(void (*call)(void *), void *state)
{
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        long count = atol(line), i;
        uint64_t *took = malloc((size_t)count * sizeof *took);
        for (i = 0; i < count; i++) {
            uint64_t begun = now_ns();
            call(state);
            took[i] = now_ns() - begun;
        }
        for (i = 0; i < count; i++)
            printf("%llu\n", (unsigned long long)took[i]);
        fflush(stdout);
        free(took);
    }
}

#endif
