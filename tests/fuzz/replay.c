/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a fuzz target over saved inputs, the files in the directories given,
 * so that a fuzzer is an ordinary test where libFuzzer is not linked in.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whole file; exits where it cannot be read. */
static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    long end = -1;
    uint8_t *data = NULL;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0)
        end = ftell(file);
    if (end >= 0 && fseek(file, 0, SEEK_SET) == 0)
        data = malloc((size_t)end + 1);
    *size = (size_t)end;
    if (data == NULL || fread(data, 1, *size, file) != *size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    return data;
}

static size_t replay_directory(const char *path)
{
    size_t n_files = 0;
    DIR *directory = opendir(path);
    if (directory == NULL) {
        perror(path);
        exit(1);
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char name[4096];
        size_t size;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        uint8_t *data = read_file(name, &size);
        LLVMFuzzerTestOneInput(data, size);
        free(data);
        n_files++;
    }
    closedir(directory);
    return n_files;
}

int main(int argc, char **argv)
{
    size_t n_files = 0;
    for (int i = 1; i < argc; i++)
        n_files += replay_directory(argv[i]);
    printf("%zu inputs\n", n_files);
    return n_files > 0 ? 0 : 1;
}
