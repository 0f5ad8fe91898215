// SPDX-License-Identifier: Apache-2.0
#include "extract/face_set.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <functional>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/version.hpp"
#include "extract/names.hpp"
#include "extract/tar.hpp"
#include "render/csv_cells.hpp"
#include "render/round.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr auto kSchema = "unmask.faces/1";
constexpr auto kSettingsFile = "extract.json";
constexpr auto kFacesFile = "faces.csv";
constexpr auto kSourcesFile = "sources.csv";
constexpr auto kArchiveFile = "faces.tar";
constexpr std::size_t kPathColumn = 1;  // of faces.csv

/// The columns of sources.csv. The first ones need no quotes, so that they are easy to read back.
enum SourceColumn { kSha256, kLabel, kSplit, kFaces, kRowsEnd, kCropsEnd, kPlainColumns };

std::string SourceCsvHeader() {
  return CsvLine({"sha256", "label", "split", "faces", "faces_csv_bytes", "archive_bytes", "kind", "width",
                  "height", "duration", "frames", "faces_found", "decode_errors", "truncated", "group",
                  "source"});
}

std::string SourceCsvRow(const SourceFacts& facts, const CutSource& source, std::uint64_t rows_end,
                         std::uint64_t crops_end) {
  return CsvLine({facts.sha256, facts.label, facts.split, fmt::format("{}", source.faces.size()),
                  fmt::format("{}", rows_end), fmt::format("{}", crops_end),
                  source.info.kind == MediaKind::kVideo ? "video" : "image",
                  fmt::format("{}", source.info.width), fmt::format("{}", source.info.height),
                  source.info.duration ? CsvNumber(RoundTime(*source.info.duration)) : "",
                  fmt::format("{}", source.summary.frames_sampled), fmt::format("{}", source.faces_found),
                  fmt::format("{}", source.summary.decode_errors), source.summary.truncated ? "1" : "0",
                  CsvText(facts.group), CsvText(facts.name)});
}

/// The first cells of a line that has no quotes in them.
std::vector<std::string> PlainCells(const std::string& line, std::size_t count) {
  std::vector<std::string> cells;
  for (std::size_t at = 0; cells.size() < count && at <= line.size();) {
    const std::size_t end = std::min(line.find(',', at), line.size());
    cells.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  cells.resize(count);
  return cells;
}

/// Calls `use` with each line that has its end, without that, and where the next one begins.
void ForEachLine(const fs::path& file, std::uint64_t from,
                 const std::function<bool(std::string line, std::uint64_t end)>& use) {
  std::ifstream stream(file, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(from));
  std::uint64_t at = from;
  for (std::string line; std::getline(stream, line) && !stream.eof();) {
    at += line.size() + 1;
    if (line.ends_with('\r')) line.pop_back();
    if (!use(std::move(line), at)) return;
  }
}

std::optional<std::uint64_t> Whole(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// SPLIT/LABEL/FILE and nothing that leads elsewhere.
bool IsFacePath(const std::string& path) {
  const fs::path parts(path);
  return std::distance(parts.begin(), parts.end()) == 3 &&
         std::none_of(parts.begin(), parts.end(), [](const fs::path& part) {
           return part.empty() || part.native().starts_with('.') || part.native().starts_with('/');
         });
}

/// Removes the pictures that faces.csv names from `from` on, and folders that become empty.
void RemoveFaces(const fs::path& folder, std::uint64_t from) {
  ForEachLine(folder / kFacesFile, from, [&](const std::string& line, std::uint64_t) {
    const std::string path = PlainCells(line, kPathColumn + 1)[kPathColumn];
    if (!IsFacePath(path)) return true;
    std::error_code ignored;
    const fs::path file = folder / path;
    fs::remove(file, ignored);
    if (fs::remove(file.parent_path(), ignored)) fs::remove(file.parent_path().parent_path(), ignored);
    return true;
  });
}

bool IsEmpty(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_empty(folder, ignored);
}

std::optional<Json> ReadSettings(const fs::path& folder) {
  const auto text = ReadSmallFile(folder / kSettingsFile);
  if (!text) return std::nullopt;
  const Json json = Json::parse(*text, nullptr, false);
  if (!json.is_object() || json.value("schema", Json()) != kSchema || !json.contains("options"))
    return std::nullopt;
  return json;
}

Error InUse(const fs::path& output) {
  return {ErrorCode::kConflict, fmt::format("another run is writing {}", output.string()),
          "wait for its end or choose another output", ""};
}

Result<void> RemoveSet(const fs::path& folder, bool archive) {
  {
    const auto sources = OutputFile::Open(folder / kSourcesFile);
    if (!sources) return tl::unexpected(sources.error());
    if (!sources->Lock()) return tl::unexpected(InUse(folder));
    if (!archive) RemoveFaces(folder, 0);
  }
  std::error_code error;
  for (const char* file : {kFacesFile, kSourcesFile, kArchiveFile, kSettingsFile}) {
    if (archive || file != kArchiveFile) fs::remove(folder / file, error);
    if (error)
      return Fail(ErrorCode::kBadRequest,
                  fmt::format("cannot remove {}: {}", (folder / file).string(), error.message()));
  }
  return {};
}

}  // namespace

FaceSet::FaceSet(Options options)
    : options_(std::move(options)),
      archive_(options_.output.extension() == ".tar"),
      folder_(archive_ ? fs::path(options_.output.string() + ".part") : options_.output) {}

Result<std::unique_ptr<FaceSet>> FaceSet::Open(Options options) {
  std::unique_ptr<FaceSet> set(new FaceSet(std::move(options)));
  if (auto ready = set->Prepare(); !ready) return tl::unexpected(ready.error());
  if (auto begun = set->Begin(); !begun) return tl::unexpected(begun.error());
  return set;
}

Result<void> FaceSet::Prepare() {
  std::error_code error;
  const fs::path& output = options_.output;
  const auto conflict = [&](std::string found, std::string hint) {
    return Fail(ErrorCode::kConflict, fmt::format("{} {}", output.string(), found), std::move(hint));
  };
  if (archive_ && fs::is_directory(output, error)) return conflict("is a folder", "name a file");
  if (!archive_ && fs::exists(output, error) && !fs::is_directory(output, error))
    return conflict("is a file, expected a folder or a name that ends in .tar", "choose another output");

  const bool begun = fs::exists(folder_, error) && !IsEmpty(folder_);
  const auto settings = ReadSettings(folder_);
  if (begun && !settings)
    return Fail(ErrorCode::kConflict,
                fmt::format("{} holds files that are no set of faces", folder_.string()),
                "choose another output");
  if (archive_ && !begun && fs::exists(output, error) && options_.existing != Existing::kOverwrite)
    return conflict(options_.existing == Existing::kResume
                        ? "is complete; faces can be added to a folder, not to an archive"
                        : "is there already",
                    "choose another output, or --overwrite to replace it");
  if (begun && options_.existing == Existing::kRefuse) {
    const bool complete = settings->value("complete", false);
    return conflict(complete ? "holds a complete set of faces" : "holds a set of faces that is not finished",
                    complete ? "--resume adds to it, --overwrite replaces it"
                             : "--resume goes on with it, --overwrite begins again");
  }
  if (begun && options_.existing == Existing::kOverwrite)
    if (auto removed = RemoveSet(folder_, archive_); !removed) return removed;

  fs::create_directories(folder_, error);
  if (error)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("cannot make the folder {}: {}", folder_.string(), error.message()),
                "choose another output");
  return {};
}

