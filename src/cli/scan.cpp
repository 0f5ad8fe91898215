// SPDX-License-Identifier: Apache-2.0
#include "cli/scan.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/thread_pool.hpp"
#include "cli/collect.hpp"
#include "cli/exit_code.hpp"
#include "cli/file_progress.hpp"
#include "cli/print.hpp"
#include "cli/progress_bar.hpp"
#include "cli/result_format.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"
#include "render/overlay.hpp"
#include "render/picture_io.hpp"
#include "render/text.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;

/// Where results go: standard output at once, or a file in the end.
class Sink {
 public:
  explicit Sink(fs::path file) : file_(std::move(file)) {}

  Result<void> Write(std::string_view text) {
    if (!file_.empty()) {
      content_ += text;
      return {};
    }
    while (!text.empty()) {
      const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        reader_gone_ = errno == EPIPE;
        return Fail(ErrorCode::kInternal,
                    fmt::format("cannot write to standard output: {}", std::strerror(errno)),
                    "use --output FILE");
      }
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }

  Result<void> Close() { return file_.empty() ? Result<void>() : WriteFileAtomically(file_, content_); }

  /// Standard output is a pipe whose reader has ended, as in `unmask scan ... | head`.
  bool reader_gone() const { return reader_gone_; }

 private:
  fs::path file_;
  std::string content_;
  bool reader_gone_ = false;
};

/// Names for the overlays of each input, different for files of the same name. Also different when case does
/// not count.
std::vector<std::string> OverlayStems(const std::vector<Input>& inputs) {
  std::set<std::string> taken;
  std::vector<std::string> stems;
  for (const Input& input : inputs) {
    const std::string wanted = SafeFileName(input.name);
    std::string stem = wanted;
    const auto lower = [](std::string text) {
      std::transform(text.begin(), text.end(), text.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      return text;
    };
    for (int number = 2; !taken.insert(lower(stem)).second; ++number)
      stem = fmt::format("{}-{}", wanted, number);
    stems.push_back(std::move(stem));
  }
  return stems;
}

Result<void> WriteOverlays(const Report& report, const fs::path& folder, const std::string& stem) {
  for (const Overlay& overlay : DrawOverlays(report)) {
    const auto jpeg = EncodeJpeg(overlay.picture);
    if (!jpeg) return tl::unexpected(jpeg.error());
    if (auto written = WriteFileAtomically(folder / (stem + overlay.suffix), *jpeg); !written) {
      written.error().hint = "choose another folder with --overlay";
      return written;
    }
  }
  return {};
}

std::size_t FilesAtOnce(const ScanCommand& command, const std::vector<Input>& inputs) {
  return std::min(static_cast<std::size_t>(ThreadsFor(command.jobs)), inputs.size());
}

/// What became of one input.
struct Finished {
  Outcome outcome;
  std::optional<Error> overlay_error;
};

/// Analyses the inputs on several threads and hands out the results in the order of the inputs.
class ParallelScan {
 public:
  ParallelScan(const ScanCommand& command, const std::vector<Input>& inputs, Analyzer* analyzer,
               ProgressBar& bar, std::stop_token stop)
      : command_(command),
        inputs_(inputs),
        stems_(OverlayStems(inputs)),
        analyzer_(analyzer),
        bar_(bar),
        stop_(std::move(stop)),
        finished_(inputs.size()) {
    for (std::size_t i = 0; i < FilesAtOnce(command, inputs); ++i) threads_.emplace_back([this] { Work(); });
  }

  ~ParallelScan() {
    for (std::thread& thread : threads_) thread.join();
  }

  ParallelScan(const ParallelScan&) = delete;
  ParallelScan& operator=(const ParallelScan&) = delete;

  /// Waits for input number `index`. Each is taken once.
  Finished Take(std::size_t index) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return finished_[index].has_value(); });
    return std::move(*finished_[index]);
  }

 private:
  void Work() {
    for (std::size_t index; (index = next_++) < inputs_.size();) {
      Finished finished = Run(index);
      bar_.FinishFile();
      const std::lock_guard lock(mutex_);
      finished_[index] = std::move(finished);
      changed_.notify_all();
    }
  }

  Finished Run(std::size_t index) {
    const Input& input = inputs_[index];
    if (input.error) return {{input.name, tl::unexpected(*input.error)}, {}};
    if (stop_.stop_requested()) return {{input.name, Fail(ErrorCode::kCancelled, "interrupted")}, {}};
    FileProgress progress(bar_, input.name);
    Finished finished{
        {input.name, analyzer_->Analyze(input.path, input.name, command_.analysis, &progress, stop_)}, {}};
    if (auto& report = finished.outcome.report; report && !command_.overlay.empty()) {
      if (auto written = WriteOverlays(*report, command_.overlay, stems_[index]); !written)
        finished.overlay_error = written.error();
      for (TrackReport& track : report->tracks) track.best.whole.reset();  // large, and no longer needed
    }
    return finished;
  }

  const ScanCommand& command_;
  const std::vector<Input>& inputs_;
  const std::vector<std::string> stems_;
  Analyzer* analyzer_;
  ProgressBar& bar_;
  const std::stop_token stop_;

  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::optional<Finished>> finished_;
  std::vector<std::thread> threads_;
};

