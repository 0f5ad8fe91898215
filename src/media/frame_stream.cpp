// SPDX-License-Identifier: Apache-2.0
#include "media/frame_stream.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <functional>
#include <mutex>
#include <vector>

#include <fmt/format.h>

#include "base/file.hpp"
#include "media/decoder_pool.hpp"
#include "media/failure.hpp"
#include "media/wire/message.hpp"
#include "media/wire/ring.hpp"

namespace unmask {
namespace {

using Clock = std::chrono::steady_clock;

// One is shown to the caller, one is being filled, one waits between them.
constexpr int kVideoSlots = 3;
constexpr int kStillSlots = 1;

// The frame memory, and who has which slot. Outlives the stream while frames are held.
class Slots {
 public:
  Slots(wire::Ring ring, int socket)
      : ring_(std::move(ring)), socket_(socket), held_(ring_.layout().slots, false) {}

  const wire::Ring& ring() const { return ring_; }

  // False when the decoder gives a slot that it does not own.
  bool Hold(std::uint32_t slot) {
    std::lock_guard lock(mutex_);
    if (slot >= held_.size() || held_[slot]) return false;
    held_[slot] = true;
    return true;
  }

  void Return(std::uint32_t slot) {
    std::lock_guard lock(mutex_);
    held_[slot] = false;
    // There are never more of these under way than slots, so a full socket means a decoder that does not
    // read.
    if (socket_ >= 0) wire::Send(socket_, wire::Release{.slot = slot}, -1, false);
  }

  void Disconnect() {
    std::lock_guard lock(mutex_);
    socket_ = -1;
  }

 private:
  const wire::Ring ring_;
  std::mutex mutex_;
  int socket_;
  std::vector<bool> held_;
};

Error Nonsense(std::string_view what) {
  return Error{ErrorCode::kDecoderCrashed,
               fmt::format("the decoder answered nonsense ({})", what),
               "treat this file with care: it may attack media software",
               {}};
}

class DecoderStream final : public FrameStream {
 public:
  DecoderStream(DecoderProcess process, const MediaLimits& limits, std::stop_token stop, UniqueFd stop_event)
      : process_(std::move(process)),
        limits_(limits),
        stop_event_(std::move(stop_event)),
        stop_(std::move(stop)),
        on_stop_(stop_, Wake{stop_event_.get()}) {}

  ~DecoderStream() override { Finish(); }

  const MediaInfo& info() const override { return info_; }
  double progress() const override { return progress_; }
  const DecodeSummary& summary() const override { return summary_; }

  Result<void> Begin(UniqueFd file, std::uint64_t bytes, const SamplePlan& plan) {
    plan_ = plan;
    wire::Job job;
    job.mode = plan.mode;
    job.fps = plan.fps;
    job.max_frames = plan.max_frames;
    job.bytes = bytes;
    job.max_pixels = limits_.max_pixels;
    job.max_side = limits_.max_side;
    job.max_streams = limits_.max_streams;
    job.max_duration = limits_.max_duration;
    job.turn = plan.turn;
    // When the decoder has died while it waited, its socket says so below.
    wire::Send(process_.socket(), job, file.get());
    file.reset();

    auto message = Receive();
    if (!message) return tl::unexpected(message.error());
    if (const auto* failure = std::get_if<wire::Failure>(&*message))
      return tl::unexpected(TakeFailure(*failure));
    const auto* announce = std::get_if<wire::Announce>(&*message);
    if (!announce) return tl::unexpected(Nonsense("a frame before the media's size"));
    return Accept(*announce);
  }

  Result<std::optional<Frame>> Next() override {
    if (ended_)
      return ended_with_ ? Result<std::optional<Frame>>(tl::unexpected(*ended_with_)) : std::nullopt;
    auto frame = Advance();
    if (!frame) ended_with_ = frame.error();
    if (!frame || !*frame) Finish();
    return frame;
  }

 private:
  struct Wake {
    int fd;
    void operator()() const {
      const std::uint64_t one = 1;
      [[maybe_unused]] const ssize_t written = ::write(fd, &one, sizeof one);
    }
  };

  Result<std::optional<Frame>> Advance() {
    auto message = Receive();
    if (!message) return tl::unexpected(message.error());
    if (const auto* ready = std::get_if<wire::FrameReady>(&*message)) return TakeFrame(*ready);
    if (const auto* failure = std::get_if<wire::Failure>(&*message))
      return tl::unexpected(TakeFailure(*failure));
    if (const auto* end = std::get_if<wire::End>(&*message)) {
      TakeCounters(end->counters);
      summary_.truncated = end->truncated != 0;
      progress_ = 1;
      return std::nullopt;
    }
    return tl::unexpected(Nonsense("the media's size twice"));
  }

