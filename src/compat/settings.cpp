// SPDX-License-Identifier: Apache-2.0
#include "compat/settings.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file.hpp"
#include "base/log.hpp"
#include "compat/python.hpp"

namespace unmask::compat {
namespace {

constexpr std::uint64_t kMaxEnvFile = 1 << 20;

constexpr std::array<std::string_view, 15> kNames{
    "PORT",       "MODEL_NAME", "MODEL_VERSION",   "TF_SERVING_URL",   "DEFAULT_FPS",
    "MAX_FRAMES", "THRESHOLD",  "REQUEST_TIMEOUT", "REQUIRE_AUTH",     "JWT_SECRET",
    "MODEL_PATH", "LABEL_PATH", "MESONET_LABELS",  "MESONET_CHANNELS", "FACE_DETECTION_MODELS"};

std::string_view Trim(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r"), text.size()));
  text.remove_suffix(text.size() - (text.find_last_not_of(" \t\r") + 1));
  return text;
}

bool IsName(std::string_view text) {
  return !text.empty() && !(text.front() >= '0' && text.front() <= '9') &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

/// "value" with its escapes, 'value' as it is, or a bare word that ends before " #".
std::optional<std::string> ReadValue(std::string_view text) {
  text = Trim(text);
  if (text.empty() || text.front() == '#') return "";
  const char quote = text.front();
  if (quote != '"' && quote != '\'') {
    const auto comment = std::min(text.find(" #"), text.size());
    return std::string(Trim(text.substr(0, comment)));
  }
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == quote) {
      const auto rest = Trim(text.substr(i + 1));
      if (!rest.empty() && rest.front() != '#') return std::nullopt;
      return value;
    }
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == quote || text[i + 1] == '\\')) {
      value += text[++i];
    } else if (text[i] == '\\' && quote == '"' && i + 1 < text.size() && text[i + 1] == 'n') {
      value += '\n';
      ++i;
    } else {
      value += text[i];
    }
  }
  return std::nullopt;
}

/// Looks values up and remembers the first that makes no sense.
class Reader {
 public:
  Reader(const Environment& environment, const std::map<std::string, std::string>& file)
      : environment_(environment), file_(file) {}

  void Text(const char* name, std::string& target) {
    if (auto value = Find(name)) target = std::move(*value);
  }
  void Number(const char* name, double& target, double least, double most) {
    const auto value = Find(name);
    if (!value) return;
    const auto number = ParsePythonFloat(*value);
    if (!number || !(*number >= least && *number <= most))
      return Refuse(name, fmt::format("a number from {} to {}", least, most), *value);
    target = *number;
  }
  std::optional<int> Whole(const char* name, int least, int most) {
    const auto value = Find(name);
    if (!value) return std::nullopt;
    const auto number = ParsePythonInt(*value);
    if (number && *number >= least && *number <= most) return static_cast<int>(*number);
    Refuse(name, fmt::format("a whole number from {} to {}", least, most), *value);
    return std::nullopt;
  }
  /// The index of the value; 0 when it is unset.
  std::size_t Choice(const char* name, std::initializer_list<std::string_view> choices) {
    const auto value = Find(name);
    if (!value) return 0;
    const auto found = std::find(choices.begin(), choices.end(), Trim(*value));
    if (found == choices.end()) Refuse(name, fmt::format("one of {}", fmt::join(choices, ", ")), *value);
    return found == choices.end() ? 0 : static_cast<std::size_t>(found - choices.begin());
  }
  void Flag(const char* name, bool& target) {
    const auto value = Find(name);
    if (!value) return;
    for (const char* word : {"true", "1", "yes", "on", "t", "y"})
      if (http::EqualsIgnoreCase(Trim(*value), word)) return static_cast<void>(target = true);
    for (const char* word : {"false", "0", "no", "off", "f", "n"})
      if (http::EqualsIgnoreCase(Trim(*value), word)) return static_cast<void>(target = false);
    Refuse(name, "true or false", *value);
  }

  const std::optional<Error>& error() const { return error_; }

 private:
  std::optional<std::string> Find(const char* name) const {
    if (auto value = environment_(name)) return value;
    const auto found = file_.find(name);
    if (found == file_.end()) return std::nullopt;
    return found->second;
  }
  void Refuse(const char* name, const std::string& expected, const std::string& value) {
    if (!error_)
      error_ =
          Error{ErrorCode::kBadRequest, fmt::format("{}: expected {}, found '{}'", name, expected, value),
                "it is a variable of the environment or of the file of --env-file", ""};
  }

  const Environment& environment_;
  const std::map<std::string, std::string>& file_;
  std::optional<Error> error_;
};

}  // namespace

bool IsContractVariable(std::string_view name) {
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

Result<std::map<std::string, std::string>> ParseEnvFile(std::string_view text) {
  std::map<std::string, std::string> values;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with("export ")) line = Trim(line.substr(7));
    if (line.empty() || line.front() == '#') continue;
    const auto equals = line.find('=');
    const auto name = Trim(line.substr(0, equals));
    auto value = equals == std::string_view::npos ? std::nullopt : ReadValue(line.substr(equals + 1));
    if (!IsName(name) || !value)
      return Fail(ErrorCode::kBadRequest,
                  fmt::format("line {}: expected NAME=value, found '{}'", number, line));
    values[std::string(name)] = std::move(*value);
  }
  return values;
}

Result<ContractSettings> ReadContractSettings(const Environment& environment,
                                              const std::filesystem::path& file) {
  std::map<std::string, std::string> values;
  if (!file.empty()) {
    const auto text = ReadSmallFile(file, kMaxEnvFile);
    if (!text) return Fail(text.error().code, fmt::format("{}: {}", file.string(), text.error().message));
    auto parsed = ParseEnvFile(*text);
    if (!parsed)
      return Fail(ErrorCode::kBadRequest, fmt::format("{}: {}", file.string(), parsed.error().message));
    values = std::move(*parsed);
    // The original refuses to start; but such a file is often shared with other programs.
    for (const auto& [name, value] : values)
      if (!IsContractVariable(name))
        LogWarning("{}: {} is none of the contracts' settings and changes nothing", file.string(), name);
  }

  ContractSettings settings;
  Reader reader(environment, values);
  settings.port = reader.Whole("PORT", 0, 65535);
  reader.Text("MODEL_NAME", settings.model_name);
  reader.Text("MODEL_VERSION", settings.model_version);
  reader.Text("TF_SERVING_URL", settings.tf_serving_url);
  reader.Number("DEFAULT_FPS", settings.default_fps, 0, 1000);
  if (const auto frames = reader.Whole("MAX_FRAMES", 1, 4096)) settings.max_frames = *frames;
  reader.Number("THRESHOLD", settings.threshold, 0, 1);
  reader.Number("REQUEST_TIMEOUT", settings.request_timeout, 0.001, 3600);
  reader.Flag("REQUIRE_AUTH", settings.require_auth);
  reader.Text("JWT_SECRET", settings.jwt_secret);
  reader.Text("MODEL_PATH", settings.model_path);
  reader.Text("LABEL_PATH", settings.label_path);
  settings.mesonet_readme_labels = reader.Choice("MESONET_LABELS", {"code", "readme"}) == 1;
  settings.mesonet_bgr = reader.Choice("MESONET_CHANNELS", {"rgb", "bgr"}) == 1;
  reader.Text("FACE_DETECTION_MODELS", settings.face_detection_models);
  if (reader.error()) return tl::unexpected(*reader.error());
  return settings;
}

}  // namespace unmask::compat
