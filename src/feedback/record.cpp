// SPDX-License-Identifier: Apache-2.0
#include "feedback/record.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace unmask {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kSchema = "unmask.feedback/1";
constexpr Verdict kVerdicts[] = {Verdict::kManipulated, Verdict::kNoManipulationFound,
                                 Verdict::kInconclusive};

tl::unexpected<Error> Refuse(std::string message) {
  return Fail(ErrorCode::kBadRequest, std::move(message), "see /docs for what this request takes");
}

Result<std::string> Text(std::string_view name, const Json& value) {
  if (!value.is_string() || value.get_ref<const std::string&>().size() > FeedbackWish::kMaxNote)
    return Refuse(fmt::format("{} must be a text of at most {} bytes", name, FeedbackWish::kMaxNote));
  return value.get<std::string>();
}

/// Text for people, and a link that a browser may open: not a script.
bool IsWebAddress(const std::string& url) {
  return (url.starts_with("https://") || url.starts_with("http://")) &&
         std::all_of(url.begin(), url.end(), [](unsigned char c) { return c > ' ' && c != 0x7F; });
}

Result<void> Read(const std::string& key, const Json& value, FeedbackWish& wish) {
  if (key == "label") {
    const auto label =
        value.is_string() ? ParseFeedbackLabel(value.get_ref<const std::string&>()) : std::nullopt;
    if (!label) return Refuse("label must be real, fake or unsure");
    wish.label = *label;
  } else if (key == "track") {
    if (!value.is_number_integer() || value < 1 || value > 2147483647)
      return Refuse("track must be the id of one of the report's tracks, a whole number from 1 on");
    wish.track = value.get<int>();
  } else if (key == "note") {
    auto text = Text(key, value);
    if (!text) return tl::unexpected(text.error());
    wish.note = std::move(*text);
  } else if (key == "evidence_url") {
    auto text = Text(key, value);
    if (!text) return tl::unexpected(text.error());
    if (!text->empty() && !IsWebAddress(*text))
      return Refuse("evidence_url must begin with https:// or http:// and hold no spaces");
    wish.evidence_url = std::move(*text);
  } else if (key == "keep_faces") {
    if (!value.is_boolean()) return Refuse("keep_faces must be true or false");
    wish.keep_faces = value.get<bool>();
  } else {
    return Refuse(fmt::format("unknown member '{}'", key));
  }
  return {};
}

/// Ids become names of folders, so a damaged line must not lead elsewhere.
bool IsAnalysisId(const std::string& id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-';
  });
}

template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

template <typename T>
std::optional<T> MaybeOf(const Json& json, const char* key) {
  const Json& value = json.at(key);
  return value.is_null() ? std::nullopt : std::optional<T>(value.get<T>());
}

}  // namespace

std::string_view FeedbackLabelName(FeedbackLabel label) {
  switch (label) {
    case FeedbackLabel::kAuthentic:
      return "real";
    case FeedbackLabel::kManipulated:
      return "fake";
    case FeedbackLabel::kUnsure:
      return "unsure";
  }
  return "unsure";
}

std::optional<FeedbackLabel> ParseFeedbackLabel(std::string_view name) {
  for (const auto label : {FeedbackLabel::kAuthentic, FeedbackLabel::kManipulated, FeedbackLabel::kUnsure})
    if (FeedbackLabelName(label) == name) return label;
  return std::nullopt;
}

std::optional<bool> Agrees(FeedbackLabel label, Verdict verdict) {
  if (label == FeedbackLabel::kUnsure || verdict == Verdict::kInconclusive) return std::nullopt;
  return (label == FeedbackLabel::kManipulated) == (verdict == Verdict::kManipulated);
}

Result<FeedbackWish> ReadFeedbackWish(std::string_view json) {
  const Json object = Json::parse(json, nullptr, false);
  if (!object.is_object()) return Refuse("the body is not a JSON object");
  if (!object.contains("label")) return Refuse("label is missing (expected real, fake or unsure)");
  FeedbackWish wish;
  for (const auto& [key, value] : object.items()) {
    if (value.is_null() && key != "label") continue;
    if (auto read = Read(key, value, wish); !read) return tl::unexpected(read.error());
  }
  return wish;
}

std::string ToLine(const FeedbackRecord& record) {
  const FeedbackWish& wish = record.wish;
  const Json json = {
      {"schema", kSchema},
      {"id", record.id},
      {"time", record.time},
      {"analysis", record.analysis},
      {"label", FeedbackLabelName(wish.label)},
      {"track", OrNull(wish.track)},
      {"note", wish.note},
      {"evidence_url", wish.evidence_url},
      {"keep_faces", OrNull(wish.keep_faces)},
      {"faces", record.faces},
      {"media",
       {{"name", record.name},
        {"sha256", record.sha256},
        {"kind", record.kind == MediaKind::kVideo ? "video" : "image"},
        {"width", record.width},
        {"height", record.height},
        {"duration", OrNull(record.duration)}}},
      {"verdict", VerdictName(record.verdict)},
      {"score", OrNull(record.score)},
      {"model",
       {{"name", record.model.name}, {"version", record.model.version}, {"sha256", record.model.sha256}}}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<FeedbackRecord> ReadLine(std::string_view line) {
  try {
    const Json json = Json::parse(line);
    if (json.at("schema") != kSchema) throw std::runtime_error(fmt::format("schema must be {}", kSchema));
    const auto label = ParseFeedbackLabel(json.at("label").get<std::string>());
    if (!label) throw std::runtime_error("label is none");
    const Json& media = json.at("media");
    const Json& model = json.at("model");
    FeedbackRecord record{
        .id = json.at("id"),
        .time = json.at("time"),
        .analysis = json.at("analysis"),
        .wish = {.label = *label,
                 .track = MaybeOf<int>(json, "track"),
                 .note = json.at("note"),
                 .evidence_url = json.at("evidence_url"),
                 .keep_faces = MaybeOf<bool>(json, "keep_faces")},
        .name = media.at("name"),
        .sha256 = media.at("sha256"),
        .kind = media.at("kind") == "video" ? MediaKind::kVideo : MediaKind::kImage,
        .width = media.at("width"),
        .height = media.at("height"),
        .duration = MaybeOf<double>(media, "duration"),
        .score = MaybeOf<double>(json, "score"),
        .model = {.name = model.at("name"), .version = model.at("version"), .sha256 = model.at("sha256")},
        .faces = json.at("faces")};
    for (const Verdict verdict : kVerdicts)
      if (json.at("verdict") == VerdictName(verdict)) record.verdict = verdict;
    const auto is_hex = [](unsigned char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (record.sha256.size() != 64 || !std::all_of(record.sha256.begin(), record.sha256.end(), is_hex))
      throw std::runtime_error("media.sha256 is none");
    if (!IsAnalysisId(record.analysis)) throw std::runtime_error("analysis is no id");
    return record;
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kBadRequest, fmt::format("is no feedback: {}", e.what()));
  }
}

}  // namespace unmask
