// SPDX-License-Identifier: Apache-2.0
#include "feedback/export.hpp"

#include <map>
#include <set>

#include <spdlog/spdlog.h>

#include "extract/names.hpp"

namespace unmask {
namespace {

using Records = std::vector<const FeedbackRecord*>;

/// A person's faces, and what was said of them.
struct Person {
  FeedbackFaces faces;
  FeedbackLabel label = FeedbackLabel::kUnsure;
};

bool SpeaksOf(const FeedbackRecord& record, const std::string& analysis, int track) {
  return !record.wish.track || (record.analysis == analysis && *record.wish.track == track);
}

/// Whether both real and fake were said of the same: of the whole, or of one person.
bool Conflict(const Records& records) {
  std::map<std::pair<std::string, int>, FeedbackLabel> said;
  for (const FeedbackRecord* record : records) {
    if (record->wish.label == FeedbackLabel::kUnsure) continue;
    const auto& track = record->wish.track;
    const auto [at, first] = said.emplace(
        std::pair(track ? record->analysis : std::string(), track.value_or(0)), record->wish.label);
    if (!first && at->second != record->wish.label) return true;
  }
  return false;
}

bool SameRule(const CropRule& a, const CropRule& b) {
  return a.side_of == b.side_of && a.scale == b.scale && a.dx == b.dx && a.dy == b.dy;
}

CutFace CutOf(const KeptFace& face) {
  CutFace cut{.track = face.track,
              .frame = face.frame,
              .time = face.time,
              .face = {.box = face.box, .score = face.detector_score, .landmarks = {}},
              .quality = face.quality,
              .crop = {face.crop_x, face.crop_y, face.crop_side, face.crop_side},
              .side = face.picture.width};
  if (const auto& m = face.landmarks)
    cut.face.landmarks = Landmarks{.right_eye = {(*m)[0], (*m)[1]},
                                   .left_eye = {(*m)[2], (*m)[3]},
                                   .nose = {(*m)[4], (*m)[5]},
                                   .mouth = {(*m)[6], (*m)[7]}};
  return cut;
}

class Export {
 public:
  Export(const std::filesystem::path& folder, const CropRule& crop, const Labelling& labelling, FaceSet& set)
      : folder_(folder), crop_(crop), labelling_(labelling), set_(set) {}

  Result<ExportCounts> Execute(const FeedbackLog& log) {
    counts_.records = log.records.size();
    counts_.damaged = log.damaged;
    std::map<std::string, Records> contents;  // by hash: the set does not depend on who spoke first
    for (const FeedbackRecord& record : log.records) contents[record.sha256].push_back(&record);
    counts_.contents = contents.size();
    for (const auto& [sha256, records] : contents)
      if (auto added = Content(records); !added) return tl::unexpected(added.error());
    return counts_;
  }

 private:
  Result<void> Content(const Records& records) {
    std::set<const FeedbackRecord*> decisive = {records.back()};
    const std::vector<Person> people = PeopleOf(records, decisive);
    counts_.superseded += records.size() - decisive.size();
    counts_.conflicts += Conflict(records) ? 1U : 0U;
    for (const Person& person : people)
      if (person.label == FeedbackLabel::kUnsure) {
        ++counts_.unsure;
        break;
      }
    for (const auto label : {FeedbackLabel::kAuthentic, FeedbackLabel::kManipulated})
      if (auto added = Add(*records.back(), people, label); !added) return added;
    return {};
  }

  /// Those of the newest analysis whose faces are there.
  std::vector<Person> PeopleOf(const Records& records, std::set<const FeedbackRecord*>& decisive) {
    std::vector<Person> people;
    std::set<std::string> seen;
    std::string chosen;
    for (auto at = records.rbegin(); at != records.rend(); ++at) {
      const std::string& analysis = (*at)->analysis;
      if (!seen.insert(analysis).second) continue;
      for (const int track : KeptTracks(folder_, analysis)) {
        auto faces = ReadKeptFaces(folder_, analysis, track);
        if (!faces) {
          spdlog::warn("left out: {}", faces.error().message);
          ++counts_.unreadable;
        } else if (!SameRule(faces->crop, crop_)) {
          counts_.other_crop += faces->faces.size();
        } else if (!chosen.empty() && chosen != analysis) {
          counts_.twice += faces->faces.size();
        } else {
          chosen = analysis;
          people.push_back({std::move(*faces), LabelOf(records, analysis, track, decisive)});
        }
      }
    }
    if (people.empty()) ++counts_.without_faces;
    return people;
  }

  static FeedbackLabel LabelOf(const Records& records, const std::string& analysis, int track,
                               std::set<const FeedbackRecord*>& decisive) {
    for (auto at = records.rbegin(); at != records.rend(); ++at)
      if (SpeaksOf(**at, analysis, track)) {
        decisive.insert(*at);
        return (*at)->wish.label;
      }
    return FeedbackLabel::kUnsure;
  }

  Result<void> Add(const FeedbackRecord& about, const std::vector<Person>& people, FeedbackLabel label) {
    auto pictures = PrivateFile::Create(set_.folder());
    if (!pictures) return tl::unexpected(pictures.error());
    CutSource source{.info = {.kind = about.kind,
                              .width = about.width,
                              .height = about.height,
                              .duration = about.duration},
                     .summary = {},
                     .faces = {},
                     .pictures = std::move(*pictures)};
    SourceFacts facts = labelling_.Describe(about.name, about.sha256);
    facts.label = FeedbackLabelName(label);
    for (const Person& person : people) {
      if (person.label != label) continue;
      facts.detector = person.faces.detector;
      for (const FeedbackFace& face : person.faces.faces) {
        CutFace cut = CutOf(face.facts);
        cut.offset = source.pictures.size();
        cut.bytes = face.jpeg.size();
        if (auto kept = source.pictures.Append(face.jpeg); !kept) return kept;
        source.faces.push_back(std::move(cut));
      }
    }
    if (source.faces.empty()) return {};
    source.faces_found = static_cast<std::int64_t>(source.faces.size());
    return set_.Add(facts, source);
  }

  const std::filesystem::path& folder_;
  const CropRule& crop_;
  const Labelling& labelling_;
  FaceSet& set_;
  ExportCounts counts_;
};

}  // namespace

Result<ExportCounts> ExportFeedback(const std::filesystem::path& folder, const FeedbackLog& log,
                                    const CropRule& crop, const Labelling& labelling, FaceSet& set) {
  return Export(folder, crop, labelling, set).Execute(log);
}

}  // namespace unmask
