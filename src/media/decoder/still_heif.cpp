// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <new>

#include <libheif/heif.h>

#include "media/decoder/heif_codecs.hpp"
#include "media/decoder/heif_outline.hpp"
#include "media/decoder/limits.hpp"
#include "media/decoder/sampler.hpp"
#include "media/decoder/still.hpp"

namespace unmask::decoder {
namespace {

using wire::FailureReason;

// A picture of the greatest size with an alpha channel, and tiles that go beyond its edges.
constexpr std::int64_t kPicturesWorth = 3;

struct FreeHeif {
  void operator()(heif_context* p) const { heif_context_free(p); }
  void operator()(heif_image_handle* p) const { heif_image_handle_release(p); }
  void operator()(heif_image* p) const { heif_image_release(p); }
  void operator()(heif_decoding_options* p) const { heif_decoding_options_free(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, FreeHeif>;

class HeifDecoding {
 public:
  HeifDecoding(Kind kind, const wire::Job& job)
      : kind_(kind), job_(job), work_{job, kPicturesWorth * job.max_pixels} {
    SetHeifWork(work_);
  }

  /// The codec's name in reports.
  std::string_view Check(std::span<const unsigned char> file) const {
    const auto outline = ReadHeifOutline(file);
    if (!outline) throw Broken();
    for (const auto& size : outline->sizes) CheckFrameSize(size.width, size.height, job_);
    if (outline->coding == "hvc1") return "hevc";
    if (outline->coding == "av01") return "av1";
    throw GiveUp{FailureReason::kUnknownStill, outline->coding};
  }

  Owned<heif_image> Decode(std::span<const unsigned char> file) {
    const Owned<heif_context> context(heif_context_alloc());
    const Owned<heif_decoding_options> options(heif_decoding_options_alloc());
    if (!context || !options) throw std::bad_alloc();
    // Grids must stay below this, so that one of exactly the greatest size would not.
    heif_context_set_maximum_image_size_limit(context.get(), job_.max_side + 1);
    heif_context_set_max_decoding_threads(context.get(), 0);
    Demand(heif_context_read_from_memory_without_copy(context.get(), file.data(), file.size(), nullptr));
    heif_image_handle* raw_handle = nullptr;
    Demand(heif_context_get_primary_image_handle(context.get(), &raw_handle));
    const Owned<heif_image_handle> handle(raw_handle);
    options->convert_hdr_to_8bit = 1;
    heif_image* raw_image = nullptr;
    Demand(heif_decode_image(handle.get(), &raw_image, heif_colorspace_RGB, heif_chroma_interleaved_RGB,
                             options.get()));
    return Owned<heif_image>(raw_image);
  }

  std::int64_t errors() const { return work_.errors; }

  GiveUp Broken() const { return {FailureReason::kBrokenStill, std::string(KindName(kind_))}; }

 private:
  void Demand(const heif_error& error) const {
    if (work_.failure) std::rethrow_exception(work_.failure);
    if (error.code == heif_error_Ok) return;
    const bool memory = error.code == heif_error_Memory_allocation_error &&
                        error.subcode != heif_suberror_Security_limit_exceeded;
    if (memory) throw std::bad_alloc();
    throw Broken();
  }

  const Kind kind_;
  const wire::Job& job_;
  HeifWork work_;
};

void RgbToBgr(const std::uint8_t* rgb, std::size_t stride, const Pixels& to) {
  for (int y = 0; y < to.height; ++y) {
    const std::uint8_t* from = rgb + static_cast<std::size_t>(y) * stride;
    std::uint8_t* bgr = to.data + static_cast<std::size_t>(y) * to.stride;
    for (int x = 0; x < to.width; ++x, from += 3, bgr += 3) {
      bgr[0] = from[2];
      bgr[1] = from[1];
      bgr[2] = from[0];
    }
  }
}

}  // namespace

void DecodeHeif(const MediaFile& media, Kind kind, const wire::Job& job, Output& output) {
  const auto file = media.Map();
  HeifDecoding decoding(kind, job);
  const std::string_view codec = decoding.Check(file);
  const auto image = decoding.Decode(file);
  int stride = 0;
  const std::uint8_t* rgb = heif_image_get_plane_readonly(image.get(), heif_channel_interleaved, &stride);
  const int width = heif_image_get_width(image.get(), heif_channel_interleaved);
  const int height = heif_image_get_height(image.get(), heif_channel_interleaved);
  if (!rgb || width < 1 || height < 1 || stride < width * 3 ||
      heif_image_get_bits_per_pixel_range(image.get(), heif_channel_interleaved) != 8)
    throw decoding.Broken();
  CheckFrameSize(width, height, job);

  wire::Announce announce;
  wire::SetText(announce.container, KindName(kind));
  wire::SetText(announce.codec, codec);
  wire::SetText(announce.decoder_version, LibavVersion());
  announce.width = width;
  announce.height = height;
  output.Announce(announce);
  if (job.mode == SampleMode::kPicked && !Picker(output.pick(), job.max_frames).Take(0))
    return output.End(false);
  RgbToBgr(rgb, static_cast<std::size_t>(stride), {output.Slot(), width, height, output.layout().stride});
  output.counters.decode_errors = decoding.errors();
  output.counters.frames_decoded = 1;
  output.Give({.time = 0, .progress = 1, .key = 1});
  output.End(false);
}

}  // namespace unmask::decoder
