// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/message.hpp"
#include "unmask/error.hpp"

namespace unmask::compat {

/// An IPv4 or IPv6 address; IPv4 in the form ::ffff:a.b.c.d.
using IpAddress = std::array<std::uint8_t, 16>;

/// "192.0.2.1" or "2001:db8::1"; nothing otherwise.
std::optional<IpAddress> ParseIp(std::string_view text);

/// As it is usually written; IPv4 without the prefix.
std::string FormatIp(const IpAddress& address);

/// A network: an address and how many of its leading bits count.
struct Cidr {
  IpAddress address{};
  int bits = 128;

  bool Contains(const IpAddress& other) const;
};

/// "10.0.0.0/8", "fd00::/8", or one address. kBadRequest otherwise.
Result<Cidr> ParseCidr(std::string_view text);

/// Who sent a request. The peer of the connection; where that is a trusted proxy, the right-most address of
/// X-Forwarded-For that is none: what stands left of it the client may have written itself. An entry that is
/// no address ends the search at the one right of it. Entries may carry a port.
std::string ClientAddress(const http::Request& request, std::span<const Cidr> trusted_proxies);

}  // namespace unmask::compat
