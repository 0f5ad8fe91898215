// SPDX-License-Identifier: Apache-2.0
#include "compat/rate_limit/client_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include <fmt/format.h>

namespace unmask::compat {
namespace {

constexpr IpAddress kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t kMappedBytes = 12;
constexpr int kMappedBits = 96;
constexpr std::size_t kMaxHops = 64;  // of X-Forwarded-For that are looked at

bool IsMapped(const IpAddress& address) {
  return std::equal(address.begin(), address.begin() + kMappedBytes, kMapped.begin());
}

std::string_view Trim(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  text.remove_suffix(text.size() - (text.find_last_not_of(" \t") + 1));
  return text;
}

/// "1.2.3.4:5" and "[::1]:5" without the port.
std::string_view WithoutPort(std::string_view entry) {
  if (entry.starts_with('[')) {
    const auto end = entry.find(']');
    return end == std::string_view::npos ? entry : entry.substr(1, end - 1);
  }
  if (std::count(entry.begin(), entry.end(), ':') == 1) return entry.substr(0, entry.find(':'));
  return entry;
}

/// The entries of all X-Forwarded-For fields, from the right.
std::vector<std::string_view> Hops(const http::Request& request) {
  std::vector<std::string_view> hops;
  for (const auto& [name, value] : request.headers) {
    if (!http::EqualsIgnoreCase(name, "X-Forwarded-For")) continue;
    for (std::string_view rest = value;;) {
      const auto comma = std::min(rest.find(','), rest.size());
      hops.push_back(Trim(rest.substr(0, comma)));
      if (comma == rest.size()) break;
      rest.remove_prefix(comma + 1);
    }
  }
  std::reverse(hops.begin(), hops.end());
  if (hops.size() > kMaxHops) hops.resize(kMaxHops);
  return hops;
}

}  // namespace

std::optional<IpAddress> ParseIp(std::string_view text) {
  const std::string terminated(text);
  IpAddress address = kMapped;
  if (::inet_pton(AF_INET, terminated.c_str(), address.data() + kMappedBytes) == 1) return address;
  if (::inet_pton(AF_INET6, terminated.c_str(), address.data()) == 1) return address;
  return std::nullopt;
}

std::string FormatIp(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (IsMapped(address))
    ::inet_ntop(AF_INET, address.data() + kMappedBytes, text, sizeof text);
  else
    ::inet_ntop(AF_INET6, address.data(), text, sizeof text);
  return text;
}

bool Cidr::Contains(const IpAddress& other) const {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole), other.begin()))
    return false;
  const int rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
  return (address[whole] & mask) == (other[whole] & mask);
}

Result<Cidr> ParseCidr(std::string_view text) {
  const auto slash = std::min(text.find('/'), text.size());
  const auto address = ParseIp(text.substr(0, slash));
  const auto wrong = [&] {
    return Fail(ErrorCode::kBadRequest,
                fmt::format("expected an address or a network such as 10.0.0.0/8, found '{}'", text));
  };
  if (!address) return wrong();
  Cidr cidr{.address = *address};
  if (slash == text.size()) return cidr;
  const bool v4 = text.substr(0, slash).find(':') == std::string_view::npos;
  const auto number = text.substr(slash + 1);
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), cidr.bits);
  if (parsed.ec != std::errc() || parsed.ptr != number.data() + number.size() || cidr.bits < 0 ||
      cidr.bits > (v4 ? 32 : 128))
    return wrong();
  if (v4) cidr.bits += kMappedBits;
  return cidr;
}

std::string ClientAddress(const http::Request& request, std::span<const Cidr> trusted_proxies) {
  const auto is_trusted = [&](const IpAddress& address) {
    return std::any_of(trusted_proxies.begin(), trusted_proxies.end(),
                       [&](const Cidr& cidr) { return cidr.Contains(address); });
  };
  const auto peer = ParseIp(request.client);
  if (!peer) return request.client;
  IpAddress client = *peer;
  if (!is_trusted(client)) return FormatIp(client);
  for (const auto hop : Hops(request)) {
    const auto address = ParseIp(WithoutPort(hop));
    if (!address) break;
    client = *address;
    if (!is_trusted(client)) break;
  }
  return FormatIp(client);
}

}  // namespace unmask::compat
