/* The lower bound: a prepared request, one write, reads until the answer is complete, without parsing it.
 * Usage: socket HOST PORT REQUEST_FILE [append|overwrite FILE]; with a file, a flushed record of 512 bytes before and
 * after the request, the minimum of a journal. An append changes the file's size, so the file system has to commit, too;
 * an overwrite of a block that is there already does not. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include "peer.h"

#define RECORD 512
#define PREALLOCATED (4 << 20)

struct state {
    int socket, journal;
    /* Where the file ends for an overwrite, 0 for an append. */
    off_t end, at;
    char *request;
    size_t length;
};

static void open_journal(struct state *state, const char *how, const char *path)
{
    static char zeros[1 << 16];
    state->journal = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(state->journal >= 0, "open");
    if (strcmp(how, "overwrite"))
        return;
    for (; state->end < PREALLOCATED; state->end += (off_t)sizeof zeros)
        CHECK(write(state->journal, zeros, sizeof zeros) == (ssize_t)sizeof zeros, "preallocate");
    CHECK(fsync(state->journal) == 0, "fsync");
}

static void record(struct state *state)
{
    static char block[RECORD];
    CHECK(pwrite(state->journal, block, sizeof block, state->at) == (ssize_t)sizeof block, "write");
    CHECK(fdatasync(state->journal) == 0, "fdatasync");
    state->at += RECORD;
    if (state->at == state->end)
        state->at = 0;
}

static void call(void *given)
{
    struct state *state = given;
    char answer[65536];
    size_t have = 0, whole = 0;
    if (state->journal >= 0)
        record(state);
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
        record(state);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {0};
    struct state state = {.journal = -1};
    int on = 1;
    FILE *file = fopen(argc > 3 ? argv[3] : "", "rb");
    CHECK(file, "no request");
    state.request = malloc(65536);
    state.length = fread(state.request, 1, 65536, file);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)atoi(argv[2]));
    inet_pton(AF_INET, argv[1], &address.sin_addr);
    state.socket = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(state.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    CHECK(connect(state.socket, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    if (argc > 5)
        open_journal(&state, argv[4], argv[5]);
    serve(call, &state);
    return 0;
}
