// SPDX-License-Identifier: Apache-2.0
#include "media/degrade/h264/module.hpp"

#include <cmath>
#include <string>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
}

#include <fmt/format.h>
#include <opencv2/core.hpp>

namespace unmask {
namespace {

constexpr int kMaxSide = 16384;
constexpr int kMicroseconds = 1'000'000;

struct FreeLibav {
  void operator()(AVCodecContext* p) const { avcodec_free_context(&p); }
  void operator()(AVFrame* p) const { av_frame_free(&p); }
  void operator()(AVPacket* p) const { av_packet_free(&p); }
  void operator()(SwsContext* p) const { sws_freeContext(p); }
};
using Codec = std::unique_ptr<AVCodecContext, FreeLibav>;
using AvPicture = std::unique_ptr<AVFrame, FreeLibav>;
using Packet = std::unique_ptr<AVPacket, FreeLibav>;
using Scaler = std::unique_ptr<SwsContext, FreeLibav>;

tl::unexpected<Error> Failed(const char* what, int status) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(status, text, sizeof text);
  return Fail(ErrorCode::kInternal, fmt::format("H.264: {} failed: {}", what, text));
}

Result<void> CheckPicture(const cv::Mat& bgr) {
  if (bgr.empty() || bgr.type() != CV_8UC3 || bgr.cols > kMaxSide || bgr.rows > kMaxSide)
    return Fail(ErrorCode::kBadRequest, "expected a picture of three 8-bit channels, at most 16384 a side");
  return {};
}

AvPicture NewPicture(int width, int height, AVPixelFormat format) {
  AvPicture picture(av_frame_alloc());
  if (!picture) return nullptr;
  picture->width = width;
  picture->height = height;
  picture->format = format;
  return av_frame_get_buffer(picture.get(), 0) < 0 ? nullptr : std::move(picture);
}

Result<Codec> OpenEncoder(const char* name, cv::Size size, AVPixelFormat format,
                          std::initializer_list<std::pair<const char*, std::string>> options, int flags = 0) {
  const AVCodec* encoder = avcodec_find_encoder_by_name(name);
  if (encoder == nullptr)
    return Fail(ErrorCode::kInternal, fmt::format("libavcodec has no encoder {}", name),
                "install an FFmpeg that is built with x264, as Debian's is");
  Codec context(avcodec_alloc_context3(encoder));
  if (!context) return Fail(ErrorCode::kInternal, "H.264: out of memory");
  context->width = size.width;
  context->height = size.height;
  context->pix_fmt = format;
  context->time_base = {1, kMicroseconds};
  context->framerate = {25, 1};
  context->thread_count = 1;  // callers have threads of their own, and one thread repeats bit for bit
  context->gop_size = 1;
  context->max_b_frames = 0;
  context->flags |= flags;
  for (const auto& [key, value] : options) av_opt_set(context->priv_data, key, value.c_str(), 0);
  if (const int status = avcodec_open2(context.get(), encoder, nullptr); status < 0)
    return Failed("opening the encoder", status);
  return context;
}

/// The packet of one picture.
Result<Packet> EncodeOne(AVCodecContext& encoder, const AVFrame& picture) {
  if (const int status = avcodec_send_frame(&encoder, &picture); status < 0)
    return Failed("encoding", status);
  if (const int status = avcodec_send_frame(&encoder, nullptr); status < 0) return Failed("encoding", status);
  Packet packet(av_packet_alloc());
  if (const int status = avcodec_receive_packet(&encoder, packet.get()); status < 0)
    return Failed("encoding", status);
  return packet;
}

Result<AvPicture> DecodeOne(const AVPacket& packet) {
  Codec decoder(avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_H264)));
  if (!decoder) return Fail(ErrorCode::kInternal, "libavcodec has no decoder of H.264");
  decoder->thread_count = 1;
  if (const int status = avcodec_open2(decoder.get(), nullptr, nullptr); status < 0)
    return Failed("opening the decoder", status);
  if (const int status = avcodec_send_packet(decoder.get(), &packet); status < 0)
    return Failed("decoding", status);
  avcodec_send_packet(decoder.get(), nullptr);
  AvPicture picture(av_frame_alloc());
  if (const int status = avcodec_receive_frame(decoder.get(), picture.get()); status < 0)
    return Failed("decoding", status);
  return picture;
}

Scaler MakeScaler(int width, int height, AVPixelFormat from, AVPixelFormat to) {
  return Scaler(sws_getContext(width, height, from, width, height, to,
                               SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_BITEXACT, nullptr,
                               nullptr, nullptr));
}

