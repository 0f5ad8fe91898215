// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unmask/error.hpp"

namespace unmask {

/// Bounds on a JSON text from a stranger. Depth and pieces bound what is built beside the numbers.
struct JsonLimits {
  std::size_t max_numbers = 1 << 20;  ///< in lists; each costs four bytes
  std::size_t max_values = 1 << 16;   ///< everything else: strings, members, lists that hold no numbers
  std::size_t max_depth = 16;         ///< of lists and objects within each other
};

/// One value of a JSON text whose lists of numbers, which may be tensors of a million values, are kept as
/// tensors: a list of numbers, or of such lists of one shape, is kNumbers.
struct JsonMember;
struct JsonValue {
  enum class Kind { kNull, kBool, kNumber, kString, kObject, kList, kNumbers };
  Kind kind = Kind::kNull;
  bool boolean = false;
  double number = 0;  ///< finite
  std::string text;
  std::vector<JsonMember> members;  ///< of kObject, each name once
  std::vector<JsonValue> items;     ///< of kList
  std::vector<std::size_t> shape;   ///< of kNumbers; an empty list is [0]
  std::size_t first = 0;            ///< of kNumbers: index in JsonText::numbers

  /// The member of that name; null when there is none or this is no object.
  const JsonValue* Find(std::string_view name) const;
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

struct JsonText {
  JsonValue root;
  std::vector<float> numbers;  ///< of all lists, in the order of the text

  /// The values of a kNumbers, row by row.
  std::span<const float> Numbers(const JsonValue& value) const;
};

/// Parses strictly (RFC 8259, so neither NaN nor Infinity), without recursion and in one pass; memory is
/// bounded by the limits and the text's length. kBadRequest names the place or the limit: no JSON, a number
/// that does not fit float32, lists of unequal lengths, a list of numbers and other things, a name that
/// appears twice.
Result<JsonText> ParseJsonTensors(std::string_view text, const JsonLimits& limits);

/// The product of a tensor's dimensions; kBadRequest when it exceeds `most`. Never overflows.
Result<std::size_t> CountOf(std::span<const std::size_t> shape, std::size_t most);

/// Appends the shortest decimal that reads back as the same float32. `value` is finite.
void AppendNumber(std::string& out, float value);

/// Appends nested lists of `values` in `shape`; a shape of no dimensions is one number. `whole`: the values
/// are whole numbers and are written as such.
void AppendTensor(std::string& out, std::span<const float> values, std::span<const std::size_t> shape,
                  bool whole = false);

/// Appends a JSON string. Bytes that are not UTF-8 become U+FFFD.
void AppendString(std::string& out, std::string_view text);

}  // namespace unmask
