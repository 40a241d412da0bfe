/* SPDX-License-Identifier: MIT */
/*
 * From a struct file to the text that the guest's own /proc would print. The text grows from the
 * end of the buffer to its front, as names are found child first. Dentries and mounts are linked
 * lists in hostile memory: hops are bounded, names are at most 255 bytes.
 */
#include "os/linux/path.h"

#include <stdio.h>

enum {
    HOPS_MAX = 1024, /* dentries and mounts on one path */
    NAME_BYTES_MAX = 255,
    FMODE_BACKING = 1 << 25, /* include/linux/fs.h, 6.6 and later */
    MINOR_BITS = 20,         /* include/linux/kdev_t.h */
};

/* A path being built, from the end of text to the front. */
struct builder {
    struct linux_model *lm;
    char *text, *at; /* at: first byte that is in use */
    unsigned *hops_left;
    bool torn;
};

static bool put_front(struct builder *b, const char *s, size_t n)
{
    if ((size_t)(b->at - b->text) < n) {
        b->torn = true;
        return false;
    }
    b->at -= n;
    memcpy(b->at, s, n);
    return true;
}

/* Puts a name in front; newlines as \012 (seq_path() with "\n", fs/seq_file.c). */
static bool put_name(struct builder *b, const char *name, size_t n)
{
    while (n--) {
        bool ok = name[n] == '\n' ? put_front(b, "\\012", 4) : put_front(b, name + n, 1);
        if (!ok)
            return false;
    }
    return true;
}

/* The name of a dentry; false when unreadable. */
static bool dentry_name(struct linux_model *lm, uint64_t dentry, char buf[NAME_BYTES_MAX + 1])
{
    const struct layout *l = &lm->layout;
    uint64_t name, len;

    if (!linux_pointer(lm, dentry, l->dentry_name, &name) ||
        !linux_field(lm, dentry, l->dentry_len, &len) || len > NAME_BYTES_MAX)
        return false;
    if (!vspace_read(&lm->base.kernel, name, buf, (size_t)len))
        return false;
    buf[len] = '\0';
    return true;
}

bool path_function_is(struct linux_model *lm, uint64_t va, const char *name)
{
    struct symbol s;
    uint64_t off;
    size_t n = strlen(name);

    return symtab_lookup(lm->base.symtab, va, &s, &off) && !off && !strncmp(s.name, name, n) &&
           (!s.name[n] || s.name[n] == '.');
}

/* ---- names that a file system makes up (dentry_operations.d_dname) ---- */

/* fs/libfs.c, fs/d_path.c, fs/pipe.c, net/socket.c, fs/anon_inodes.c, drivers/dma-buf/dma-buf.c */
static void dynamic_name(struct builder *b, uint64_t dentry, uint64_t dname, uint64_t ino)
{
    struct linux_model *lm = b->lm;
    char name[NAME_BYTES_MAX + 1] = "", text[2 * NAME_BYTES_MAX + 64] = "";
    bool named = dentry_name(lm, dentry, name);

    if (path_function_is(lm, dname, "pipefs_dname")) {
        snprintf(text, sizeof text, "pipe:[%llu]", (unsigned long long)ino);
    } else if (path_function_is(lm, dname, "sockfs_dname")) {
        snprintf(text, sizeof text, "socket:[%llu]", (unsigned long long)ino);
    } else if (path_function_is(lm, dname, "anon_inodefs_dname")) {
        snprintf(text, sizeof text, "anon_inode:%s", name);
        b->torn |= !named;
    } else if (path_function_is(lm, dname, "dmabuffs_dname")) {
        uint64_t buf, at;
        char given[65] = "";
        if (linux_pointer(lm, dentry, lm->layout.dentry_fsdata, &buf) &&
            linux_pointer(lm, buf, lm->layout.dma_buf_name, &at))
            vspace_str(&lm->base.kernel, at, given, sizeof given);
        snprintf(text, sizeof text, "/%s:%s", name, given);
    } else {
        /* simple_dname(): memfd, shared anonymous memory, SysV segments. Also what we say for an
         * unknown one, or without local symbols. */
        snprintf(text, sizeof text, "/%s (deleted)", name);
        b->torn |= !named;
    }
    put_name(b, text, strlen(text));
}

/* ---- real paths ---- */

/*
 * Walks from dentry on the mount (VA of its struct mount) to the topmost mount, putting names in
 * front (prepend_path(), fs/d_path.c).
 */
