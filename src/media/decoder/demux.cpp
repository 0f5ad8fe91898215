// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/demux.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

namespace unmask::decoder {
namespace {

using wire::FailureReason;

struct AcceptedCodec {
  AVCodecID id;
  const char* decoder;
};

// H.264 to MJPEG: what cameras, phones, editors and web sites make. AV1 by dav1d, the rest by libavcodec
// itself.
constexpr std::array kAccepted = {
    AcceptedCodec{AV_CODEC_ID_H264, "h264"},    AcceptedCodec{AV_CODEC_ID_HEVC, "hevc"},
    AcceptedCodec{AV_CODEC_ID_VP8, "vp8"},      AcceptedCodec{AV_CODEC_ID_VP9, "vp9"},
    AcceptedCodec{AV_CODEC_ID_AV1, "libdav1d"}, AcceptedCodec{AV_CODEC_ID_MPEG4, "mpeg4"},
    AcceptedCodec{AV_CODEC_ID_MJPEG, "mjpeg"},
};
constexpr const char* kVideoCodecs = "h264,hevc,vp8,vp9,libdav1d,mpeg4,mjpeg";
constexpr const char* kVideoFormats = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi";

// libavformat says only ENOMEM when a file has more streams than max_streams; its log line tells them apart.
bool too_many_streams = false;

void Listen(void*, int, const char* format, va_list) {
  constexpr char kMessage[] = "Number of streams exceeds";
  if (std::strncmp(format, kMessage, sizeof kMessage - 1) == 0) too_many_streams = true;
}

int RefuseToOpen(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) { return AVERROR(EPERM); }

const char* DemuxerName(Kind kind) {
  switch (kind) {
    case Kind::kMatroska:
    case Kind::kWebm:
      return "matroska";
    case Kind::kAvi:
      return "avi";
    case Kind::kGif:
      return "gif";
    default:
      return "mov";
  }
}

const AVCodec* DecoderFor(AVCodecID id) {
  if (id == AV_CODEC_ID_GIF) return avcodec_find_decoder_by_name("gif");
  const auto accepted =
      std::find_if(kAccepted.begin(), kAccepted.end(), [&](const auto& c) { return c.id == id; });
  return accepted == kAccepted.end() ? nullptr : avcodec_find_decoder_by_name(accepted->decoder);
}

// The better of two video streams: one that we can decode, then the default one, then the larger one.
bool IsBetter(const AVStream& a, const AVStream& b) {
  const auto rank = [](const AVStream& s) {
    return std::tuple(DecoderFor(s.codecpar->codec_id) != nullptr,
                      (s.disposition & AV_DISPOSITION_DEFAULT) != 0,
                      static_cast<std::int64_t>(s.codecpar->width) * s.codecpar->height);
  };
  return rank(a) > rank(b);
}

}  // namespace

Demuxer::Demuxer(const MediaFile& file, Kind kind, const wire::Job& job) : input_(file) {
  av_log_set_callback(Listen);
  Open(kind, job);
  Choose();
}

void Demuxer::Open(Kind kind, const wire::Job& job) {
  AVFormatContext* context = avformat_alloc_context();
  if (!context) throw std::bad_alloc();
  context->pb = input_.context();
  context->flags |= AVFMT_FLAG_CUSTOM_IO;
  context->io_open = RefuseToOpen;
  context->max_streams = job.max_streams;
  context->probesize = 1 << 20;
  context->max_analyze_duration = 2 * AV_TIME_BASE;
  AVDictionary* options = nullptr;
  av_dict_set(&options, "format_whitelist", kind == Kind::kGif ? "gif" : kVideoFormats, 0);
  av_dict_set(&options, "codec_whitelist", kind == Kind::kGif ? "gif" : kVideoCodecs, 0);
  av_dict_set(&options, "protocol_whitelist", "none", 0);
  too_many_streams = false;
  const int error = avformat_open_input(&context, nullptr, av_find_input_format(DemuxerName(kind)), &options);
  av_dict_free(&options);
  if (error < 0) {
    if (too_many_streams) throw GiveUp{FailureReason::kTooManyStreams, {}};
    if (error == AVERROR(ENOMEM)) throw std::bad_alloc();
    throw GiveUp{FailureReason::kBrokenContainer, std::string(KindName(kind))};
  }
  context_.reset(context);
}

void Demuxer::Choose() {
  const std::span streams(context_->streams, context_->nb_streams);
  for (AVStream* stream : streams) {
    const bool video = stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
    const bool cover = stream->disposition & AV_DISPOSITION_ATTACHED_PIC;
    stream->discard = AVDISCARD_ALL;
    if (video && !cover && (!stream_ || IsBetter(*stream, *stream_))) stream_ = stream;
  }
  if (!stream_) throw GiveUp{FailureReason::kNoVideoStream, {}};
  stream_->discard = AVDISCARD_DEFAULT;
  codec_ = DecoderFor(stream_->codecpar->codec_id);
  if (!codec_) throw GiveUp{FailureReason::kUnknownCodec, avcodec_get_name(stream_->codecpar->codec_id)};
}

std::string_view Demuxer::codec_name() const { return avcodec_get_name(stream_->codecpar->codec_id); }

int Demuxer::Read(AVPacket& packet) {
  for (;;) {
    const int error = av_read_frame(context_.get(), &packet);
    if (error == AVERROR(ENOMEM)) throw std::bad_alloc();
    if (error < 0 || packet.stream_index == stream_->index) return error;
    av_packet_unref(&packet);
  }
}

bool Demuxer::IsShown(const AVPacket& packet) const {
  if (packet.flags & AV_PKT_FLAG_DISCARD) return false;
  // VP8 has packets that are never shown; the bit is in the frame header (RFC 6386, section 9.1).
  return codec_->id != AV_CODEC_ID_VP8 || packet.size < 1 || (packet.data[0] & 0x10);
}

}  // namespace unmask::decoder
