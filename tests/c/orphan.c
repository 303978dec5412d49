/* A till whose forked child outlives it and never calls the library: a sale that the till was at when it was killed
 * must be found dead all the same. The child ends with its standard input. The journal is in
 * the working directory. Usage: orphan ENDPOINT BIZ_ID */
#include <unistd.h>
#include "check.h"

int main(int argc, char **argv)
{
    char request[256], byte;
    (void)argc;
    snprintf(request, sizeof request,
             "{\"bizId\":\"%s\",\"customerId\":\"383933091455959041\",\"amount\":\"1.00\"}", argv[2]);
    EXPECT(zv_init(config_for(argv[1])), ZV_SUCCEEDED, "0", "");
    if (fork() == 0) {
        while (read(0, &byte, 1) > 0) {
        }
        _exit(0);
    }
    zv_free(zv_consume_json(request));
    return 0;
}
