// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/heif_codecs.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include <libheif/heif.h>
#include <libheif/heif_plugin.h>

#include "media/decoder/libav.hpp"
#include "media/decoder/limits.hpp"
#include "media/decoder/output.hpp"

namespace unmask::decoder {
namespace {

using wire::FailureReason;

constexpr int kFirst = 1000;  // libheif's own plugins have a priority of 100 or so
// The least that one picture counts, however small it is: opening a codec takes time, too.
constexpr std::int64_t kLeastPixels = 128 * 128;

// libheif hands no context to plugins. One process decodes one file, with one thread.
HeifWork* current = nullptr;

constexpr heif_error kGood{heif_error_Ok, heif_suberror_Unspecified, "ok"};
constexpr heif_error kBad{heif_error_Decoder_plugin_error, heif_suberror_Unspecified, "broken"};

struct FreeHeif {
  void operator()(heif_image* p) const { heif_image_release(p); }
  void operator()(heif_color_profile_nclx* p) const { heif_nclx_color_profile_free(p); }
};
using HeifImage = std::unique_ptr<heif_image, FreeHeif>;

// One coded picture, as libavcodec wants it.
struct CodedPicture {
  AVCodecID codec;
  std::vector<std::uint8_t> bytes;
};

bool Good(const heif_error& error) { return error.code == heif_error_Ok; }

// Each unit of HEVC comes behind its length in four bytes; libavcodec wants start codes (H.265, annex B).
bool AddUnits(std::span<const std::uint8_t> data, std::vector<std::uint8_t>& out) {
  constexpr std::uint8_t start[] = {0, 0, 0, 1};
  while (!data.empty()) {
    if (data.size() < 4) return false;
    const std::size_t size = std::size_t{data[0]} << 24 | data[1] << 16 | data[2] << 8 | data[3];
    data = data.subspan(4);
    if (size > data.size()) return false;
    out.insert(out.end(), std::begin(start), std::end(start));
    out.insert(out.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(size));
    data = data.subspan(size);
  }
  return true;
}

CodecContext OpenCodec(AVCodecID id) {
  const AVCodec* codec = avcodec_find_decoder_by_name(id == AV_CODEC_ID_HEVC ? "hevc" : "libdav1d");
  CodecContext context(codec ? avcodec_alloc_context3(codec) : nullptr);
  if (!context) throw std::bad_alloc();
  context->thread_count = 1;
  context->max_pixels = current->job.max_pixels;
  if (avcodec_open2(context.get(), codec, nullptr) < 0) throw std::bad_alloc();
  return context;
}

// The first picture of the data; nothing when there is none.
Picture DecodeFrame(const CodedPicture& coded) {
  const CodecContext context = OpenCodec(coded.codec);
  const Packet packet(av_packet_alloc());
  Picture frame(av_frame_alloc());
  if (!packet || !frame || coded.bytes.size() > std::size_t{1} << 30 ||
      av_new_packet(packet.get(), static_cast<int>(coded.bytes.size())) < 0)
    throw std::bad_alloc();
  std::copy(coded.bytes.begin(), coded.bytes.end(), packet->data);
  for (const AVPacket* sent :
       {static_cast<const AVPacket*>(packet.get()), static_cast<const AVPacket*>(nullptr)}) {
    const int taken = avcodec_send_packet(context.get(), sent);
    const int received = avcodec_receive_frame(context.get(), frame.get());
    if (received >= 0) return frame;
    // The codec calls a frame beyond max_pixels a lack of memory.
    CheckFrameSize(context->width, context->height, current->job);
    if (taken == AVERROR(ENOMEM) || received == AVERROR(ENOMEM)) throw std::bad_alloc();
  }
  return nullptr;
}

void Charge(const AVFrame& frame) {
  CheckFrameSize(frame.width, frame.height, current->job);
  const std::int64_t pixels = static_cast<std::int64_t>(frame.width) * frame.height;
  current->pixels_left -= std::max(pixels, kLeastPixels);
  if (current->pixels_left < 0)
    throw GiveUp{FailureReason::kTooManyPixels, {}, current->job.max_pixels - current->pixels_left};
  if (frame.decode_error_flags || (frame.flags & AV_FRAME_FLAG_CORRUPT)) ++current->errors;
}

// What libheif calls the format of a frame; undefined when it has no name for it.
heif_chroma ChromaOf(const AVPixFmtDescriptor& format) {
  const bool planar = format.nb_components == 3 && (format.flags & AV_PIX_FMT_FLAG_PLANAR);
  if (format.flags &
      (AV_PIX_FMT_FLAG_BE | AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_PAL))
    return heif_chroma_undefined;
  if (format.nb_components == 1) return heif_chroma_monochrome;
  if (!planar) return heif_chroma_undefined;
  if (format.log2_chroma_w == 1 && format.log2_chroma_h == 1) return heif_chroma_420;
  if (format.log2_chroma_w == 1 && format.log2_chroma_h == 0) return heif_chroma_422;
  if (format.log2_chroma_w == 0 && format.log2_chroma_h == 0) return heif_chroma_444;
  return heif_chroma_undefined;
}

// How the stream says that its colours are meant. libavutil's numbers are those of H.273, as libheif's are;
// what libheif does not know becomes unspecified.
bool SetColours(const AVFrame& frame, heif_image* image) {
  const std::unique_ptr<heif_color_profile_nclx, FreeHeif> colours(heif_nclx_color_profile_alloc());
  if (!colours) throw std::bad_alloc();
  heif_nclx_color_profile_set_color_primaries(colours.get(),
                                              static_cast<std::uint16_t>(frame.color_primaries));
  heif_nclx_color_profile_set_transfer_characteristics(colours.get(),
                                                       static_cast<std::uint16_t>(frame.color_trc));
  heif_nclx_color_profile_set_matrix_coefficients(colours.get(),
                                                  static_cast<std::uint16_t>(frame.colorspace));
  colours->full_range_flag = frame.color_range == AVCOL_RANGE_JPEG;
  return Good(heif_image_set_nclx_color_profile(image, colours.get()));
}

// Null for a format that libheif has no name for.
HeifImage ToHeif(const AVFrame& frame) {
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  const heif_chroma chroma = format ? ChromaOf(*format) : heif_chroma_undefined;
  if (chroma == heif_chroma_undefined) return nullptr;
  const bool grey = chroma == heif_chroma_monochrome;
  heif_image* raw = nullptr;
  if (!Good(heif_image_create(frame.width, frame.height,
                              grey ? heif_colorspace_monochrome : heif_colorspace_YCbCr, chroma, &raw)))
    throw std::bad_alloc();
  HeifImage image(raw);
  // The planes of GBR come in this order, too.
  constexpr heif_channel channels[] = {heif_channel_Y, heif_channel_Cb, heif_channel_Cr};
  const int depth = format->comp[0].depth;
  for (int i = 0; i < (grey ? 1 : 3); ++i) {
    const int width = i == 0 ? frame.width : AV_CEIL_RSHIFT(frame.width, format->log2_chroma_w);
    const int height = i == 0 ? frame.height : AV_CEIL_RSHIFT(frame.height, format->log2_chroma_h);
    if (!Good(heif_image_add_plane(image.get(), channels[i], width, height, depth))) throw std::bad_alloc();
    int stride = 0;
    std::uint8_t* to = heif_image_get_plane(image.get(), channels[i], &stride);
    if (!to) throw std::bad_alloc();
    const std::size_t row = static_cast<std::size_t>(width) * (depth > 8 ? 2 : 1);
    for (std::ptrdiff_t y = 0; y < height; ++y)
      std::memcpy(to + y * stride, frame.data[i] + y * frame.linesize[i], row);
  }
  return SetColours(frame, image.get()) ? std::move(image) : nullptr;
}

// From here on, what libheif calls. No exception may leave.

template <AVCodecID codec>
heif_error NewDecoder(void** decoder) noexcept {
  *decoder = new (std::nothrow) CodedPicture{codec, {}};
  return *decoder ? kGood : kBad;
}

void FreeDecoder(void* decoder) noexcept { delete static_cast<CodedPicture*>(decoder); }

heif_error PushData(void* decoder, const void* data, std::size_t size) noexcept {
  auto& coded = *static_cast<CodedPicture*>(decoder);
  const std::span bytes(static_cast<const std::uint8_t*>(data), size);
  try {
    if (coded.codec == AV_CODEC_ID_HEVC) return AddUnits(bytes, coded.bytes) ? kGood : kBad;
    coded.bytes.insert(coded.bytes.end(), bytes.begin(), bytes.end());
    return kGood;
  } catch (...) {
    current->failure = std::current_exception();
    return kBad;
  }
}

heif_error DecodeImage(void* decoder, heif_image** out) noexcept {
  *out = nullptr;
  try {
    const Picture frame = DecodeFrame(*static_cast<const CodedPicture*>(decoder));
    if (!frame) return kBad;
    Charge(*frame);
    *out = ToHeif(*frame).release();
    return *out ? kGood : kBad;
  } catch (...) {
    current->failure = std::current_exception();
    return kBad;
  }
}

void SetStrictness(void*, int) noexcept {}

const heif_decoder_plugin kHevc{
    .plugin_api_version = 3,
    .get_plugin_name = [] { return "libavcodec, HEVC"; },
    .init_plugin = nullptr,
    .deinit_plugin = nullptr,
    .does_support_format = [](heif_compression_format f) { return f == heif_compression_HEVC ? kFirst : 0; },
    .new_decoder = NewDecoder<AV_CODEC_ID_HEVC>,
    .free_decoder = FreeDecoder,
    .push_data = PushData,
    .decode_image = DecodeImage,
    .set_strict_decoding = SetStrictness,
    .id_name = "libavcodec-hevc"};

const heif_decoder_plugin kAv1{
    .plugin_api_version = 3,
    .get_plugin_name = [] { return "libavcodec, AV1"; },
    .init_plugin = nullptr,
    .deinit_plugin = nullptr,
    .does_support_format = [](heif_compression_format f) { return f == heif_compression_AV1 ? kFirst : 0; },
    .new_decoder = NewDecoder<AV_CODEC_ID_AV1>,
    .free_decoder = FreeDecoder,
    .push_data = PushData,
    .decode_image = DecodeImage,
    .set_strict_decoding = SetStrictness,
    .id_name = "libavcodec-av1"};

}  // namespace

void RegisterHeifCodecs() {
  heif_register_decoder_plugin(&kHevc);
  heif_register_decoder_plugin(&kAv1);
}

void SetHeifWork(HeifWork& work) { current = &work; }

}  // namespace unmask::decoder
