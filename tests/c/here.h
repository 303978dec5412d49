/* The working directory, as a JSON text can hold it: the journal's path is absolute. */
#ifndef HERE_H
#define HERE_H

#ifdef _WIN32
#include <direct.h>
#define getcwd _getcwd
#else
#include <unistd.h>
#endif

__attribute__((unused)) static const char *here(void)
{
    static char folder[512];
    char *at;
    if (*folder || !getcwd(folder, sizeof folder)) /* first asked by the main thread, before any other */
        return folder;
    for (at = folder; *at; at++)
        if (*at == '\\')
            *at = '/';
    return folder;
}

#endif
