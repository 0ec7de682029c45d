/* The only file that knows HDF5. The file is built in memory and then written like any other: so a full disk
 * is an errno and no half-closed HDF5 file, and file systems without locks are no obstacle. */
#include "common/trace.h"

#include <hdf5.h>
#include <hdf5_hl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file_write.h"
#include "common/memory.h"
#include "common/plain_text.h"
#include "common/trace_layout.h"

enum { COMPRESS_ABOVE = 64 * 1024, CHUNK_BYTES = 256 * 1024, DEFLATE_LEVEL = 4, MEMORY_STEP = 1024 * 1024 };
static const unsigned CREATION_ORDER = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;

/* The bytes of a finished HDF5 file. */
struct image {
    void *bytes;
    size_t size;
};

/* Where the writing has got to, for the message when it fails. */
struct place {
    char name[128];
};

/* HDF5 calls return something negative on failure; here 0 is success and -1 failure, so that results can be
 * or-ed. Closing what failed to open is harmless. */
static int bad(long long result)
{
    return result < 0 ? -1 : 0;
}

static int put_attribute(hid_t object, const char *name, hid_t type, hid_t memory_type, hid_t space,
                         const void *value)
{
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0)
        return -1;
    int failed = bad(H5Awrite(attribute, memory_type, value));
    return failed | bad(H5Aclose(attribute));
}

/* UTF-8 of `size` bytes, ended by a NUL. */
static hid_t text_type(size_t size)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (bad(H5Tset_size(type, size)) || bad(H5Tset_cset(type, H5T_CSET_UTF8)) ||
        bad(H5Tset_strpad(type, H5T_STR_NULLTERM))) {
        H5Tclose(type);
        return -1;
    }
    return type;
}

static int put_text(hid_t object, const char *name, const char *text)
{
    char *clean = pw_strdup(text == NULL ? "" : text);
    pw_repair_utf8(clean);
    hid_t type = text_type(strlen(clean) + 1), space = H5Screate(H5S_SCALAR);
    int failed = put_attribute(object, name, type, type, space, clean);
    H5Sclose(space);
    H5Tclose(type);
    free(clean);
    return failed;
}

static int put_array(hid_t object, const char *name, hid_t type, hid_t memory_type, hsize_t size,
                     const void *values)
{
    hid_t space = H5Screate_simple(1, &size, NULL);
    int failed = put_attribute(object, name, type, memory_type, space, values);
    H5Sclose(space);
    return failed;
}

/* The words of a flag and their values 0, 1, ..., after the CF conventions. */
static int put_meanings(hid_t dataset, const char *meanings)
{
    signed char values[64];
    hsize_t count = 1;
    values[0] = 0;
    for (const char *c = meanings; *c != '\0'; c++)
        if (*c == ' ') {
            values[count] = (signed char)count;
            count++;
        }
    return put_array(dataset, "flag_values", H5T_STD_I8LE, H5T_NATIVE_SCHAR, count, values) |
           put_text(dataset, "flag_meanings", meanings);
}

static int describe(hid_t dataset, const struct pw_trace_variable *variable)
{
    const double unknown = NAN;
    int failed = put_text(dataset, "long_name", variable->long_name);
    failed |= put_text(dataset, "units", variable->units);
    if (variable->meanings != NULL)
        failed |= put_meanings(dataset, variable->meanings);
    if (variable->type == PW_TRACE_BYTE)
        failed |= put_text(dataset, "_Encoding", "utf-8");
    if (variable->type == PW_TRACE_FLOAT64 && !variable->is_scale)
        failed |= put_array(dataset, "_FillValue", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, &unknown);
    return failed;
}

/* The type in the file, for H5Tclose(). */
static hid_t file_type(const struct pw_trace_variable *variable)
{
    switch (variable->type) {
    case PW_TRACE_FLAG:
        return H5Tcopy(H5T_STD_I8LE);
    case PW_TRACE_INT32:
        return H5Tcopy(H5T_STD_I32LE);
    case PW_TRACE_INT64:
        return H5Tcopy(H5T_STD_I64LE);
    case PW_TRACE_FLOAT64:
        return H5Tcopy(H5T_IEEE_F64LE);
    case PW_TRACE_BYTE: /* longer texts crash netCDF before 4.9.1 */
        return text_type(1);
    }
    return -1;
}

static hid_t memory_type(const struct pw_trace_variable *variable, hid_t in_file)
{
    if (variable->type == PW_TRACE_BYTE)
        return in_file;
    if (variable->type == PW_TRACE_FLOAT64)
        return H5T_NATIVE_DOUBLE;
    return variable->type == PW_TRACE_INT64 ? H5T_NATIVE_LONG : H5T_NATIVE_INT;
}

