// SPDX-License-Identifier: Apache-2.0

// libjpeg's header needs stdio before it.
// clang-format off
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <csetjmp>
#include <new>
#include <vector>

#include "media/decoder/still.hpp"

namespace unmask::decoder {
namespace {

// A progressive file may hold any number of scans over the same picture; honest ones have about ten.
constexpr int kMaxScans = 200;

struct Errors {
  jpeg_error_mgr manager;  // first, so that libjpeg's pointer to it is one to us
  std::jmp_buf leave;
  bool truncated = false;
  bool out_of_memory = false;
};

Errors& Of(j_common_ptr info) { return *reinterpret_cast<Errors*>(info->err); }

void Leave(j_common_ptr info) {
  Errors& errors = Of(info);
  errors.out_of_memory = errors.manager.msg_code == JERR_OUT_OF_MEMORY;
  std::longjmp(errors.leave, 1);
}

void Note(j_common_ptr info, int level) {
  if (level >= 0) return;
  Errors& errors = Of(info);
  ++errors.manager.num_warnings;
  if (errors.manager.msg_code == JWRN_JPEG_EOF) errors.truncated = true;
}

void Watch(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > kMaxScans) Leave(info);
}

// Adobe stores CMYK inverted: 255 is no ink.
void CmykToBgr(const std::uint8_t* cmyk, std::uint8_t* bgr, int width, bool inverted) {
  for (int x = 0; x < width; ++x, cmyk += 4, bgr += 3) {
    const auto light = [&](int i) { return inverted ? cmyk[i] : 255 - cmyk[i]; };
    const int k = light(3);
    for (int i = 0; i < 3; ++i) bgr[i] = static_cast<std::uint8_t>((light(2 - i) * k + 127) / 255);
  }
}

// Everything that lives across setjmp is in here, so that a jump back leaves it as it is.
struct Decompression {
  jpeg_decompress_struct info{};
  Errors errors;
  jpeg_progress_mgr progress{};
  std::vector<std::uint8_t> cmyk;
  int rows = 0;

  ~Decompression() { jpeg_destroy_decompress(&info); }
};

// No object with a destructor lives in this function: errors leave it by longjmp.
void Run(Decompression& d, std::span<const unsigned char> file, const Pixels& to) {
  if (setjmp(d.errors.leave) != 0) return;
  jpeg_create_decompress(&d.info);
  d.info.progress = &d.progress;
  jpeg_mem_src(&d.info, file.data(), static_cast<unsigned long>(file.size()));
  jpeg_read_header(&d.info, TRUE);
  const bool four = d.info.jpeg_color_space == JCS_CMYK || d.info.jpeg_color_space == JCS_YCCK;
  d.info.out_color_space = four ? JCS_CMYK : JCS_EXT_BGR;
  jpeg_start_decompress(&d.info);
  if (static_cast<int>(d.info.output_width) != to.width ||
      static_cast<int>(d.info.output_height) != to.height)
    return;
  if (four) d.cmyk.resize(static_cast<std::size_t>(to.width) * 4);
  while (d.rows < to.height) {
    std::uint8_t* row = to.data + static_cast<std::size_t>(d.rows) * to.stride;
    std::uint8_t* target = four ? d.cmyk.data() : row;
    if (jpeg_read_scanlines(&d.info, &target, 1) != 1) return;
    if (four) CmykToBgr(target, row, to.width, d.info.saw_Adobe_marker);
    ++d.rows;
  }
  jpeg_finish_decompress(&d.info);
}

}  // namespace

StillResult DecodeJpeg(std::span<const unsigned char> file, const Pixels& to) {
  Decompression d;
  d.info.err = jpeg_std_error(&d.errors.manager);
  d.errors.manager.error_exit = Leave;
  d.errors.manager.emit_message = Note;
  d.errors.manager.output_message = [](j_common_ptr) {};
  d.progress.progress_monitor = Watch;
  Run(d, file, to);
  if (d.errors.out_of_memory) throw std::bad_alloc();
  return {.any = d.rows > 0,
          .truncated = d.errors.truncated,
          .errors = d.errors.manager.num_warnings + (d.rows < to.height)};
}

}  // namespace unmask::decoder
