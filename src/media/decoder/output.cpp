// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/output.hpp"

#include <unistd.h>

namespace unmask::decoder {

using wire::FailureReason;

wire::ToDecoder Output::Receive(UniqueFd* fd) {
  wire::Packet packet = wire::Receive(socket_, true);
  if (packet.state != wire::Packet::State::kMessage) ::_exit(0);
  auto message = wire::ParseToDecoder(packet.content());
  if (!message) throw GiveUp{FailureReason::kProtocol, {}};
  if (fd) *fd = std::move(packet.fd);
  return *message;
}

wire::Job Output::TakeJob(UniqueFd& media) {
  const auto message = Receive(&media);
  const auto* job = std::get_if<wire::Job>(&message);
  if (!job || !media) throw GiveUp{FailureReason::kProtocol, {}};
  return *job;
}

void Output::Announce(const wire::Announce& announce) {
  if (!wire::Send(socket_, announce)) ::_exit(0);
  UniqueFd memory;
  auto message = Receive(&memory);
  while (const auto* part = std::get_if<wire::Pick>(&message)) {
    if (memory || !wire::AddPick(*part, pick_)) throw GiveUp{FailureReason::kProtocol, {}};
    message = Receive(&memory);
  }
  const auto* offer = std::get_if<wire::RingOffer>(&message);
  if (!offer || !memory) throw GiveUp{FailureReason::kProtocol, {}};
  const auto layout = wire::LayOutRing(announce.width, announce.height, static_cast<int>(offer->slots));
  if (!layout) throw GiveUp{FailureReason::kProtocol, {}};
  auto ring = wire::Ring::Attach(std::move(memory), *layout);
  if (!ring) throw GiveUp{FailureReason::kOutOfMemory, {}};
  ring->CloseFd();
  ring_.emplace(std::move(*ring));
  for (std::uint32_t slot = offer->slots; slot > 0; --slot) free_.push_back(slot - 1);
}

std::uint8_t* Output::Slot() {
  while (free_.empty()) {
    const auto message = Receive(nullptr);
    const auto* release = std::get_if<wire::Release>(&message);
    if (!release) throw GiveUp{FailureReason::kProtocol, {}};
    free_.push_back(release->slot);
  }
  return ring_->slot(free_.back());
}

void Output::Give(wire::FrameReady ready) {
  ready.slot = free_.back();
  ready.counters = counters;
  free_.pop_back();
  if (!wire::Send(socket_, ready)) ::_exit(0);
}

void Output::End(bool truncated) {
  wire::Send(socket_, wire::End{.truncated = truncated, .counters = counters});
}

void Output::Fail(FailureReason reason, std::string_view detail, std::int64_t found) noexcept {
  wire::Failure failure;
  failure.reason = reason;
  failure.found = found;
  failure.counters = counters;
  wire::SetText(failure.detail, detail);
  wire::Send(socket_, failure);
}

}  // namespace unmask::decoder
