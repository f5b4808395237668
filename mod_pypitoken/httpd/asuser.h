/*
 * asuser.h - what httpd's user may do, asked while this process is still root. At start only: one
 * thread.
 *
 * As httpd's children are: with its uid, its gid, and all groups that it is a member of.
 */
#ifndef PYPITOKEN_ASUSER_H
#define PYPITOKEN_ASUSER_H

/* 1 when httpd's user may do that (R_OK, W_OK, X_OK) with path; asked in its name, for only so ACLs
 * count. Not as root: 1, for then it is asked soon enough. */
int asuser_may(const char *path, int mode);

/* This process is httpd's user from here on, for good. 0, or -1 and errno; not as root: 0, and it
 * stays who it is. */
int asuser_become(void);

#endif