/* Cuts a large array along its first axis into compressed chunks. */
static int set_chunks(hid_t plist, const struct pw_trace_variable *variable)
{
    hsize_t chunk[PW_MOST_TRACE_AXES] = {1};
    size_t row = variable->element_size;
    for (int i = 1; i < variable->rank; i++) {
        chunk[i] = variable->axis[i].size;
        row *= variable->axis[i].size;
    }
    if (variable->rank == 0 || variable->axis[0].size * row <= COMPRESS_ABOVE)
        return 0;
    size_t rows = row < CHUNK_BYTES ? CHUNK_BYTES / row : 1;
    chunk[0] = rows < variable->axis[0].size ? rows : variable->axis[0].size;
    int failed = bad(H5Pset_chunk(plist, variable->rank, chunk));
    if (H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0)
        failed |= bad(H5Pset_shuffle(plist)) | bad(H5Pset_deflate(plist, DEFLATE_LEVEL));
    return failed;
}

/* How the dataset is stored, for H5Pclose(). */
static hid_t storage(const struct pw_trace_variable *variable)
{
    const double unknown = NAN;
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    int failed = bad(H5Pset_obj_track_times(plist, 0));
    failed |= bad(H5Pset_attr_creation_order(plist, CREATION_ORDER));
    if (variable->type == PW_TRACE_FLOAT64 && !variable->is_scale)
        failed |= bad(H5Pset_fill_value(plist, H5T_NATIVE_DOUBLE, &unknown));
    if (!failed && !set_chunks(plist, variable))
        return plist;
    H5Pclose(plist);
    return -1;
}

static hid_t space_of(const struct pw_trace_variable *variable)
{
    hsize_t sizes[PW_MOST_TRACE_AXES] = {1};
    for (int i = 0; i < variable->rank; i++)
        sizes[i] = variable->axis[i].size;
    return variable->rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(variable->rank, sizes, NULL);
}

/* netCDF tells by its name that a scale is no variable. xarray makes texts of bytes only along such a one. */
static int make_scale(hid_t dataset, const struct pw_trace_variable *variable)
{
    char no_variable[128];
    snprintf(no_variable, sizeof no_variable, "This is a netCDF dimension but not a netCDF variable.%10zu",
             variable->axis[0].size);
    return bad(H5DSset_scale(dataset, variable->is_only_a_scale ? no_variable : variable->name));
}

/* Makes the dataset a scale or ties it to the scales of its axes, which are there already. */
static int connect_axes(hid_t group, hid_t dataset, const struct pw_trace_variable *variable)
{
    if (variable->is_scale)
        return make_scale(dataset, variable);
    int failed = 0;
    for (int i = 0; i < variable->rank && !failed; i++) {
        hid_t scale = H5Dopen2(group, variable->axis[i].name, H5P_DEFAULT);
        failed = bad(H5DSattach_scale(dataset, scale, (unsigned)i));
        H5Dclose(scale);
    }
    return failed;
}