Result<cv::Mat> Reencode(const cv::Mat& given, int crf) {
  if (auto fine = CheckPicture(given); !fine) return tl::unexpected(fine.error());
  cv::Mat bgr = given;
  if (given.cols % 2 != 0 || given.rows % 2 != 0)  // 4:2:0 has whole blocks of 2x2 only
    cv::copyMakeBorder(given, bgr, 0, given.rows % 2, 0, given.cols % 2,
                       cv::BORDER_REPLICATE | cv::BORDER_ISOLATED);

  const AvPicture yuv = NewPicture(bgr.cols, bgr.rows, AV_PIX_FMT_YUV420P);
  const Scaler to_yuv = MakeScaler(bgr.cols, bgr.rows, AV_PIX_FMT_BGR24, AV_PIX_FMT_YUV420P);
  if (!yuv || !to_yuv) return Fail(ErrorCode::kInternal, "H.264: out of memory");
  const std::uint8_t* rows[] = {bgr.data};
  const int strides[] = {static_cast<int>(bgr.step)};
  sws_scale(to_yuv.get(), rows, strides, 0, bgr.rows, yuv->data, yuv->linesize);
  yuv->pts = 0;

  auto encoder = OpenEncoder("libx264", bgr.size(), AV_PIX_FMT_YUV420P,
                             {{"preset", "medium"}, {"crf", std::to_string(crf)}});
  if (!encoder) return tl::unexpected(encoder.error());
  const auto packet = EncodeOne(**encoder, *yuv);
  if (!packet) return tl::unexpected(packet.error());
  const auto decoded = DecodeOne(**packet);
  if (!decoded) return tl::unexpected(decoded.error());
  if ((*decoded)->width != bgr.cols || (*decoded)->height != bgr.rows ||
      (*decoded)->format != AV_PIX_FMT_YUV420P)
    return Fail(ErrorCode::kInternal, "H.264: the decoder gave another picture than was encoded");

  const Scaler to_bgr = MakeScaler(bgr.cols, bgr.rows, AV_PIX_FMT_YUV420P, AV_PIX_FMT_BGR24);
  if (!to_bgr) return Fail(ErrorCode::kInternal, "H.264: out of memory");
  cv::Mat result(bgr.size(), CV_8UC3);
  std::uint8_t* target[] = {result.data};
  const int target_strides[] = {static_cast<int>(result.step)};
  sws_scale(to_bgr.get(), (*decoded)->data, (*decoded)->linesize, 0, bgr.rows, target, target_strides);
  if (result.size() == given.size()) return result;
  return result(cv::Rect({0, 0}, given.size())).clone();
}

class Mp4Clip final : public LosslessClip {
 public:
  explicit Mp4Clip(std::string file) : file_(std::move(file)) {}
  ~Mp4Clip() override {
    if (format_ == nullptr) return;
    avio_closep(&format_->pb);
    avformat_free_context(format_);
  }

  Result<void> Add(const cv::Mat& bgr, double time) override {
    if (auto fine = CheckPicture(bgr); !fine) return fine;
    if (format_ == nullptr)
      if (auto begun = Begin(bgr.size()); !begun) return begun;
    if (bgr.cols != encoder_->width || bgr.rows != encoder_->height)
      return Fail(ErrorCode::kBadRequest, "the pictures of a clip differ in size");
    const AvPicture picture = NewPicture(bgr.cols, bgr.rows, AV_PIX_FMT_BGR24);
    if (!picture) return Fail(ErrorCode::kInternal, "H.264: out of memory");
    bgr.copyTo(
        cv::Mat(bgr.size(), CV_8UC3, picture->data[0], static_cast<std::size_t>(picture->linesize[0])));
    picture->pts = static_cast<std::int64_t>(std::ceil(time * kMicroseconds - 1e-6));
    if (const int status = avcodec_send_frame(encoder_.get(), picture.get()); status < 0)
      return Failed("encoding", status);
    return WritePackets();
  }

  Result<void> Finish() override {
    if (format_ == nullptr) return Fail(ErrorCode::kBadRequest, "a clip needs a picture");
    if (const int status = avcodec_send_frame(encoder_.get(), nullptr); status < 0)
      return Failed("encoding", status);
    if (auto written = WritePackets(); !written) return written;
    if (const int status = av_write_trailer(format_); status < 0) return Failed("writing the clip", status);
    return {};
  }

 private:
  Result<void> Begin(cv::Size size) {
    if (const int status = avformat_alloc_output_context2(&format_, nullptr, "mp4", nullptr); status < 0)
      return Failed("writing the clip", status);
    auto encoder = OpenEncoder("libx264rgb", size, AV_PIX_FMT_BGR24, {{"preset", "ultrafast"}, {"qp", "0"}},
                               AV_CODEC_FLAG_GLOBAL_HEADER);
    if (!encoder) return tl::unexpected(encoder.error());
    encoder_ = std::move(*encoder);
    stream_ = avformat_new_stream(format_, nullptr);
    if (stream_ == nullptr) return Fail(ErrorCode::kInternal, "H.264: out of memory");
    stream_->time_base = encoder_->time_base;
    if (const int status = avcodec_parameters_from_context(stream_->codecpar, encoder_.get()); status < 0)
      return Failed("writing the clip", status);
    if (const int status = avio_open(&format_->pb, file_.c_str(), AVIO_FLAG_WRITE); status < 0)
      return Failed("writing the clip", status);
    if (const int status = avformat_write_header(format_, nullptr); status < 0)
      return Failed("writing the clip", status);
    return {};
  }

  Result<void> WritePackets() {
    const Packet packet(av_packet_alloc());
    for (;;) {
      const int got = avcodec_receive_packet(encoder_.get(), packet.get());
      if (got == AVERROR(EAGAIN) || got == AVERROR_EOF) return {};
      if (got < 0) return Failed("encoding", got);
      av_packet_rescale_ts(packet.get(), encoder_->time_base, stream_->time_base);
      packet->stream_index = stream_->index;
      if (const int status = av_interleaved_write_frame(format_, packet.get()); status < 0)
        return Failed("writing the clip", status);
    }
  }

  const std::string file_;
  AVFormatContext* format_ = nullptr;
  AVStream* stream_ = nullptr;
  Codec encoder_;
};

class Libx264Module final : public H264Module {
 public:
  Libx264Module() { av_log_set_level(AV_LOG_QUIET); }
  Result<cv::Mat> Reencode(const cv::Mat& bgr, int crf) override { return unmask::Reencode(bgr, crf); }
  Result<std::unique_ptr<LosslessClip>> WriteClip(const std::filesystem::path& file) override {
    return std::make_unique<Mp4Clip>(file.string());
  }
};

}  // namespace

extern "C" __attribute__((visibility("default"))) H264Module* UnmaskH264Module() {
  static Libx264Module module;
  return &module;
}

}  // namespace unmask
