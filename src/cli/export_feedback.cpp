// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <fmt/format.h>

#include "base/install.hpp"
#include "cli/exit_code.hpp"
#include "cli/faces.hpp"
#include "cli/print.hpp"
#include "feedback/export.hpp"
#include "model/repository.hpp"
#include "render/text.hpp"

namespace unmask {
namespace {

int Refuse(const Error& error) {
  PrintError(error);
  const bool usage = error.code == ErrorCode::kConflict || error.code == ErrorCode::kBadRequest ||
                     error.code == ErrorCode::kNotFound;
  return usage ? kWrongUsage : kSomeFailed;
}

void PrintSplits(const ExportFeedbackCommand& command, const FaceSet::Counts& counts) {
  for (const SplitShare& split : command.labelling.splits) {
    std::string text;
    if (const auto labels = counts.by_split_and_label.find(split.name);
        labels != counts.by_split_and_label.end())
      for (const auto& [label, faces] : labels->second)
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", faces, label);
    fmt::print("  {:<10} {}\n", split.name, text.empty() ? "no face" : text);
  }
}

void PrintCounts(const ExportCounts& counts) {
  const auto line = [](std::size_t count, const char* one, const char* many, const char* text) {
    if (count > 0) fmt::print("  {} {} {}\n", count, count == 1 ? one : many, text);
  };
  line(counts.superseded, "feedback", "feedbacks", "superseded by later feedback on the same");
  line(counts.conflicts, "content", "contents", "called both real and fake; the latest counts");
  line(counts.unsure, "content", "contents", "left out, wholly or in part: unsure");
  line(counts.without_faces, "content", "contents", "left out: no faces were given, or they were withdrawn");
  line(counts.twice, "face", "faces", "left out: a later analysis of the same content gave its own");
  line(counts.other_crop, "face", "faces", "left out: cut by another rule than the model's");
  line(counts.unreadable, "person", "people", "left out: the faces are damaged");
  line(counts.damaged, "line", "lines", "of feedback.jsonl left out: damaged");
}

}  // namespace

int RunExportFeedback(const ExportFeedbackCommand& command) {
  const auto log = ReadFeedbackLog(command.folder);
  if (!log) return Refuse(log.error());
  const auto card = ModelRepository(command.models.empty() ? FindInstallPaths().models : command.models)
                        .Find(command.model);
  if (!card) return Refuse(card.error());
  CutOptions cut;
  cut.crop = card->crop;
  constexpr auto kDetector = "feedback";  // each face's own is in its line
  auto set =
      FaceSet::Open({.output = command.output,
                     .existing = command.overwrite ? Existing::kOverwrite : Existing::kRefuse,
                     .settings = SettingsJson(cut, command.labelling,
                                              fmt::format("{}:{}", card->name, card->version), kDetector),
                     .detector = kDetector,
                     .format = cut.format});
  if (!set) return Refuse(set.error());
  const auto counts = ExportFeedback(command.folder, *log, card->crop, command.labelling, **set);
  if (!counts) return Refuse(counts.error());
  const bool empty = (*set)->counts().faces == 0;
  if (empty)
    (*set)->Discard();
  else if (auto ended = (*set)->Finish(); !ended)
    return Refuse(ended.error());
  fmt::print("{}: {} {} of {} {}, from {} {}\n", EscapeForTerminal(command.output.string()),
             (*set)->counts().faces, (*set)->counts().faces == 1 ? "face" : "faces", counts->contents,
             counts->contents == 1 ? "content" : "contents", counts->records,
             counts->records == 1 ? "feedback" : "feedbacks");
  if (!empty) PrintSplits(command, (*set)->counts());
  PrintCounts(*counts);
  if (empty)
    PrintError({ErrorCode::kNotFound, "nothing was written: no face with a label real or fake is kept",
                "clients agree with \"keep_faces\": true", ""});
  return empty || counts->damaged > 0 || counts->unreadable > 0 ? kSomeFailed : kAllDone;
}

}  // namespace unmask