static int put_dataset(hid_t group, const struct pw_trace_variable *variable)
{
    hid_t type = file_type(variable), space = space_of(variable), plist = storage(variable);
    hid_t dataset = H5Dcreate2(group, variable->name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    int failed =
        bad(H5Dwrite(dataset, memory_type(variable, type), H5S_ALL, H5S_ALL, H5P_DEFAULT, variable->values));
    failed = failed || describe(dataset, variable) || connect_axes(group, dataset, variable);
    failed |= bad(H5Dclose(dataset));
    H5Pclose(plist);
    H5Sclose(space);
    H5Tclose(type);
    return failed;
}

static hid_t create_group(hid_t file, const char *name)
{
    hid_t plist = H5Pcreate(H5P_GROUP_CREATE), group = -1;
    if (!bad(H5Pset_obj_track_times(plist, 0)) && !bad(H5Pset_link_creation_order(plist, CREATION_ORDER)) &&
        !bad(H5Pset_attr_creation_order(plist, CREATION_ORDER)))
        group = H5Gcreate2(file, name, H5P_DEFAULT, plist, H5P_DEFAULT);
    H5Pclose(plist);
    return group;
}

/* The group of that name, made if it is not there yet, for H5Gclose(). */
static hid_t open_group(hid_t file, const char *name)
{
    if (name[0] == '\0')
        return H5Gopen2(file, "/", H5P_DEFAULT);
    htri_t exists = H5Lexists(file, name, H5P_DEFAULT);
    return exists > 0 ? H5Gopen2(file, name, H5P_DEFAULT) : create_group(file, name);
}

static int put_variable(hid_t file, const struct pw_trace_variable *variable, struct place *place)
{
    hid_t group = open_group(file, variable->group);
    snprintf(place->name, sizeof place->name, "%s/%s", variable->group, variable->name);
    int failed = group < 0 || put_dataset(group, variable);
    return failed | bad(H5Gclose(group));
}

static int put_variables(hid_t file, const struct pw_trace_content *content, struct place *place)
{
    struct pw_trace_variable variable;
    int failed = 0;
    for (int i = 0; i < content->n_variables && !failed; i++) {
        if (content->get(content->context, i, &variable)) {
            failed = put_variable(file, &variable, place);
            pw_trace_variable_free(&variable);
        }
    }
    return failed;
}

/* Nothing here may depend on the time or the launch: the same run gives the same bytes. */
static int put_root(hid_t file, const struct pw_trace_content *content, struct place *place)
{
    hid_t root = H5Gopen2(file, "/", H5P_DEFAULT);
    *place = (struct place){"the root attributes"};
    int failed = put_text(root, "Conventions", content->conventions);
    failed |= put_text(root, "title", content->title);
    failed |= put_text(root, "history", content->history);
    failed |= put_text(root, "references",
                       "R. Le Goff Latimier, H. Ben Ahmed: Peer to peer electricity markets, 2023, "
                       "doi 10.1016/B978-0-12-821204-2.00065-9");
    return failed | bad(H5Gclose(root));
}

static int put_provenance(hid_t file, const struct pw_trace_content *content, struct place *place)
{
    hid_t group = open_group(file, "provenance");
    int failed = group < 0;
    for (int i = 0; i < content->n_provenance && !failed; i++) {
        snprintf(place->name, sizeof place->name, "/provenance %s", content->provenance[i].name);
        failed = put_text(group, content->provenance[i].name, content->provenance[i].value);
    }
    return failed | bad(H5Gclose(group));
}

/* The oldest superblock, since later ones have a checksum: H5Fget_file_image() changes a flag without
 * renewing it in all versions before 2025 (HDF5 issue 1915), and then nobody can open the file. */
static int set_file_properties(hid_t creation, hid_t access)
{
    return bad(H5Pset_obj_track_times(creation, 0)) |
           bad(H5Pset_link_creation_order(creation, CREATION_ORDER)) |
           bad(H5Pset_attr_creation_order(creation, CREATION_ORDER)) |
           bad(H5Pset_fapl_core(access, MEMORY_STEP, 0)) |
           bad(H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_V110)) |
           bad(H5Pset_fclose_degree(access, H5F_CLOSE_STRONG));
}

/* HDF5 looks whether a file of the name exists, so the name is one that cannot. */
static hid_t create_in_memory(void)
{
    hid_t creation = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS), file = -1;
    if (!set_file_properties(creation, access))
        file = H5Fcreate("/dev/null/trace.h5", H5F_ACC_TRUNC, creation, access);
    H5Pclose(access);
    H5Pclose(creation);
    return file;
}

static int take_image(hid_t file, struct image *image, struct place *place)
{
    *place = (struct place){"the end"};
    ssize_t size = bad(H5Fflush(file, H5F_SCOPE_GLOBAL)) ? -1 : H5Fget_file_image(file, NULL, 0);
    if (size <= 0)
        return -1;
    image->size = (size_t)size;
    image->bytes = pw_alloc(image->size, 1);
    return H5Fget_file_image(file, image->bytes, image->size) == size ? 0 : -1;
}

/* The image is for the caller to free, also after an error. */
static enum pw_code build(const struct pw_trace_content *content, const char *path, struct image *image,
                          struct pw_error *err)
{
    struct place place = {"the start"};
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t file = create_in_memory();
    int failed = file < 0 || put_root(file, content, &place) || put_variables(file, content, &place) ||
                 put_provenance(file, content, &place) || take_image(file, image, &place);
    failed |= bad(H5Fclose(file));
    return failed ? pw_fail(err, PW_IO, "%s: cannot be made: HDF5 failed at %s: is there memory left?", path,
                            place.name)
                  : PW_OK;
}

enum pw_code pw_trace_check_path(const char *path, int force, struct pw_error *err)
{
    return pw_file_write_check(path, force, err);
}

enum pw_code pw_trace_content_write(const struct pw_trace_content *content, const char *path, int force,
                                    struct pw_error *err)
{
    struct image image = {NULL, 0};
    PW_TRY(pw_trace_check_path(path, force, err));
    enum pw_code code = build(content, path, &image, err);
    if (code == PW_OK)
        code = pw_file_write(path, image.bytes, image.size, force, err);
    free(image.bytes);
    return code;
}

#define TEXT(number) #number
#define DOTTED(major, minor, release) TEXT(major) "." TEXT(minor) "." TEXT(release)

const char *pw_trace_library(void)
{
    return DOTTED(H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE);
}
