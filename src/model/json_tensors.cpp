// SPDX-License-Identifier: Apache-2.0
#include "model/json_tensors.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace unmask {
namespace {

using Kind = JsonValue::Kind;

constexpr std::size_t kMaxMembers = 256;  // of one object, whose names are compared one by one

/// Builds a JsonText from the parser's events. Each open list or object is a frame. The numbers of nested
/// lists lie one after another in `numbers` already, so that a list that ends only has to compare shapes.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(const JsonLimits& limits, JsonText& text) : limits_(limits), text_(text) {}

  Error error{ErrorCode::kBadRequest, "", "", ""};

  bool null() override { return Take({}); }
  bool boolean(bool value) override { return Take({.kind = Kind::kBool, .boolean = value}); }
  bool number_integer(number_integer_t value) override { return Number(static_cast<double>(value)); }
  bool number_unsigned(number_unsigned_t value) override { return Number(static_cast<double>(value)); }
  bool number_float(number_float_t value, const string_t&) override { return Number(value); }
  bool string(string_t& value) override { return Take({.kind = Kind::kString, .text = std::move(value)}); }
  bool binary(binary_t&) override { return Refuse("binary values are not JSON"); }

  bool start_object(std::size_t) override { return Open(Kind::kObject); }
  bool key(string_t& name) override {
    Frame& frame = frames_.back();
    if (frame.value.members.size() >= kMaxMembers)
      return Refuse(fmt::format("an object has more than {} members", kMaxMembers));
    if (frame.value.Find(name)) return Refuse(fmt::format("the name '{}' appears twice", name.substr(0, 64)));
    frame.value.members.push_back({.name = std::move(name), .value = {}});
    return true;
  }
  bool end_object() override { return Close(); }

  bool start_array(std::size_t) override { return Open(Kind::kNumbers); }
  bool end_array() override {
    Frame& frame = frames_.back();
    if (frame.value.kind == Kind::kNumbers) {
      frame.value.shape = {frame.children};
      frame.value.shape.insert(frame.value.shape.end(), frame.child_shape.begin(), frame.child_shape.end());
    }
    return Close();
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& e) override {
    if (e.id == 406) return Refuse("a number is too large");
    return Refuse(fmt::format("the text is not JSON: error at byte {}", position));
  }

 private:
  struct Frame {
    JsonValue value;
    std::size_t children = 0;
    std::vector<std::size_t> child_shape;  // of the lists within a list of lists of numbers
  };

  bool Refuse(std::string message, std::string hint = {}) {
    error.message = std::move(message);
    error.hint = std::move(hint);
    return false;
  }

  bool InList() const { return !frames_.empty() && frames_.back().value.kind != Kind::kObject; }

  bool Number(double value) {
    if (!InList()) return Take({.kind = Kind::kNumber, .number = value});
    Frame& frame = frames_.back();
    if (frame.value.kind == Kind::kList || !frame.child_shape.empty()) return Refuse(kMixed);
    if (text_.numbers.size() >= limits_.max_numbers)
      return Refuse(fmt::format("there are more than {} numbers", limits_.max_numbers));
    if (std::abs(value) > std::numeric_limits<float>::max())
      return Refuse(fmt::format("the number {} does not fit a 32-bit float", value));
    text_.numbers.push_back(static_cast<float>(value));
    ++frame.children;
    return true;
  }

  bool Open(Kind kind) {
    if (frames_.size() >= limits_.max_depth)
      return Refuse(fmt::format("lists and objects are nested deeper than {}", limits_.max_depth));
    JsonValue value;
    value.kind = kind;
    value.first = text_.numbers.size();
    frames_.push_back({.value = std::move(value), .children = 0, .child_shape = {}});
    return true;
  }

  bool Close() {
    JsonValue value = std::move(frames_.back().value);
    frames_.pop_back();
    return Take(std::move(value));
  }

