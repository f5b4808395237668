/*
 * replay.c - runs saved inputs through a fuzz target, without a fuzzing compiler.
 *
 *   replay_x FILE-OR-DIRECTORY...   prints how many inputs it ran; a target that finds fault aborts
 */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define REPLAY_MAX (8 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = f ? malloc(REPLAY_MAX) : NULL;
    size_t n;

    if (!data) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    n = fread(data, 1, REPLAY_MAX, f);
    fclose(f);
    LLVMFuzzerTestOneInput(data, n);
    free(data);
    return 1;
}

static int replay_directory(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    char name[4096];
    int count = 0;

    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] != '.') {
            snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
            count += replay_file(name);
        }
    }
    if (dir) {
        closedir(dir);
    }
    return count;
}

int main(int argc, char **argv)
{
    int i, count = 0;
    struct stat st;

    for (i = 1; i < argc; i++) {
        count += stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode) ? replay_directory(argv[i])
                                                                : replay_file(argv[i]);
    }
    printf("%d inputs\n", count);
    return count == 0;
}
