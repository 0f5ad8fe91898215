// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <vector>

#include <webp/decode.h>
#include <webp/demux.h>

#include "media/decoder/still.hpp"

namespace unmask::decoder {
namespace {

using Demuxer = std::unique_ptr<WebPDemuxer, decltype(&WebPDemuxDelete)>;

// Decodes one picture, as much of it as there is. Gives the number of complete rows.
int DecodePicture(const WebPData& data, const Pixels& to, bool& truncated) {
  // A part of a canvas ends before its last row's stride does.
  const std::size_t size =
      to.stride * static_cast<std::size_t>(to.height - 1) + static_cast<std::size_t>(to.width) * 3;
  const std::unique_ptr<WebPIDecoder, decltype(&WebPIDelete)> decoder(
      WebPINewRGB(MODE_BGR, to.data, size, static_cast<int>(to.stride)), &WebPIDelete);
  if (!decoder) throw std::bad_alloc();
  const VP8StatusCode status = WebPIUpdate(decoder.get(), data.bytes, data.size);
  if (status == VP8_STATUS_OUT_OF_MEMORY) throw std::bad_alloc();
  truncated = status == VP8_STATUS_SUSPENDED;
  int rows = 0;
  int width = 0;
  int height = 0;
  int stride = 0;
  if (!WebPIDecGetRGB(decoder.get(), &rows, &width, &height, &stride)) return 0;
  return rows;
}

}  // namespace

StillResult DecodeWebp(std::span<const unsigned char> file, const Pixels& to) {
  const WebPData data{file.data(), file.size()};
  WebPDemuxState state = WEBP_DEMUX_PARSE_ERROR;
  const Demuxer demuxer(WebPDemuxPartial(&data, &state), &WebPDemuxDelete);
  WebPIterator first{};
  StillResult result;
  if (!demuxer || !WebPDemuxGetFrame(demuxer.get(), 1, &first)) return {.errors = 1};
  // Frames of an animation may cover a part of the canvas; the rest is background.
  const bool inside = first.x_offset >= 0 && first.y_offset >= 0 &&
                      first.width <= to.width - first.x_offset && first.height <= to.height - first.y_offset;
  if (inside) {
    const Pixels part{to.data + static_cast<std::size_t>(first.y_offset) * to.stride +
                          static_cast<std::size_t>(first.x_offset) * 3,
                      first.width, first.height, to.stride};
    const int rows = DecodePicture(first.fragment, part, result.truncated);
    result.any = rows > 0;
    result.errors = rows < first.height;
  } else {
    result.errors = 1;
  }
  WebPDemuxReleaseIterator(&first);
  return result;
}

}  // namespace unmask::decoder