  Result<std::optional<Frame>> TakeFrame(const wire::FrameReady& ready) {
    if (!std::isfinite(ready.time) || ready.time < 0 || ready.time <= last_time_)
      return tl::unexpected(Nonsense("time that does not rise"));
    if (!IsPicked(ready.index)) return tl::unexpected(Nonsense("a frame that was not picked"));
    if (ready.index <= last_index_) return tl::unexpected(Nonsense("a frame number that does not rise"));
    if (summary_.frames_sampled >= plan_.max_frames) return tl::unexpected(Nonsense("too many frames"));
    if (!slots_->Hold(ready.slot)) return tl::unexpected(Nonsense("a slot that it does not have"));
    last_time_ = ready.time;
    last_index_ = ready.index;
    if (ready.progress > progress_ && ready.progress <= 1) progress_ = ready.progress;
    TakeCounters(ready.counters);
    ++summary_.frames_sampled;

    Frame frame;
    frame.index = ready.index;
    frame.time = ready.time;
    frame.key = ready.key != 0;
    const auto& layout = slots_->ring().layout();
    frame.bgr = cv::Mat(layout.height, layout.width, CV_8UC3, slots_->ring().slot(ready.slot), layout.stride);
    frame.lease = std::shared_ptr<void>(static_cast<void*>(slots_.get()),
                                        [slots = slots_, slot = ready.slot](void*) { slots->Return(slot); });
    return frame;
  }

  Error TakeFailure(const wire::Failure& failure) {
    TakeCounters(failure.counters);
    return DescribeFailure(failure, limits_);
  }

  void TakeCounters(const wire::Counters& counters) {
    summary_.frames_decoded = std::max(summary_.frames_decoded, counters.frames_decoded);
    summary_.decode_errors = std::max(summary_.decode_errors, counters.decode_errors);
  }

  Result<void> Accept(const wire::Announce& announce) {
    const int width = announce.width;
    const int height = announce.height;
    const bool video = announce.video != 0;
    const auto layout = wire::LayOutRing(width, height, video ? kVideoSlots : kStillSlots);
    if (!layout || std::max(width, height) > limits_.max_side ||
        static_cast<std::int64_t>(width) * height > limits_.max_pixels)
      return tl::unexpected(Nonsense("a frame size beyond the limits"));
    info_.kind = video ? MediaKind::kVideo : MediaKind::kImage;
    info_.container = wire::Text(announce.container);
    info_.codec = wire::Text(announce.codec);
    info_.width = width;
    info_.height = height;
    info_.palette = announce.palette != 0;
    if (video) {
      if (std::isfinite(announce.duration) && announce.duration > 0) info_.duration = announce.duration;
      if (std::isfinite(announce.fps) && announce.fps > 0) info_.fps = announce.fps;
      if (announce.frames > 0) info_.frames = announce.frames;
      if (std::isfinite(announce.used_fps) && announce.used_fps > 0) summary_.used_fps = announce.used_fps;
    }
    summary_.decoder_version = wire::Text(announce.decoder_version);
    if (plan_.mode == SampleMode::kPicked) {
      if (auto sent = SendPick(); !sent) return sent;
    }

    auto ring = wire::Ring::Create(*layout);
    if (!ring) return tl::unexpected(ring.error());
    const bool sent = wire::Send(
        process_.socket(), wire::RingOffer{.slots = static_cast<std::uint32_t>(layout->slots)}, ring->fd());
    if (!sent) return tl::unexpected(Died());
    ring->CloseFd();
    slots_ = std::make_shared<Slots>(std::move(*ring), process_.socket());
    return {};
  }

  Result<void> SendPick() {
    auto pick = plan_.pick(info_);
    if (!pick) return tl::unexpected(pick.error());
    if (auto valid = Check(*pick); !valid) return valid;
    pick_ = std::move(*pick);
    for (const wire::Pick& part : wire::CutPick(pick_))
      if (auto sent = SendPatiently(part); !sent) return sent;
    return {};
  }

  static Result<void> Check(const FramePick& pick) {
    if (pick.step < 0 || pick.step > FramePick::kMaxIndex)
      return Fail(ErrorCode::kBadRequest, fmt::format("the step between frames is {} (expected 0 to {})",
                                                      pick.step, FramePick::kMaxIndex));
    if (pick.step > 0) return {};
    if (pick.indices.size() > FramePick::kMaxIndices)
      return Fail(ErrorCode::kBadRequest, fmt::format("{} frames are picked (expected at most {})",
                                                      pick.indices.size(), FramePick::kMaxIndices));
    const auto falls = std::adjacent_find(pick.indices.begin(), pick.indices.end(), std::greater_equal<>());
    if (falls != pick.indices.end())
      return Fail(
          ErrorCode::kBadRequest,
          fmt::format("frame {} is picked after frame {} (expected rising numbers)", falls[1], falls[0]));
    if (!pick.indices.empty() && (pick.indices.front() < 0 || pick.indices.back() > FramePick::kMaxIndex))
      return Fail(ErrorCode::kBadRequest,
                  fmt::format("frames {} to {} are picked (expected 0 to {})", pick.indices.front(),
                              pick.indices.back(), FramePick::kMaxIndex));
    return {};
  }

