// SPDX-License-Identifier: Apache-2.0
#include "cli/faces.hpp"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "analysis/config.hpp"
#include "base/hash.hpp"
#include "base/thread_pool.hpp"
#include "cli/collect.hpp"
#include "cli/exit_code.hpp"
#include "cli/file_progress.hpp"
#include "cli/print.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"
#include "face/detectors.hpp"
#include "model/ensemble.hpp"
#include "model/repository.hpp"
#include "render/text.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;

/// What became of one input.
struct Finished {
  SourceFacts facts;
  bool known = false;               ///< in the set already: not looked at
  std::optional<CutSource> source;  ///< absent when it is known
};

/// Cuts files on several threads and hands out the results in the order of the inputs.
class ParallelExtraction {
 public:
  ParallelExtraction(const FacesCommand& command, const std::vector<Input>& inputs,
                     const FaceExtractor& extractor, FaceSet& set, ProgressBar& bar, std::stop_token stop,
                     std::size_t threads)
      : labelling_(command.labelling),
        inputs_(inputs),
        extractor_(extractor),
        set_(set),
        bar_(bar),
        stop_(std::move(stop)),
        window_(4 * threads),
        finished_(inputs.size()) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
  }

  ~ParallelExtraction() {
    for (std::thread& thread : threads_) thread.join();
  }

  ParallelExtraction(const ParallelExtraction&) = delete;
  ParallelExtraction& operator=(const ParallelExtraction&) = delete;

  /// Waits for input number `index`. Call it for each in order; the thread may use the set until the next
  /// call.
  Result<Finished> Take(std::size_t index) {
    std::unique_lock lock(mutex_);
    taken_ = index;
    changed_.notify_all();
    changed_.wait(lock, [&] { return finished_[index].has_value(); });
    Result<Finished> result = std::move(*finished_[index]);
    finished_[index].reset();
    return result;
  }

  /// Adds to the set while no other thread looks into it.
  Result<void> Add(const Finished& finished) {
    const std::lock_guard lock(set_mutex_);
    return set_.Add(finished.facts, *finished.source);
  }

 private:
  void Work() {
    for (;;) {
      std::size_t index = 0;
      {
        std::unique_lock lock(mutex_);
        if (next_ == inputs_.size()) return;
        index = next_++;
        // Results wait for those before them, on the disk: not more than a few.
        changed_.wait(lock, [&] { return index < taken_ + window_; });
      }
      auto result = Run(inputs_[index]);
      bar_.FinishFile();
      const std::lock_guard lock(mutex_);
      finished_[index] = std::move(result);
      changed_.notify_all();
    }
  }

  Result<Finished> Run(const Input& input) {
    if (input.error) return tl::unexpected(*input.error);
    if (stop_.stop_requested()) return Fail(ErrorCode::kCancelled, "interrupted");
    FileProgress progress(bar_, input.name);
    auto file = OpenForReading(input.path);
    if (!file) return tl::unexpected(file.error());
    const auto sha256 = Sha256OfFile(file->get());
    if (!sha256) return tl::unexpected(sha256.error());
    Finished finished{
        .facts = labelling_.Describe(input.name, *sha256), .known = IsKnown(*sha256), .source = {}};
    if (finished.known) return finished;
    auto source = extractor_.Extract(std::move(*file), &progress, stop_);
    if (!source) return tl::unexpected(source.error());
    finished.source = std::move(*source);
    return finished;
  }

  bool IsKnown(const std::string& sha256) {
    const std::lock_guard lock(set_mutex_);
    return set_.Find(sha256) != nullptr;
  }

  const Labelling& labelling_;
  const std::vector<Input>& inputs_;
  const FaceExtractor& extractor_;
  FaceSet& set_;
  ProgressBar& bar_;
  const std::stop_token stop_;
  const std::size_t window_;

  std::mutex set_mutex_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t next_ = 0;
  std::size_t taken_ = 0;
  std::vector<std::optional<Result<Finished>>> finished_;
  std::vector<std::thread> threads_;
};

