// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/fd.hpp"
#include "media/media.hpp"

namespace unmask::wire {

/// What the two sides of the decoder's control socket say to each other. The socket is a SOCK_SEQPACKET pair,
/// so a message arrives whole or not at all; both sides are built together, so there is no version. Every
/// message is a plain struct that begins with its type. Whatever comes from the decoder is hostile: the
/// reader copies the bytes out, then checks every field (Parse, then frame_stream.cpp).

enum class Type : std::uint32_t {
  kJob = 1,   ///< to the decoder, with the media's descriptor
  kRing,      ///< to the decoder, with the ring's descriptor; the answer to kAnnounce
  kRelease,   ///< to the decoder: a slot may be filled again
  kAnnounce,  ///< from the decoder, first: what the media is
  kFrame,     ///< from the decoder: a slot has been filled
  kEnd,       ///< from the decoder, last: all frames have been given
  kSplit,     ///< to and from the zygote, see zygote.hpp
  kFailure,   ///< from the decoder, last: why there is nothing (more)
  kPick,      ///< to the decoder, between kAnnounce and kRing, any number of them: which frames to give
};

/// Why a decoder gives up on a file. The parent turns it into words: see failure.hpp.
enum class FailureReason : std::uint32_t {
  kUnknownKind = 1,  ///< the first bytes are of no accepted kind; detail: what it may be, or empty
  kUnknownCodec,     ///< detail: the codec's name
  kNoIndex,          ///< the container's index is missing
  kBrokenContainer,  ///< detail: the container's name
  kNoVideoStream,    ///< but perhaps others
  kNothingDecoded,   ///< video without a single frame that could be decoded
  kBrokenStill,      ///< detail: the picture's kind
  kUnknownStill,     ///< a picture in a container; detail: what the container calls its codec
  kTooManyPixels,    ///< found: pixels of one frame
  kSideTooLong,      ///< found: pixels of the longer side
  kTooManyStreams,   ///< found is 0: the demuxer stopped counting
  kTooLong,          ///< found: seconds
  kOutOfMemory,      ///< an allocation failed
  kUnreadable,       ///< the file cannot be read
  kNoSandbox,        ///< the system refused the sandbox; detail: which part
  kProtocol,         ///< the parent said something unexpected
};

struct Job {
  Type type = Type::kJob;
  SampleMode mode = SampleMode::kFps;
  double fps = 2;
  std::int64_t max_frames = 1;
  std::uint64_t bytes = 0;  ///< size of the media
  std::int64_t max_pixels = 0;
  std::int32_t max_side = 0;
  std::int32_t max_streams = 0;
  double max_duration = 0;
  std::uint32_t turn = 1;  ///< SamplePlan::turn
  std::uint32_t reserved = 0;
};

/// One part of a FramePick. Without any, no frame is picked.
struct Pick {
  static constexpr std::size_t kRoom = 60;

  Type type = Type::kPick;
  std::uint32_t count = 0;  ///< of indices in this part; 0 with a step
  std::int64_t step = 0;    ///< 0 with indices
  std::uint32_t indices[kRoom] = {};
};

struct RingOffer {
  Type type = Type::kRing;
  std::uint32_t slots = 0;
};

struct Release {
  Type type = Type::kRelease;
  std::uint32_t slot = 0;
};

struct Announce {
  Type type = Type::kAnnounce;
  std::uint32_t video = 0;
  char container[16] = {};
  char codec[16] = {};
  char decoder_version[24] = {};
  std::int32_t width = 0;
  std::int32_t height = 0;
  std::uint32_t palette = 0;  ///< MediaInfo::palette
  std::uint32_t reserved = 0;
  double duration = 0;      ///< seconds; 0 or less when unknown
  double fps = 0;           ///< 0 or less when unknown
  double used_fps = 0;      ///< of sampling
  std::int64_t frames = 0;  ///< 0 or less when unknown
};

struct Counters {
  std::int64_t frames_decoded = 0;
  std::int64_t decode_errors = 0;
};

struct FrameReady {
  Type type = Type::kFrame;
  std::uint32_t slot = 0;
  std::int64_t index = 0;
  double time = 0;
  double progress = 0;  ///< 0..1
  std::uint32_t key = 0;
  std::uint32_t reserved = 0;
  Counters counters;
};

struct End {
  Type type = Type::kEnd;
  std::uint32_t truncated = 0;
  Counters counters;
};

struct Failure {
  Type type = Type::kFailure;
  FailureReason reason = FailureReason::kBrokenContainer;
  std::int64_t found = 0;
  Counters counters;
  char detail[32] = {};
};

/// Messages of the decoder.
using FromDecoder = std::variant<Announce, FrameReady, End, Failure>;

/// Messages to the decoder.
using ToDecoder = std::variant<Job, Pick, RingOffer, Release>;

/// The message in `bytes`, or nothing when its type or length is not one of the decoder's. Accepts any bytes
/// of any alignment; field values are copied, not checked.
std::optional<FromDecoder> ParseFromDecoder(std::span<const std::byte> bytes);
std::optional<ToDecoder> ParseToDecoder(std::span<const std::byte> bytes);

/// Appends a part to the pick. False, and `pick` is of no more use, when the part makes no sense: a step that
/// is negative or comes with indices, more than FramePick::kMaxIndices in all, or indices that do not rise.
bool AddPick(const Pick& part, FramePick& pick);

/// Cuts a valid pick into parts.
std::vector<Pick> CutPick(const FramePick& pick);

/// Text out of a fixed field: ends at the first zero, and whatever is not a letter, digit, dot, dash or
/// underscore becomes '?'.
std::string Text(std::span<const char> field);

/// Puts text into a fixed field, cut to fit with a zero after it.
void SetText(std::span<char> field, std::string_view text);

/// No message is longer.
inline constexpr std::size_t kMaxMessage = 256;

/// Sends one message, with at most one descriptor. False when the other side is gone.
bool SendBytes(int socket, std::span<const std::byte> bytes, int fd, bool wait);

template <typename M>
bool Send(int socket, const M& message, int fd = -1, bool wait = true) {
  static_assert(std::is_trivially_copyable_v<M> && sizeof(M) <= kMaxMessage);
  return SendBytes(socket, std::as_bytes(std::span(&message, 1)), fd, wait);
}

/// One received packet.
struct Packet {
  enum class State { kMessage, kNothingYet, kClosed };
  State state = State::kClosed;
  std::byte bytes[kMaxMessage];
  std::size_t size = 0;
  UniqueFd fd;  ///< that came with it

  std::span<const std::byte> content() const { return {bytes, size}; }
};

/// Receives one packet; with `wait`, blocks for it. Closes descriptors beyond the first. A packet that is too
/// long comes as one of size 0, which no parser accepts.
Packet Receive(int socket, bool wait);

}  // namespace unmask::wire
