/* SPDX-License-Identifier: ISC */
/*
 * Where a file system puts new directories.  ext4 keeps a directory's children near it, in one group of inodes:
 * right for a tree, wrong for trees that have nothing in common but the directory that lists them, such as the
 * containers of a store.  All of them would crowd into one group, and a file system without a journal looks
 * there, at each inode it makes, at every one that went in the last minutes.
 */
#ifndef POD_SPREAD_H
#define POD_SPREAD_H

/*
 * Directories made in dir (open for reading) from now on are strangers to each other, as those below the file
 * system's root are (FS_TOPDIR_FL).  A hint: where it is unknown or not allowed nothing happens.
 */
void spread_below(int dir);

#endif
