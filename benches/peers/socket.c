/* The lower bound: a prepared request, one write, reads until the answer is complete, without parsing it.
 * Usage: socket HOST PORT REQUEST_FILE [JOURNAL]; with a file, two flushed appends of 512 bytes around it, the minimum of
 * a journal. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include "peer.h"

struct state {
    int socket, journal;
    char *request;
    size_t length;
};

static void append(int journal)
{
    static char block[512];
    CHECK(write(journal, block, sizeof block) == (ssize_t)sizeof block, "write");
    CHECK(fdatasync(journal) == 0, "fdatasync");
}

static void call(void *given)
{
    struct state *state = given;
    char answer[65536];
    size_t have = 0, whole = 0;
    if (state->journal >= 0)
        append(state->journal);
    CHECK(write(state->socket, state->request, state->length) == (ssize_t)state->length, "send");
    while (!whole || have < whole) {
        ssize_t got = read(state->socket, answer + have, sizeof answer - 1 - have);
        char *end;
        CHECK(got > 0, "receive");
        have += (size_t)got;
        answer[have] = 0;
        end = strstr(answer, "\r\n\r\n");
        if (!whole && end) {
            char *field = strstr(answer, "Content-Length: ");
            CHECK(field, "no length");
            whole = (size_t)(end + 4 - answer) + (size_t)atol(field + 16);
        }
    }
    if (state->journal >= 0)
        append(state->journal);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {0};
    struct state state = {0, -1, NULL, 0};
    int on = 1;
    FILE *file = fopen(argv[3], "rb");
    CHECK(argc > 3 && file, "no request");
    state.request = malloc(65536);
    state.length = fread(state.request, 1, 65536, file);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)atoi(argv[2]));
    inet_pton(AF_INET, argv[1], &address.sin_addr);
    state.socket = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(state.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    CHECK(connect(state.socket, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    if (argc > 4)
        state.journal = open(argv[4], O_WRONLY | O_CREAT | O_APPEND, 0644);
    serve(call, &state);
    return 0;
}
