/*
 * no_mmap.c - preloaded into httpd: no file can be mapped for reading, as on file systems that do
 * not have that, or when a process has as many maps as it may have.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *mmap(void *at, size_t length, int prot, int flags, int fd, off_t offset)
{
    if (fd >= 0 && prot == PROT_READ && (flags & MAP_SHARED)) {
        errno = ENODEV;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, at, length, prot, flags, fd, offset);
}

void *mmap64(void *at, size_t length, int prot, int flags, int fd, off64_t offset)
{
    return mmap(at, length, prot, flags, fd, offset);
}
