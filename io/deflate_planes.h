/* SPDX-License-Identifier: Apache-2.0
 *
 * zlib streams of shuffled chunks.
 *
 * Shuffling puts byte b of all elements into plane b. The low bytes of a
 * float64 are mostly noise, and no codec makes them fewer, but each looks for
 * matches in all of them. Here the first planes go into the stream as they are,
 * in stored blocks (RFC 1951, 3.2.4), as long as next to nothing is lost by
 * that, and libdeflate has the others. Any zlib reads such a stream, and faster
 * too.
 */
#ifndef HANSE_IO_DEFLATE_PLANES_H
#define HANSE_IO_DEFLATE_PLANES_H

#include <libdeflate.h>
#include <stdint.h>

/* n_planes planes of plane_bytes each, one after the other. */
typedef struct hanse_planes {
    const uint8_t *bytes;
    size_t plane_bytes;
    size_t n_planes;
} hanse_planes;

/* About as many bytes as deflate would save of a plane: by a Huffman code, of
 * runs, and of what has been among the 32 KiB before. Where that is more than
 * an eighth, or the plane is shorter than 8 KiB, any number above an eighth. */
size_t hanse_plane_estimate(const uint8_t *plane, size_t plane_bytes);

/* Puts a zlib stream of the planes into `out`, which has room for room_bytes.
 * `level`, 1 to 9, is that of the compressor. The planes that are stored make
 * the stream longer by a hundredth of them at the most, divided by the level,
 * as far as the estimates are right; which ones they are depends on the bytes
 * and the level alone. Returns the bytes of the stream; 0 where they do not
 * fit, and where all planes would be stored. */
size_t hanse_deflate_planes(struct libdeflate_compressor *deflate, int level,
                            const hanse_planes *planes, uint8_t *out,
                            size_t room_bytes);

#endif
