// SPDX-License-Identifier: Apache-2.0
#include <new>

#include "media/decoder/convert.hpp"
#include "media/decoder/demux.hpp"
#include "media/decoder/libav.hpp"
#include "media/decoder/still.hpp"

namespace unmask::decoder {
namespace {

// Enough for the header of a GIF and its first frame.
constexpr int kMaxPackets = 4;

CodecContext Open(const AVCodec* codec, const AVCodecParameters* parameters, const Pixels& to) {
  CodecContext context(avcodec_alloc_context3(codec));
  if (!context || (parameters && avcodec_parameters_to_context(context.get(), parameters) < 0))
    throw std::bad_alloc();
  context->thread_count = 1;
  context->max_pixels = static_cast<std::int64_t>(to.width) * to.height;
  if (avcodec_open2(context.get(), codec, nullptr) < 0) context.reset();
  return context;
}

StillResult DecodeOne(AVCodecContext* context, const AVPacket& packet, const Pixels& to) {
  const Picture frame(av_frame_alloc());
  if (!frame) throw std::bad_alloc();
  const int sent = avcodec_send_packet(context, &packet);
  if (sent == AVERROR(ENOMEM)) throw std::bad_alloc();
  if (sent < 0 || avcodec_receive_frame(context, frame.get()) < 0) return {.errors = 1};
  Converter converter({to.width, to.height}, Orientation::kUpright);
  if (!converter.Convert(*frame, to)) return {.errors = 1};
  return {.any = true};
}

StillResult DecodeGif(const MediaFile& media, const Pixels& to) {
  wire::Job job;
  job.max_streams = 1;
  Demuxer demuxer(media, Kind::kGif, job);
  const CodecContext context = Open(&demuxer.codec(), demuxer.stream().codecpar, to);
  const Packet packet(av_packet_alloc());
  if (!packet) throw std::bad_alloc();
  StillResult result{.errors = 1};
  for (int i = 0; context && i < kMaxPackets && !result.any; ++i) {
    if (demuxer.Read(*packet) < 0) break;
    result = DecodeOne(context.get(), *packet, to);
    result.truncated = packet->flags & AV_PKT_FLAG_CORRUPT;
    av_packet_unref(packet.get());
  }
  return result;
}

StillResult DecodeBmp(const MediaFile& media, const Pixels& to) {
  const CodecContext context = Open(avcodec_find_decoder(AV_CODEC_ID_BMP), nullptr, to);
  const Packet packet(av_packet_alloc());
  constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 30;
  if (!context || media.size() > kMaxBytes) return {.errors = 1};
  if (!packet || av_new_packet(packet.get(), static_cast<int>(media.size())) < 0) throw std::bad_alloc();
  media.ReadAt(0, {packet->data, static_cast<std::size_t>(packet->size)});
  return DecodeOne(context.get(), *packet, to);
}

}  // namespace

StillResult DecodeWithLibav(const MediaFile& media, Kind kind, const Pixels& to) {
  return kind == Kind::kGif ? DecodeGif(media, to) : DecodeBmp(media, to);
}

}  // namespace unmask::decoder
