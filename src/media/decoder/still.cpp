// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/still.hpp"

#include <algorithm>
#include <vector>

#include "media/decoder/image_header.hpp"
#include "media/decoder/limits.hpp"
#include "media/decoder/sampler.hpp"

namespace unmask::decoder {
namespace {

StillResult DecodeInto(const MediaFile& media, std::span<const unsigned char> file, Kind kind,
                       const Pixels& to) {
  switch (kind) {
    case Kind::kJpeg:
      return DecodeJpeg(file, to);
    case Kind::kPng:
      return DecodePng(file, to);
    case Kind::kWebp:
      return DecodeWebp(file, to);
    default:
      return DecodeWithLibav(media, kind, to);
  }
}

}  // namespace

void DecodeStill(const MediaFile& media, Kind kind, const wire::Job& job, Output& output) {
  if (kind == Kind::kHeif || kind == Kind::kAvif) return DecodeHeif(media, kind, job, output);
  const auto file = media.Map();
  const auto header = ReadImageHeader(kind, file);
  if (!header) throw GiveUp{wire::FailureReason::kBrokenStill, std::string(KindName(kind))};
  CheckFrameSize(header->width, header->height, job);

  const Orientation orientation = job.turn ? header->orientation : Orientation::kUpright;
  const bool swap = SwapsSides(orientation);
  wire::Announce announce;
  wire::SetText(announce.container, KindName(kind));
  wire::SetText(announce.codec, KindName(kind));
  wire::SetText(announce.decoder_version, LibavVersion());
  announce.width = swap ? header->height : header->width;
  announce.height = swap ? header->width : header->height;
  announce.palette = header->palette ? 1 : 0;
  output.Announce(announce);
  if (job.mode == SampleMode::kPicked && !Picker(output.pick(), job.max_frames).Take(0))
    return output.End(false);

  const Pixels upright{output.Slot(), announce.width, announce.height, output.layout().stride};
  StillResult result;
  if (orientation == Orientation::kUpright) {
    result = DecodeInto(media, file, kind, upright);
  } else {
    const std::size_t stride = static_cast<std::size_t>(header->width) * 3;
    std::vector<std::uint8_t> stored(stride * static_cast<std::size_t>(header->height));
    const Pixels pixels{stored.data(), header->width, header->height, stride};
    result = DecodeInto(media, file, kind, pixels);
    if (result.any) TurnUpright(pixels, orientation, upright);
  }
  output.counters.decode_errors = result.errors;
  if (!result.any) throw GiveUp{wire::FailureReason::kBrokenStill, std::string(KindName(kind))};
  output.counters.frames_decoded = 1;
  output.Give({.time = 0, .progress = 1, .key = 1});
  output.End(result.truncated);
}

}  // namespace unmask::decoder
