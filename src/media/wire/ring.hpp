// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/fd.hpp"
#include "unmask/error.hpp"

namespace unmask::wire {

/// Where the pixels of frame slots lie in the shared memory. Both sides compute it from the frame's size, so
/// no offset ever crosses the wire.
struct RingLayout {
  int width = 0;
  int height = 0;
  int slots = 0;
  std::size_t stride = 0;      ///< bytes of a row: whole cache lines, so that rows start aligned
  std::size_t slot_bytes = 0;  ///< whole pages
  std::size_t total() const { return slot_bytes * static_cast<std::size_t>(slots); }
};

/// For frames of 1..65535 pixels a side in 3 bytes a pixel; nothing for other sizes.
std::optional<RingLayout> LayOutRing(int width, int height, int slots);

/// The mapped memory of the slots.
class Ring {
 public:
  /// A fresh one, all zero, sealed so that nobody can resize it: reading it can never fault.
  static Result<Ring> Create(const RingLayout& layout);

  /// Maps one that the other side created. Fails when it is smaller than the layout needs.
  static Result<Ring> Attach(UniqueFd fd, const RingLayout& layout);

  Ring(Ring&& other) noexcept;
  Ring& operator=(Ring&& other) = delete;
  ~Ring();

  const RingLayout& layout() const { return layout_; }
  int fd() const { return fd_.get(); }

  /// The descriptor is no longer needed once both sides have mapped.
  void CloseFd() { fd_.reset(); }

  std::uint8_t* slot(std::uint32_t index) const { return base_ + index * layout_.slot_bytes; }

 private:
  Ring(UniqueFd fd, const RingLayout& layout, std::uint8_t* base)
      : fd_(std::move(fd)), layout_(layout), base_(base) {}
  UniqueFd fd_;
  RingLayout layout_;
  std::uint8_t* base_ = nullptr;
};

}  // namespace unmask::wire
