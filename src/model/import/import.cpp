// SPDX-License-Identifier: Apache-2.0
#include "model/import/import.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/privileges.hpp"
#include "model/import/request_json.hpp"
#include "model/new_version.hpp"
#include "model/repository.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr rlim_t kMemory = rlim_t{16}
                           << 30;  // address space of the other process; EfficientNet-B7 takes 3 GiB
constexpr rlim_t kFileSize = rlim_t{4} << 30;  // what it may write
constexpr std::uintmax_t kMaxFile = std::uintmax_t{4} << 30;

bool IsPickle(std::string_view first) {
  return first.size() > 2 && first[0] == '\x80' && first[1] >= 2 && first[1] <= 5;
}

Result<void> CheckFile(const fs::path& file) {
  if (fs::is_directory(file)) {
    if (fs::is_regular_file(file / "saved_model.pb")) return {};
    return Fail(ErrorCode::kBadRequest, "it is a folder without saved_model.pb (expected a SavedModel)",
                "name the model's file, or the folder that model.export() wrote");
  }
  std::error_code error;
  const auto size = fs::file_size(file, error);
  if (error)
    return Fail(ErrorCode::kNotFound, "the file cannot be found or read: " + error.message(),
                "name a regular file");
  if (size == 0) return Fail(ErrorCode::kBadRequest, "the file is empty", "save or download it again");
  if (size > kMaxFile)
    return Fail(ErrorCode::kTooLarge, fmt::format("the file has {} bytes (at most {})", size, kMaxFile));
  std::ifstream stream(file, std::ios::binary);
  std::string first(512, '\0');
  stream.read(first.data(), static_cast<std::streamsize>(first.size()));
  first.resize(static_cast<std::size_t>(stream.gcount()));
  const bool torch = first.starts_with("PK") && first.find("data.pkl") != std::string::npos;
  if (torch || IsPickle(first))
    return Fail(ErrorCode::kBadRequest,
                "the file is a pickle: loading it would run whatever code it names, so it is never loaded",
                "where you trust it, load it in Python and save it as data: torch.onnx.export(model, "
                "torch.zeros(1, 3, 224, 224), \"model.onnx\"), or for Keras model.save(\"model.keras\")");
  return {};
}

void Limit(int resource, rlim_t value) {
  const rlimit limit{value, value};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &limit);
}

/// Runs in the other process, between fork and exec: only what is safe there.
[[noreturn]] void Become(const char* program, const char* folder, int seconds) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (!kSanitized) Limit(RLIMIT_AS, kMemory);
  Limit(RLIMIT_CPU, static_cast<rlim_t>(seconds) * 2);  // two cores' worth; the clock is the parent's
  Limit(RLIMIT_FSIZE, kFileSize);
  Limit(RLIMIT_CORE, 0);
  const int null = ::open("/dev/null", O_RDWR);
  for (const int fd : {0, 1, 2}) ::dup2(null, fd);  // readers of models talk
  char* const arguments[] = {const_cast<char*>(program), const_cast<char*>("--convert-model"),
                             const_cast<char*>(folder), nullptr};
  ::execv(program, arguments);
  ::_exit(127);
}

/// Waits for the process, and ends it when its time is over. Its wait status; nothing when it was ended.
std::optional<int> WaitFor(pid_t child, int seconds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR) return std::nullopt;
    if (std::chrono::steady_clock::now() >= deadline) {
      ::kill(-child, SIGKILL);
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      return std::nullopt;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

Result<void> Convert(const fs::path& program, const fs::path& folder, int seconds) {
  const std::string program_text = program.string(), folder_text = folder.string();
  const pid_t child = ::fork();
  if (child < 0)
    return Fail(ErrorCode::kInternal, fmt::format("no process could be started: {}", std::strerror(errno)));
  if (child == 0) Become(program_text.c_str(), folder_text.c_str(), seconds);
  const auto status = WaitFor(child, seconds);
  if (!status)
    return Fail(
        ErrorCode::kBadRequest, fmt::format("reading and compiling it took longer than {} s", seconds),
        "a network of thousands of layers in a row compiles for minutes; raise --time-limit if you trust it");
  if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0) return {};
  if (const auto text = ReadSmallFile(folder / "error.json", 1 << 20)) {
    const json error = json::parse(*text, nullptr, false);
    if (error.is_object())
      return Fail(ErrorCode::kBadRequest, error.value("message", ""), error.value("hint", ""));
  }
  if (WIFSIGNALED(*status) && WTERMSIG(*status) == SIGXCPU)
    return Fail(ErrorCode::kBadRequest, "reading and compiling it took too much processor time",
                "raise --time-limit if you trust the file");
  return Fail(ErrorCode::kBadRequest,
              WIFSIGNALED(*status) ? fmt::format("its reader crashed (signal {})", WTERMSIG(*status))
                                   : fmt::format("its reader failed (exit code {})", WEXITSTATUS(*status)),
              "the file is damaged or hostile, or memory or disk are full; nothing was imported");
}