Result<void> FaceSet::Begin() {
  if (auto fits = CheckSettings(); !fits) return fits;
  auto sources = OutputFile::Open(folder_ / kSourcesFile);
  if (!sources) return tl::unexpected(sources.error());
  if (!sources->Lock()) return tl::unexpected(InUse(options_.output));
  sources_ = std::move(*sources);
  if (auto written = WriteSettings(false); !written) return written;
  auto rows = OutputFile::Open(folder_ / kFacesFile);
  if (!rows) return tl::unexpected(rows.error());
  rows_ = std::move(*rows);
  if (archive_) {
    auto crops = OutputFile::Open(folder_ / kArchiveFile);
    if (!crops) return tl::unexpected(crops.error());
    crops_ = std::move(*crops);
  }
  return ReadSources();
}

Result<void> FaceSet::CheckSettings() {
  const auto stored = ReadSettings(folder_);
  if (!stored) return WriteSettings(false);  // the first file: by it the folder is known as a set
  const Json wanted = Json::parse(options_.settings);
  for (const auto& [key, value] : wanted.items()) {
    const Json found = stored->at("options").value(key, Json());
    if (found != value)
      return Fail(ErrorCode::kConflict,
                  fmt::format("the set was begun with {} {}, now it is {}", key, found.dump(), value.dump()),
                  "give the same options, or --overwrite to begin again");
  }
  return {};
}

Result<void> FaceSet::ReadSources() {
  std::uint64_t sources_end = 0;
  std::uint64_t rows_end = 0;
  std::uint64_t crops_end = 0;
  bool broken = false;
  ForEachLine(folder_ / kSourcesFile, 0, [&](const std::string& line, std::uint64_t end) {
    if (sources_end == 0) {  // the header
      broken = line + "\r\n" != SourceCsvHeader();
      rows_end = FaceCsvHeader().size();
    } else {
      const auto cells = PlainCells(line, kPlainColumns);
      const auto faces = Whole(cells[kFaces]);
      const auto rows = Whole(cells[kRowsEnd]);
      const auto crops = Whole(cells[kCropsEnd]);
      broken =
          cells[kSha256].size() != 64 || !faces || !rows || !crops || *rows < rows_end || *crops < crops_end;
      if (!broken) {
        known_[cells[kSha256]] = {.label = cells[kLabel], .earlier = true};
        Count(cells[kSplit], cells[kLabel], *faces);
        rows_end = *rows;
        crops_end = *crops;
      }
    }
    if (!broken) sources_end = end;
    return !broken;
  });
  if (broken)
    return Fail(ErrorCode::kConflict,
                fmt::format("{} is not as this program wrote it, at byte {}",
                            (folder_ / kSourcesFile).string(), sources_end),
                "begin again with --overwrite");
  if (auto cut = sources_->CutTo(sources_end); !cut) return cut;
  if (auto dropped = DropUnfinished(rows_end, crops_end); !dropped) return dropped;
  if (sources_end > 0) return {};
  if (auto begun = rows_->Append(FaceCsvHeader()); !begun) return begun;
  return sources_->Append(SourceCsvHeader());
}

