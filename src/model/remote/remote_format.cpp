// SPDX-License-Identifier: Apache-2.0
#include "model/remote/remote_format.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace unmask {
namespace {

constexpr std::size_t kShownBytes = 200;

}  // namespace

std::string RemoteWords(std::string_view body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  std::string words(body.substr(0, kShownBytes));
  if (json.is_object() && json.contains("error") && json["error"].is_string())
    words = json["error"].get<std::string>().substr(0, kShownBytes);
  for (char& c : words)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  return words;
}

Result<void> CheckRemoteShape(const RemoteInput& input, const std::vector<std::size_t>& shape) {
  bool fits = input.shape.size() == shape.size();
  for (std::size_t i = 0; fits && i < shape.size(); ++i)
    fits = input.shape[i] < 0 || static_cast<std::size_t>(input.shape[i]) == shape[i];
  if (fits) return {};
  return Fail(ErrorCode::kBadRequest,
              fmt::format("the remote engine takes inputs of the shape [{}] (the model card makes [{}])",
                          fmt::join(input.shape, ","), fmt::join(shape, ",")),
              "name another model in model.json's engine, or mend the card's input");
}

}  // namespace unmask