/// A run from its inputs to its exit code.
class Run {
 public:
  Run(const FacesCommand& command, FaceSet& set, SignalWatcher& signals, ProgressBar& bar)
      : command_(command), set_(set), signals_(signals), bar_(bar) {}

  int Execute(const std::vector<Input>& inputs, const FaceExtractor& extractor, std::size_t threads) {
    {
      ParallelExtraction work(command_, inputs, extractor, set_, bar_, signals_.token(), threads);
      for (std::size_t i = 0; i < inputs.size(); ++i) Take(work, i, inputs[i].name);
    }
    bar_.Hide();
    const bool empty = set_.counts().sources == 0;
    if (empty) set_.Discard();
    if (signals_.signalled() || broken_) {
      fmt::print(stderr, "{}: {} of {} files were done{}\n", broken_ ? "stopped" : "interrupted",
                 inputs.size() - cancelled_, inputs.size(), empty ? "" : "; go on with --resume");
      return broken_ ? kSomeFailed : kInterrupted;
    }
    if (empty) {
      fmt::print(stderr, "nothing was written: no file could be read\n");
      return kSomeFailed;
    }
    if (auto ended = set_.Finish(); !ended) {
      PrintError(ended.error());
      return kSomeFailed;
    }
    PrintSummary();
    return failed_ > 0 ? kSomeFailed : kAllDone;
  }

 private:
  void Take(ParallelExtraction& work, std::size_t index, const std::string& name) {
    const auto finished = work.Take(index);
    if (!finished) return Report(finished.error(), name);
    const FaceSet::Known* known = set_.Find(finished->facts.sha256);
    if (known == nullptr) {
      if (broken_) return void(++cancelled_);
      if (auto added = work.Add(*finished); !added) {
        Report(added.error(), name);
        broken_ = true;
        signals_.RequestStop();
      }
    } else if (known->label != finished->facts.label) {
      const auto word = [](const std::string& label) { return label.empty() ? "not labelled" : label; };
      Report({ErrorCode::kConflict,
              fmt::format("the same file is {} here and {} elsewhere", word(finished->facts.label),
                          word(known->label)),
              "keep one of the two", ""},
             name);
    } else {
      ++(known->earlier ? earlier_ : duplicates_);
    }
  }

  void Report(const Error& error, const std::string& name) {
    if (error.code == ErrorCode::kCancelled) return void(++cancelled_);
    bar_.Hide();
    PrintError(error, name);
    ++failed_;
  }

  void PrintSummary() const {
    const FaceSet::Counts& counts = set_.counts();
    const auto files = [](std::size_t count) {
      return fmt::format("{} {}", count, count == 1 ? "file" : "files");
    };
    fmt::print("{}: {} {} of {}\n", EscapeForTerminal(command_.output.string()), counts.faces,
               counts.faces == 1 ? "face" : "faces", files(counts.sources));
    for (const SplitShare& split : command_.labelling.splits) {
      const auto labels = counts.by_split_and_label.find(split.name);
      std::string text;
      if (labels != counts.by_split_and_label.end())
        for (const auto& [label, faces] : labels->second)
          text += fmt::format("{}{} {}", text.empty() ? "" : ", ", faces, label);
      fmt::print("  {:<10} {}\n", split.name, text.empty() ? "no face" : text);
    }
    if (counts.sources_without_faces > 0)
      fmt::print("  {} gave no face (see sources.csv)\n", files(counts.sources_without_faces));
    if (earlier_ > 0) fmt::print("  {} had been done before\n", files(earlier_));
    if (duplicates_ > 0) fmt::print("  {} left out: the same content came before\n", files(duplicates_));
    if (failed_ > 0) fmt::print("  {} failed\n", files(failed_));
  }