Result<std::string> HashOf(const fs::path& file) {
  auto fd = OpenForReading(file);
  if (!fd) return tl::unexpected(fd.error());
  return Sha256OfFile(fd->get());
}

Result<std::string> WriteCard(const fs::path& folder, const ImportRequest& request, int version,
                              const json& facts) {
  json files = json::object();
  for (const char* name : {"model.xml", "model.bin", "golden.json"}) {
    auto hash = HashOf(folder / name);
    if (!hash) return hash;
    files[name] = *hash;
  }
  const json card = {
      {"schema", "unmask.model/1"},
      {"name", request.name},
      {"version", version},
      {"task", "face-manipulation"},
      {"description", request.description.empty() ? "imported from " + request.file.filename().string()
                                                  : request.description},
      {"network", {{"file", "model.xml"}, {"files", files}}},
      {"input",
       {{"name", "image"},
        {"layout", "NCHW"},
        {"width", facts.at("width")},
        {"height", facts.at("height")},
        {"color", facts.at("colour") == "rgb" ? "RGB" : "BGR"},
        {"mean", facts.at("mean")},
        {"scale", facts.at("scale")},
        {"resize", "area"}}},
      {"crop",
       {{"box", "yunet"},
        {"side_of", "geometric_mean"},
        {"scale", facts.at("crop")},
        {"dx", 0.0},
        {"dy", 0.0}}},
      {"output", {{"name", "logit"}, {"meaning", "manipulated"}}},
      {"calibration", nullptr},
      // No score says anything yet.
      {"thresholds",
       {{"manipulated", {{"score", 1.0}, {"fpr", 0.0}}}, {"clear", {{"score", 0.0}, {"fpr", 1.0}}}}},
      {"imported", {{"file", request.file.filename().string()}, {"output", facts.at("output")}}},
      {"limits",
       {"The model was imported and is not calibrated: nobody has measured here what its scores are "
        "worth."}}};
  std::string text = card.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
  if (auto written = WriteFileAtomically(folder / "model.json", text); !written)
    return tl::unexpected(written.error());
  return text;
}

}  // namespace

Result<ModelCard> ImportModel(const ImportRequest& request, const fs::path& program) try {
  if (auto good = CheckModelName(request.name); !good) return tl::unexpected(good.error());
  if (auto good = CheckFile(request.file); !good) return tl::unexpected(good.error());
  auto target = NewVersion::Begin(request.models, request.name, request.version);
  if (!target) return tl::unexpected(target.error());
  const fs::path folder = target->folder();

  ImportRequest absolute = request;
  absolute.file = fs::absolute(request.file);
  if (auto written = WriteFileAtomically(folder / "request.json", ToJson(absolute).dump()); !written)
    return Fail(ErrorCode::kInternal, written.error().message, "free some space, or choose another --models");
  if (auto converted = Convert(program, fs::absolute(folder), request.time_limit); !converted)
    return tl::unexpected(converted.error());
  const auto text = ReadSmallFile(folder / "facts.json", 1 << 20);
  if (!text) return tl::unexpected(text.error());
  const auto card_text = WriteCard(folder, request, target->version(), json::parse(*text));
  if (!card_text) return tl::unexpected(card_text.error());
  auto card = ParseModelCard(*card_text);
  if (!card) return tl::unexpected(card.error());
  std::error_code ignored;
  for (const char* name : {"request.json", "facts.json", "error.json"}) fs::remove(folder / name, ignored);
  auto published = target->Publish();
  if (!published) return tl::unexpected(published.error());
  card->folder = std::move(*published);
  return card;
} catch (const std::exception& e) {
  return Fail(ErrorCode::kInternal, fmt::format("the import failed: {}", e.what()));
}

}  // namespace unmask
