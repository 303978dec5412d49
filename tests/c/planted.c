/* Mistakes that the checkers must find, so that their silence about the other programs means something.
 * Usage: planted leak|overrun|stale|undefined */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "zvpos.h"

int main(int argc, char **argv)
{
    char *answer = zv_shutdown(), *lost;
    volatile int sum = 0;
    if (argc < 2)
        return 2;
    if (strcmp(argv[1], "leak") == 0) {
        lost = malloc(100);
        memset(lost, argc, 100);
        sum += lost[50];
        lost = NULL;
    } else if (strcmp(argv[1], "overrun") == 0) {
        sum += answer[strlen(answer) + 1]; /* Behind an answer of the library's. */
    } else if (strcmp(argv[1], "stale") == 0) {
        /* The library keeps what was freed last, so that no second free hits another answer; then it is gone. */
        zv_free(answer);
        for (; sum < 300; sum++)
            zv_free(zv_shutdown());
        sum += answer[0];
        answer = NULL;
    } else if (strcmp(argv[1], "undefined") == 0) {
        sum = INT_MAX;
        sum += argc;
    }
    zv_free(answer);
    return sum == 12345;
}
