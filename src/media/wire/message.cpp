// SPDX-License-Identifier: Apache-2.0
#include "media/wire/message.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace unmask::wire {
namespace {

template <typename Variant, typename M>
bool TryParse(std::span<const std::byte> bytes, Type type, std::optional<Variant>& out) {
  static_assert(std::is_trivially_copyable_v<M> && std::is_standard_layout_v<M>);
  if (type != M{}.type || bytes.size() != sizeof(M)) return false;
  M message;
  std::memcpy(static_cast<void*>(&message), bytes.data(), sizeof message);
  out = message;
  return true;
}

template <typename... M>
std::optional<std::variant<M...>> ParseAs(std::span<const std::byte> bytes) {
  Type type{};
  if (bytes.size() < sizeof type) return {};
  std::memcpy(&type, bytes.data(), sizeof type);
  std::optional<std::variant<M...>> message;
  (TryParse<std::variant<M...>, M>(bytes, type, message) || ...);
  return message;
}

}  // namespace

std::optional<FromDecoder> ParseFromDecoder(std::span<const std::byte> bytes) {
  return ParseAs<Announce, FrameReady, End, Failure>(bytes);
}

std::optional<ToDecoder> ParseToDecoder(std::span<const std::byte> bytes) {
  return ParseAs<Job, Pick, RingOffer, Release>(bytes);
}

bool AddPick(const Pick& part, FramePick& pick) {
  if (part.step != 0) {
    if (part.step < 0 || part.count != 0 || pick.step != 0 || !pick.indices.empty()) return false;
    pick.step = part.step;
    return true;
  }
  if (part.count == 0 || part.count > Pick::kRoom || pick.step != 0) return false;
  if (pick.indices.size() + part.count > FramePick::kMaxIndices) return false;
  for (std::uint32_t i = 0; i < part.count; ++i) {
    if (!pick.indices.empty() && part.indices[i] <= pick.indices.back()) return false;
    pick.indices.push_back(part.indices[i]);
  }
  return true;
}

std::vector<Pick> CutPick(const FramePick& pick) {
  if (pick.step > 0) return {Pick{.step = pick.step}};
  std::vector<Pick> parts;
  for (std::size_t i = 0; i < pick.indices.size(); ++i) {
    if (i % Pick::kRoom == 0) parts.emplace_back();
    Pick& part = parts.back();
    part.indices[part.count++] = static_cast<std::uint32_t>(pick.indices[i]);
  }
  return parts;
}

std::string Text(std::span<const char> field) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  std::string text(field.begin(), std::find(field.begin(), field.end(), '\0'));
  std::replace_if(
      text.begin(), text.end(), [&](char c) { return !allowed(c); }, '?');
  return text;
}

void SetText(std::span<char> field, std::string_view text) {
  const std::size_t length = std::min(text.size(), field.size() - 1);
  std::copy_n(text.begin(), length, field.begin());
  std::fill(field.begin() + static_cast<std::ptrdiff_t>(length), field.end(), '\0');
}

bool SendBytes(int socket, std::span<const std::byte> bytes, int fd, bool wait) {
  iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (fd >= 0) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  }
  for (;;) {
    const ssize_t sent = ::sendmsg(socket, &header, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
    if (sent == static_cast<ssize_t>(bytes.size())) return true;
    if (sent >= 0 || errno != EINTR) return false;
  }
}

Packet Receive(int socket, bool wait) {
  Packet packet;
  iovec part{packet.bytes, sizeof packet.bytes};
  // Room for a few descriptors, so that surplus ones are seen and closed here.
  alignas(cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))];
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  ssize_t size = -1;
  // When the other side has hung up, its last messages may still wait here behind an answer that says so: one
  // ECONNRESET when it left something unread, or one zero when it went during a call that does not wait.
  for (int hung_up = 0; hung_up < 3;) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    size = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
    if (size == 0 || (size < 0 && errno == ECONNRESET)) {
      ++hung_up;
    } else if (size > 0 || errno != EINTR) {
      break;
    }
  }
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    packet.state = Packet::State::kNothingYet;
    return packet;
  }
  if (size < 0) return packet;
  for (cmsghdr* part_header = CMSG_FIRSTHDR(&header); part_header;
       part_header = CMSG_NXTHDR(&header, part_header)) {
    if (part_header->cmsg_level != SOL_SOCKET || part_header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part_header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part_header) + i * sizeof fd, sizeof fd);
      UniqueFd owned(fd);
      if (!packet.fd) packet.fd = std::move(owned);
    }
  }
  if (size == 0) return packet;
  packet.state = Packet::State::kMessage;
  packet.size = (header.msg_flags & MSG_TRUNC) ? 0 : static_cast<std::size_t>(size);
  return packet;
}

}  // namespace unmask::wire