  const FacesCommand& command_;
  FaceSet& set_;
  SignalWatcher& signals_;
  ProgressBar& bar_;
  std::size_t cancelled_ = 0;
  std::size_t failed_ = 0;
  std::size_t earlier_ = 0;
  std::size_t duplicates_ = 0;
  bool broken_ = false;  ///< the set cannot be written
};

/// The files to look at: not those that an earlier run wrote.
Inputs CollectWithoutOutput(const FacesCommand& command) {
  Inputs inputs = CollectInputs(command.paths);
  std::error_code error;
  const fs::path output = fs::weakly_canonical(command.output, error);
  std::erase_if(inputs.files, [&](const Input& input) {
    const fs::path path = fs::weakly_canonical(input.path, error);
    const auto [end, ignored] = std::mismatch(output.begin(), output.end(), path.begin(), path.end());
    return !output.empty() && end == output.end();
  });
  return inputs;
}

Result<void> UseModel(const FacesCommand& command, const AnalyzerConfig& config, CutOptions& cut,
                      std::string& model) {
  if (command.margin) {
    cut.crop = MarginRule(*command.margin);
    return {};
  }
  const auto card = ModelRepository(config.models).Find(config.model);
  if (!card) return tl::unexpected(card.error());
  cut.crop = card->ensemble ? card->members.front().crop : card->crop;
  for (const ModelCard& member : card->members)
    if (member.crop != cut.crop)
      return Fail(
          ErrorCode::kBadRequest,
          fmt::format("the members of {}:{} see different squares around a face", card->name, card->version),
          fmt::format("name one of them with --model ({}), or give --margin", MemberNames(*card->ensemble)));
  model = fmt::format("{}:{}", card->name, card->version);
  return {};
}

int Refuse(const Error& error) {
  PrintError(error);
  return error.code == ErrorCode::kConflict || error.code == ErrorCode::kBadRequest ? kWrongUsage
                                                                                    : kSomeFailed;
}

}  // namespace

int RunFaces(const FacesCommand& command) {
  if (command.feedback) return RunExportFeedback(*command.feedback);
  SignalWatcher signals;
  const Inputs inputs = CollectWithoutOutput(command);
  if (inputs.files.empty())
    return Refuse(
        {ErrorCode::kBadRequest, "nothing but the output itself lies there", "name other media", ""});
  if (const std::string skipped = DescribeSkipped(inputs); !skipped.empty())
    fmt::print(stderr, "note: skipped {} in folders; name a file to look at it anyway\n", skipped);
  const std::size_t threads =
      std::min(static_cast<std::size_t>(ThreadsFor(command.jobs)), inputs.files.size());

  const AnalyzerConfig config = WithDefaults(command.analyzer);
  CutOptions cut = command.cut;
  std::string model;
  if (auto used = UseModel(command, config, cut, model); !used) return Refuse(used.error());
  auto decoders = DecoderPool::Create(config.decoder, MediaLimits{.decoder_wall = config.decode_timeout});
  if (!decoders) return Refuse(decoders.error());
  auto detector =
      MakeFaceDetector({.folder = config.detectors,
                        .yunet = config.yunet,
                        .cache = *config.cache,
                        .threads = config.threads > 0 ? config.threads : static_cast<int>(threads)});
  if (!detector) return Refuse(detector.error());

  auto set = FaceSet::Open({.output = command.output,
                            .existing = command.resume      ? Existing::kResume
                                        : command.overwrite ? Existing::kOverwrite
                                                            : Existing::kRefuse,
                            .settings = SettingsJson(cut, command.labelling, model, (*detector)->name()),
                            .detector = (*detector)->name(),
                            .format = cut.format});
  if (!set) return Refuse(set.error());
  const FaceExtractor extractor(**decoders, **detector, cut, (*set)->folder());
  ProgressBar bar(STDERR_FILENO, IsTerminal(STDERR_FILENO), inputs.files.size());
  return Run(command, **set, signals, bar).Execute(inputs.files, extractor, threads);
}

}  // namespace unmask
