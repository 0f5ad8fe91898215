// SPDX-License-Identifier: Apache-2.0
#include <png.h>

#include <csetjmp>
#include <cstring>
#include <vector>

#include "media/decoder/still.hpp"

namespace unmask::decoder {
namespace {

struct Reading {
  std::span<const unsigned char> file;
  std::size_t position = 0;
  bool truncated = false;
  std::int64_t errors = 0;
  png_structp png = nullptr;
  png_infop info = nullptr;
  int rows = 0;

  ~Reading() { png_destroy_read_struct(&png, &info, nullptr); }
};

void Read(png_structp png, png_bytep out, std::size_t size) {
  auto& reading = *static_cast<Reading*>(png_get_io_ptr(png));
  if (reading.file.size() - reading.position < size) {
    reading.truncated = true;
    png_error(png, "the data end early");
  }
  std::memcpy(out, reading.file.data() + reading.position, size);
  reading.position += size;
}

void Note(png_structp, png_const_charp) {}

// No object with a destructor lives in this function: errors leave it by longjmp.
void Run(Reading& r, const Pixels& to) {
  if (setjmp(png_jmpbuf(r.png)) != 0) {
    ++r.errors;
    return;
  }
  png_set_read_fn(r.png, &r, Read);
  // Sizes are checked already; the rest bounds what compressed side data may unpack to.
  png_set_user_limits(r.png, static_cast<png_uint_32>(to.width), static_cast<png_uint_32>(to.height));
  png_set_chunk_cache_max(r.png, 64);
  png_set_chunk_malloc_max(r.png, 8 << 20);
  png_read_info(r.png, r.info);
  png_set_strip_16(r.png);
  png_set_palette_to_rgb(r.png);
  png_set_expand_gray_1_2_4_to_8(r.png);
  png_set_gray_to_rgb(r.png);
  png_set_strip_alpha(r.png);
  png_set_bgr(r.png);
  const int passes = png_set_interlace_handling(r.png);
  png_read_update_info(r.png, r.info);
  if (png_get_rowbytes(r.png, r.info) != static_cast<std::size_t>(to.width) * 3 ||
      png_get_image_height(r.png, r.info) != static_cast<png_uint_32>(to.height))
    png_error(r.png, "another size than announced");
  for (int pass = 0; pass < passes; ++pass) {
    for (int y = 0; y < to.height; ++y) {
      png_read_row(r.png, to.data + static_cast<std::size_t>(y) * to.stride, nullptr);
      if (pass == 0) r.rows = y + 1;
    }
  }
  png_read_end(r.png, nullptr);
}

}  // namespace

StillResult DecodePng(std::span<const unsigned char> file, const Pixels& to) {
  Reading reading{.file = file};
  reading.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, Note);
  reading.info = reading.png ? png_create_info_struct(reading.png) : nullptr;
  if (!reading.info) throw std::bad_alloc();
  Run(reading, to);
  return {.any = reading.rows > 0, .truncated = reading.truncated, .errors = reading.errors};
}

}  // namespace unmask::decoder
