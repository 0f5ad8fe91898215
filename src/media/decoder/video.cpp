// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/video.hpp"

#include <algorithm>
#include <cmath>
#include <new>
#include <optional>

#include "media/decoder/container.hpp"
#include "media/decoder/convert.hpp"
#include "media/decoder/demux.hpp"
#include "media/decoder/extent.hpp"
#include "media/decoder/limits.hpp"
#include "media/decoder/sampler.hpp"
#include "media/decoder/shortcut.hpp"
#include "media/decoder/timeline.hpp"

namespace unmask::decoder {
namespace {

using wire::FailureReason;

constexpr double kMillisecond = 0.001;

std::optional<std::int64_t> Known(std::int64_t time) {
  return time == AV_NOPTS_VALUE ? std::nullopt : std::optional(time);
}

// AVI tells no presentation times. Its frames get theirs by counting, so all must come out of the codec.
Timeline::Clock ClockOf(const Demuxer& demuxer) {
  const std::string_view format = demuxer.context().iformat->name;
  return format == "avi" ? Timeline::Clock::kDecoding : Timeline::Clock::kPresentation;
}

AVDiscard Skipped(const Demuxer& demuxer, const wire::Job& job) {
  if (job.mode == SampleMode::kKeyframes) return AVDISCARD_NONKEY;
  if (job.mode == SampleMode::kPicked) return AVDISCARD_DEFAULT;
  return ClockOf(demuxer) == Timeline::Clock::kDecoding ? AVDISCARD_DEFAULT : AVDISCARD_NONREF;
}

CodecContext OpenCodec(const Demuxer& demuxer, const wire::Job& job) {
  const AVCodecParameters& parameters = *demuxer.stream().codecpar;
  // Before anything is allocated for a frame; the stream itself may still say something else, which
  // max_pixels stops.
  if (parameters.width > 0 && parameters.height > 0) CheckFrameSize(parameters.width, parameters.height, job);
  CodecContext codec(avcodec_alloc_context3(&demuxer.codec()));
  if (!codec || avcodec_parameters_to_context(codec.get(), &parameters) < 0) throw std::bad_alloc();
  codec->thread_count = 1;
  codec->pkt_timebase = demuxer.stream().time_base;
  codec->max_pixels = job.max_pixels;
  // Frames that no other frame needs are not decoded at all; the rest stay bit-exact.
  codec->skip_frame = Skipped(demuxer, job);
  // Without a hint in the stream, wait as long as its level may need to bring frames in order, instead of
  // finding out by dropping some.
  if (codec->codec_id == AV_CODEC_ID_H264) codec->strict_std_compliance = FF_COMPLIANCE_STRICT;
  const int error = avcodec_open2(codec.get(), &demuxer.codec(), nullptr);
  if (error == AVERROR(ENOMEM)) throw std::bad_alloc();
  if (error < 0) throw GiveUp{FailureReason::kNothingDecoded, {}};
  return codec;
}

class VideoDecoding {
 public:
  VideoDecoding(Demuxer& demuxer, const Extent& extent, std::string_view container, const wire::Job& job,
                Output& output)
      : demuxer_(demuxer),
        extent_(extent),
        container_(container),
        job_(job),
        output_(output),
        fps_(extent.duration > 0 ? static_cast<double>(extent.frames) / extent.duration : 0),
        used_fps_(Picks() ? 0 : SpreadFps(job.fps, job.max_frames, extent.duration)),
        codec_(OpenCodec(demuxer, job)),
        sampler_(used_fps_, job.max_frames),
        timeline_(ClockOf(demuxer), av_q2d(demuxer.stream().time_base), fps_ > 0 ? 1 / fps_ : 0.04),
        shortcut_(MayJump() ? extent.keys : std::vector<KeyPacket>()),
        packet_(av_packet_alloc()),
        frame_(av_frame_alloc()) {
    if (!packet_ || !frame_) throw std::bad_alloc();
  }