static void walk_up(struct builder *b, uint64_t mount, uint64_t dentry)
{
    struct linux_model *lm = b->lm;
    const struct layout *l = &lm->layout;
    struct layout_field mnt_root = l->vfsmount_root;
    char name[NAME_BYTES_MAX + 1];
    bool any = false;

    mnt_root.offset += l->mount_mnt.offset;
    for (unsigned hops = 0;; hops++) {
        uint64_t parent, root, up;

        if (hops == HOPS_MAX || !*b->hops_left || !linux_pointer(lm, mount, mnt_root, &root) ||
            !linux_pointer(lm, dentry, l->dentry_parent, &parent)) {
            b->torn = true;
            return;
        }
        --*b->hops_left;
        if (dentry == root) {
            if (!linux_pointer(lm, mount, l->mount_parent, &up)) {
                b->torn = true;
                return;
            }
            if (up == mount)
                break; /* the topmost mount */
            if (!linux_pointer(lm, mount, l->mount_mountpoint, &dentry)) {
                b->torn = true;
                return;
            }
            mount = up;
            continue;
        }
        if (parent == dentry)
            break; /* escaped: not below this mount's root */
        if (!dentry_name(lm, dentry, name)) {
            b->torn = true;
            return;
        }
        if (!put_name(b, name, strlen(name)) || !put_front(b, "/", 1))
            return;
        any = true;
        dentry = parent;
    }
    if (!any)
        put_front(b, "/", 1);
}

static void put_path(struct builder *b, uint64_t mnt, uint64_t dentry, uint64_t ino)
{
    struct linux_model *lm = b->lm;
    const struct layout *l = &lm->layout;
    uint64_t op, dname, hashed = 0, parent = 0, root = 0;
    bool readable = linux_pointer(lm, dentry, l->dentry_parent, &parent) &&
                    linux_field(lm, dentry, l->dentry_hashed, &hashed) &&
                    (l->mount_mnt.present && linux_pointer(lm, mnt, l->vfsmount_root, &root));

    if (!readable) {
        b->torn = true;
        return;
    }
    if (linux_pointer(lm, dentry, l->dentry_op, &op) &&
        linux_pointer(lm, op, l->dentry_op_dname, &dname) && (parent != dentry || dentry != root)) {
        dynamic_name(b, dentry, dname, ino);
        return;
    }
    if (!hashed && parent != dentry)
        put_front(b, " (deleted)", 10);
    walk_up(b, mnt - l->mount_mnt.offset, dentry);
}

/* ---- files ---- */

/* The user's path of a file that overlayfs opened below (struct backing_file). */
static void user_path(struct linux_model *lm, uint64_t file, uint64_t *mnt, uint64_t *dentry,
                      uint64_t *inode)
{
    const struct layout *l = &lm->layout;
    uint64_t mode, um, ud, ui;

    if (!l->backing_mnt.present || !linux_field(lm, file, l->file_mode, &mode) ||
        !(mode & FMODE_BACKING))
        return;
    if (linux_pointer(lm, file, l->backing_mnt, &um) &&
        linux_pointer(lm, file, l->backing_dentry, &ud) &&
        linux_pointer(lm, ud, l->dentry_inode, &ui)) {
        *mnt = um;
        *dentry = ud;
        *inode = ui;
    }
}

void path_of_file(struct linux_model *lm, uint64_t file, struct path_file *out)
{
    const struct layout *l = &lm->layout;
    struct builder b = {.lm = lm,
                        .hops_left = &out->hops_left,
                        .text = out->text,
                        .at = out->text + sizeof out->text - 1};
    uint64_t mnt, dentry, inode, sb, dev;

    *b.at = '\0';
    out->major = out->minor = 0;
    out->inode = 0;
    out->torn = true;
    out->text[0] = '\0';
    if (!linux_pointer(lm, file, l->file_mnt, &mnt) ||
        !linux_pointer(lm, file, l->file_dentry, &dentry) ||
        !linux_pointer(lm, file, l->file_inode, &inode))
        return;
    user_path(lm, file, &mnt, &dentry, &inode);
    if (linux_field(lm, inode, l->inode_ino, &out->inode) &&
        linux_pointer(lm, inode, l->inode_sb, &sb) && linux_field(lm, sb, l->sb_dev, &dev)) {
        out->major = (uint32_t)(dev >> MINOR_BITS) & 0xfff;
        out->minor = (uint32_t)dev & ((1 << MINOR_BITS) - 1);
    } else {
        b.torn = true;
    }
    put_path(&b, mnt, dentry, out->inode);
    memmove(out->text, b.at, (size_t)(out->text + sizeof out->text - b.at));
    out->torn = b.torn;
}
