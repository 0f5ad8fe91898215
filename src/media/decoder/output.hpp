// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/fd.hpp"
#include "media/wire/message.hpp"
#include "media/wire/ring.hpp"

namespace unmask::decoder {

/// Thrown to give up on the file; main sends it to the parent.
struct GiveUp {
  wire::FailureReason reason;
  std::string detail;
  std::int64_t found = 0;
};

/// The decoder's side of the control socket and the ring. Ends the process quietly when the parent is gone.
class Output {
 public:
  explicit Output(int socket) : socket_(socket) {}

  /// Waits for the one job.
  wire::Job TakeJob(UniqueFd& media);

  /// Says what the media is and maps the ring that the parent sends for it. Call once, before any slot.
  void Announce(const wire::Announce& announce);

  /// What the parent picked, if it did; known once Announce() has returned.
  const FramePick& pick() const { return pick_; }

  const wire::RingLayout& layout() const { return ring_->layout(); }

  /// The pixels of a slot to fill; waits until one is free. The same one until Give.
  std::uint8_t* Slot();

  /// Hands the slot over; fills in type, slot and counters.
  void Give(wire::FrameReady ready);

  void End(bool truncated);
  void Fail(wire::FailureReason reason, std::string_view detail, std::int64_t found) noexcept;

  wire::Counters counters;

 private:
  wire::ToDecoder Receive(UniqueFd* fd);

  int socket_;
  std::optional<wire::Ring> ring_;
  std::vector<std::uint32_t> free_;
  FramePick pick_;
};

}  // namespace unmask::decoder
