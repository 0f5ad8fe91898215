// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"
#include "unmask/error.hpp"

namespace unmask::http {

/// Decodes %XX; with `plus_is_space` also '+'. Nothing when an escape is malformed or gives a NUL byte.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space = false);

/// "a=1&b=x%20y" to decoded pairs. A name without '=' has an empty value. kBadRequest for malformed escapes.
Result<std::vector<Parameter>> ParseQuery(std::string_view query);

/// Typed access to a request's query. Each failure is kBadRequest and names the parameter, what it accepts
/// and the value that came.
class QueryReader {
 public:
  /// `request` must outlive the reader.
  explicit QueryReader(const Request& request) : request_(request) {}

  /// Fails when a parameter that is not in `known` came, or one came twice.
  Result<void> Accepts(std::initializer_list<std::string_view> known) const;

  /// The value, or null.
  const std::string* Text(std::string_view name) const;

  /// A decimal number within [least, most]; no exponent tricks, no NaN, no trailing characters.
  Result<double> Number(std::string_view name, double least, double most, double fallback) const;
  Result<std::int64_t> Integer(std::string_view name, std::int64_t least, std::int64_t most,
                               std::int64_t fallback) const;

  /// One of `choices`; gives its index, or nothing when the parameter is absent.
  Result<std::optional<std::size_t>> Choice(std::string_view name,
                                            std::initializer_list<std::string_view> choices) const;

 private:
  const Request& request_;
};

}  // namespace unmask::http
