/* index_list.c - reads the directories of the index; see index_list.h for the contract. */
#include "httpd/index_list.h"

#include <apr_strings.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/project.h"
#include "httpd/index_path.h"

static void index_list_newer(index_list_t *list, const struct stat *info)
{
    if (info->st_mtim.tv_sec > list->newest) {
        list->newest = info->st_mtim.tv_sec;
    }
}

/* A stream over a directory that stays open as dir: the stream has a descriptor of its own. */
static DIR *index_list_stream(int dir)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);

    if (!stream && fd >= 0) {
        close(fd);
    }
    return stream;
}

/* 1 when name is a distribution of the project; *version then is its normalised version. Old sdist
 * names are listed whatever PyPITokenLegacyNames says here: somebody stored them. */
static int index_list_belongs(const char *name, const char *project, const char **version,
                              apr_pool_t *pool)
{
    project_file_t file;

    if (!index_path_file_valid(slice_of(name)) ||
        project_file_parse(&file, slice_of(name), 1, pool) != VERDICT_ALLOWED ||
        strcmp(file.project, project) != 0) {
        return 0;
    }
    *version = file.normal;
    return 1;
}

/* 1 when the directory has something to list; *info is what the directory is like. */
static int index_list_holds(int root, const char *project, struct stat *info, apr_pool_t *pool)
{
    int fd = openat(root, project, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream = fd < 0 || fstat(fd, info) != 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    struct stat file;
    const char *version;
    int found = 0;

    if (!stream) {
        if (fd >= 0) {
            close(fd);
        }
        return 0;
    }
    while (!found && (entry = readdir(stream))) {
        found = index_list_belongs(entry->d_name, project, &version, pool) &&
                fstatat(fd, entry->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0 &&
                S_ISREG(file.st_mode);
    }
    closedir(stream);
    return found;
}

static int index_list_by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int index_list_by_file(const void *a, const void *b)
{
    return strcmp(((const index_list_file_t *)a)->name, ((const index_list_file_t *)b)->name);
}

static apr_status_t index_list_begin(index_list_t *out, int dir, DIR **stream, int size,
                                     apr_pool_t *pool)
{
    struct stat info;

    out->entries = apr_array_make(pool, 64, size);
    out->newest = 0;
    if (fstat(dir, &info) != 0) {
        return errno;
    }
    index_list_newer(out, &info);
    *stream = index_list_stream(dir);
    return *stream ? APR_SUCCESS : errno;
}

apr_status_t index_list_projects(index_list_t *out, const char *packages, apr_pool_t *pool)
{
    const struct dirent *entry;
    apr_pool_t *scratch;
    DIR *stream = NULL;
    int root = -1;
    apr_status_t rv = index_disk_open(&root, packages, NULL, 0, pool);

    if (rv == APR_SUCCESS) {
        rv = index_list_begin(out, root, &stream, sizeof(const char *), pool);
    }
    if (rv != APR_SUCCESS || !stream) {
        return rv;
    }
    apr_pool_create(&scratch, pool);
    while ((entry = readdir(stream))) {
        struct stat info;

        apr_pool_clear(scratch);
        if (index_path_project_valid(slice_of(entry->d_name), scratch) &&
            index_list_holds(root, entry->d_name, &info, scratch)) {
            APR_ARRAY_PUSH(out->entries, const char *) = apr_pstrdup(pool, entry->d_name);
            index_list_newer(out, &info);
        }
    }
    apr_pool_destroy(scratch);
    closedir(stream);
    qsort(out->entries->elts, (size_t)out->entries->nelts, sizeof(const char *),
          index_list_by_name);
    return APR_SUCCESS;
}

/* Adds one directory entry to the list if it belongs there. A file that cannot be read is left out
 * rather than listed without a hash. */
static void index_list_add(index_list_t *out, const char *packages, int dir, const char *project,
                           const char *name, apr_pool_t *pool)
{
    index_list_file_t file;
    struct stat info;

    if (index_list_belongs(name, project, &file.version, pool) &&
        fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) &&
        index_meta_get(&file.meta, packages, dir, name, &info, pool) == APR_SUCCESS) {
        file.name = apr_pstrdup(pool, name);
        APR_ARRAY_PUSH(out->entries, index_list_file_t) = file;
        index_list_newer(out, &info);
    }
}

apr_status_t index_list_files(index_list_t *out, const char *packages, const char *project,
                              apr_pool_t *pool)
{
    const struct dirent *entry;
    DIR *stream = NULL;
    int dir = -1;
    apr_status_t rv = index_disk_open(&dir, packages, project, 0, pool);

    if (rv == APR_SUCCESS) {
        rv = index_list_begin(out, dir, &stream, sizeof(index_list_file_t), pool);
    }
    if (rv != APR_SUCCESS || !stream) {
        return rv;
    }
    while ((entry = readdir(stream))) {
        index_list_add(out, packages, dir, project, entry->d_name, pool);
    }
    closedir(stream);
    qsort(out->entries->elts, (size_t)out->entries->nelts, sizeof(index_list_file_t),
          index_list_by_file);
    return out->entries->nelts ? APR_SUCCESS : APR_ENOENT;
}