/// Before an hour of work: can the results be written?
Result<void> CheckTargets(const ScanCommand& command) {
  if (!command.output.empty()) {
    std::error_code ignored;
    if (fs::is_directory(command.output, ignored))
      return Fail(ErrorCode::kBadRequest, fmt::format("--output names a folder: {}", command.output.string()),
                  "name a file in it");
    const fs::path folder = command.output.has_parent_path() ? command.output.parent_path() : ".";
    if (::access(folder.c_str(), W_OK | X_OK) != 0)
      return Fail(
          ErrorCode::kBadRequest,
          fmt::format("--output cannot be written into {}: {}", folder.string(), std::strerror(errno)),
          "choose another place or make the folder");
  }
  if (!command.overlay.empty()) {
    std::error_code error;
    fs::create_directories(command.overlay, error);
    if (error || ::access(command.overlay.c_str(), W_OK | X_OK) != 0)
      return Fail(ErrorCode::kBadRequest,
                  fmt::format("--overlay cannot be written into {}: {}", command.overlay.string(),
                              error ? error.message() : std::strerror(errno)),
                  "choose another folder");
  }
  return {};
}

bool Matches(const Outcome& outcome, const std::vector<Verdict>& verdicts) {
  return outcome.report &&
         std::find(verdicts.begin(), verdicts.end(), outcome.report->verdict) != verdicts.end();
}

/// A run from its inputs to its exit code.
class Run {
 public:
  Run(const ScanCommand& command, ResultFormat& format, SignalWatcher& signals, ProgressBar& bar)
      : command_(command), format_(format), signals_(signals), bar_(bar), sink_(command.output) {}

  int Execute(const std::vector<Input>& inputs, Analyzer* analyzer) {
    ParallelScan scan(command_, inputs, analyzer, bar_, signals_.token());
    Emit(format_.Begin());
    for (std::size_t i = 0; i < inputs.size(); ++i) Add(scan.Take(i));
    Emit(format_.End());
    bar_.Hide();
    if (auto closed = sink_.Close(); !closed) {
      PrintError(closed.error());
      failed_ = true;
    }
    if (signals_.signalled()) {
      fmt::print(stderr, "interrupted: {} of {} files were done\n", inputs.size() - cancelled_,
                 inputs.size());
      return kInterrupted;
    }
    if (sink_.reader_gone()) return 128 + SIGPIPE;
    if (matched_) return kFailOn;
    return failed_ ? kSomeFailed : kAllDone;
  }

 private:
  void Add(Finished finished) {
    Outcome& outcome = finished.outcome;
    if (!outcome.report && outcome.report.error().code == ErrorCode::kCancelled) {
      ++cancelled_;
      return;
    }
    if (!outcome.report) {
      bar_.Hide();
      PrintError(outcome.report.error(), outcome.name);
      failed_ = true;
    }
    if (finished.overlay_error) {
      bar_.Hide();
      PrintError(*finished.overlay_error, outcome.name);
      failed_ = true;
    }
    matched_ = matched_ || Matches(outcome, command_.fail_on);
    Emit(format_.Add(std::move(outcome)));
  }

  void Emit(const std::string& text) {
    if (text.empty() || broken_) return;
    bar_.Hide();
    auto written = sink_.Write(text);
    if (written) return;
    broken_ = true;
    failed_ = true;
    if (!sink_.reader_gone()) PrintError(written.error());
    signals_.RequestStop();  // nobody reads the rest
  }

  const ScanCommand& command_;
  ResultFormat& format_;
  SignalWatcher& signals_;
  ProgressBar& bar_;
  Sink sink_;
  std::size_t cancelled_ = 0;
  bool failed_ = false;
  bool matched_ = false;
  bool broken_ = false;
};

}  // namespace

int RunScan(const ScanCommand& given) {
  SignalWatcher signals;
  ScanCommand command = given;
  command.analysis.keep_frames = !command.overlay.empty();
  if (auto valid = CheckTargets(command); !valid) {
    PrintError(valid.error());
    return kWrongUsage;
  }

  const Inputs inputs = CollectInputs(command.paths);
  if (const std::string skipped = DescribeSkipped(inputs); !skipped.empty())
    fmt::print(stderr, "note: skipped {} in folders; name a file to scan it anyway\n", skipped);
  ProgressBar bar(STDERR_FILENO, IsTerminal(STDERR_FILENO), inputs.files.size());

  std::unique_ptr<Analyzer> analyzer;
  ResultFormatOptions options{.faces = command.faces, .table = StyleFor(STDOUT_FILENO)};
  if (!command.output.empty()) options.table = {.width = 120, .color = false};
  if (std::any_of(inputs.files.begin(), inputs.files.end(),
                  [](const Input& input) { return !input.error; })) {
    AnalyzerConfig config = command.analyzer;
    // A thread of the network that no file keeps busy costs start-up time only.
    if (config.threads == 0) config.threads = static_cast<int>(FilesAtOnce(command, inputs.files));
    auto created = Analyzer::Create(std::move(config));
    if (!created) {
      bar.Hide();
      PrintError(created.error());
      return kSomeFailed;
    }
    analyzer = std::move(*created);
  }

  const bool terminal = command.output.empty() && IsTerminal(STDOUT_FILENO);
  const ScanFormat format = command.format.value_or(terminal ? ScanFormat::kTable : ScanFormat::kJsonLines);
  return Run(command, *MakeResultFormat(format, options), signals, bar).Execute(inputs.files, analyzer.get());
}

}  // namespace unmask