  bool IsPicked(std::int64_t index) const {
    if (plan_.mode != SampleMode::kPicked) return true;
    if (pick_.step > 0) return index % pick_.step == 0;
    return std::binary_search(pick_.indices.begin(), pick_.indices.end(), index);
  }

  // A decoder that does not read must not make us wait for ever.
  Result<void> SendPatiently(const wire::Pick& part) {
    const auto start = Clock::now();
    while (!wire::Send(process_.socket(), part, -1, false)) {
      if (stop_.stop_requested()) return Fail(ErrorCode::kCancelled, "was cancelled");
      const auto left = Left(start);
      if (left.count() <= 0) return tl::unexpected(TooSlow());
      pollfd events[2] = {{process_.socket(), POLLOUT, 0}, {stop_event_.get(), POLLIN, 0}};
      ::poll(events, 2, Milliseconds(left));
      if (events[0].revents & (POLLHUP | POLLERR)) return tl::unexpected(Died());
    }
    waited_ += Clock::now() - start;
    return {};
  }

  // Of the time that we may wait for the decoder, now that we wait since `start`.
  std::chrono::duration<double> Left(Clock::time_point start) const {
    return std::chrono::duration<double>(limits_.decoder_wall) - waited_ - (Clock::now() - start);
  }

  static int Milliseconds(std::chrono::duration<double> left) {
    return static_cast<int>(std::min(left.count() * 1000 + 1, 3'600'000.0));
  }

  Error TooSlow() const {
    return Error{ErrorCode::kDecoderTimeout,
                 fmt::format("decoding takes more than {} seconds", limits_.decoder_wall),
                 "cut it into shorter pieces",
                 {}};
  }

  // Waits for the decoder's next message. Only the time spent here counts against decoder_wall.
  Result<wire::FromDecoder> Receive() {
    const auto start = Clock::now();
    for (;;) {
      if (stop_.stop_requested()) return Fail(ErrorCode::kCancelled, "was cancelled");
      wire::Packet packet = wire::Receive(process_.socket(), false);
      if (packet.state == wire::Packet::State::kMessage) {
        waited_ += Clock::now() - start;
        auto message = wire::ParseFromDecoder(packet.content());
        if (!message || packet.fd) return tl::unexpected(Nonsense("an unknown message"));
        return *message;
      }
      if (packet.state == wire::Packet::State::kClosed) return tl::unexpected(Died());

      const auto left = Left(start);
      if (left.count() <= 0) return tl::unexpected(TooSlow());
      pollfd events[2] = {{process_.socket(), POLLIN, 0}, {stop_event_.get(), POLLIN, 0}};
      ::poll(events, 2, Milliseconds(left));
    }
  }

  Error Died() { return DescribeDeath(process_.End(), limits_); }

  void Finish() {
    ended_ = true;
    if (slots_) slots_->Disconnect();
    process_.End();
  }

  DecoderProcess process_;
  const MediaLimits limits_;
  UniqueFd stop_event_;
  std::stop_token stop_;
  std::stop_callback<Wake> on_stop_;
  SamplePlan plan_;
  FramePick pick_;
  MediaInfo info_;
  DecodeSummary summary_;
  std::shared_ptr<Slots> slots_;
  double progress_ = 0;
  double last_time_ = -1;
  std::int64_t last_index_ = -1;
  std::chrono::duration<double> waited_{0};
  bool ended_ = false;
  std::optional<Error> ended_with_;
};

}  // namespace

Result<std::unique_ptr<FrameStream>> FrameStream::Open(DecoderPool& pool, UniqueFd file,
                                                       const SamplePlan& plan, std::stop_token stop) {
  const MediaLimits& limits = pool.limits();
  if (!std::isfinite(plan.fps) || plan.fps <= 0 || plan.max_frames < 1)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("expected fps above 0 and max_frames of at least 1, found {} and {}", plan.fps,
                            plan.max_frames));
  if ((plan.mode == SampleMode::kPicked) != (plan.pick != nullptr))
    return Fail(ErrorCode::kBadRequest, "frames are picked by a function, in the mode for that and no other");
  auto bytes = FileSize(file.get());
  if (!bytes) return tl::unexpected(bytes.error());
  if (*bytes == 0) return Fail(ErrorCode::kUndecodable, "is empty", "copy or download it again");
  if (*bytes > limits.max_bytes)
    return Fail(ErrorCode::kTooLarge, fmt::format("has {} bytes, the limit is {}", *bytes, limits.max_bytes),
                "cut it into shorter pieces", "max_bytes");
  UniqueFd stop_event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop_event)
    return Fail(ErrorCode::kInternal, fmt::format("cannot create an event: {}", std::strerror(errno)));

  auto process = static_cast<SpawningPool&>(pool).Take();
  if (!process) return tl::unexpected(process.error());
  auto stream =
      std::make_unique<DecoderStream>(std::move(*process), limits, std::move(stop), std::move(stop_event));
  if (auto begun = stream->Begin(std::move(file), *bytes, plan); !begun) return tl::unexpected(begun.error());
  return stream;
}

}  // namespace unmask
