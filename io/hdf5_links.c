/* SPDX-License-Identifier: Apache-2.0
 *
 * Listing a group. Hard links, and soft links that end in the same file, count;
 * everything that would open another file or run somebody's code is refused.
 */
#include "io/hdf5_links.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "io/utf8.h"

enum {
    MAX_LINKS = 65536
};

typedef struct listing {
    hanse_hdf5_links links;
    size_t capacity;
    hanse_error *error;
    hanse_status status;
} listing;

/* LAYOUTS.md 1.0: indexes, pickled attributes, MATLAB's references. */
static bool is_internal(const char *name)
{
    return strncmp(name, "_i_", 3) == 0 || strncmp(name, "_p_", 3) == 0 ||
           strcmp(name, "#refs#") == 0 || strcmp(name, "#subsystem#") == 0;
}

const char *hanse_hdf5_name_fault(const char *name)
{
    enum {
        MAX_NAME_BYTES = 1024
    };
    return hanse_utf8_is_printable(name) && strlen(name) <= MAX_NAME_BYTES
               ? NULL
               : "its name is not printable UTF-8 of at most 1024 bytes";
}

static void refuse(hanse_hdf5_link *link, const char *reason)
{
    link->kind = HANSE_LINK_REFUSED;
    link->reason = reason;
}

static void look_at_object(hid_t group, const char *name, hanse_hdf5_link *link)
{
    H5O_info_t info;
    const hid_t object = hanse_hdf5_open_object(group, name);
    if (object < 0 || H5Oget_info2(object, &info, H5O_INFO_BASIC) < 0) {
        refuse(link, link->is_soft ? "a soft link that leads nowhere in this "
                                     "file"
                                   : "damaged: the object cannot be opened");
    } else {
        link->address = info.addr;
        link->kind = info.type == H5O_TYPE_GROUP     ? HANSE_LINK_GROUP
                     : info.type == H5O_TYPE_DATASET ? HANSE_LINK_DATASET
                                                     : HANSE_LINK_OTHER;
    }
    if (object >= 0)
        (void)H5Oclose(object);
}

static void look_at_link(hid_t group, const char *name, const H5L_info_t *info,
                         hanse_hdf5_link *link)
{
    link->is_soft = info->type == H5L_TYPE_SOFT;
    const char *fault = hanse_hdf5_name_fault(name);
    if (fault != NULL)
        refuse(link, fault);
    else if (info->type == H5L_TYPE_EXTERNAL)
        refuse(link, "an external link; other files are opened only when "
                     "named as input");
    else if (info->type != H5L_TYPE_HARD && info->type != H5L_TYPE_SOFT)
        refuse(link, "a user-defined link");
    else
        look_at_object(group, name, link);
}

static hanse_status reserve(listing *l)
{
    if (l->links.n < l->capacity)
        return HANSE_OK;
    if (l->links.n >= MAX_LINKS)
        return hanse_fail(l->error, HANSE_ERR_LIMIT,
                          "a group of more than %d objects", MAX_LINKS);
    const size_t capacity = l->capacity == 0 ? 32 : 2 * l->capacity;
    const size_t size = capacity * sizeof *l->links.items;
    hanse_hdf5_link *items = realloc(l->links.items, size);
    if (items == NULL)
        return hanse_fail_nomem(l->error, "list of objects", size);
    l->links.items = items;
    l->capacity = capacity;
    return HANSE_OK;
}

static hanse_status add_link(listing *l, hid_t group, const char *name,
                             const H5L_info_t *info)
{
    HANSE_TRY(reserve(l));
    hanse_hdf5_link link = {0};
    link.name = hanse_utf8_show(name);
    if (link.name == NULL)
        return hanse_fail_nomem(l->error, "name of an object", strlen(name));
    look_at_link(group, name, info, &link);
    if (link.kind == HANSE_LINK_GROUP && strcmp(name, "meta") == 0)
        free(link.name);
    else
        l->links.items[l->links.n++] = link;
    return HANSE_OK;
}

static herr_t visit(hid_t group, const char *name, const H5L_info_t *info,
                    void *context)
{
    listing *l = context;
    if (!is_internal(name))
        l->status = add_link(l, group, name, info);
    return l->status == HANSE_OK ? 0 : -1;
}

static H5_index_t preferred_order(hid_t group)
{
    unsigned flags = 0;
    const hid_t creation = H5Gget_create_plist(group);
    if (creation < 0)
        return H5_INDEX_NAME;
    if (H5Pget_link_creation_order(creation, &flags) < 0)
        flags = 0;
    (void)H5Pclose(creation);
    return flags & H5P_CRT_ORDER_TRACKED ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
}

hanse_status hanse_hdf5_links_list(hid_t group, hanse_hdf5_links *out,
                                   hanse_error *error)
{
    listing l = {.error = error};
    const herr_t visited =
        H5Literate(group, preferred_order(group), H5_ITER_INC, NULL, visit, &l);
    if (visited < 0 && l.status == HANSE_OK)
        l.status = hanse_hdf5_fail(error, "group");
    if (l.status != HANSE_OK) {
        hanse_hdf5_links_clear(&l.links);
        return l.status;
    }
    *out = l.links;
    return HANSE_OK;
}

void hanse_hdf5_links_clear(hanse_hdf5_links *links)
{
    for (size_t i = 0; i < links->n; i++)
        free(links->items[i].name);
    free(links->items);
    *links = (hanse_hdf5_links){0};
}
