/* Replays inputs through a fuzz target: files, and the files of folders, given as arguments. For builds
 * without a fuzzer. Prints how many there were; fails where there were none. */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    size_t room = 1 << 16, size = 0, got;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    char *bytes = pw_alloc(room, 1);
    while ((got = fread(bytes + size, 1, room - size, file)) > 0) {
        size += got;
        if (size == room)
            bytes = pw_realloc(bytes, room *= 2, 1);
    }
    fclose(file);
    uint8_t *input = pw_alloc(size, 1); /* of just its size, so that a read beyond it is seen */
    memcpy(input, bytes, size);
    free(bytes);
    LLVMFuzzerTestOneInput(input, size);
    free(input);
    return 1;
}

static int replay(const char *path)
{
    DIR *folder = opendir(path);
    int count = 0;
    if (folder == NULL)
        return replay_file(path);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char inside[1024];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
        count += replay(inside);
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++)
        count += replay(argv[i]);
    printf("%d inputs replayed\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