  /// Puts a complete value into the list or object around it.
  bool Take(JsonValue value) {
    if (frames_.empty()) {
      text_.root = std::move(value);
      return true;
    }
    Frame& frame = frames_.back();
    if (value.kind == Kind::kNumbers && frame.value.kind == Kind::kNumbers)
      return TakeNumbers(frame, value.shape);
    if (++values_ > limits_.max_values)
      return Refuse(fmt::format("there are more than {} values", limits_.max_values));
    if (frame.value.kind == Kind::kObject) {
      frame.value.members.back().value = std::move(value);
      return true;
    }
    if (frame.value.kind == Kind::kNumbers && frame.children > 0) return Refuse(kMixed);
    if (value.kind == Kind::kNumbers) return Refuse(kMixed);
    frame.value.kind = Kind::kList;
    frame.value.items.push_back(std::move(value));
    return true;
  }

  bool TakeNumbers(Frame& frame, const std::vector<std::size_t>& shape) {
    if (frame.children == 0) frame.child_shape = shape;
    // Empty lists hold no number that would count: their own number counts as values.
    if (shape.back() == 0 && ++values_ > limits_.max_values)
      return Refuse(fmt::format("there are more than {} values", limits_.max_values));
    if (frame.child_shape.empty()) return Refuse(kMixed);
    if (frame.child_shape != shape)
      return Refuse(fmt::format("lists beside each other differ in length ({} and {})",
                                Written(frame.child_shape), Written(shape)),
                    "a tensor has the same number of values in each row");
    ++frame.children;
    return true;
  }

  static std::string Written(const std::vector<std::size_t>& shape) {
    return fmt::format("[{}]", fmt::join(shape, ","));
  }

  static constexpr const char* kMixed = "a list holds numbers and other things";

  const JsonLimits& limits_;
  JsonText& text_;
  std::vector<Frame> frames_;
  std::size_t values_ = 0;
};

}  // namespace

const JsonValue* JsonValue::Find(std::string_view name) const {
  for (const auto& [key, value] : members)
    if (key == name) return &value;
  return nullptr;
}

std::span<const float> JsonText::Numbers(const JsonValue& value) const {
  std::size_t count = 1;
  for (const std::size_t dimension : value.shape) count *= dimension;
  return std::span(numbers).subspan(value.first, count);
}

Result<JsonText> ParseJsonTensors(std::string_view text, const JsonLimits& limits) {
  JsonText result;
  Builder builder(limits, result);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) return tl::unexpected(builder.error);
  return result;
}

Result<std::size_t> CountOf(std::span<const std::size_t> shape, std::size_t most) {
  std::size_t count = 1;
  for (const std::size_t dimension : shape) {
    if (dimension != 0 && count > most / dimension)
      return Fail(ErrorCode::kBadRequest,
                  fmt::format("the shape [{}] has more than {} values", fmt::join(shape, ","), most));
    count *= dimension;
  }
  return count;
}

void AppendNumber(std::string& out, float value) {
  char digits[32];
  const auto written = std::to_chars(digits, digits + sizeof digits, value);
  const std::string_view text(digits, static_cast<std::size_t>(written.ptr - digits));
  out += text;
  // Clients in Python take a number without a point for an integer.
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void AppendTensor(std::string& out, std::span<const float> values, std::span<const std::size_t> shape,
                  bool whole) {
  if (shape.empty()) {
    AppendNumber(out, values.front());
    if (whole && out.ends_with(".0")) out.resize(out.size() - 2);
    return;
  }
  const std::size_t size = shape.front() == 0 ? 0 : values.size() / shape.front();
  out += '[';
  for (std::size_t i = 0; i < shape.front(); ++i) {
    if (i > 0) out += ',';
    AppendTensor(out, values.subspan(i * size, size), shape.subspan(1), whole);
  }
  out += ']';
}

void AppendString(std::string& out, std::string_view text) {
  out += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace unmask