  // Gives whether reading went well to the end.
  bool Run() {
    bool whole = true;
    int failures = 0;
    while (!Done()) {
      const int error = demuxer_.Read(*packet_);
      if (error == AVERROR_EOF) break;
      if (error < 0) {
        whole = false;
        ++output_.counters.decode_errors;
        if (++failures > 100) break;
        continue;
      }
      Feed();
      av_packet_unref(packet_.get());
    }
    if (!Done()) Send(nullptr);
    return whole;
  }

  bool announced() const { return converter_.has_value(); }

 private:
  bool Picks() const { return job_.mode == SampleMode::kPicked; }

  // No further frame can be a sample.
  bool Done() const {
    if (Picks()) return picker_ && (!picker_->next() || *picker_->next() >= extent_.frames);
    return sampler_.Full() || (extent_.duration > 0 && sampler_.next() >= extent_.duration);
  }

  // AVI's frames get their times by counting them, so it may jump only where no frame depends on another.
  bool MayJump() const {
    return job_.mode != SampleMode::kKeyframes &&
           (ClockOf(demuxer_) == Timeline::Clock::kPresentation || codec_->codec_id == AV_CODEC_ID_MJPEG);
  }

  void Feed() {
    const AVPacket& packet = *packet_;
    if (packet.flags & AV_PKT_FLAG_CORRUPT) ++output_.counters.decode_errors;
    const bool decoded = IsNeeded(packet);
    if (demuxer_.IsShown(packet)) timeline_.AddPacket(TimeOf(packet), decoded);
    if (picker_) codec_->skip_frame = IsPicked(packet) ? AVDISCARD_DEFAULT : AVDISCARD_NONREF;
    if (decoded) Send(&packet);
  }

  std::optional<std::int64_t> TimeOf(const AVPacket& packet) const {
    const bool by_decoding = ClockOf(demuxer_) == Timeline::Clock::kDecoding;
    return Known(by_decoding || packet.pts == AV_NOPTS_VALUE ? packet.dts : packet.pts);
  }

  // Whether the packet's own frame may be picked.
  bool IsPicked(const AVPacket& packet) const {
    const auto time = TimeOf(packet);
    if (extent_.times.empty() || !time || ClockOf(demuxer_) == Timeline::Clock::kDecoding) return true;
    const auto [first, last] = std::equal_range(extent_.times.begin(), extent_.times.end(), *time);
    if (first == last) return true;
    for (auto same = first; same != last; ++same)
      if (picker_->Wants(same - extent_.times.begin())) return true;
    return false;
  }

  // When the next sample is shown, in the stream's time base, as far as that is known.
  std::optional<std::int64_t> NextSample() const {
    if (Picks()) {
      if (!picker_ || extent_.times.empty() || Done()) return {};
      return extent_.times[static_cast<std::size_t>(*picker_->next())];
    }
    const auto start = timeline_.start();
    if (!start) return {};
    return *start + static_cast<std::int64_t>(sampler_.next() / av_q2d(demuxer_.stream().time_base));
  }

  // Whether a sample may depend on the packet. Empties the codec when packets before it were left out.
  bool IsNeeded(const AVPacket& packet) {
    const bool key = packet.flags & AV_PKT_FLAG_KEY;
    const auto time = TimeOf(packet);
    if (job_.mode == SampleMode::kKeyframes) {
      const auto seconds = time ? timeline_.Seconds(*time) : std::nullopt;
      return key && (!seconds || *seconds >= sampler_.next() - kMillisecond);
    }
    const auto step = shortcut_.Next(time, key, NextSample());
    if (step == Shortcut::Step::kJump) {
      avcodec_flush_buffers(codec_.get());
      timeline_.Flush();
    }
    return step != Shortcut::Step::kSkip;
  }

  void Send(const AVPacket* packet) {
    const int error = avcodec_send_packet(codec_.get(), packet);
    if (error == AVERROR(ENOMEM)) throw std::bad_alloc();
    if (error < 0 && error != AVERROR_EOF) ++output_.counters.decode_errors;
    for (;;) {
      const int received = avcodec_receive_frame(codec_.get(), frame_.get());
      if (received == AVERROR(EAGAIN) || received == AVERROR_EOF) return;
      if (received == AVERROR(ENOMEM)) throw std::bad_alloc();
      if (received < 0) {
        ++output_.counters.decode_errors;
        return;
      }
      Take();
      av_frame_unref(frame_.get());
    }
  }