Result<void> FaceSet::DropUnfinished(std::uint64_t rows_end, std::uint64_t crops_end) {
  if (!archive_) RemoveFaces(folder_, rows_end);
  if (auto cut = rows_->CutTo(rows_end); !cut) return cut;
  return archive_ ? crops_->CutTo(crops_end) : Result<void>();
}

const FaceSet::Known* FaceSet::Find(const std::string& sha256) const {
  const auto found = known_.find(sha256);
  return found == known_.end() ? nullptr : &found->second;
}

Result<void> FaceSet::Add(const SourceFacts& facts, const CutSource& source) {
  const auto path_of = [&](const CutFace& face) {
    return FacePath(facts.split, facts.label, FaceId(facts.sha256, face.track, face.frame),
                    ExtensionOf(options_.format));
  };
  std::string rows;
  const std::string& detector = facts.detector.empty() ? options_.detector : facts.detector;
  for (const CutFace& face : source.faces) rows += FaceCsvRow(face, facts, detector, path_of(face));
  if (auto added = rows_->Append(rows); !added) return added;  // first: it says what to remove
  for (const CutFace& face : source.faces) {
    const auto picture = source.Picture(face);
    if (!picture) return tl::unexpected(picture.error());
    if (auto put = PutFile(path_of(face), *picture); !put) return put;
  }
  if (auto added =
          sources_->Append(SourceCsvRow(facts, source, rows_->size(), archive_ ? crops_->size() : 0));
      !added)
    return added;
  known_[facts.sha256] = {.label = facts.label, .earlier = false};
  Count(facts.split, facts.label, source.faces.size());
  return {};
}

Result<void> FaceSet::PutFile(const std::string& path, const std::string& content) {
  if (archive_) {
    const auto header = TarHeader(path, content.size());
    if (!header) return tl::unexpected(header.error());
    for (const std::string& part : {*header, content, TarPadding(content.size())})
      if (auto added = crops_->Append(part); !added) return added;
    return {};
  }
  std::error_code ignored;
  fs::create_directories((folder_ / path).parent_path(), ignored);
  auto file = OutputFile::Open(folder_ / path);
  if (!file) return tl::unexpected(file.error());
  if (auto cut = file->CutTo(0); !cut) return cut;
  return file->Append(content);
}

Result<void> FaceSet::PutInArchive(const fs::path& file) {
  const auto content = MappedFile::Open(file);
  if (!content) return tl::unexpected(content.error());
  const auto header = TarHeader(file.filename().string(), content->bytes().size());
  if (!header) return tl::unexpected(header.error());
  if (auto added = crops_->Append(*header); !added) return added;
  if (auto added = crops_->Append(content->bytes()); !added) return added;
  return crops_->Append(TarPadding(content->bytes().size()));
}

Result<void> FaceSet::Finish() {
  if (auto written = WriteSettings(true); !written) return written;
  if (!archive_) return {};
  for (const char* file : {kFacesFile, kSourcesFile, kSettingsFile})
    if (auto put = PutInArchive(folder_ / file); !put) return put;
  if (auto ended = crops_->Append(TarEnd()); !ended) return ended;
  std::error_code error;
  fs::rename(folder_ / kArchiveFile, options_.output, error);
  if (error)
    return Fail(ErrorCode::kInternal,
                fmt::format("cannot write {}: {}", options_.output.string(), error.message()));
  for (const char* file : {kFacesFile, kSourcesFile, kSettingsFile}) fs::remove(folder_ / file, error);
  fs::remove(folder_, error);
  return {};
}

void FaceSet::Discard() {
  if (counts_.sources > 0) return;
  sources_.reset();  // and its lock
  if (!RemoveSet(folder_, archive_)) return;
  std::error_code ignored;
  fs::remove(folder_, ignored);  // unless there is more in it
}

Result<void> FaceSet::WriteSettings(bool complete) {
  Json json = {{"schema", kSchema},
               {"complete", complete},
               {"unmask", Version()},
               {"options", Json::parse(options_.settings)}};
  if (complete) {
    json["sources"] = counts_.sources;
    json["sources_without_faces"] = counts_.sources_without_faces;
    json["faces"] = counts_.faces;
    json["splits"] = counts_.by_split_and_label;
  }
  return WriteFileAtomically(folder_ / kSettingsFile, json.dump(2) + "\n");
}

void FaceSet::Count(const std::string& split, const std::string& label, std::size_t faces) {
  ++counts_.sources;
  counts_.faces += faces;
  if (faces == 0) ++counts_.sources_without_faces;
  if (faces > 0) counts_.by_split_and_label[split][label.empty() ? std::string(kUnlabelled) : label] += faces;
}

}  // namespace unmask