  void Take() {
    ++output_.counters.frames_decoded;
    if (frame_->decode_error_flags || (frame_->flags & AV_FRAME_FLAG_CORRUPT))
      ++output_.counters.decode_errors;
    shortcut_.CameOut(Known(ClockOf(demuxer_) == Timeline::Clock::kDecoding ? frame_->pkt_dts
                                                                            : frame_->best_effort_timestamp));
    const auto place = timeline_.PlaceFrame(Known(frame_->best_effort_timestamp));
    if (!announced()) Announce();
    if (Picks() ? !picker_->Take(place.index) : !sampler_.Take(place.time)) return;
    const Size upright = converter_->upright();
    if (!converter_->Convert(*frame_,
                             {output_.Slot(), upright.width, upright.height, output_.layout().stride})) {
      ++output_.counters.decode_errors;
      return;
    }
    wire::FrameReady ready;
    ready.index = place.index;
    ready.time = place.time;
    ready.key = frame_->key_frame;
    ready.progress = extent_.duration > 0 ? std::min(place.time / extent_.duration, 1.0) : 0;
    output_.Give(ready);
  }

  void Announce() {
    const AVRational aspect =
        av_guess_sample_aspect_ratio(&demuxer_.context(), &demuxer_.stream(), frame_.get());
    const Size stored = SquarePixels({frame_->width, frame_->height}, aspect);
    const auto* matrix = reinterpret_cast<const std::int32_t*>(
        av_stream_get_side_data(&demuxer_.stream(), AV_PKT_DATA_DISPLAYMATRIX, nullptr));
    CheckFrameSize(stored.width, stored.height, job_);
    converter_.emplace(stored, FromDisplayMatrix(matrix));

    wire::Announce announce;
    announce.video = 1;
    wire::SetText(announce.container, container_);
    wire::SetText(announce.codec, demuxer_.codec_name());
    wire::SetText(announce.decoder_version, LibavVersion());
    announce.width = converter_->upright().width;
    announce.height = converter_->upright().height;
    announce.duration = extent_.duration;
    announce.fps = fps_;
    announce.used_fps = used_fps_;
    announce.frames = extent_.frames;
    output_.Announce(announce);
    if (Picks()) picker_.emplace(output_.pick(), job_.max_frames);
  }

  Demuxer& demuxer_;
  const Extent extent_;
  const std::string_view container_;
  const wire::Job& job_;
  Output& output_;
  const double fps_;
  const double used_fps_;
  CodecContext codec_;
  Sampler sampler_;
  std::optional<Picker> picker_;  // once it is known what is picked
  Timeline timeline_;
  Shortcut shortcut_;
  Packet packet_;
  Picture frame_;
  std::optional<Converter> converter_;
};

}  // namespace

void DecodeVideo(const MediaFile& file, Kind kind, const wire::Job& job, Output& output) {
  const Structure structure = ReadStructure(file, kind);
  if (structure.no_index) throw GiveUp{FailureReason::kNoIndex, {}};
  Extent extent;
  {
    Demuxer once(file, kind, job);
    CheckFrameSize(once.stream().codecpar->width, once.stream().codecpar->height, job);
    extent = MeasureExtent(once, job.mode == SampleMode::kPicked);
  }
  if (extent.duration > job.max_duration)
    throw GiveUp{FailureReason::kTooLong, {}, static_cast<std::int64_t>(std::min(extent.duration, 1e15))};
  Demuxer demuxer(file, kind, job);
  VideoDecoding decoding(demuxer, extent, KindName(kind), job, output);
  const bool whole = decoding.Run();
  if (!decoding.announced()) throw GiveUp{FailureReason::kNothingDecoded, {}};
  output.End(structure.truncated || !whole);
}

}  // namespace unmask::decoder
